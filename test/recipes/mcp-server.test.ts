/**
 * The recipe with an MCP server, by the SDK's own client: from a 401 by its challenge to the document, to the issuer that it
 * names, to a token, to tools. The issuer is the SDK's own, too; its tokens are signed by an issuer of the testing kit.
 */
import { randomUUID } from 'node:crypto'
import { type OAuthClientProvider, UnauthorizedError } from '@modelcontextprotocol/sdk/client/auth.js'
import { Client } from '@modelcontextprotocol/sdk/client/index.js'
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js'
import type { AuthorizationParams } from '@modelcontextprotocol/sdk/server/auth/provider.js'
import { createOAuthMetadata, mcpAuthRouter } from '@modelcontextprotocol/sdk/server/auth/router.js'
import type { OAuthClientInformationFull } from '@modelcontextprotocol/sdk/shared/auth.js'
import express from 'express'
import { createTokenIssuer, type TokenIssuer } from 'sallyport/testing'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createMcpApp, type Notes } from '../../examples/recipes/mcp-server.ts'
import { type Listening, listen } from '../support/hosts.ts'

/** What an authorization server was asked for a token of, by its code. */
const asked = new Map<string, AuthorizationParams>()
let kit: TokenIssuer
/** Whether people agree to whatever is asked; else to reading alone. */
let generous = false

// Whoever comes is Ada, and agrees at once.
function createIssuer(issuer: string): express.Express {
  const clients = new Map<string, OAuthClientInformationFull>()
  const provider = {
    clientsStore: {
      getClient: (id: string) => clients.get(id),
      registerClient: (client: object) => {
        const registered = { ...client, client_id: randomUUID() } as OAuthClientInformationFull
        clients.set(registered.client_id, registered)
        return registered
      },
    },
    async authorize(_client: unknown, params: AuthorizationParams, res: express.Response) {
      const code = randomUUID()
      asked.set(code, params)
      res.redirect(`${params.redirectUri}?code=${code}`)
    },
    challengeForAuthorizationCode: async (_client: unknown, code: string) => asked.get(code)?.codeChallenge ?? '',
    async exchangeAuthorizationCode(client: OAuthClientInformationFull, code: string) {
      const { scopes = [], resource } = asked.get(code) ?? {}
      const scope = [...scopes, ...(generous ? ['notes:write'] : [])].join(' ')
      const claims = { sub: 'ada', aud: resource?.href, client_id: client.client_id, scope }
      return { access_token: await kit.sign(claims), token_type: 'Bearer' }
    },
    exchangeRefreshToken: () => Promise.reject(new Error('no refresh tokens here')),
    verifyAccessToken: () => Promise.reject(new Error('no tokens are looked up here')),
  }
  const app = express()
  const issuerUrl = new URL(issuer)
  const scopesSupported = ['notes:read', 'notes:write']
  app.get('/.well-known/oauth-authorization-server', (_req, res) => {
    const metadata = createOAuthMetadata({ provider, issuerUrl, scopesSupported })
    res.json({ ...metadata, issuer, jwks_uri: `${issuer}/jwks` })
  })
  app.get('/jwks', (_req, res) => void res.json(kit.jwks()))
  app.use(mcpAuthRouter({ provider, issuerUrl, scopesSupported }))
  return app
}

/** What a client program keeps; `visited` are the pages to which it would have sent a person. */
function createClientProgram(): OAuthClientProvider & { readonly visited: URL[] } {
  const kept: { client?: OAuthClientInformationFull; tokens?: never; verifier?: string } = {}
  const visited: URL[] = []
  return {
    visited,
    redirectUrl: 'http://127.0.0.1:1/callback',
    clientMetadata: { redirect_uris: ['http://127.0.0.1:1/callback'], token_endpoint_auth_method: 'none' },
    clientInformation: () => kept.client,
    saveClientInformation: (client) => void Object.assign(kept, { client }),
    tokens: () => kept.tokens,
    saveTokens: (tokens) => void Object.assign(kept, { tokens }),
    redirectToAuthorization: (url) => void visited.push(url),
    saveCodeVerifier: (verifier) => void Object.assign(kept, { verifier }),
    codeVerifier: () => kept.verifier ?? '',
  }
}

/** Sign in as a person does whose browser is sent to the issuer and back; then connect. */
async function signIn(resource: string): Promise<Client> {
  const authProvider = createClientProgram()
  const first = new StreamableHTTPClientTransport(new URL(resource), { authProvider })
  await expect(newClient().connect(first)).rejects.toThrow(UnauthorizedError)
  const [page] = authProvider.visited
  const answer = await fetch(page as URL, { redirect: 'manual' })
  const code = new URL(answer.headers.get('location') ?? '').searchParams.get('code')
  await first.finishAuth(code ?? '')
  const client = newClient()
  await client.connect(new StreamableHTTPClientTransport(new URL(resource), { authProvider }))
  return client
}

