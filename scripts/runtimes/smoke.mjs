/**
 * A request through the built package that needs nothing but web standards: a real ES256 token, a Hono app behind the pipeline,
 * a service, an API key, a machine account that calls the app. The same file runs in every runtime; hands on one line.
 */
import { Hono } from 'hono'
import {
  createAuth,
  createJwtVerifier,
  createOrgResolver,
  createProvisioner,
  createRoles,
  createServiceVerifier,
  header,
} from 'sallyport'
import { fromFetchRequest } from 'sallyport/adapter'
import { createApiKeys } from 'sallyport/api-keys'
import { createAdapter } from 'sallyport/hono'
import { createTokenClient } from 'sallyport/machine'
import { createMemoryStorage } from 'sallyport/memory'

const ISSUER = 'https://issuer.example'
const API = 'https://api.example'
const SECRET = 'a-service-secret-that-is-long-enough-for-it'
const ROLES = createRoles(['member', 'owner'], { 'things:read': 'member' })

/** Attempt, and go on with what only some runtimes can; one line: what was checked, or what went wrong first. */
export async function smoke(more = async () => {}) {
  const checked = []
  const same = (what, got, wanted) => {
    if (JSON.stringify(got) !== JSON.stringify(wanted)) {
      throw new Error(`${what}: ${JSON.stringify(got)} instead of ${JSON.stringify(wanted)}`)
    }
    checked.push(what)
  }
  try {
    await pipeline(same)
    await more(same)
    return `smoke: ok, ${checked.length} checks, ${runtimeName()}`
  } catch (error) {
    return `smoke: FAILED after ${checked.length} checks, ${runtimeName()}: ${String(error?.stack ?? error)}`
  }
}

async function pipeline(same) {
  const issuer = await createIssuer()
  const { auth, app, apiKeys } = createApp(issuer.jwk)
  const send = async (method, path, headers = {}, json) => {
    const body = json === undefined ? null : JSON.stringify(json)
    const answer = await app.request(`${API}${path}`, { method, headers, body })
    return { status: answer.status, challenge: answer.headers.get('www-authenticate'), body: await answer.json() }
  }
  const bearer = (token) => ({ authorization: `Bearer ${token}` })
  const ada = bearer(await issuer.sign('ada'))

  const me = await send('GET', '/api/me', ada)
  same('a token signed by ES256', [me.status, me.body.subject, me.body.role], [200, 'ada', 'owner'])
  const forged = await send('GET', '/api/me', bearer(await (await createIssuer()).sign('ada')))
  same('a forged one', [forged.status, forged.challenge], [401, 'Bearer error="invalid_token"'])
  const expired = await send('GET', '/api/me', bearer(await issuer.sign('ada', -3600)))
  same('an expired one', [expired.status, expired.body.error.code], [401, 'token_expired'])
  const none = await send('GET', '/api/me')
  same('none', [none.status, none.challenge], [401, 'Bearer'])
  same(
    'a foreign organization',
    (await send('GET', '/api/me', { ...ada, 'x-org-id': crypto.randomUUID() })).status,
    403,
  )
  const context = await auth.authenticate(fromFetchRequest(new Request(`${API}/api/me`, { headers: ada })))
  same('a plain Fetch request', [context.kind, context.org.id], ['user', me.body.org])

  const json = { 'content-type': 'application/json' }
  const booked = await send('POST', '/internal', { ...json, 'x-service-secret': SECRET }, { org_id: me.body.org })
  same('a service', [booked.status, booked.body], [201, { org: me.body.org }])
  same(
    'a wrong secret',
    (await send('POST', '/internal', { ...json, 'x-service-secret': `${SECRET}!` }, {})).status,
    401,
  )
  const { key } = await apiKeys.issue(context, { name: 'smoke' })
  same('an API key', (await send('GET', '/api/things', bearer(key))).body, { as: 'apiKey', org: me.body.org })
  same('a mistyped one', (await send('GET', '/api/things', bearer(`${key}x`))).status, 401)

  await callAsMachine(issuer, app, same)
  auth.close()
}

