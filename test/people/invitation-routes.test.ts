/** The routes of invitations on the three frameworks: the same bytes, the first request that makes a user, and the record (M7, M8). */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { send as sendLines } from '../../examples/demo/send.ts'
import { type Auth, createAuth } from '../../src/auth.ts'
import type { Decision, Identity } from '../../src/context.ts'
import { createOrgResolver } from '../../src/orgs/org-resolver.ts'
import { header } from '../../src/orgs/selector.ts'
import { createInvitationRoutes } from '../../src/people/invitation-routes.ts'
import { createMemoryStorage } from '../../src/storage/memory.ts'
import { createSyncGate, createSyncRoute } from '../../src/users/sync.ts'
import { FRAMEWORKS } from '../api-keys/key-hosts.ts'
import { issuer, ROLES } from '../pipeline/world.ts'
import { HOSTS, type HostName, type Listening, listen } from '../support/hosts.ts'
import { trusting } from '../support/world.ts'
import { createInvitationWorld, type InvitationWorld, NOBODY } from './invitation-world.ts'

interface Host {
  readonly world: InvitationWorld<null>
  readonly decisions: Decision[]
  readonly listening: Listening
}

interface Said {
  readonly status: number
  readonly cache: string | null
  readonly text: string
}

async function openHost(
  name: HostName,
  { routes = {}, ...options }: Parameters<typeof createInvitationWorld>[0] & { readonly routes?: object },
): Promise<Host> {
  // Each row a millisecond younger than the one before.
  let now = Date.parse('2026-11-20T10:00:00.000Z')
  const clock = (): number => now++
  const storage = createMemoryStorage({ clock })
  const world = await createInvitationWorld<null>({ clock, storage, ...(options as object) })
  const decisions: Decision[] = []
  const auth = createAuth({
    roles: ROLES,
    verifier: trusting(issuer),
    users: createSyncGate({ users: storage.users }),
    orgs: createOrgResolver({
      ...{ memberships: storage.memberships, selectors: [header('X-Org-Id')], whenUnnamed: 'earliest-joined' },
    }),
    onDecision: (decision) => void decisions.push(decision),
  })
  const { provision } = world
  const mounted = [
    ...createInvitationRoutes(world.invitations, {
      provision,
      ...(routes as object),
    }),
    createSyncRoute({ provision, memberships: storage.memberships }),
  ]
  const listening = await listen(HOSTS[name]({ auth: auth as unknown as Auth, routes: mounted }))
  return { world, decisions, listening }
}

const hosts: Host[] = []
afterAll(() => Promise.all(hosts.map(({ listening }) => listening.close())))

