import { describe, expect, it } from 'vitest'
import type { ActingOrg, Caller, Organization, OrgSelection } from '../../src/context.ts'
import { createUserOrgResolver } from '../../src/orgs/org-resolver.ts'
import { pathParam } from '../../src/orgs/selector.ts'
import { fakeRequest } from '../pipeline/fake-request.ts'
import { NOWHERE, reasonOf } from '../pipeline/world.ts'

const A: ActingOrg<Organization> = { org: { id: 'a' }, role: 'admin' }
const B: ActingOrg<Organization> = { org: { id: 'b' }, role: 'member' }
const UNNAMED: OrgSelection = { kind: 'unnamed' }
const named = (orgId: string): OrgSelection => ({ kind: 'named', orgId })
const ada = (orgId: string | null): Caller => ({
  kind: 'user',
  user: { id: orgId ?? '', email: null, disabled: false },
})
const KEY: Caller = { kind: 'apiKey', key: { id: 'k', name: 'k', orgId: 'a', role: 'member', permissions: [] } }
const FREE_KEY: Caller = { kind: 'apiKey', key: { id: 'f', name: 'f', orgId: null, role: 'member', permissions: [] } }
const machineOf = (orgId: string | null): Caller => ({
  kind: 'machine',
  machine: { id: 'm', name: 'm', orgId, role: 'member', permissions: null },
})
const SERVICE: Caller = { kind: 'service', name: 'platform' }

function createResolver(list: readonly ActingOrg<Organization>[], calls: string[] = []) {
  return createUserOrgResolver({
    memberships: {
      findActing: async (_caller, orgId) => {
        calls.push(orgId)
        return list.find(({ org }) => org.id === orgId) ?? null
      },
      listActing: async () => {
        throw new Error('the user’s own record says which')
      },
    },
    orgIdOf: ({ id }) => (id === '' ? null : id),
  })
}

type Row = readonly [
  string,
  Caller,
  OrgSelection,
  ActingOrg<Organization> | null | undefined,
  ActingOrg | string,
  string[],
]

const ROWS: readonly Row[] = [
  ['the user’s own', ada('a'), UNNAMED, undefined, A, ['a']],
  ['found already', ada('a'), UNNAMED, A, A, []],
  ['another one found: asked again', ada('a'), UNNAMED, B, A, ['a']],
  ['no organization', ada(null), UNNAMED, undefined, 'user_without_org', []],
  ['a deleted one', ada('c'), UNNAMED, undefined, 'user_without_org', ['c']],
  ['a route that names the same', ada('a'), named('a'), undefined, A, ['a']],
  ['a route that names another', ada('a'), named('b'), undefined, 'not_the_users_org', []],
  ['a route that names one, none of one’s own', ada(null), named('b'), undefined, 'not_the_users_org', []],
  ['malformed', ada('a'), { kind: 'malformed' }, undefined, 'org_id_malformed', []],
  ['two that differ', ada('a'), { kind: 'conflict' }, undefined, 'org_selectors_differ', []],
  ['a key in its own', KEY, UNNAMED, undefined, A, ['a']],
  ['a key elsewhere', KEY, named('b'), undefined, 'key_of_another_org', []],
  ['an unbound key in the one it names', FREE_KEY, named('b'), undefined, B, ['b']],
  ['an unbound key that names none', FREE_KEY, UNNAMED, undefined, 'user_without_org', []],
  ['a machine in its own', machineOf('a'), UNNAMED, undefined, A, ['a']],
  ['a machine elsewhere', machineOf('a'), named('b'), undefined, 'machine_of_another_org', []],
  ['an unbound machine in the one it names', machineOf(null), named('b'), undefined, B, ['b']],
  ['an unbound machine that names none', machineOf(null), UNNAMED, undefined, 'user_without_org', []],
  ['a service in the one it names', SERVICE, named('b'), undefined, B, ['b']],
  ['a service that names none', SERVICE, UNNAMED, undefined, 'user_without_org', []],
]

describe('the user-org resolver', () => {
  it.each(ROWS)('%s', async (_what, caller, selection, known, outcome, asked) => {
    const calls: string[] = []
    const work = createResolver([A, B], calls).resolve(caller as never, selection, known)
    if (typeof outcome === 'string') expect(await reasonOf(work)).toBe(outcome)
    else expect(await work).toEqual(outcome)
    expect(calls).toEqual(asked)
  })

  it('reads no header; a route may have a selector of its own', () => {
    const resolver = createResolver([])
    const request = fakeRequest({ headers: { 'x-org-id': 'not an id' }, params: { org: NOWHERE } })
    expect(resolver.readSelection(request, [])).toEqual(UNNAMED)
    expect(resolver.readSelection(request, [pathParam('org')])).toEqual(named(NOWHERE))
    expect(resolver.responseHeader).toBeNull()
  })
})
