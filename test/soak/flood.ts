/**
 * Distinct bad inputs through one auth in one process: tokens, key ids, issuers, organizations, e-mails, addresses, API
 * keys, sessions, none twice. Whatever is remembered of each must have a bound. Says what they left behind, and ends. Not a
 * test: `flood-process.ts` starts it.
 */
import { createHmac, randomBytes } from 'node:crypto'
import { createApiKeys } from '../../src/api-keys/api-keys.ts'
import { createKeyFormat } from '../../src/api-keys/key-format.ts'
import { createAuth } from '../../src/auth.ts'
import { type AuthErrorCode, isAuthError } from '../../src/errors.ts'
import { createLogin } from '../../src/login/login.ts'
import { createOrgResolver, createUserOrgResolver } from '../../src/orgs/org-resolver.ts'
import { header } from '../../src/orgs/selector.ts'
import type { AuthRequest } from '../../src/request.ts'
import { createMemoryStorage } from '../../src/storage/memory.ts'
import { createTokenIssuer, encodePart } from '../../src/testing/token-issuer.ts'
import { createProvisioner } from '../../src/users/provisioner.ts'
import { createJwtVerifier } from '../../src/verify/jwt-verifier.ts'
import { fakeRequest } from '../pipeline/fake-request.ts'
import { ROLES } from './oracle.ts'
import type { FloodResult } from './report.ts'

process.on('disconnect', () => process.exit(0))
process.on('SIGINT', () => undefined)

const [requests = 0] = process.argv.slice(2).map(Number)
// What is remembered at most is remembered by then: what grows until its bound is no leak. The throttle in memory keeps most,
// 100,000 keys, an e-mail and an address for each try.
const WARM_UP = 30_000
const TRIES_UNTIL_FULL = 51_000
const KEPT = 10

const issuer = await createTokenIssuer({ algorithms: ['HS256', 'ES256'] })
const storage = createMemoryStorage()
const apiKeys = createApiKeys({ storage, prefix: 'soak', roles: ROLES })
const jwksUrl = 'https://issuer.test/jwks'
const auth = createAuth({
  roles: ROLES,
  verifier: createJwtVerifier({
    issuers: [
      {
        issuer: issuer.issuer,
        audience: issuer.audience,
        keys: [
          { kind: 'secret', secret: issuer.secret },
          { kind: 'jwks', url: jwksUrl },
        ],
      },
    ],
    cache: { maxEntries: 1000 },
    fetch: async () => Response.json(issuer.jwks()),
  }),
  users: createProvisioner({ storage, ownerRole: 'owner' }),
  orgs: createOrgResolver({
    memberships: storage.memberships,
    selectors: [header('X-Org-Id')],
    whenUnnamed: 'earliest-joined',
  }),
  apiKeys,
})
const sessionSecret = randomBytes(32)
const login = createLogin({
  storage: storage.accounts,
  secret: sessionSecret,
  service: 'flood',
  roles: ROLES,
  // What is remembered of those who try is under test, not the hash.
  passwords: { hash: async () => 'hash', verify: async () => false, needsRehash: () => false },
})
const accountOrgs = createUserOrgResolver({ memberships: storage.memberships as never, orgIdOf: () => null })
const accounts = createAuth({ ...login.auth, orgs: accountOrgs })
const logIn = login.routes.find(({ path }) => path.endsWith('/login'))

/** A way to be wrong, another one for each number. */
interface Way {
  readonly code: AuthErrorCode
  ask(n: number): Promise<unknown>
}

const now = Math.floor(Date.now() / 1000)
const claims = (more: object): object => ({
  ...{ iss: issuer.issuer, aud: issuer.audience, sub: 'somebody', iat: now, exp: now + 7200, email: 'a@example.test' },
  ...more,
})
const byBearer = (token: string, more: Record<string, string> = {}): AuthRequest =>
  fakeRequest({ headers: { authorization: `Bearer ${token}`, ...more } })
const ask = (token: string, more?: Record<string, string>): Promise<unknown> => auth.authenticate(byBearer(token, more))

function signed(head: object, payload: object, key: Uint8Array | string): string {
  const input = `${encodePart({ alg: 'HS256', typ: 'JWT', ...head })}.${encodePart(payload)}`
  return `${input}.${createHmac('sha256', key).update(input).digest('base64url')}`
}