/** The same on each framework, over a storage of its own; ids and instants are told by their place. */
async function onEach(
  options: Parameters<typeof openHost>[1],
  steps: (host: Host, ask: (who: string, line: string, body?: unknown) => Promise<Said>) => Promise<void>,
): Promise<readonly Said[]> {
  const told: string[] = []
  let first: readonly Said[] = []
  for (const name of FRAMEWORKS) {
    const host = await openHost(name, options)
    hosts.push(host)
    const said: Said[] = []
    const ask = async (who: string, line: string, body?: unknown): Promise<Said> => {
      const [method = '', path = ''] = line.split(' ')
      const [subject = '', verified = 'true'] = who.split('/')
      const address = { email: `${subject}@example.test`, email_verified: verified === 'true' }
      const claims = { sub: subject, ...(verified === 'bare' ? { email: undefined } : address) }
      const lines: [string, string][] = [['Authorization', `Bearer ${await issuer.sign(claims)}`]]
      if (body !== undefined) lines.push(['Content-Type', 'application/json'])
      const text = body === undefined ? undefined : JSON.stringify(body)
      const answer = await sendLines({ method, url: host.listening.url + path, lines, body: text })
      const one = {
        status: answer.status,
        cache: (answer.headers['cache-control'] as string | undefined) ?? null,
        text: answer.text,
      }
      said.push(one)
      return one
    }
    await host.world.person('boss', 'admin')
    await steps(host, ask)
    if (told.length === 0) first = said
    const ids = new Map<string, string>()
    const placed = JSON.stringify(said).replaceAll(/[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/g, (id) => {
      if (!ids.has(id)) ids.set(id, `id-${ids.size}`)
      return ids.get(id) ?? id
    })
    told.push(placed)
  }
  expect(new Set(told).size).toBe(1)
  return first
}

const idOf = ({ text }: Said): string => (JSON.parse(text) as { invitation: { id: string } }).invitation.id

describe(`on ${FRAMEWORKS.join(', ')}`, () => {
  it('the way of one: 201, listed, accepted as the very first request, gone', async () => {
    const orgIds: string[] = []
    const said = await onEach({}, async ({ world, decisions }, ask) => {
      orgIds.push(world.orgId)
      const created = await ask('boss', 'POST /api/invitations', { email: 'Ada@example.test', role: 'member', id: 'x' })
      await ask('boss', 'GET /api/invitations')
      const id = idOf(created)
      await ask('ada', `POST /api/invitations/${id}/accept`)
      expect(decisions.at(-1)?.provisioned).toEqual({
        ...{ decision: 'join', orgId: world.orgId, invitationId: id, passedOver: [] },
      })
      expect(await world.storage.orgs.count()).toBe(2)
      await ask('ada', `POST /api/invitations/${id}/accept`)
      expect(decisions.at(-1)).toMatchObject({ provisioned: null, reason: 'invitation_not_found' })
      await ask('boss', 'GET /api/invitations')
      await ask('boss', `DELETE /api/invitations/${id}`)
    })
    const [created, listed, accepted, again, empty, deleted] = said
    const body = created?.text.slice('{"invitation":'.length, -1)
    expect(created).toMatchObject({ status: 201, cache: 'no-store' })
    expect(body).toMatch(
      /^\{"id":"[0-9a-f-]{36}","email":"ada@example\.test","role":"member","expires_at":"2026-11-27T10:00:00\.\d{3}Z"\}$/,
    )
    expect(listed).toEqual({ status: 200, cache: 'no-store', text: `{"invitations":[${body}]}` })
    expect(accepted).toEqual({
      ...{ status: 200, cache: 'no-store' },
      text: `{"membership":{"org":{"id":"${orgIds[0]}","name":"Acme"},"role":"member"}}`,
    })
    expect(empty?.text).toBe('{"invitations":[]}')
    const notFound = '{"error":{"code":"not_found","message":"There is no such resource."}}'
    expect([again, deleted]).toEqual([again, deleted].map(() => ({ status: 404, cache: 'no-store', text: notFound })))
  })

  it('mine needs a user; a body that is sent with accept is not read; refusals by field', async () => {
    const said = await onEach({}, async (_, ask) => {
      const id = idOf(await ask('boss', 'POST /api/invitations', { email: 'ada@example.test', role: 'member' }))
      await ask('ada', 'GET /api/invitations/mine')
      await ask('ada', 'POST /auth/sync')
      await ask('ada', 'GET /api/invitations/mine')
      await ask('ada/false', 'GET /api/invitations/mine')
      await ask('ada/false', `POST /api/invitations/${id}/accept`)
      await ask('ada', `POST /api/invitations/${id}/accept`, { role: 'owner', padding: 'x'.repeat(20_000) })
      await ask('boss', 'POST /api/invitations', { email: 'no address', role: 'member' })
      await ask('boss', 'POST /api/invitations', { email: 'eve@example.test', role: 'boss' })
      await ask('boss', 'POST /api/invitations', { email: 'eve@example.test', role: 'owner' })
      await ask('boss', 'POST /api/invitations', { email: 'ada@example.test', role: 'member' })
      await ask('ada', 'POST /api/invitations', { email: 'eve@example.test', role: 'member' })
      await ask('boss', `DELETE /api/invitations/${NOBODY}`)
    })
    expect(said.map(({ status }) => status)).toEqual([
      ...[201, 428, 201, 200, 200, 404, 200, 400, 400, 403, 409, 201, 404],
    ])
    expect(said[3]?.text).toMatch(/"expires_at":"[^"]+","org":\{"id":"[^"]+","name":"Acme"\}\}\]\}$/)
    expect(said[4]?.text).toBe('{"invitations":[]}')
    expect([said[7]?.text, said[8]?.text].map((text) => JSON.parse(text ?? '').error.field)).toEqual(['email', 'role'])
  })

  it('where tokens say no address: what the issuer says beside them, for who is here and who is not', async () => {
    const load = async (_token: string, { subject }: Identity) => {
      return { email: `${subject}@example.test`, emailVerified: subject !== 'eve' }
    }
    const said = await onEach({ provisioner: { profile: { load } } }, async (_, ask) => {
      const id = idOf(await ask('boss', 'POST /api/invitations', { email: 'ada@example.test', role: 'member' }))
      const other = idOf(await ask('boss', 'POST /api/invitations', { email: 'eve@example.test', role: 'member' }))
      await ask('ada/bare', `POST /api/invitations/${other}/accept`)
      await ask('eve/bare', `POST /api/invitations/${other}/accept`)
      await ask('ada/bare', 'POST /auth/sync')
      await ask('ada/bare', 'GET /api/invitations/mine')
      await ask('ada/bare', `POST /api/invitations/${id}/accept`)
    })
    expect(said.map(({ status }) => status)).toEqual([201, 201, 404, 404, 201, 200, 200])
    expect(said[5]?.text).toContain('ada@example.test')
  })

  it('a link, and bodies of the host’s own', async () => {
    const present = {
      created: ({ email }: { email: string }) => ({ data: { email } }),
      accepted: ({ role }: { role: string }) => ({ data: role }),
    }
    const options = { invitations: { links: 'any-verified-address' }, routes: { path: '/offers', present } }
    const said = await onEach(options as never, async ({ world }, ask) => {
      await ask('boss', 'POST /offers', { email: 'ada@example.test', role: 'member' })
      const [{ secret } = { secret: null }] = world.mails
      await ask('eve/false', 'POST /offers/accept', { secret })
      await ask('eve', 'POST /offers/accept', {})
      await ask('eve', 'POST /offers/accept', { secret: `${secret}A` })
      await ask('eve', 'POST /offers/accept', { secret })
      await ask('ada', 'POST /offers/accept', { secret })
    })
    expect(said.map(({ status, text }) => [status, text.slice(0, 40)])).toEqual([
      [201, '{"data":{"email":"ada@example.test"}}'],
      [403, '{"error":{"code":"forbidden","message":"'],
      [400, '{"error":{"code":"validation_error","mes'],
      [404, '{"error":{"code":"not_found","message":"'],
      [200, '{"data":"member"}'],
      [404, '{"error":{"code":"not_found","message":"'],
    ])
  })
})

