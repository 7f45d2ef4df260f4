/** docs/organizations.md: its snippets do what the page says of them. */
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Express } from 'express'
import { afterAll, beforeAll, expect, it, vi } from 'vitest'
import { type Auth, createAuth, type Decision, type Provisioner, type Route, supabase } from '../../src/index.ts'
import type { UserAdministration } from '../../src/people/index.ts'
import type { ShippedStorage } from '../../src/storage/index.ts'
import { type SupabaseIssuer, startSupabaseIssuer } from '../../src/testing/index.ts'
import { fakeRequest } from '../pipeline/fake-request.ts'
import { openSnippets } from './snippets.ts'

const { load, remove } = openSnippets()
let project: SupabaseIssuer
let storage: ShippedStorage<null>
let server: Server
let page: {
  readonly app: Express
  readonly audit: readonly { readonly kind: string }[]
  readonly mails: readonly { readonly to: string; readonly link: string }[]
}

beforeAll(async () => {
  project = await startSupabaseIssuer()
  process.env['SUPABASE_URL'] = project.url
  storage = (await load<{ storage: ShippedStorage<null> }>('auth.ts')).storage
  page = await load('people.ts')
  server = createServer(page.app)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
})

afterAll(async () => {
  server.closeAllConnections()
  server.close()
  await project.close()
  remove()
})

const mailOf = (name: string): string => `${name}@example.test`
const tokenOf = (name: string): Promise<string> =>
  project.tokens.sign(project.tokens.supabaseClaims({ sub: name, email: mailOf(name) }))
const requestOf = async (name: string): Promise<ReturnType<typeof fakeRequest>> =>
  fakeRequest({ headers: { authorization: `Bearer ${await tokenOf(name)}` } })

async function ask<Body>(name: string, line: string, json?: object, orgId?: string): Promise<readonly [number, Body]> {
  const [method = '', path = ''] = line.split(' ')
  const { port } = server.address() as AddressInfo
  const headers = { authorization: `Bearer ${await tokenOf(name)}`, ...(orgId && { 'x-org-id': orgId }) }
  const body = json && { body: JSON.stringify(json) }
  const type = json && { 'content-type': 'application/json' }
  const answer = await fetch(`http://127.0.0.1:${port}${path}`, { method, headers: { ...headers, ...type }, ...body })
  const text = await answer.text()
  return [answer.status, (text === '' ? null : JSON.parse(text)) as Body]
}

interface Listed {
  readonly organizations: readonly { readonly id: string; readonly role: string }[]
  readonly members: readonly { readonly user_id: string; readonly role: string }[]
  readonly invitation: { readonly id: string }
}

it('people.ts: a colleague is invited, accepts as the very first request, and neither can make themselves more', async () => {
  const [, { organizations }] = await ask<Listed>('ada', 'GET /api/organizations')
  const orgId = organizations[0]?.id ?? ''
  const [status, { invitation }] = await ask<Listed>('ada', 'POST /api/invitations', {
    email: mailOf('bob'),
    role: 'admin',
  })
  expect(status).toBe(201)
  expect(page.mails).toMatchObject([{ to: mailOf('bob') }])
  expect(await ask('ada', 'POST /api/invitations', { email: mailOf('bob'), role: 'admin' })).toMatchObject([409, {}])
  expect(await ask('eve', `POST /api/invitations/${invitation.id}/accept`)).toMatchObject([404, {}])
  expect(await ask('bob', `POST /api/invitations/${invitation.id}/accept`)).toMatchObject([
    200,
    { membership: { org: { id: orgId }, role: 'admin' } },
  ])
  expect((await ask<Listed>('bob', 'GET /api/organizations'))[1].organizations).toMatchObject([
    { id: orgId, role: 'admin' },
  ])

  const [, { members }] = await ask<Listed>('bob', 'GET /api/members')
  const [ada, bob] = members.map(({ user_id }) => `/api/members/${user_id}`)
  expect(await ask('bob', `PATCH ${ada}`, { role: 'member' })).toMatchObject([403, {}])
  expect(await ask('bob', `PATCH ${bob}`, { role: 'owner' })).toMatchObject([403, {}])
  expect(await ask('ada', `DELETE ${ada}`)).toMatchObject([409, {}])
  expect(await ask('ada', `PATCH /api/organizations/${orgId}`, { name: 'Ada & Bob' })).toMatchObject([200, {}])
  expect(await ask('bob', `DELETE ${bob}`)).toEqual([204, null])
  expect(page.audit.map(({ kind }) => kind)).toEqual([
    'invitation_created',
    'invitation_accepted',
    'organization_renamed',
    'member_left',
  ])
})

it('people.ts: with a link another address accepts, once', async () => {
  await ask('ada', 'POST /api/invitations', { email: mailOf('dan-at-work'), role: 'member' })
  const [, secret] = page.mails.at(-1)?.link.split('#') ?? []
  expect(await ask('dan', 'POST /api/invitations/accept', { secret })).toMatchObject([200, {}])
  expect(await ask('fay', 'POST /api/invitations/accept', { secret })).toMatchObject([404, {}])
})

