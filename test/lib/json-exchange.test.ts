// K1, K2: the limits of one exchange, over a `fetch` that does what it likes. Real servers: key-server-faults.test.ts.
import { afterEach, describe, expect, it, vi } from 'vitest'
import { createJwtVerifier, oidc } from '../../src/index.ts'
import { exchangeJson, failureWord, fetchFailure, fetchJsonObject, noStore } from '../../src/lib/json-exchange.ts'
import { createTokenClient } from '../../src/machine/index.ts'
import { createTokenIssuer } from '../../src/testing/token-issuer.ts'

const URL_OF_KEYS = 'https://keys.test/jwks'

async function wordOf(answer: () => Response | Promise<Response>): Promise<string> {
  try {
    await fetchJsonObject(async () => await answer(), URL_OF_KEYS, new AbortController().signal)
    return 'ok'
  } catch (error) {
    return failureWord(error)
  }
}

describe('fetchJsonObject', () => {
  it.each<[string, () => Response | Promise<Response>, string]>([
    ['an object', () => Response.json({ keys: [] }), 'ok'],
    ['256 KB', () => new Response(`{}${' '.repeat(256 * 1024 - 2)}`), 'ok'],
    ['a byte more', () => new Response(`{}${' '.repeat(256 * 1024 - 1)}`), 'too_large'],
    ['201', () => Response.json({}, { status: 201 }), 'status'],
    ['204', () => new Response(null, { status: 204 }), 'status'],
    ['500', () => Response.json({}, { status: 500 }), 'status'],
    ['302', () => new Response(null, { status: 302, headers: { location: 'https://evil.test' } }), 'redirect'],
    ['304', () => new Response(null, { status: 304 }), 'redirect'],
    [
      'a redirect that was followed all the same',
      () => Object.defineProperty(Response.json({}), 'redirected', { value: true }),
      'redirect',
    ],
    ['nothing', () => new Response(null), 'not_json'],
    ['half of it', () => new Response('{"keys":['), 'not_json'],
    ['no UTF-8', () => new Response(new Uint8Array([0x7b, 0xff, 0x7d])), 'not_json'],
    ['a list', () => Response.json([]), 'not_object'],
    ['null', () => Response.json(null), 'not_object'],
    ['a network error', () => Promise.reject(new TypeError('fetch failed')), 'network'],
    ['something odd thrown', () => Promise.reject('odd'), 'network'],
    [
      'a body that breaks',
      () => new Response(new ReadableStream({ pull: (c) => c.error(new Error('reset')) })),
      'network',
    ],
  ])('%s', async (_, answer, word) => {
    expect(await wordOf(answer)).toBe(word)
  })

  it('reads no further than the limit, and lets go of what it does not read', async () => {
    let pulled = 0
    let cancelled = 0
    const endless = (): Response =>
      new Response(
        new ReadableStream({
          pull: (controller) => {
            pulled += 1
            controller.enqueue(new Uint8Array(64 * 1024).fill(32))
          },
          cancel: () => {
            cancelled += 1
          },
        }),
      )
    expect(await wordOf(endless)).toBe('too_large')
    expect(pulled).toBeLessThanOrEqual(7)
    expect(cancelled).toBe(1)
    expect(await wordOf(() => new Response(endless().body, { status: 500 }))).toBe('status')
    expect(cancelled).toBe(2)
  })

  it('asks once, for JSON, and follows nothing', async () => {
    const fetcher = vi.fn(async (..._: Parameters<typeof fetch>) => Response.json({}))
    const { signal } = new AbortController()
    await fetchJsonObject(fetcher, URL_OF_KEYS, signal)
    expect(fetcher.mock.calls).toEqual([
      [
        'https://keys.test/jwks',
        { headers: { accept: 'application/json' }, redirect: 'manual', signal, cache: 'no-store' },
      ],
    ])
  })
})

describe('exchangeJson', () => {
  const { signal } = new AbortController()
  const posted = { url: 'https://issuer.test/token', headers: { apikey: 'key' }, body: 'a=b', read: [200, 400] }

  it('posts a body, with the headers it is given', async () => {
    const fetcher = vi.fn(async (..._: Parameters<typeof fetch>) => Response.json({ a: 1 }, { status: 400 }))
    const answer = await exchangeJson(fetcher, posted, signal)
    expect(answer).toEqual({ status: 400, retryAfter: null, body: { a: 1 } })
    expect(fetcher.mock.calls[0]?.[1]).toMatchObject({ method: 'POST', body: 'a=b', headers: { apikey: 'key' } })
  })

  it('reads the bodies of the named statuses only, and own members only', async () => {
    const answer = (status: number) => async () =>
      new Response('{"__proto__":{"a":1}}', { status, headers: { 'retry-after': '7' } })
    expect(await exchangeJson(answer(503), posted, signal)).toEqual({ status: 503, retryAfter: '7', body: 'unread' })
    const { body } = await exchangeJson(answer(200), posted, signal)
    expect(body).toBeTypeOf('object')
    expect((body as { a?: unknown }).a).toBeUndefined()
  })
})

it('names failures by one word', () => {
  expect(failureWord(fetchFailure('status'))).toBe('status')
  expect(failureWord(new Error('secret text'))).toBe('network')
  expect(failureWord(undefined)).toBe('network')
})

afterEach(() => void vi.unstubAllGlobals())

const ISSUER = 'https://issuer.test'

async function seenBy(use: (fetcher: typeof fetch) => Promise<unknown>): Promise<Record<string, unknown>> {
  const seen: Record<string, unknown> = {}
  const issuer = await createTokenIssuer({ issuer: ISSUER, algorithms: ['ES256'] })
  await use(async (input, init) => {
    const { pathname } = new URL(String(input))
    seen[pathname] = init !== undefined && 'cache' in init ? init.cache : 'absent'
    if (pathname === '/jwks') return Response.json(issuer.jwks())
    if (pathname === '/token') return Response.json({ access_token: 'token', expires_in: 60, token_type: 'bearer' })
    return Response.json({ issuer: ISSUER, jwks_uri: `${ISSUER}/jwks`, token_endpoint: `${ISSUER}/token` })
  })
  return seen
}

async function verify(fetcher: typeof fetch): Promise<void> {
  await createJwtVerifier({ issuers: [oidc({ issuer: ISSUER, audience: 'a' })], fetch: fetcher }).warmUp?.()
}

async function signIn(fetcher: typeof fetch): Promise<void> {
  const grant = { kind: 'clientCredentials', clientId: 'id', clientSecret: 'a secret', issuer: ISSUER } as const
  const client = createTokenClient({ grant, origins: [], fetch: fetcher })
  await client.token()
  client.close()
}

it('keeps keys and metadata out of HTTP caches', async () => {
  expect(await seenBy(verify)).toEqual({ '/.well-known/openid-configuration': 'no-store', '/jwks': 'no-store' })
})

it('keeps tokens and metadata out of HTTP caches', async () => {
  expect(await seenBy(signIn)).toEqual({ '/.well-known/openid-configuration': 'no-store', '/token': 'no-store' })
})

it('leaves caches be where the runtime throws at the option, as workers of older dates do', async () => {
  class OlderRequest {
    constructor(_: string, init: RequestInit = {}) {
      if (init.cache !== undefined) throw new Error("The 'cache' field on 'RequestInitializerDict' is not implemented.")
    }
  }
  vi.stubGlobal('Request', OlderRequest)
  expect(noStore()).toEqual({})
  expect(await seenBy(verify)).toEqual({ '/.well-known/openid-configuration': 'absent', '/jwks': 'absent' })
})
