/** The challenge of an auth on every framework: whatever writes a refusal, of whatever kind, writes the same. */
import {
  AuthError,
  createAuth,
  jsonResponse,
  protectedResourceMetadata,
  type Route,
  readJson,
  toAuthResponse,
} from 'sallyport'
import { afterAll, describe, expect, it } from 'vitest'
import type { Access } from '../../src/request.ts'
import { createTokenIssuer } from '../../src/testing/token-issuer.ts'
import {
  type Endpoint,
  HOSTS,
  type HostName,
  honoApp,
  type Listening,
  listen,
  type Mountable,
} from '../support/hosts.ts'

const issuer = await createTokenIssuer({ algorithms: ['HS256'] })
const metadata = protectedResourceMetadata({
  resource: 'https://api.example.com/mcp',
  authorizationServers: ['https://login.example.com'],
  scopes: ['notes:read'],
})
const WHERE = 'resource_metadata="https://api.example.com/.well-known/oauth-protected-resource/mcp"'
const DEFAULTS = 'Bearer'
const read = { permissions: ['notes:read'] } as const

const forbidding = (): never => {
  throw new AuthError('unauthorized', { absent: true })
}
const route = (path: string, access: Access, handle: Route['handle']): Route => ({
  method: 'POST',
  path,
  access,
  handle,
})
const at = (path: string, access: Access | null, mounts: readonly Access[], answer: Endpoint['answer']): Endpoint => ({
  method: 'POST',
  path,
  mounts,
  access,
  answer,
})

function partOf(challenge: object | undefined, more: Partial<Mountable>): Mountable {
  const auth = createAuth({
    issuers: [
      {
        issuer: issuer.issuer,
        keys: [{ kind: 'secret', secret: issuer.secret }],
        audience: issuer.audience,
        claims: { scopes: 'scope' },
      },
    ],
    challenge,
    errorFormat: more.options === undefined ? 'problem' : 'json',
  })
  return {
    auth: auth as never,
    routes: [
      metadata,
      route('/route', read, () => jsonResponse(200, {})),
      // As a login refuses: a public Route that takes its credential from the body.
      route('/login', 'public', forbidding),
      route('/body', { ...read, optional: true }, async (_context, request) => {
        await readJson(request)
        return forbidding()
      }),
    ],
    endpoints: [
      at('/protect', read, [], () => jsonResponse(200, {})),
      at('/middleware', null, [read], () => jsonResponse(200, {})),
      at('/handler', { ...read, optional: true }, [], forbidding),
    ],
    ...more,
  }
}

const token = await issuer.sign({ sub: 'ada', scope: 'notes:write' })
const SCOPE = 'scope="notes:read"'

const SENT = {
  'no credential': null,
  'a bad token': 'Bearer a.b.c',
  'another scope': `Bearer ${token}`,
  malformed: 'Bearer a, b',
}

// What is sent to which path, and what stands in the challenge beside the realm and the place of the document.
const CASES: readonly (readonly [path: string, sent: keyof typeof SENT, inner: readonly string[]])[] = [
  ['/route', 'no credential', [SCOPE]],
  ['/protect', 'no credential', [SCOPE]],
  ['/middleware', 'no credential', [SCOPE]],
  ['/handler', 'no credential', [SCOPE]],
  ['/body', 'no credential', [SCOPE]],
  ['/login', 'no credential', []],
  ['/protect', 'a bad token', ['error="invalid_token"', SCOPE]],
  ['/route', 'another scope', ['error="insufficient_scope"', SCOPE]],
  ['/middleware', 'another scope', ['error="insufficient_scope"', SCOPE]],
  ['/route', 'malformed', ['error="invalid_request"']],
]

const NAMES = Object.keys(HOSTS) as HostName[]
const KINDS = ['write', 'delegate', 'problem', 'onError'] as const
const hosts = new Map<string, Promise<Listening>>()
const everywhere = { realm: 'notes', scope: 'asked', resourceMetadata: metadata.url }

