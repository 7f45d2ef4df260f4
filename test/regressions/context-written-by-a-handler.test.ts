/** A handler could write `context.user` and `context.org`, and later mounts decided by what it had written. */
import { describe, expect, it } from 'vitest'
import type { AuthContext, User, UserOrgContext, UserResolver } from '../../src/context.ts'
import type { Access } from '../../src/request.ts'
import { createMemoryStorage } from '../../src/storage/memory.ts'
import { testIdentity } from '../../src/testing/principals.ts'
import { createProvisioner } from '../../src/users/provisioner.ts'
import { fakeRequest } from '../pipeline/fake-request.ts'
import { createWorld, reasonOf, type World } from '../pipeline/world.ts'

/** A host whose rows can be written: plain ones, or of a class with a private state. */
function worldOf(rows: 'plain' | 'of a class'): World {
  const toRow = (user: User): User => (rows === 'plain' ? { ...user } : new Row(user))
  return createWorld({
    auth: (storage) => {
      const provision = createProvisioner({ storage })
      const users: UserResolver = async (identity, selection) => ({
        user: toRow((await provision(identity, selection)).user),
      })
      const source = {
        ...storage.memberships,
        findActing: async (...asked: Parameters<typeof storage.memberships.findActing>) => {
          const acting = await storage.memberships.findActing(...asked)
          return acting === null ? null : { org: { ...acting.org }, role: acting.role }
        },
      }
      return { users: users as never, orgs: { ...createWorldOrgs(source) } as never }
    },
  })
}

class Row implements User {
  readonly #kept: User
  id: string
  email: string | null
  disabled: boolean
  constructor(user: User) {
    this.#kept = user
    this.id = user.id
    this.email = user.email
    this.disabled = user.disabled
  }
  get kept(): string {
    return this.#kept.id
  }
}

function createWorldOrgs(source: Pick<ReturnType<typeof createMemoryStorage>['memberships'], 'findActing'>) {
  return {
    readSelection: (request: { lines(name: string): readonly string[] }) => {
      const [orgId] = request.lines('x-org-id')
      return orgId === undefined ? { kind: 'unnamed' } : { kind: 'named', orgId }
    },
    resolve: async (caller: never, selection: { kind: string; orgId?: string }) =>
      selection.kind === 'named'
        ? ((await source.findActing(caller, selection.orgId as string)) ?? { org: null, role: null })
        : { org: null, role: null },
    toOrgId: (text: string) => text,
    responseHeader: 'X-Org-Id',
  }
}

describe.each(['plain', 'of a class'] as const)('rows of the host, %s', (rows) => {
  const enter = async (world: World, source: object, headers: Record<string, string>, access: Access = {}) =>
    world.auth.authorizer(access as never)(fakeRequest({ headers, source }))

  it('the org is judged for the user who was let in, whatever a handler has written', async () => {
    const world = worldOf(rows)
    const orgId = await world.org('acme')
    const ada = await world.person('ada', { [orgId]: 'member' })
    const eve = await world.person('eve', { [orgId]: 'owner' })
    const source = {}
    const headers = { ...ada.headers, 'x-org-id': orgId }
    const { context } = await enter(world, source, headers, { needs: 'user' })
    Object.assign((context as UserOrgContext).user, { id: eve.id, disabled: true })
    world.decisions.length = 0
    expect(await reasonOf(enter(world, source, headers, { role: 'owner' }))).toBe('role_too_low')
    expect((await enter(world, source, headers)).context).toMatchObject({ role: 'member' })
    expect(world.decisions.map(({ principal }) => principal?.id)).toEqual([ada.id, ada.id])
  })

  it('the record and the response header say the org that was resolved', async () => {
    const world = worldOf(rows)
    const orgId = await world.org('acme')
    const { headers: token } = await world.person('ada', { [orgId]: 'member' })
    const headers = { ...token, 'x-org-id': orgId }
    const source = {}
    const first = await enter(world, source, headers)
    Object.assign((first.context as UserOrgContext).org as object, { id: 'another' })
    await enter(world, source, headers)
    expect(world.decisions.map((decision) => decision.orgId)).toEqual([orgId, orgId])
    expect(first.responseHeaders()[0]).toEqual(['X-Org-Id', orgId])
  })

  it('the host’s own object is what the handler gets', async () => {
    const world = worldOf(rows)
    const { headers } = await world.person('ada')
    const { context } = await enter(world, {}, headers, { needs: 'user' })
    const { user } = context as UserOrgContext
    expect(Object.isFrozen(user)).toBe(false)
    expect(user instanceof Row).toBe(rows === 'of a class')
  })
})

it.each<[string, object]>([
  ['whether it is a person', { kind: undefined }],
  ['a kind there is', { kind: 'user' }],
  ['its scopes, or null', { scopes: undefined }],
  ['its scopes as a list', { scopes: 'read write' }],
])('an identity that does not say %s is a fault of the host’s verifier, and lets nobody in', async (_, more) => {
  const verifier = { verify: async () => ({ ...testIdentity({ subject: 'ada' }), ...more }) }
  const world = createWorld({ auth: () => ({ verifier: verifier as never }) })
  const entering = world.authenticate({ headers: { authorization: 'Bearer x' } }, { needs: 'identity' })
  await expect(entering).rejects.toThrow('must say of an identity its kind')
  expect(world.calls).toEqual([])
})

it('an identity and a key that a verifier of the host’s left open can’t be written either', async () => {
  const identity = { ...testIdentity({ subject: 'ada' }), claims: { ver: 1 }, audience: ['a'] }
  const key = { id: 'k', name: 'k', orgId: null, role: 'member', permissions: ['a'] }
  const world = createWorld({
    auth: () => ({
      verifier: { verify: async () => identity } as never,
      apiKeys: { prefix: 'tk', verify: async () => key },
    }),
  })
  const orgId = await world.org('acme')
  const read = async (token: string, access: Access): Promise<AuthContext> =>
    (await world.authenticate(
      { headers: { authorization: `Bearer ${token}`, 'x-org-id': orgId } },
      access,
    )) as AuthContext
  const person = (await read('x', { needs: 'identity' })) as UserOrgContext
  for (const part of [person, person.identity, person.identity.claims, person.identity.audience]) {
    expect(Object.isFrozen(part)).toBe(true)
  }
  const script = await read('tk_1', { accept: ['apiKey'] })
  for (const part of [script, (script as { key: object }).key]) {
    expect(Object.isFrozen(part)).toBe(true)
  }
  expect(Object.isFrozen((script as { permissions?: object }).permissions)).toBe(true)
})

it('the rows of our storages are frozen', async () => {
  const storage = createMemoryStorage()
  const { user } = await storage.users.upsertByIdentity({ issuer: 'i', subject: 's', email: null })
  const org = await storage.orgs.insert({ name: 'acme' })
  const membership = await storage.memberships.insert({ orgId: org.id, userId: user.id, role: 'owner' })
  const acting = await storage.memberships.findActing({ kind: 'user', user }, org.id)
  const found = await storage.users.findByIdentity({ issuer: 'i', subject: 's' }, { kind: 'named', orgId: org.id })
  for (const row of [user, org, membership, acting, acting?.org, found?.user, found?.membership?.org]) {
    expect(Object.isFrozen(row)).toBe(true)
  }
})
