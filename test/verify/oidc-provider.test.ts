// Tokens of an issuer nobody here wrote: oidc-provider, a certified OpenID provider, over its own discovery, key set and
// token endpoint, with its signing keys changed while it runs.
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { exportJWK, generateKeyPair } from 'jose'
import Provider from 'oidc-provider'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createJwtVerifier, oidc } from '../../src/index.ts'

type Algorithm = 'ES256' | 'RS256' | 'EdDSA'
const ALGORITHMS: readonly Algorithm[] = ['ES256', 'RS256', 'EdDSA']
const CLIENT = { id: 'machine', secret: 'a-client-secret-for-this-test-only' }

let server: Server
let issuer: string
let handle: (...args: Parameters<ReturnType<Provider['callback']>>) => void

beforeAll(async () => {
  server = createServer((req, res) => void handle(req, res))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  await startProvider('first')
})

afterAll(() => {
  server.closeAllConnections()
  server.close()
})

// A new provider behind the same address is what a rotation looks like from outside.
async function startProvider(generation: string): Promise<void> {
  const keys = await Promise.all(
    ALGORITHMS.map(async (alg) => {
      const { privateKey } = await generateKeyPair(alg, { extractable: true })
      return { ...(await exportJWK(privateKey)), alg, use: 'sig', kid: `${generation}-${alg}` }
    }),
  )
  const provider = new Provider(issuer, {
    jwks: { keys },
    clients: [
      {
        client_id: CLIENT.id,
        client_secret: CLIENT.secret,
        grant_types: ['client_credentials'],
        redirect_uris: [],
        response_types: [],
        id_token_signed_response_alg: 'ES256',
      },
    ],
    features: {
      devInteractions: { enabled: false },
      clientCredentials: { enabled: true },
      resourceIndicators: {
        enabled: true,
        useGrantedResource: () => true,
        getResourceServerInfo: (_ctx: unknown, resource: string) => ({
          audience: 'https://api.example.test',
          scope: 'read',
          accessTokenFormat: 'jwt',
          accessTokenTTL: 300,
          jwt: { sign: { alg: resource.split('/').at(-1) as Algorithm } },
        }),
      },
    },
    extraTokenClaims: () => ({ tier: 'gold' }),
  } as never)
  handle = provider.callback()
}

async function fetchToken(alg: Algorithm): Promise<string> {
  const response = await fetch(`${issuer}/token`, {
    method: 'POST',
    headers: { authorization: `Basic ${btoa(`${CLIENT.id}:${CLIENT.secret}`)}` },
    body: new URLSearchParams({ grant_type: 'client_credentials', resource: `https://api.example.test/${alg}` }),
  })
  const answer = (await response.json()) as { access_token: string }
  expect(response.status, JSON.stringify(answer)).toBe(200)
  return answer.access_token
}

// Its tokens are a machine's: good in every respect, and nobody is behind them.
const GOOD = { kind: 'machine', subject: CLIENT.id }

describe('tokens of oidc-provider', () => {
  it('verifies each algorithm by discovery, and follows a rotation while running', async () => {
    let now = Date.now()
    const verifier = createJwtVerifier({
      issuers: [oidc({ issuer, audience: 'https://api.example.test' })],
      clock: () => now,
    })
    const before = new Map<Algorithm, string>()
    for (const alg of ALGORITHMS) {
      const token = await fetchToken(alg)
      before.set(alg, token)
      await expect(verifier.verify(token)).resolves.toMatchObject(GOOD)
    }

    await startProvider('second')
    for (const alg of ALGORITHMS) {
      // Within the half minute after the last fetch nobody asks again; after it, the first unknown key does.
      const token = await fetchToken(alg)
      if (alg === ALGORITHMS[0]) {
        await expect(verifier.verify(token)).rejects.toMatchObject({ code: 'unauthorized' })
        now += 30_001
      }
      await expect(verifier.verify(token)).resolves.toMatchObject(GOOD)
    }
    for (const token of before.values()) {
      await expect(verifier.verify(token)).rejects.toMatchObject({ code: 'unauthorized' })
    }
  })

  it('refuses its tokens for another audience, and another issuer in its name', async () => {
    const token = await fetchToken('ES256')
    const elsewhere = createJwtVerifier({ issuers: [oidc({ issuer, audience: 'https://other.example.test' })] })
    await expect(elsewhere.verify(token)).rejects.toMatchObject({ code: 'unauthorized' })
    const misnamed = createJwtVerifier({
      issuers: [oidc({ issuer: `${issuer}/tenant`, audience: 'https://api.example.test' })],
    })
    await expect(misnamed.verify(token)).rejects.toMatchObject({ code: 'unauthorized' })
  })
})
