// What is fetched of keys, metadata and tokens is kept by no HTTP cache, on runtimes that know the option and on the others.
import { afterEach, expect, it, vi } from 'vitest'
import { createJwtVerifier, oidc } from '../../src/index.ts'
import { noStore } from '../../src/lib/json-exchange.ts'
import { createTokenClient } from '../../src/machine/index.ts'
import { createTokenIssuer } from '../../src/testing/token-issuer.ts'

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

it('is said of keys and metadata', async () => {
  expect(await seenBy(verify)).toEqual({ '/.well-known/openid-configuration': 'no-store', '/jwks': 'no-store' })
})

it('is said of tokens and metadata', async () => {
  expect(await seenBy(signIn)).toEqual({ '/.well-known/openid-configuration': 'no-store', '/token': 'no-store' })
})

it('is left out where the runtime throws at the option, as workers of older dates do', async () => {
  class OlderRequest {
    constructor(_: string, init: RequestInit = {}) {
      if (init.cache !== undefined) throw new Error("The 'cache' field on 'RequestInitializerDict' is not implemented.")
    }
  }
  vi.stubGlobal('Request', OlderRequest)
  expect(noStore()).toEqual({})
  expect(await seenBy(verify)).toEqual({ '/.well-known/openid-configuration': 'absent', '/jwks': 'absent' })
})