const session = (n: number, key: Uint8Array): string => {
  const jti = randomBytes(16).toString('base64url')
  const payload = { iss: 'flood', aud: 'flood', sub: `account-${n}`, iat: now, exp: now + 7200, ver: 0, jti }
  return signed({ typ: 'session+jwt' }, payload, key)
}
const hex = (n: number): string => n.toString(16).padStart(12, '0')
const format = createKeyFormat('flood', 'soak')
const good = await issuer.sign({ sub: 'somebody' }, { algorithm: 'HS256' })
const forged = randomBytes(64).toString('base64url')
const other = randomBytes(32)

function tryPassword(n: number): Promise<unknown> {
  const bytes = new TextEncoder().encode(
    JSON.stringify({ email: `nobody-${n}@example.test`, password: 'x'.repeat(20) }),
  )
  const request = fakeRequest({ headers: { 'content-type': 'application/json' }, body: { kind: 'bytes', bytes } })
  const address = `10.${(n >> 16) & 255}.${(n >> 8) & 255}.${n & 255}`
  return Promise.resolve(logIn?.handle(null as never, { ...request, remoteAddress: address }))
}

const WAYS: Readonly<Record<string, Way>> = {
  garbage: { code: 'unauthorized', ask: (n) => ask(`garbage-${n}`) },
  'a forged signature': { code: 'unauthorized', ask: (n) => ask(signed({}, claims({ jti: `${n}` }), other)) },
  'an unknown key': {
    code: 'unauthorized',
    ask: (n) => ask(`${encodePart({ alg: 'ES256', kid: `kid-${n}` })}.${encodePart(claims({}))}.${forged}`),
  },
  'an unknown issuer': {
    code: 'unauthorized',
    ask: (n) => ask(signed({}, claims({ iss: `https://${n}.test` }), other)),
  },
  'an expired token': {
    code: 'token_expired',
    ask: (n) => ask(signed({}, claims({ jti: `${n}`, exp: now - 3600 }), issuer.secret)),
  },
  'a malformed subject': {
    code: 'unauthorized',
    ask: (n) => ask(signed({}, claims({ sub: `${n}\n` }), issuer.secret)),
  },
  'a strange organization': {
    code: 'forbidden',
    ask: (n) => ask(good, { 'x-org-id': `00000000-0000-4000-8000-${hex(n)}` }),
  },
  'a malformed organization': { code: 'invalid_org_id', ask: (n) => ask(good, { 'x-org-id': `no id ${n}` }) },
  'an unknown API key': { code: 'unauthorized', ask: () => ask(format.create().key) },
  'a torn API key': { code: 'unauthorized', ask: (n) => ask(`soak_${n}`) },
  'a wrong password': { code: 'unauthorized', ask: tryPassword },
  'a session of nobody': {
    code: 'unauthorized',
    ask: (n) => accounts.authenticate(byBearer(session(n, sessionSecret)), { needs: 'user' }),
  },
  'a forged session': {
    code: 'unauthorized',
    ask: (n) => accounts.authenticate(byBearer(session(n, other)), { needs: 'user' }),
  },
}

const wrong: string[] = []

async function ways(from: number, until: number): Promise<void> {
  const all = Object.entries(WAYS)
  for (let n = from; n < until; n += 1) {
    const [name, way] = all[n % all.length] as [string, Way]
    const got = await way.ask(n).then(
      () => 'passed',
      (error: unknown) => (isAuthError(error) ? error.code : String(error)),
    )
    if (got !== way.code && wrong.length < KEPT) wrong.push(`${name} ${n}: ${got} in place of ${way.code}`)
    // A turn of the event loop now and then, as a server has them all the time.
    if (n % 256 === 0) await new Promise((resolve) => setImmediate(resolve))
  }
}

async function heapAfterGc(): Promise<number> {
  for (let times = 0; times < 3; times++) {
    globalThis.gc?.()
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
  const { heapUsed, external } = process.memoryUsage()
  return heapUsed + external
}

await auth.warmUp()
await ask(good)
await ways(0, WARM_UP)
for (let n = 0; n < TRIES_UNTIL_FULL; n += 1) await tryPassword(2 ** 23 + n).catch(() => undefined)
const before = await heapAfterGc()
const begun = performance.now()
await ways(WARM_UP, WARM_UP + requests)
const seconds = (performance.now() - begun) / 1000
const result: FloodResult = { requests, seconds, grownBytes: (await heapAfterGc()) - before, wrong }
process.send?.(result, () => process.exit(0))
