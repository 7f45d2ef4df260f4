/** docs/permissions.md: who gets in by which permission is as its snippets and its table say. */
import { readFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Express } from 'express'
import type { Hono } from 'hono'
import type pg from 'pg'
import { afterAll, beforeAll, expect, it } from 'vitest'
import type { Auth, UserOrgContext } from '../../src/index.ts'
import type { AuthStorage } from '../../src/storage/repositories.ts'
import { type SupabaseIssuer, startSupabaseIssuer, testContext } from '../../src/testing/index.ts'
import { createTestDatabase } from '../postgres.ts'
import { openSnippets } from './snippets.ts'

const { load, remove } = openSnippets()
const secret = 'the-telephony-secret-of-the-page-of-permissions'
const page = readFileSync(new URL('../../docs/permissions.md', import.meta.url), 'utf8')

let project: SupabaseIssuer
let storage: AuthStorage
let orgId: string
const servers: Server[] = []

beforeAll(async () => {
  project = await startSupabaseIssuer()
  process.env['SUPABASE_URL'] = project.url
  process.env['TELEPHONY_SECRET'] = secret
  storage = (await load<{ storage: AuthStorage }>('auth.ts')).storage
  orgId = (await storage.orgs.insert({ name: 'acme' })).id
})

afterAll(async () => {
  for (const server of servers) {
    server.closeAllConnections()
    server.close()
  }
  await project.close()
  remove()
})

/** The headers of somebody who has a role in the organization. */
async function signIn(role: string): Promise<Record<string, string>> {
  const { user } = await storage.users.upsertByIdentity({ issuer: project.issuer, subject: role, email: null })
  await storage.memberships.insert({ orgId, userId: user.id, role })
  const token = await project.tokens.sign(project.tokens.supabaseClaims({ sub: role }))
  return { authorization: `Bearer ${token}`, 'x-org-id': orgId }
}

type Ask = (headers: Record<string, string>, path: string, body?: object) => Promise<readonly [number, unknown]>

async function asked(response: Response): Promise<readonly [number, unknown]> {
  const { error, ...body } = (await response.json()) as { error?: { code: string } }
  return [response.status, error?.code ?? body]
}

async function openHelpDesk(): Promise<{ auth: Auth; ask: Ask }> {
  const { app, auth } = await load<{ app: Express; auth: Auth }>('help-desk.ts')
  const server = createServer(app)
  servers.push(server)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return {
    auth,
    async ask(headers, path, body) {
      const json = { ...headers, 'content-type': 'application/json' }
      const init = body === undefined ? { headers } : { method: 'POST', headers: json, body: JSON.stringify(body) }
      return asked(await fetch(`${base}${path}`, init))
    },
  }
}

it('help-desk.ts: people, a key and a service, each as far as it may', async () => {
  const { auth, ask } = await openHelpDesk()
  const [support, billing, admin] = [await signIn('support'), await signIn('billing'), await signIn('admin')]
  const service = { 'x-telephony-secret': secret }
  expect(await ask(support, '/api/tickets')).toEqual([200, { of: orgId }])
  expect(await ask(support, '/api/tickets', {})).toEqual([201, { in: orgId, by: 'user' }])
  expect(await ask(billing, '/api/tickets')).toEqual([403, 'forbidden'])
  expect(await ask(support, '/api/me')).toEqual([
    200,
    { permissions: ['tickets:read', 'tickets:write'], mayWrite: true },
  ])
  expect(await ask(billing, '/api/me')).toEqual([200, { permissions: ['invoices:read'], mayWrite: false }])
  expect(await ask(support, '/api/users', { role: 'admin' })).toEqual([403, 'forbidden'])
  expect(await ask(support, '/api/users', { role: 'support' })).toEqual([201, { role: 'support' }])
  expect(await ask(admin, '/api/users', { role: 'admin' })).toEqual([201, { role: 'admin' }])

  const [status, body] = await ask(admin, '/api/keys', { name: 'export', scopes: ['tickets:read'] })
  const { key } = (body as { data: { key: string } }).data
  expect([status, body]).toMatchObject([201, { data: { role: 'support', scopes: ['tickets:read'] } }])
  const bearer = { authorization: `Bearer ${key}` }
  expect(await ask(bearer, '/api/tickets')).toEqual([200, { of: orgId }])
  expect(await ask(bearer, '/api/tickets', {})).toEqual([403, 'insufficient_scope'])
  for (const wrong of [{ scopes: ['invoices:read'] }, { scopes: ['tickets:read'], role: 'billing' }]) {
    expect(await ask(admin, '/api/keys', { name: 'export', ...wrong })).toEqual([400, 'validation_error'])
  }

  expect(await ask(service, '/api/tickets', { org_id: orgId })).toEqual([201, { in: orgId, by: 'service' }])
  expect(await ask(service, '/api/tickets')).toEqual([403, 'forbidden'])
  const misspelt = (): unknown => auth.authorizer({ permissions: ['tickts:read'] } as never)
  const [sentence = ''] = /Access: option "permissions"[^`]*/.exec(page) ?? []
  expect(misspelt).toThrow(sentence)
})

it('custom-roles.ts: a role that a customer made, as far as the permissions go', async () => {
  const { app, made } = await load<{ app: Hono; made: Map<string, readonly string[]> }>('custom-roles.ts')
  const headers = await signIn('auditor')
  const ask = async (path: string): Promise<unknown> => asked(await app.request(path, { headers }))
  expect(await ask('/reports')).toEqual([403, 'forbidden'])
  made.set(`${orgId} auditor`, ['reports:read', 'unknown:read'])
  expect(await ask('/reports')).toEqual([200, { role: 'auditor' }])
  expect(await ask('/admin')).toEqual([403, 'forbidden'])
  made.set(`${orgId} auditor`, ['tickets:read'])
  expect(await ask('/reports')).toEqual([403, 'forbidden'])
})

it('tickets.ts: the database refuses who lacks the permission', async () => {
  process.env['DATABASE_URL'] = await createTestDatabase('empty')
  const { pool } = await load<{ pool: pg.Pool }>('postgres.ts')
  try {
    const { policies, addTicket } = await load<{
      policies: string
      addTicket(context: UserOrgContext, title: string): Promise<unknown>
    }>('tickets.ts')
    await pool.query('CREATE TABLE tickets (org_id uuid NOT NULL, title text NOT NULL)')
    await pool.query(policies)
    const of = (permissions: readonly string[]): UserOrgContext => testContext({ org: { id: orgId }, permissions })
    await addTicket(of(['tickets:read', 'tickets:write']), 'broken')
    await expect(addTicket(of(['tickets:read']), 'broken')).rejects.toMatchObject({ code: '42501' })
    await expect(addTicket(of(['tickets:writer']), 'broken')).rejects.toMatchObject({ code: '42501' })
    expect((await pool.query('SELECT title FROM tickets')).rows).toEqual([{ title: 'broken' }])
  } finally {
    await pool.end()
  }
})
