// Client credentials at oidc-provider, a certified provider nobody here wrote, and what discovery refuses.
import type { RequestListener } from 'node:http'
import { exportJWK, generateKeyPair } from 'jose'
import Provider from 'oidc-provider'
import { createJwtVerifier, oidc } from 'sallyport'
import { createTokenClient, type TokenClientOptions } from 'sallyport/machine'
import { beforeEach, describe, expect, it } from 'vitest'
import { closing, createClock, serve, show, thrownBy } from './bench.ts'

// Letters that Basic must encode (RFC 6749 §2.3.1).
const BASIC = { clientId: 'machine:basic', clientSecret: 'a secret: with % + & = and "\\ canary' }
const POST = { clientId: 'machine-post', clientSecret: 'another secret: % + & = canary' }
const RESOURCE = 'https://api.example.test/'

let issuer: string
let paths: string[]

async function startProvider(): Promise<void> {
  let handle: RequestListener = () => {}
  paths = []
  issuer = (
    await serve((request, response) => {
      paths.push(request.url ?? '')
      handle(request, response)
    })
  ).url
  const { privateKey } = await generateKeyPair('ES256', { extractable: true })
  const client = ({ clientId, clientSecret }: typeof BASIC, method: string) => ({
    client_id: clientId,
    client_secret: clientSecret,
    token_endpoint_auth_method: method,
    grant_types: ['client_credentials'],
    redirect_uris: [],
    response_types: [],
    id_token_signed_response_alg: 'ES256',
  })
  const provider = new Provider(issuer, {
    jwks: { keys: [{ ...(await exportJWK(privateKey)), alg: 'ES256', use: 'sig', kid: 'one' }] },
    clients: [client(BASIC, 'client_secret_basic'), client(POST, 'client_secret_post')],
    features: {
      devInteractions: { enabled: false },
      clientCredentials: { enabled: true },
      resourceIndicators: {
        enabled: true,
        useGrantedResource: () => true,
        getResourceServerInfo: () => ({
          audience: RESOURCE,
          scope: 'read write',
          accessTokenFormat: 'jwt',
          accessTokenTTL: 300,
          jwt: { sign: { alg: 'ES256' } },
        }),
      },
    },
  } as never)
  handle = provider.callback() as RequestListener
}

type Grant = TokenClientOptions['grant']

function connect(grant: object, more: Partial<TokenClientOptions> = {}) {
  const options = { kind: 'clientCredentials', resource: RESOURCE, ...grant } as Grant
  return closing(createTokenClient({ grant: options, origins: [], ...more }))
}

describe('oidc-provider', () => {
  beforeEach(startProvider)

  it.each([
    ['basic', BASIC],
    ['post', POST],
  ] as const)(
    'gives a token to client_secret_%s, by discovery, that our verifier knows for a machine’s',
    async (clientAuth, who) => {
      const clock = createClock()
      const client = connect({ ...who, clientAuth, issuer, scopes: ['read', 'write'] }, { clock })
      const verifier = createJwtVerifier({
        issuers: [oidc({ issuer, audience: RESOURCE })],
      })
      const tokens = new Set(await Promise.all(Array.from({ length: 100 }, () => client.token())))
      expect(tokens.size).toBe(1)
      // Good in every other respect: signature, issuer, audience, times.
      await expect(verifier.verify([...tokens][0] as string)).resolves.toMatchObject({ kind: 'machine' })
      expect(paths.filter((path) => path === '/token')).toHaveLength(1)
      clock.tick(300)
      expect(tokens.has(await client.token())).toBe(false)
      // Discovery is asked once by the client and once by the verifier.
      expect(paths.filter((path) => path.includes('openid-configuration'))).toHaveLength(2)
      expect(paths.filter((path) => path === '/token')).toHaveLength(2)
    },
  )

  it('takes the default, basic, at a token endpoint that is written out', async () => {
    await expect(connect({ ...BASIC, tokenUrl: `${issuer}/token` }).token()).resolves.toMatch(/^ey/)
    expect(paths).toEqual(['/token'])
  })

  it.each([
    ['a wrong secret', { ...BASIC, clientSecret: 'wrong canary' }, 'invalid_client'],
    ['an unknown client', { clientId: 'nobody', clientSecret: 'canary' }, 'invalid_client'],
  ])('refuses %s, clearly', async (_what, grant, reason) => {
    const error = await thrownBy(connect({ ...grant, issuer }).token())
    expect(error).toMatchObject({ code: 'token_refused', reason })
    expect(show(error)).not.toContain('canary')
  })
})