const newClient = (): Client => new Client({ name: 'test', version: '1.0.0' })

async function listening(make: (url: string) => express.Express): Promise<Listening> {
  const app = express()
  const server = await listen(app as never)
  app.use(make(server.url))
  return server
}

const stored = new Map<string, string[]>()
const notes: Notes = {
  list: (owner) => stored.get(owner) ?? [],
  add: (owner, text) => void stored.set(owner, [...(stored.get(owner) ?? []), text]),
}

let issuer: Listening
let server: Listening
let resource: string

beforeAll(async () => {
  issuer = await listening((url) => createIssuer(url))
  kit = await createTokenIssuer({ issuer: issuer.url, algorithms: ['ES256'] })
  server = await listening((url) => createMcpApp({ resource: `${url}/mcp`, issuer: issuer.url, notes }))
  resource = `${server.url}/mcp`
})

afterAll(async () => {
  await server.close()
  await issuer.close()
})

describe('an MCP server', () => {
  it('says without a token where one is to be had, and for what', async () => {
    const refused = await fetch(resource, { method: 'POST' })
    expect(refused.status).toBe(401)
    const where = `${server.url}/.well-known/oauth-protected-resource/mcp`
    expect(refused.headers.get('www-authenticate')).toBe(`Bearer scope="notes:read", resource_metadata="${where}"`)
    expect(await (await fetch(where)).json()).toEqual({
      resource,
      authorization_servers: [issuer.url],
      scopes_supported: ['notes:read', 'notes:write'],
      bearer_methods_supported: ['header'],
      resource_name: 'Notes',
    })
  })

  it('is found, and signed in to, by the SDK’s client, which asks for the scope that the challenge names', async () => {
    generous = false
    const client = await signIn(resource)
    const [request] = [...asked.values()].slice(-1)
    expect(request).toMatchObject({ scopes: ['notes:read'], resource: new URL(resource) })

    const { tools } = await client.listTools()
    expect(tools.map(({ name }) => name)).toEqual(['list-notes', 'add-note'])
    expect(await client.callTool({ name: 'list-notes' })).toEqual({ content: [{ type: 'text', text: '' }] })
    expect(await client.callTool({ name: 'add-note', arguments: { text: 'milk' } })).toEqual({
      isError: true,
      content: [{ type: 'text', text: 'This needs a token with the scope notes:write.' }],
    })
    expect(stored.size).toBe(0)
    await client.close()
  })

  it('lets a token with both scopes write, as its subject', async () => {
    generous = true
    const client = await signIn(resource)
    expect(await client.callTool({ name: 'add-note', arguments: { text: 'milk' } })).toMatchObject({
      content: [{ text: 'Added.' }],
    })
    expect(await client.callTool({ name: 'list-notes' })).toEqual({ content: [{ type: 'text', text: 'milk' }] })
    expect([...stored]).toEqual([[`${issuer.url} ada`, ['milk']]])
    await client.close()
  })

  it.each<[string, () => Promise<string>, number, string]>([
    [
      'another audience',
      () => kit.sign({ sub: 'ada', aud: 'https://other.example', scope: 'notes:read' }),
      401,
      'invalid_token',
    ],
    ['no scope', () => kit.sign({ sub: 'ada', aud: resource }), 403, 'insufficient_scope'],
    ['another scope', () => kit.sign({ sub: 'ada', aud: resource, scope: 'notes:write' }), 403, 'insufficient_scope'],
  ])('refuses a token of %s before anything is read', async (_what, sign, status, error) => {
    const headers = { Authorization: `Bearer ${await sign()}`, 'Content-Type': 'application/json' }
    const refused = await fetch(resource, { method: 'POST', headers, body: '{' })
    expect(refused.status).toBe(status)
    expect(refused.headers.get('www-authenticate')).toMatch(
      new RegExp(`^Bearer error="${error}", scope="notes:read", resource_metadata="`),
    )
  })

  it.each<[what: string, body: string, type: string, status: number]>([
    ['is no JSON', '{', 'application/json', 400],
    ['is of another type', '{}', 'text/plain', 415],
    ['is too large', `"${'x'.repeat(1_000_001)}"`, 'application/json', 413],
  ])('refuses a body that %s', async (_what, body, type, status) => {
    const token = await kit.sign({ sub: 'ada', aud: resource, scope: 'notes:read' })
    const headers = { Authorization: `Bearer ${token}`, 'Content-Type': type }
    expect((await fetch(resource, { method: 'POST', headers, body })).status).toBe(status)
  })

  it('has no stream to listen to', async () => {
    const answer = await fetch(resource)
    expect([answer.status, answer.headers.get('allow')]).toEqual([405, 'POST'])
  })
})
