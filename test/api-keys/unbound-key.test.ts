/** A key that is bound to no org goes the way of the selection: it acts in the org the request names, as its own role. */
import { describe, expect, it } from 'vitest'
import type { WhenUnnamed } from '../../src/orgs/org-resolver.ts'
import { createOrgResolver, createUserOrgResolver } from '../../src/orgs/org-resolver.ts'
import { header } from '../../src/orgs/selector.ts'
import type { ActingOrgSource } from '../../src/storage/repositories.ts'
import { createWorld, NOWHERE, reasonOf, refusalOf, type World } from '../pipeline/world.ts'

const KEY = { accept: ['apiKey'], role: 'member' } as const

const headersOf = (world: World, orgId?: string): Readonly<Record<string, string>> => ({
  authorization: `Bearer ${world.apiKey({ orgId: null, role: 'member' })}`,
  ...(orgId !== undefined && { 'x-org-id': orgId }),
})

describe('an unbound key, by the resolver over memberships', () => {
  it('acts in whichever org is named, as its own role, with one look-up', async () => {
    const world = createWorld()
    for (const orgId of [await world.org('one'), await world.org('two')]) {
      world.calls.length = 0
      const context = await world.authenticate({ headers: headersOf(world, orgId) }, KEY)
      expect(context).toMatchObject({ kind: 'apiKey', org: { id: orgId }, role: 'member' })
      expect(world.calls).toEqual(['memberships.findActing'])
      expect(world.decisions.at(-1)).toMatchObject({ orgId, role: 'member', principal: { kind: 'apiKey' } })
    }
  })

  it('acts in no org that is not there, or deleted', async () => {
    const world = createWorld()
    const gone = await world.org('gone')
    await world.storage.orgs.remove(gone)
    for (const orgId of [NOWHERE, gone]) {
      expect(await reasonOf(world.authenticate({ headers: headersOf(world, orgId) }, KEY))).toBe('not_a_member')
    }
  })

  it.each([
    ['earliest-joined', 'forbidden'],
    ['only-membership', 'forbidden'],
    ['reject', 'org_required'],
    ['none', 'org_required'],
  ] as const)(
    'with none named and unnamed %s it is %s: it has joined none, and always acts in one',
    async (unnamed: WhenUnnamed, code) => {
      const world = createWorld({ unnamed })
      await world.org('one')
      expect((await refusalOf(world.authenticate({ headers: headersOf(world) }, KEY))).code).toBe(code)
    },
  )

  it('acts in the one its source lists first, where none is named', async () => {
    const first = { org: { id: 'env_default' }, role: 'member' }
    const source: ActingOrgSource = { findActing: async () => null, listActing: async () => [first] }
    const orgs = createOrgResolver({
      memberships: source,
      selectors: [header('X-Org-Id')],
      whenUnnamed: 'earliest-joined',
    })
    const world = createWorld({ auth: () => ({ orgs: orgs as never }) })
    expect(await world.authenticate({ headers: headersOf(world) }, KEY)).toMatchObject({ org: { id: 'env_default' } })
  })
})

describe("an unbound key, by the resolver over the user's record", () => {
  const worldOf = (): World =>
    createWorld({
      auth: ({ memberships: source }) => ({
        orgs: createUserOrgResolver({ memberships: source, orgIdOf: () => null }) as never,
      }),
    })

  it('acts in the org a route names, and nowhere without one', async () => {
    const world = worldOf()
    const orgId = await world.org('one')
    const selectors = [{ kind: 'pathParam', name: 'orgId' }] as const
    const request = { headers: headersOf(world), params: { orgId } }
    expect(await world.authenticate(request, { ...KEY, selectors })).toMatchObject({
      org: { id: orgId },
      role: 'member',
    })
    expect(await reasonOf(world.authenticate({ headers: headersOf(world, orgId) }, KEY))).toBe('user_without_org')
  })
})