describe('the token request', () => {
  it('carries resource, audience and scope, each as its RFC says', async () => {
    const bodies: URLSearchParams[] = []
    const fetch = async (_input: RequestInfo | URL, init?: RequestInit): Promise<Response> => {
      bodies.push(new URLSearchParams(String(init?.body)))
      expect(init?.redirect).toBe('manual')
      return Response.json({ access_token: 'a', token_type: 'Bearer' })
    }
    const more = { tokenUrl: 'https://idp.test/t', fetch }
    const grant = {
      ...POST,
      tokenUrl: more.tokenUrl,
      clientAuth: 'post',
      scopes: ['a', 'b'],
      resource: ['urn:a', 'urn:b'],
      audience: 'x',
    }
    await connect(grant, { fetch }).token()
    expect([...(bodies[0] as URLSearchParams)]).toEqual([
      ['grant_type', 'client_credentials'],
      ['scope', 'a b'],
      ['resource', 'urn:a'],
      ['resource', 'urn:b'],
      ['audience', 'x'],
      ['client_id', POST.clientId],
      ['client_secret', POST.clientSecret],
    ])
  })
})

describe('discovery', () => {
  const good = (url: string) => ({ issuer: url, token_endpoint: `${url}/token` })

  it.each<[string, (url: string) => unknown, string]>([
    ['names another issuer', (url) => ({ ...good(url), issuer: `${url}/` }), 'discovery_issuer'],
    ['names none', () => ({}), 'discovery_issuer'],
    ['has no endpoint', (url) => ({ issuer: url }), 'discovery_token_endpoint'],
    [
      'leads to plain http',
      (url) => ({ ...good(url), token_endpoint: 'http://idp.test/t' }),
      'discovery_token_endpoint',
    ],
    ['is no object', () => [], 'discovery_not_object'],
  ])('that %s sends no secret anywhere', async (_what, metadata, reason) => {
    const asked: string[] = []
    const { url } = await serve((request, response) => {
      asked.push(request.url ?? '')
      response.end(JSON.stringify(metadata(url)))
    })
    const error = await thrownBy(connect({ ...BASIC, issuer: url }).token())
    expect(error).toMatchObject({ code: 'token_unavailable', reason })
    expect(asked).toEqual(['/.well-known/openid-configuration'])
  })

  it('of an https issuer leads to no plain endpoint of this machine', async () => {
    const asked: string[] = []
    const fetch = async (input: RequestInfo | URL): Promise<Response> => {
      asked.push(String(input))
      return Response.json({ issuer: 'https://idp.test', token_endpoint: 'http://localhost:1/t' })
    }
    const error = await thrownBy(connect({ ...BASIC, issuer: 'https://idp.test' }, { fetch }).token())
    expect(error).toMatchObject({ reason: 'discovery_token_endpoint' })
    expect(asked).toHaveLength(1)
  })

  it('is asked again after the endpoint has gone', async () => {
    const clock = createClock()
    let at = '/old'
    const { url } = await serve((request, response) => {
      if (request.url?.includes('well-known')) response.end(JSON.stringify({ issuer: url, token_endpoint: url + at }))
      else if (request.url !== at) response.writeHead(404).end()
      else response.end(JSON.stringify({ access_token: at.slice(1), token_type: 'bearer', expires_in: 60 }))
    })
    const client = connect({ ...BASIC, issuer: url }, { clock })
    expect(await client.token()).toBe('old')
    at = '/new'
    clock.tick(60)
    expect(await thrownBy(client.token())).toMatchObject({ reason: 'status', status: 404 })
    clock.tick(1)
    expect(await client.token()).toBe('new')
  })
})
