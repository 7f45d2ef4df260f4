/** The sync gate and the sync route: 428 until the route has been called once, 201 exactly once. */
import { describe, expect, it } from 'vitest'
import type { IdentityContext, OrgSelection } from '../../src/context.ts'
import { createMemoryStorage, type MemoryStorageOptions } from '../../src/storage/memory.ts'
import { testContext } from '../../src/testing/principals.ts'
import { createProvisioner } from '../../src/users/provisioner.ts'
import { createSyncGate, createSyncRoute } from '../../src/users/sync.ts'
import { countedStorage } from '../pipeline/counted.ts'
import { fakeRequest } from '../pipeline/fake-request.ts'
import { reasonOf, refusalOf } from '../pipeline/world.ts'
import { countRows, identityOf } from './first-logins.ts'

const UNNAMED: OrgSelection = { kind: 'unnamed' }
const ADA = identityOf('ada')

describe('the sync gate', () => {
  it('is 428 with the path of the host’s route, writes nothing, asks once', async () => {
    const calls: string[] = []
    const storage = countedStorage(createMemoryStorage(), calls)
    const refusal = await refusalOf(createSyncGate({ users: storage.users })(ADA, UNNAMED))
    expect(refusal).toMatchObject({ status: 428, reason: 'user_not_synced' })
    expect(refusal.message).toBe('user account not synced, call POST /auth/sync first')
    expect(calls).toEqual(['users.findByIdentity'])
    const elsewhere = createSyncGate({ users: storage.users, syncPath: '/v2/$&/sync' })
    expect((await refusalOf(elsewhere(ADA, UNNAMED))).message).toBe(
      'user account not synced, call POST /v2/$&/sync first',
    )
    expect(await storage.users.count()).toBe(0)
  })

  it('lets in who is here, with the membership found on the way, and refuses who is disabled', async () => {
    const storage = createMemoryStorage()
    const { user } = await createProvisioner({ storage })(ADA, UNNAMED)
    const gate = createSyncGate({ users: storage.users })
    expect(await gate(ADA, UNNAMED)).toMatchObject({ user: { id: user.id }, membership: { role: 'owner' } })
    await storage.users.setDisabled(user.id, true)
    expect(await reasonOf(gate(ADA, UNNAMED))).toBe('user_disabled')
  })
})

function routeOver(options: MemoryStorageOptions = {}) {
  const storage = createMemoryStorage(options)
  const route = createSyncRoute({ provision: createProvisioner({ storage }), memberships: storage.memberships })
  const sync = async (context: IdentityContext = testContext({ needs: 'identity', identity: ADA })) => {
    const { status, body } = await route.handle(context as never, fakeRequest({ method: 'POST' }))
    return { status, body: JSON.parse(body ?? 'null') as unknown }
  }
  return { storage, route, sync }
}

describe('the sync route', () => {
  it('is a value: POST /auth/sync for a verified person', () => {
    const { route } = routeOver()
    expect(route).toMatchObject({ method: 'POST', path: '/auth/sync', access: { needs: 'identity' } })
    expect(Object.isFrozen(route)).toBe(true)
  })

  it.each(['rows', 'user-row'] as const)('answers 201 once, then 200, the same body: %s', async (membershipOn) => {
    const { sync, storage } = routeOver({ membershipOn })
    const first = await sync()
    const found = await storage.users.findByIdentity(ADA, UNNAMED)
    const user = { id: found?.user.id, email: 'ada@example.test', org_id: found?.membership?.org.id, role: 'owner' }
    expect(first).toEqual({ status: 201, body: { data: { user } } })
    expect(await sync()).toEqual({ ...first, status: 200 })
    expect(await sync()).toEqual({ ...first, status: 200 })
  })

  it('answers 201 exactly once under 100 parallel calls, the same body to all', async () => {
    const { sync, storage } = routeOver()
    const answers = await Promise.all(Array.from({ length: 100 }, () => sync()))
    expect(answers.filter(({ status }) => status === 201)).toHaveLength(1)
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(99)
    expect(new Set(answers.map(({ body }) => JSON.stringify(body))).size).toBe(1)
    expect(await countRows(storage)).toEqual({ users: 1, orgs: 1 })
  })

  it('the same over two instances', async () => {
    const { storage, sync } = routeOver()
    const other = createSyncRoute({ provision: createProvisioner({ storage }), memberships: storage.memberships })
    const elsewhere = async () =>
      (await other.handle(testContext({ needs: 'identity', identity: ADA }) as never, fakeRequest())).status
    const statuses = await Promise.all([
      ...Array.from({ length: 50 }, async () => (await sync()).status),
      ...Array.from({ length: 50 }, elsewhere),
    ])
    expect(statuses.filter((status) => status === 201)).toHaveLength(1)
  })

  it('does not read the body, and refuses who is disabled', async () => {
    const { route, storage, sync } = routeOver()
    const request = { ...fakeRequest(), body: () => Promise.reject(new Error('the body was read')) }
    expect((await route.handle(testContext({ needs: 'identity', identity: ADA }) as never, request)).status).toBe(201)
    const found = await storage.users.findByIdentity(ADA, UNNAMED)
    await storage.users.setDisabled(found?.user.id ?? '', true)
    expect(await reasonOf(sync())).toBe('user_disabled')
  })

  it('presents as the host wants, on a path of its own; somebody without an org too', async () => {
    const storage = createMemoryStorage()
    const route = createSyncRoute({
      provision: createProvisioner({ storage, decide: () => ({ kind: 'none' }) }),
      memberships: storage.memberships,
      path: '/v1/me/sync',
      present: (user, acting) => ({ id: user.id !== '', acting }),
    })
    expect(route.path).toBe('/v1/me/sync')
    const answer = await route.handle(testContext({ needs: 'identity', identity: ADA }) as never, fakeRequest())
    expect(answer).toMatchObject({ status: 201, body: '{"id":true,"acting":null}' })
  })
})