it('first-login.ts: who was invited once joins, who was invited twice chooses, others get a team; the record says so', async () => {
  const { users } = await load<{ users: Provisioner }>('first-login.ts')
  const records: (Decision['provisioned'] | null)[] = []
  const auth = createAuth({
    issuers: [supabase({ url: project.url, emails: 'confirmed' })],
    storage,
    roles: ['member', 'admin', 'owner'],
    users,
    onDecision: ({ provisioned }) => records.push(provisioned),
  })
  const invite = async (name: string): Promise<string> => {
    const { id: orgId } = await storage.orgs.insert({ name: 'Acme' })
    const createdAt = new Date()
    const expiresAt = new Date(createdAt.getTime() + 60_000)
    const more = { role: 'member', invitedBy: null, secretHash: null, createdAt, expiresAt }
    return (await storage.invitations.insert({ orgId, email: mailOf(name), ...more })).id
  }
  const once = await invite('gil')
  for (const name of ['hal', 'hal']) await invite(name)
  const authorize = auth.authorizer({ needs: 'user' })
  for (const name of ['gil', 'hal', 'ian']) await authorize(await requestOf(name))
  expect(records).toMatchObject([
    { decision: 'join', invitationId: once, passedOver: [] },
    { decision: 'none', passedOver: [{ why: 'several_pending' }, { why: 'several_pending' }] },
    { decision: 'create', passedOver: [] },
  ])
})

it('one-org.ts: who has nothing left behind moves, who has is refused', async () => {
  interface OneOrg {
    readonly storage: ShippedStorage<null>
    readonly invoices: { orgId: string }[]
    readonly auth: Auth
    readonly routes: readonly Route[]
  }
  const { storage: own, invoices, auth, routes } = await load<OneOrg>('one-org.ts')
  const { org: acme } = (await auth.authenticate(await requestOf('boss'))) as { org: { id: string } }
  const { org: small } = (await auth.authenticate(await requestOf('jim'))) as { org: { id: string } }
  const accept = routes.find(({ path }) => path === '/api/invitations/:id/accept')
  const now = new Date()
  const good = { createdAt: now, expiresAt: new Date(now.getTime() + 60_000), invitedBy: null, secretHash: null }
  const { id } = await own.invitations.insert({ orgId: acme.id, email: mailOf('jim'), role: 'member', ...good })
  const take = async (): Promise<unknown> => {
    const request = { ...(await requestOf('jim')), params: { id } }
    return accept?.handle((await auth.authorizer({ needs: 'identity' })(request)).context, request)
  }
  invoices.push({ orgId: small.id })
  await expect(take()).rejects.toMatchObject({ code: 'conflict' })
  invoices.pop()
  await expect(take()).resolves.toMatchObject({ status: 200 })
  expect(await auth.authenticate(await requestOf('jim'))).toMatchObject({ org: { id: acme.id }, role: 'member' })
})

it('refresh.ts: a verified address that changed is written into the row', async () => {
  const { users } = await load<{ users: Provisioner }>('refresh.ts')
  const issuers = [supabase({ url: project.url, emails: 'confirmed' })] as const
  const auth = createAuth({ issuers, storage, roles: ['member', 'admin', 'owner'], users })
  const come = async (email: string): Promise<readonly unknown[]> => {
    const token = await project.tokens.sign(project.tokens.supabaseClaims({ sub: 'kim', email }))
    const { user } = await auth.authenticate(fakeRequest({ headers: { authorization: `Bearer ${token}` } }))
    return [user.id, user.email]
  }
  const [id] = await come(mailOf('kim'))
  expect(await come(mailOf('kim.lee'))).toEqual([id, mailOf('kim.lee')])
})

it('operators.ts: somebody is moved by two tokens, exported and forgotten', async () => {
  const log = vi.spyOn(console, 'log').mockImplementation(() => undefined)
  interface Operators {
    readonly admin: UserAdministration
    forget(userId: string): Promise<unknown>
  }
  const { admin, forget } = await load<Operators>('operators.ts')
  await ask('lea', 'GET /api/organizations')
  const moved = await admin.moveIdentity({ token: await tokenOf('lea') }, { token: await tokenOf('lea-again') })
  expect(await admin.exportOf(moved.id)).toMatchObject({ user: { id: moved.id }, memberships: [{ role: 'owner' }] })
  await forget(moved.id)
  expect(await admin.exportOf(moved.id)).toMatchObject({ user: { email: null, disabled: true }, memberships: [] })
  expect(log.mock.calls.map(([line]) => line as string)).toEqual(['identity_moved', 'forget', 'user_erased'])
  log.mockRestore()
})

it('own-tables.test.ts: the storage holds what is asked of it', async () => {
  await expect(load('own-tables.test.ts')).resolves.toBeDefined()
})
