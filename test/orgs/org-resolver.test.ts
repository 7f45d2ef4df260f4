import { describe, expect, it } from 'vitest'
import type { ActingOrg, Caller, Organization, OrgSelection } from '../../src/context.ts'
import { createOrgResolver, type WhenUnnamed } from '../../src/orgs/org-resolver.ts'
import { header, integerFormat } from '../../src/orgs/selector.ts'
import type { ActingOrgSource } from '../../src/storage/repositories.ts'
import { createWorld, NOWHERE, reasonOf } from '../pipeline/world.ts'

const A: ActingOrg<Organization> = { org: { id: 'a' }, role: 'admin' }
const B: ActingOrg<Organization> = { org: { id: 'b' }, role: 'member' }
const ADA: Caller = { kind: 'user', user: { id: 'ada', email: null, disabled: false } }
const KEY: Caller = { kind: 'apiKey', key: { id: 'k', name: 'k', orgId: 'a', role: 'member', permissions: [] } }
const FREE_KEY: Caller = { kind: 'apiKey', key: { id: 'f', name: 'f', orgId: null, role: 'member', permissions: [] } }
const MACHINE = machineOf('a')
const FREE_MACHINE = machineOf(null)
const SERVICE: Caller = { kind: 'service', name: 'telephony' }
const UNNAMED: OrgSelection = { kind: 'unnamed' }
const named = (orgId: string): OrgSelection => ({ kind: 'named', orgId })

function machineOf(orgId: string | null): Caller {
  return { kind: 'machine', machine: { id: 'm', name: 'm', orgId, role: 'member', permissions: null } }
}

/** A source over a list, which writes its calls down. */
function sourceOf(list: readonly ActingOrg<Organization>[]): ActingOrgSource & { calls: string[] } {
  const calls: string[] = []
  return {
    calls,
    findActing: async (caller, orgId) => {
      calls.push(`find ${caller.kind} ${orgId}`)
      return list.find(({ org }) => org.id === orgId) ?? null
    },
    listActing: async (_caller, limit = 99) => {
      calls.push(`list ${limit}`)
      return list.slice(0, limit)
    },
  }
}

// [mode, may act in, caller, selection, known, the org or the reason, what was asked]
type Row = readonly [
  WhenUnnamed,
  readonly ActingOrg<Organization>[],
  Caller,
  OrgSelection,
  ActingOrg<Organization> | null | undefined,
  ActingOrg | string,
  readonly string[],
]

const NONE: ActingOrg = { org: null, role: null }

const ROWS: readonly Row[] = [
  ['earliest-joined', [A, B], ADA, UNNAMED, undefined, A, ['list 1']],
  ['earliest-joined', [A, B], ADA, UNNAMED, B, B, []],
  ['earliest-joined', [], ADA, UNNAMED, undefined, 'not_a_member', ['list 1']],
  ['earliest-joined', [A], ADA, UNNAMED, null, 'not_a_member', []],
  ['only-membership', [A], ADA, UNNAMED, undefined, A, ['list 2']],
  ['only-membership', [A, B], ADA, UNNAMED, undefined, 'org_not_the_only_one', ['list 2']],
  ['only-membership', [A, B], ADA, UNNAMED, A, 'org_not_the_only_one', ['list 2']],
  ['only-membership', [], ADA, UNNAMED, undefined, 'not_a_member', ['list 2']],
  ['reject', [A], ADA, UNNAMED, undefined, 'org_not_named', []],
  ['reject', [A], ADA, UNNAMED, A, 'org_not_named', []],
  ['none', [A], ADA, UNNAMED, undefined, NONE, []],
  ['none', [A], ADA, UNNAMED, A, NONE, []],
  ['earliest-joined', [A, B], FREE_KEY, UNNAMED, undefined, A, ['list 1']],
  ['only-membership', [A, B], FREE_KEY, UNNAMED, undefined, 'org_not_the_only_one', ['list 2']],
  ['reject', [A], FREE_KEY, UNNAMED, undefined, 'org_not_named', []],
  ['none', [A], FREE_KEY, UNNAMED, undefined, 'org_not_named', []],
  ['none', [A], SERVICE, UNNAMED, undefined, 'org_not_named', []],
  ['none', [A], FREE_MACHINE, UNNAMED, undefined, 'org_not_named', []],
  ['only-membership', [], FREE_MACHINE, UNNAMED, undefined, 'not_a_member', ['list 2']],
  ...(['earliest-joined', 'only-membership', 'reject', 'none'] as const).flatMap((mode): Row[] => [
    [mode, [A, B], ADA, named('b'), undefined, B, ['find user b']],
    [mode, [A, B], ADA, named('b'), B, B, []],
    [mode, [A, B], ADA, named('b'), A, B, ['find user b']],
    [mode, [A, B], ADA, named('c'), undefined, 'not_a_member', ['find user c']],
    [mode, [A, B], ADA, named('b'), null, 'not_a_member', []],
    [mode, [A], ADA, { kind: 'malformed' }, A, 'org_id_malformed', []],
    [mode, [A], ADA, { kind: 'conflict' }, A, 'org_selectors_differ', []],
    [mode, [A, B], KEY, UNNAMED, undefined, A, ['find apiKey a']],
    [mode, [A, B], KEY, named('a'), undefined, A, ['find apiKey a']],
    [mode, [A, B], KEY, named('b'), undefined, 'key_of_another_org', []],
    [mode, [B], KEY, UNNAMED, undefined, 'not_a_member', ['find apiKey a']],
    [mode, [A], KEY, { kind: 'malformed' }, undefined, 'org_id_malformed', []],
    [mode, [A, B], FREE_KEY, named('b'), undefined, B, ['find apiKey b']],
    [mode, [A, B], FREE_KEY, named('c'), undefined, 'not_a_member', ['find apiKey c']],
    [mode, [A, B], MACHINE, UNNAMED, undefined, A, ['find machine a']],
    [mode, [A, B], MACHINE, named('a'), undefined, A, ['find machine a']],
    [mode, [A, B], MACHINE, named('b'), undefined, 'machine_of_another_org', []],
    [mode, [B], MACHINE, UNNAMED, undefined, 'not_a_member', ['find machine a']],
    [mode, [A], MACHINE, { kind: 'malformed' }, undefined, 'org_id_malformed', []],
    [mode, [A, B], FREE_MACHINE, named('b'), undefined, B, ['find machine b']],
    [mode, [A], SERVICE, named('a'), undefined, A, ['find service a']],
    [mode, [A], SERVICE, named('c'), undefined, 'not_a_member', ['find service c']],
  ]),
]