function hostOf(name: HostName, kind: (typeof KINDS)[number], challenge: object | undefined): Promise<Listening> {
  const key = `${name} ${kind} ${JSON.stringify(challenge)}`
  const options = { errors: kind === 'delegate' ? ('delegate' as const) : ('write' as const) }
  const more = kind === 'problem' ? {} : { options, onError: kind === 'onError' }
  const host = hosts.get(key) ?? listen(HOSTS[name](partOf(challenge, more)))
  hosts.set(key, host)
  return host
}

afterAll(async () => {
  for (const host of hosts.values()) await (await host).close()
})

async function challengeAt(url: string, path: string, authorization: string | null): Promise<[number, string | null]> {
  const headers = { 'Content-Type': 'application/json', ...(authorization !== null && { authorization }) }
  const response = await fetch(url + path, { method: 'POST', headers, body: '{}' })
  await response.arrayBuffer()
  return [response.status, response.headers.get('www-authenticate')]
}

describe.each(NAMES)('on %s', (name) => {
  describe.each(KINDS)('refusals that are answered by %s', (kind) => {
    it.each(CASES)('%s, %s: the realm, what is asked, where tokens are to be had', async (path, sent, inner) => {
      const { url } = await hostOf(name, kind, everywhere)
      const [status, challenge] = await challengeAt(url, path, SENT[sent])
      expect(challenge).toBe(`Bearer ${['realm="notes"', ...inner, WHERE].join(', ')}`)
      expect(status).toBe(/insufficient/.test(inner.join()) ? 403 : /request/.test(inner.join()) ? 400 : 401)
    })

    it.each(CASES)('%s, %s: nothing more where nothing was said', async (path, sent, inner) => {
      const { url } = await hostOf(name, kind, undefined)
      const isScope = inner.includes('error="insufficient_scope"')
      const said = inner.filter((param) => isScope || param !== SCOPE)
      expect((await challengeAt(url, path, SENT[sent]))[1]).toBe([DEFAULTS, said.join(', ')].join(' ').trimEnd())
    })
  })

  it('serves the document at the place that the challenge names, to every origin, whoever asks', async () => {
    const { url } = await hostOf(name, 'write', everywhere)
    for (const headers of [{}, { Authorization: 'Bearer a.b.c' }, { Origin: 'https://inspector.example' }]) {
      const response = await fetch(`${url}/.well-known/oauth-protected-resource/mcp`, { headers })
      expect(response.status).toBe(200)
      expect(response.headers.get('access-control-allow-origin')).toBe('*')
      expect(response.headers.get('cache-control')).toBe('public, max-age=300')
      expect(response.headers.get('content-type')).toMatch(/^application\/json/)
      expect(await response.json()).toEqual({
        resource: 'https://api.example.com/mcp',
        authorization_servers: ['https://login.example.com'],
        scopes_supported: ['notes:read'],
        bearer_methods_supported: ['header'],
      })
    }
    const elsewhere = await fetch(`${url}/.well-known/oauth-protected-resource`)
    expect(elsewhere.status).toBe(404)
    const head = await fetch(`${url}/.well-known/oauth-protected-resource/mcp`, { method: 'HEAD' })
    expect([head.status, await head.text()]).toEqual([200, ''])
  })
})

it('over Fetch: the same, and so by the error itself', async () => {
  const app = honoApp(partOf(everywhere, {}))
  const response = await app.request('/protect', { method: 'POST' })
  expect(response.headers.get('www-authenticate')).toBe(`Bearer realm="notes", ${SCOPE}, ${WHERE}`)
  expect(await response.json()).toMatchObject({ type: 'urn:sallyport:unauthorized' })
  expect(toAuthResponse(new AuthError('unauthorized', { absent: true })).headers).toContainEqual([
    'WWW-Authenticate',
    'Bearer',
  ])
})
