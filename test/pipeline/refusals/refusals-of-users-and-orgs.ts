/** The refusals of the users, orgs and roles steps, of `actIn` and of the guards. */

import { EventEmitter } from 'node:events'
import { vi } from 'vitest'
import type { AuthContext } from '../../../src/context.ts'
import { fromNodeRequest } from '../../../src/http/node-request.ts'
import { createUserOrgResolver } from '../../../src/orgs/org-resolver.ts'
import { createOrgScoped } from '../../../src/orgs/org-scoped.ts'
import { TransientError } from '../../../src/storage/storage-errors.ts'
import { createProvisioner } from '../../../src/users/provisioner.ts'
import { type AttemptWatch, retryTransient } from '../../../src/users/retry.ts'
import { createSyncGate } from '../../../src/users/sync.ts'
import { fakeRequest } from '../fake-request.ts'
import { createWorld, NOWHERE, SERVICE_SECRET, type World, type WorldOptions } from '../world.ts'
import type { Refusal } from './refusal.ts'

const SERVICE = { headers: { 'x-telephony-secret': SERVICE_SECRET } }

/** A member of one org asks in a world of its own. */
async function memberAsks(options: WorldOptions, orgs = 1): Promise<unknown> {
  const world = createWorld(options)
  const ids = await Promise.all(Array.from({ length: orgs }, (_, i) => world.org(`org ${i}`)))
  const { headers } = await world.person('ada', Object.fromEntries(ids.map((id) => [id, 'member'])))
  return world.authenticate({ headers })
}

async function service(world: World, headers: Readonly<Record<string, string>> = {}): Promise<AuthContext> {
  return (await world.authenticate(
    { headers: { ...SERVICE.headers, ...headers } },
    { accept: ['service'] },
  )) as AuthContext
}

async function member(world: World, role = 'member'): Promise<{ headers: Record<string, string>; orgId: string }> {
  const orgId = await world.org('acme')
  const { headers } = await world.person('ada', { [orgId]: role })
  return { headers, orgId }
}

/** Users whose one organization stands on their row. */
const onTheRow = (orgId: string | null): WorldOptions => ({
  auth: ({ memberships }) =>
    ({ orgs: createUserOrgResolver({ memberships: memberships, orgIdOf: () => orgId }) }) as unknown as object,
})