describe('the org resolver', () => {
  it.each(ROWS)('%s %j %j %j knows %j → %j by %j', async (unnamed, list, caller, selection, known, outcome, asked) => {
    const source = sourceOf(list)
    const resolver = createOrgResolver({ memberships: source, selectors: [header('X-Org-Id')], whenUnnamed: unnamed })
    const work = resolver.resolve(caller as never, selection, known)
    if (typeof outcome === 'string') expect(await reasonOf(work)).toBe(outcome)
    else expect(await work).toEqual(outcome)
    expect(source.calls).toEqual(asked)
  })

  it('names the org by its first header, another one, or none', () => {
    const make = (more: object, selectors = [header('X-Org-Id'), header('X-Tenant')]) =>
      createOrgResolver({ memberships: sourceOf([]), selectors, whenUnnamed: 'reject', ...more }).responseHeader
    expect(make({})).toBe('X-Org-Id')
    expect(make({ responseHeader: 'X-Acting-Org' })).toBe('X-Acting-Org')
    expect(make({ responseHeader: null })).toBeNull()
    expect(make({}, [])).toBeNull()
  })

  it('reads ids in the host’s format, in bodies too', () => {
    const resolver = createOrgResolver({
      memberships: sourceOf([]),
      selectors: [],
      whenUnnamed: 'reject',
      idFormat: integerFormat,
    })
    expect([resolver.toOrgId('42'), resolver.toOrgId('042')]).toEqual(['42', null])
  })
})

describe('what a request asks of storage', () => {
  it('a warm request costs one look-up, with and without a header', async () => {
    const world = createWorld()
    const orgId = await world.org('acme')
    const { headers } = await world.person('ada', { [orgId]: 'member' })
    for (const more of [{}, { 'x-org-id': orgId }]) {
      world.calls.length = 0
      await world.authenticate({ headers: { ...headers, ...more } })
      expect(world.calls).toEqual(['users.findByIdentity'])
    }
  })

  it('not a member, an unknown org and a deleted one are the same bytes at the same cost (O3)', async () => {
    const world = createWorld()
    const [own, foreign, deleted] = [await world.org('own'), await world.org('foreign'), await world.org('deleted')]
    const { headers } = await world.person('ada', { [own]: 'owner', [deleted]: 'owner' })
    await world.storage.orgs.remove(deleted)
    const seen: unknown[] = []
    for (const orgId of [foreign, NOWHERE, deleted]) {
      world.calls.length = 0
      const error = await world.authenticate({ headers: { ...headers, 'x-org-id': orgId } }).catch((thrown) => thrown)
      seen.push({ bytes: world.auth.toResponse(error), reason: error.reason, calls: [...world.calls] })
    }
    expect(seen[0]).toMatchObject({ bytes: { status: 403 }, reason: 'not_a_member', calls: ['users.findByIdentity'] })
    expect(seen[1]).toEqual(seen[0])
    expect(seen[2]).toEqual(seen[0])
  })

  it('a forged token costs none', async () => {
    const world = createWorld()
    await world.authenticate({ headers: { authorization: 'Bearer a.b.c', 'x-org-id': NOWHERE } }).catch(() => null)
    expect(world.calls).toEqual([])
  })

  it('three people and three orgs: each enters their own and no other', async () => {
    const world = createWorld()
    const orgs = [await world.org('a'), await world.org('b'), await world.org('c')]
    const people = await Promise.all(orgs.map((orgId, i) => world.person(`p${i}`, { [orgId]: 'owner' })))
    for (const [i, { headers }] of people.entries()) {
      for (const [j, orgId] of orgs.entries()) {
        const work = world.authenticate({ headers: { ...headers, 'x-org-id': orgId } })
        if (i === j) expect(await work).toMatchObject({ org: { id: orgId } })
        else expect(await reasonOf(work)).toBe('not_a_member')
      }
    }
  })

  it('claims, and headers nobody configured, choose nothing (O1)', async () => {
    const world = createWorld()
    const [own, other] = [await world.org('own'), await world.org('other')]
    await world.person('ada', { [own]: 'member' })
    const token = await world.sign({ sub: 'ada', org_id: other, role: 'owner', app_metadata: { org_id: other } })
    const headers = { authorization: `Bearer ${token}`, 'x-tenant-id': other, host: `${other}.test` }
    expect(await world.authenticate({ headers })).toMatchObject({ org: { id: own }, role: 'member' })
  })
})
