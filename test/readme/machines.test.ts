// The page of machines is run: an app by client credentials and a job, by tokens of their issuers' forms.
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Express } from 'express'
import { afterAll, beforeAll, expect, it, vi } from 'vitest'
import { createTokenIssuer } from '../../src/testing/index.ts'
import { openSnippets } from './snippets.ts'

const LOGIN = 'https://login.example.com'
const CI = 'https://token.actions.githubusercontent.com'
const { load, remove } = openSnippets()
const tokens = await createTokenIssuer({ algorithms: ['RS256'], audience: 'https://api.example.com' })
const { fetch: plain } = globalThis
let server: Server
let page: { readonly app: Express; register(orgId: string): Promise<unknown> }
let orgId: string

beforeAll(async () => {
  process.env['SUPABASE_URL'] = 'https://abc.supabase.co'
  // Keys of both issuers are those of this process.
  vi.stubGlobal('fetch', async (url: string | URL, init: RequestInit) => {
    const { origin, hostname } = new URL(url)
    if (hostname === '127.0.0.1') return plain(url, init)
    return Response.json({ issuer: origin, jwks_uri: `${origin}/jwks`, ...tokens.jwks() })
  })
  page = await load('machines.ts')
  const { storage } = await load<{ storage: { orgs: { insert(org: object): Promise<{ id: string }> } } }>('auth.ts')
  orgId = (await storage.orgs.insert({ name: 'Acme' })).id
  server = createServer(page.app)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
})

afterAll(() => {
  server.close()
  vi.unstubAllGlobals()
  remove()
})

async function ask(line: string, claims: object, headers: object = {}): Promise<readonly [number, unknown]> {
  const [method = '', path = ''] = line.split(' ')
  const { port } = server.address() as AddressInfo
  const authorization = `Bearer ${await tokens.sign({ email: undefined, ...claims })}`
  const answer = await plain(`http://127.0.0.1:${port}${path}`, { method, headers: { authorization, ...headers } })
  return [answer.status, await answer.json()]
}

const app = { iss: LOGIN, sub: 'the-client-id', client_id: 'the-client-id', scope: 'contacts:read' }
const job = { iss: CI, sub: 'repo:acme/contacts:environment:production', event_name: 'push' }
const deploy = { ...job, repository_id: '123456789', environment: 'production' }

it('an app is let in once it is registered, as far as its token allows', async () => {
  expect((await ask('GET /api/contacts', app))[0]).toBe(403)
  await page.register(orgId)
  expect(await ask('GET /api/contacts', app)).toEqual([200, { as: 'machine', org: orgId }])
  expect((await ask('GET /api/contacts', { ...app, scope: 'openid' }))[0]).toBe(403)
  expect((await ask('POST /api/releases', app))[0]).toBe(403)
})

it('a job is let in by what it is, in the organization that it names', async () => {
  const headers = { 'x-org-id': orgId }
  expect(await ask('POST /api/releases', deploy, headers)).toEqual([201, { by: 'deploy', org: orgId }])
  expect((await ask('POST /api/releases', { ...deploy, repository_id: '2' }, headers))[0]).toBe(403)
  expect((await ask('POST /api/releases', { ...deploy, environment: 'staging' }, headers))[0]).toBe(403)
  expect((await ask('POST /api/releases', { ...deploy, event_name: 'pull_request' }, headers))[0]).toBe(403)
})