describe('a first login in the record', () => {
  let host: Host
  beforeAll(async () => {
    host = await openHost('hono', {})
    hosts.push(host)
  })
  const sync = async (subject: string): Promise<Decision | undefined> => {
    const token = await issuer.sign({ sub: subject, email: `${subject}@example.test`, email_verified: true })
    const lines: [string, string][] = [['Authorization', `Bearer ${token}`]]
    await sendLines({ method: 'POST', url: `${host.listening.url}/auth/sync`, lines, body: undefined })
    return host.decisions.at(-1)
  }

  it('by the sync route: what it did and passed over, once', async () => {
    const invitationId = await host.world.invited('ada', 'member', null)
    const { orgId } = host.world
    expect((await sync('ada'))?.provisioned).toEqual({
      ...{ decision: 'create', orgId: expect.any(String), invitationId: null },
      passedOver: [{ invitationId, orgId, why: 'when_accepted' }],
    })
    expect((await sync('ada'))?.provisioned).toBeNull()
  })
})

describe('the routes', () => {
  it('are data, for who may invite and for who was invited', async () => {
    const { invitations, provision } = await createInvitationWorld({
      invitations: { links: 'any-verified-address', manage: { role: 'admin', permissions: ['things:purge'] } },
    } as never)
    const shown = (options: object) =>
      createInvitationRoutes(invitations, options as never).map(({ method, path, access }) => [
        `${method} ${path}`,
        (access as { role?: string }).role ?? (access as { needs?: string }).needs,
      ])
    expect(shown({})).toEqual([
      ['POST /api/invitations', 'admin'],
      ['GET /api/invitations', 'admin'],
      ['DELETE /api/invitations/:id', 'admin'],
      ['GET /api/invitations/mine', 'user'],
      ['POST /api/invitations/:id/accept', 'user'],
      ['POST /api/invitations/accept', 'user'],
    ])
    expect(
      shown({ provision })
        .slice(4)
        .map(([, needs]) => needs),
    ).toEqual(['identity', 'identity'])
  })

  it.each([
    [{ path: 'invitations' }, 'path'],
    [{ path: '/' }, 'path'],
    [{ path: '/orgs/:id/invitations' }, 'path" must call its parameter otherwise than ":id"'],
    [{ selectors: ['id'] }, 'selectors.0'],
    [{ provision: () => null }, 'provision'],
    [{ provision: {} }, 'provision'],
    [{ present: { created: {} } }, 'present.created'],
    [{ present: { shown: () => null } }, 'present.shown'],
    [{ prefix: '/x' }, 'prefix'],
  ])('refuse %j', async (options, option) => {
    const { invitations } = await createInvitationWorld()
    expect(() => createInvitationRoutes(invitations, options as never)).toThrow(`option "${option}`)
  })
})