export const REFUSALS_OF_USERS_AND_ORGS: readonly Refusal[] = [
  {
    reason: 'user_not_synced',
    code: 'user_not_synced',
    provoke: async ({ sign }) => {
      const { authenticate } = createWorld({ auth: ({ users }) => ({ users: createSyncGate({ users }) as never }) })
      return authenticate({ headers: { authorization: `Bearer ${await sign()}` } })
    },
  },
  {
    reason: 'user_disabled',
    code: 'forbidden',
    provoke: async (world) => {
      const orgId = await world.org('acme')
      const { id, headers } = await world.person('ada', { [orgId]: 'member' })
      await world.storage.users.setDisabled(id, true)
      return world.authenticate({ headers })
    },
  },
  {
    reason: 'storage_unavailable',
    code: 'temporarily_unavailable',
    wire: { retryAfter: '1' },
    provoke: async ({ sign }) => {
      const findByIdentity = async (): Promise<never> => {
        throw new TransientError('connection lost')
      }
      const { authenticate } = createWorld({
        auth: (storage) => {
          const users = createProvisioner({ storage: { ...storage, users: { ...storage.users, findByIdentity } } })
          return { users: users as never }
        },
      })
      return authenticate({ headers: { authorization: `Bearer ${await sign()}` } })
    },
  },
  {
    reason: 'provisioning_cut_off',
    code: 'temporarily_unavailable',
    wire: { retryAfter: '1' },
    provoke: async () => {
      vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
      try {
        const attempt = (watch: AttemptWatch): Promise<never> => watch.inTime(() => new Promise(() => undefined))
        const work = retryTransient(attempt, Date.now)
        await Promise.all([work.catch(() => undefined), vi.advanceTimersByTimeAsync(5000)])
        return await work
      } finally {
        vi.useRealTimers()
      }
    },
  },
  {
    reason: 'bootstrap_not_reached',
    code: 'temporarily_unavailable',
    wire: { retryAfter: '1' },
    provoke: async ({ sign }) => {
      const bootstrap = async (): Promise<never> => {
        throw Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' })
      }
      const { authenticate } = createWorld({
        auth: (storage) => ({ users: createProvisioner({ storage, bootstrap }) as never }),
      })
      return authenticate({ headers: { authorization: `Bearer ${await sign()}` } })
    },
  },
  {
    reason: 'profile_not_loaded',
    code: 'temporarily_unavailable',
    wire: { retryAfter: '1' },
    provoke: async ({ sign }) => {
      const profile = { load: () => Promise.reject(new Error('nobody there')) }
      const { authenticate } = createWorld({
        auth: (storage) => ({ users: createProvisioner({ storage, profile }) as never }),
      })
      return authenticate({ headers: { authorization: `Bearer ${await sign()}` } })
    },
  },
  {
    reason: 'provisioning_not_committed',
    code: 'temporarily_unavailable',
    wire: { retryAfter: '1' },
    provoke: async ({ sign }) => {
      const bootstrap = (): never => {
        throw new TransientError('deadlock')
      }
      const { authenticate } = createWorld({
        auth: (storage) => ({ users: createProvisioner({ storage, bootstrap }) as never }),
      })
      return authenticate({ headers: { authorization: `Bearer ${await sign()}` } })
    },
  },
  {
    reason: 'org_id_malformed',
    code: 'invalid_org_id',
    provoke: async (world) => {
      const { headers, orgId } = await member(world)
      return world.authenticate({ headers: { ...headers, 'x-org-id': `{${orgId}}` } })
    },
  },
  {
    reason: 'org_selectors_differ',
    code: 'org_selector_conflict',
    provoke: async (world) => {
      const { headers, orgId } = await member(world)
      const selectors = [{ kind: 'pathParam', name: 'org' }] as const
      return world.authenticate({ headers: { ...headers, 'x-org-id': orgId }, params: { org: NOWHERE } }, { selectors })
    },
  },
  {
    reason: 'authority_ended_meanwhile',
    code: 'forbidden',
    provoke: async () => {
      let now = 0
      const world = createWorld({ auth: () => ({ clock: () => now }) })
      const { headers, orgId } = await member(world, 'owner')
      const request = fakeRequest({ method: 'POST', headers })
      const { id } = (await world.auth.authenticate(request)).user
      await world.storage.memberships.setRole(orgId, id, 'admin')
      now = 1001
      const { source } = request
      return fromNodeRequest(Object.assign(new EventEmitter(), { rawHeaders: [] }), { source }).body(0)
    },
  },
  {
    reason: 'mounts_name_different_orgs',
    code: 'org_selector_conflict',
    provoke: async (world) => {
      const { headers } = await member(world)
      const source = {}
      await world.authenticate({ headers, source })
      return world.authenticate(
        { headers, source, params: { org: NOWHERE } },
        { selectors: [{ kind: 'pathParam', name: 'org' }] },
      )
    },
  },
  { reason: 'org_not_named', code: 'org_required', provoke: () => memberAsks({ unnamed: 'reject' }) },
  {
    reason: 'org_not_the_only_one',
    code: 'org_required',
    provoke: () => memberAsks({ unnamed: 'only-membership' }, 2),
  },
  {
    reason: 'not_a_member',
    code: 'forbidden',
    provoke: async (world) => {
      const { headers } = await member(world)
      return world.authenticate({ headers: { ...headers, 'x-org-id': await world.org('of somebody else') } })
    },
  },
  {
    reason: 'key_of_another_org',
    code: 'forbidden',
    provoke: async (world) => {
      const [orgId, other] = [await world.org('acme'), await world.org('other')]
      const headers = { authorization: `Bearer ${world.apiKey({ orgId })}`, 'x-org-id': other }
      return world.authenticate({ headers }, { accept: ['apiKey'] })
    },
  },
  {
    reason: 'not_the_users_org',
    code: 'forbidden',
    provoke: async () => {
      const world = createWorld(onTheRow(NOWHERE))
      const { headers, orgId } = await member(world)
      return world.authenticate({ headers, params: { orgId } }, { selectors: [{ kind: 'pathParam', name: 'orgId' }] })
    },
  },
  { reason: 'user_without_org', code: 'forbidden', provoke: () => memberAsks(onTheRow(null)) },
  {
    reason: 'role_unknown',
    code: 'forbidden',
    provoke: async (world) => world.authenticate({ headers: (await member(world, 'constructor')).headers }),
  },
  {
    reason: 'role_too_low',
    code: 'forbidden',
    provoke: async (world) => world.authenticate({ headers: (await member(world)).headers }, { role: 'admin' }),
  },
  {
    reason: 'permission_not_of_role',
    code: 'forbidden',
    provoke: async (world) =>
      world.authenticate({ headers: (await member(world)).headers }, { permissions: ['things:purge'] }),
  },
  {
    reason: 'scope_missing',
    code: 'insufficient_scope',
    wire: { challenge: 'Bearer error="insufficient_scope", scope="things:read things:write"' },
    provoke: async (world) => {
      const token = world.apiKey({ orgId: await world.org('acme'), permissions: ['things:read'] })
      const permissions = ['things:read', 'things:write']
      return world.authenticate({ headers: { authorization: `Bearer ${token}` } }, { accept: ['apiKey'], permissions })
    },
  },
  {
    reason: 'act_in_no_service',
    code: 'forbidden',
    provoke: async (world) => {
      const { headers, orgId } = await member(world)
      return world.auth.actIn((await world.authenticate({ headers })) as never, orgId)
    },
  },
  {
    reason: 'act_in_org_id_malformed',
    code: 'invalid_org_id',
    provoke: async (world) => world.auth.actIn(await service(world), 'acme'),
  },
  {
    reason: 'act_in_selector_differs',
    code: 'org_selector_conflict',
    provoke: async (world) => {
      const [orgId, other] = [await world.org('acme'), await world.org('other')]
      return world.auth.actIn(await service(world, { 'x-org-id': other }), orgId)
    },
  },
  {
    reason: 'guard_anonymous',
    code: 'unauthorized',
    wire: { challenge: 'Bearer' },
    provoke: ({ auth }) => auth.requireUser(null),
  },
  {
    reason: 'guard_not_a_user',
    code: 'forbidden',
    provoke: async (world) => world.auth.requireUser(await service(world)),
  },
  {
    reason: 'guard_no_org',
    code: 'forbidden',
    provoke: async (world) => world.auth.requireOrg(await service(world)),
  },
  {
    reason: 'guard_no_role',
    code: 'forbidden',
    provoke: async (world) => world.auth.requireRole('viewer')(await service(world)),
  },
  {
    reason: 'not_in_this_org',
    code: 'not_found',
    provoke: async (world) => {
      const things = createOrgScoped({ find: () => null })
      return things((await world.authenticate({ headers: (await member(world)).headers })) as never).find()
    },
  },
]
