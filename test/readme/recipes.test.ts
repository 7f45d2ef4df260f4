/** docs/routes.md, docs/websockets-sse-browsers.md, docs/debugging.md: their snippets, asked as their readers would. */
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Express, Request as ExpressRequest } from 'express'
import type { Hono } from 'hono'
import { afterAll, beforeAll, expect, it, vi } from 'vitest'
import { type Auth, isAuthError } from '../../src/index.ts'
import type { AuthStorage } from '../../src/storage/repositories.ts'
import { type SupabaseIssuer, startSupabaseIssuer } from '../../src/testing/index.ts'
import { openSnippets } from './snippets.ts'

const { load, remove } = openSnippets()
const servers: Server[] = []
let issuer: SupabaseIssuer
let token: string

beforeAll(async () => {
  issuer = await startSupabaseIssuer()
  process.env['SUPABASE_URL'] = issuer.url
  token = await issuer.tokens.sign(issuer.tokens.supabaseClaims({ sub: 'ada', email: 'ada@example.test' }))
})

afterAll(async () => {
  for (const server of servers) {
    server.closeAllConnections()
    server.close()
  }
  await issuer.close()
  remove()
})

async function serve(handler: NonNullable<Parameters<typeof createServer>[1]>): Promise<string> {
  const server = createServer(handler)
  servers.push(server)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

const bearer = (): { headers: { authorization: string } } => ({ headers: { authorization: `Bearer ${token}` } })

it('events.ts: who is disabled is in no more', async () => {
  const { app, isStillIn } = await load<{ app: Express; isStillIn(req: ExpressRequest): Promise<boolean> }>('events.ts')
  const { storage } = await load<{
    storage: AuthStorage & { users: { setDisabled(id: string, disabled: boolean): Promise<unknown> } }
  }>('auth.ts')
  let message: ExpressRequest | undefined
  const base = await serve((req, res) => {
    message = req as ExpressRequest
    app(req as ExpressRequest, res as never)
  })
  const answer = await fetch(`${base}/api/events`, bearer())
  expect([answer.status, answer.headers.get('content-type')]).toEqual([200, 'text/event-stream'])
  const asked = message as ExpressRequest
  expect(await isStillIn(asked)).toBe(true)
  const ada = await storage.users.findByIdentity({ issuer: issuer.issuer, subject: 'ada' }, { kind: 'unnamed' })
  const id = String(ada?.user.id)
  await storage.users.setDisabled(id, true)
  expect(await isStillIn(asked)).toBe(false)
  await storage.users.setDisabled(id, false)
  await answer.body?.cancel()
})

it('events.ts: a client that reads nothing more and is let in again after its end ends no process', async () => {
  const { app } = await load<{ app: Express }>('events.ts')
  const { storage } = await load<{
    storage: AuthStorage & { users: { setDisabled(id: string, disabled: boolean): Promise<unknown> } }
  }>('auth.ts')
  const errors: unknown[] = []
  const asked: ExpressRequest[] = []
  const base = await serve((req, res) => {
    res.on('error', (error) => errors.push(error))
    asked.push(req as ExpressRequest)
    app(req as ExpressRequest, res as never)
  })
  const timers = vi.spyOn(globalThis, 'setInterval')
  const answer = await fetch(`${base}/api/events`, bearer())
  const ask = timers.mock.calls.find(([, every]) => every === 30_000)?.[0] as () => Promise<void>
  timers.mockRestore()
  const ada = await storage.users.findByIdentity({ issuer: issuer.issuer, subject: 'ada' }, { kind: 'unnamed' })
  const id = String(ada?.user.id)
  // Nothing is taken from here on, as by a client that does not read.
  asked[0]?.socket.cork()
  await storage.users.setDisabled(id, true)
  await ask()
  await storage.users.setDisabled(id, false)
  await ask()
  await new Promise(setImmediate)
  expect(errors).toEqual([])
  asked[0]?.socket.uncork()
  await answer.body?.cancel()
})

it('org-socket.ts: the path of an upgrade names the organization', async () => {
  type Opened = (message: object) => Promise<{ org: { id: string } }>
  const { authenticateIn } = await load<{ authenticateIn: Opened }>('org-socket.ts')
  const { storage } = await load<{
    storage: AuthStorage & { memberships: { remove(orgId: string, userId: string): Promise<unknown> } }
  }>('auth.ts')
  const { user } = await storage.users.upsertByIdentity({ issuer: issuer.issuer, subject: 'ada', email: null })
  const org = await storage.orgs.insert({ name: 'named by a path' })
  await storage.memberships.insert({ orgId: org.id, userId: user.id, role: 'member' })
  const open = (path: string) => {
    const rawHeaders = ['Authorization', bearer().headers.authorization, 'Upgrade', 'websocket']
    return authenticateIn({ method: 'GET', url: path, rawHeaders, on: () => undefined, off: () => undefined })
  }
  expect(await open(`/live/${org.id}?v=1`)).toMatchObject({ org: { id: org.id }, role: 'member' })
  await expect(open(`/live/${crypto.randomUUID()}`)).rejects.toMatchObject({ status: 403 })
  await storage.memberships.remove(org.id, user.id)
})

it('access.ts: each route asks what it says', async () => {
  const { app } = await load<{ app: Hono }>('access.ts')
  const ask = async (path: string, init: RequestInit = bearer()): Promise<unknown[]> => {
    const answer = await app.request(path, init)
    return [answer.status, await answer.json()]
  }
  expect(await ask('/news', {})).toEqual([200, { known: false }])
  expect(await ask('/news')).toEqual([200, { known: true }])
  expect(await ask('/me')).toEqual([200, { user: 'ada@example.test' }])
  expect(await ask('/me', {})).toMatchObject([401, { error: { code: 'unauthorized' } }])
  const { storage } = await load<{ storage: AuthStorage }>('auth.ts')
  const { user } = await storage.users.upsertByIdentity({ issuer: issuer.issuer, subject: 'ada', email: null })
  const org = await storage.orgs.insert({ name: 'acme' })
  expect(await ask(`/orgs/${org.id}`)).toMatchObject([403, { error: { code: 'forbidden' } }])
  await storage.memberships.insert({ orgId: org.id, userId: user.id, role: 'member' })
  expect(await ask(`/orgs/${org.id}`)).toEqual([200, { org: org.id, role: 'member' }])
  expect(await ask(`/orgs/${org.id}`, { method: 'DELETE', ...bearer() })).toMatchObject([403, {}])
})

it('explained.ts: a line for a refusal', async () => {
  const write = vi.spyOn(console, 'error').mockImplementation(() => undefined)
  try {
    const { auth } = await load<{ auth: Auth }>('explained.ts')
    const { fromFetchRequest } = await import('../../src/http/index.ts')
    const refusal: unknown = await auth.authenticate(fromFetchRequest(new Request('https://x/me'))).catch((e) => e)
    expect(isAuthError(refusal)).toBe(true)
    expect(write.mock.calls.flat().join('')).toContain('401 credential_missing')
  } finally {
    write.mockRestore()
  }
})