// The first token is signed by a key nobody knows, so that the service refuses it and another one is asked for.
async function callAsMachine(issuer, app, same) {
  const grants = []
  const fetchStub = async (input, init) => {
    if (!String(input).startsWith(ISSUER)) return await app.request(input, init)
    grants.push(String(init.body))
    const access_token = await (grants.length === 1 ? await createIssuer() : issuer).sign('bot')
    return Response.json({ access_token, token_type: 'Bearer', expires_in: 3600 })
  }
  const grant = { kind: 'clientCredentials', clientId: 'bot', clientSecret: 'canary', tokenUrl: `${ISSUER}/token` }
  const client = createTokenClient({ grant, origins: [API], fetch: fetchStub })
  const answers = await Promise.all(Array.from({ length: 10 }, () => client.fetch(`${API}/api/me`)))
  const subjects = await Promise.all(answers.map(async (answer) => (await answer.json()).subject))
  same('a machine account', [new Set(subjects).size, subjects[0], grants.length], [1, 'bot', 2])
  const strange = await client.fetch('https://elsewhere.example/').catch((error) => error.code)
  same('an origin that is not named', strange, 'origin_not_allowed')
  client.close()
  same('a closed client', await client.token().catch((error) => error.code), 'client_closed')
}

function createApp(jwk) {
  const storage = createMemoryStorage()
  const apiKeys = createApiKeys({ storage, prefix: 'smoke', roles: ROLES, defaultPermissions: ['things:read'] })
  const auth = createAuth({
    roles: ROLES,
    verifier: createJwtVerifier({
      issuers: [{ issuer: ISSUER, keys: [{ kind: 'jwks', keys: [jwk] }], audience: API }],
    }),
    services: createServiceVerifier({ services: { booking: { header: 'X-Service-Secret', secrets: [SECRET] } } }),
    apiKeys,
    users: createProvisioner({ storage }),
    orgs: createOrgResolver({
      memberships: storage.memberships,
      selectors: [header('X-Org-Id')],
      whenUnnamed: 'earliest-joined',
    }),
  })
  const { middleware, protect } = createAdapter(auth)
  const signedIn = middleware()
  const app = new Hono()
  app.use('/api/me', signedIn)
  app.get('/api/me', (c) => {
    const { identity, org, role } = signedIn.getAuth(c)
    return c.json({ subject: identity.subject, org: org.id, role })
  })
  app.get(
    '/api/things',
    protect({ accept: ['apiKey'] }, ({ kind, org }, c) => c.json({ as: kind, org: org.id })),
  )
  app.post(
    '/internal',
    protect({ accept: ['service:booking'] }, async (caller, c) => {
      const { org_id } = await c.req.json()
      const { org } = await auth.actIn(caller, org_id)
      return c.json({ org: org.id }, 201)
    }),
  )
  return { auth, app, apiKeys }
}

async function createIssuer() {
  const algorithm = { name: 'ECDSA', namedCurve: 'P-256' }
  const { privateKey, publicKey } = await crypto.subtle.generateKey(algorithm, true, ['sign', 'verify'])
  const { kty, crv, x, y } = await crypto.subtle.exportKey('jwk', publicKey)
  return {
    jwk: { kty, crv, x, y, kid: 'one', alg: 'ES256', use: 'sig' },
    async sign(sub, lifeSeconds = 600) {
      const iat = Math.floor(Date.now() / 1000) + Math.min(0, lifeSeconds) - 1
      const claims = { iss: ISSUER, aud: API, sub, iat, exp: iat + Math.abs(lifeSeconds) / 2 }
      const input = `${encode(JSON.stringify({ alg: 'ES256', kid: 'one' }))}.${encode(JSON.stringify(claims))}`
      const how = { name: 'ECDSA', hash: 'SHA-256' }
      const signature = await crypto.subtle.sign(how, privateKey, new TextEncoder().encode(input))
      return `${input}.${encode(String.fromCharCode(...new Uint8Array(signature)))}`
    },
  }
}

function encode(latin1) {
  return btoa(latin1).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '')
}

function runtimeName() {
  const { Bun, Deno, process, navigator } = globalThis
  if (Bun !== undefined) return `Bun ${Bun.version}`
  if (Deno !== undefined) return `Deno ${Deno.version.deno}`
  if (process?.versions?.node !== undefined) return `Node ${process.versions.node}`
  return navigator?.userAgent ?? 'a runtime without a name'
}
