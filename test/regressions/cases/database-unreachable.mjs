/**
 * A database that can't be reached just now is a 503 with Retry-After, whatever word the network has for it, and whichever
 * step asks: the provisioner and the sync gate alike.
 */
import { claimsOf, load, signer, verdict, within } from './lib.mjs'

within(60)
const { createAuth, createJwtVerifier, createOrgResolver, createProvisioner, createSyncGate, header } =
  await load('index')
const { fromFetchRequest } = await load('adapter')
const { createPostgresStorage } = await load('postgres')
const { jwk, sign } = await signer()
const issuer = 'https://idp.example.test'
const verifier = createJwtVerifier({
  issuers: [{ issuer, keys: [{ kind: 'jwks', keys: [jwk] }], audience: 'authenticated' }],
})
const lines = []
let isOk = true
for (const code of ['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH', 'ENETUNREACH', 'ECONNABORTED']) {
  const fail = async () => {
    throw Object.assign(new Error(`connect ${code}`), { code })
  }
  const storage = createPostgresStorage({ pool: { query: fail, connect: fail } })
  for (const [name, users] of [
    ['provisioner', createProvisioner({ storage })],
    ['sync gate', createSyncGate({ users: storage.users })],
  ]) {
    const auth = createAuth({
      roles: ['owner'],
      verifier,
      users,
      orgs: createOrgResolver({
        memberships: storage.memberships,
        selectors: [header('X-Org-Id')],
        whenUnnamed: 'earliest-joined',
      }),
    })
    const headers = { authorization: `Bearer ${await sign(claimsOf(issuer))}` }
    const seen = await auth.authenticate(fromFetchRequest(new Request('http://x/', { headers }))).then(
      () => 200,
      (error) => error.status ?? 500,
    )
    if (seen !== 503) isOk = false
    lines.push(`${code}, ${name}: ${seen}`)
  }
}
verdict(isOk, ...lines)
