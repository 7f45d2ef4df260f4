import { describe, expect, it } from 'vitest'
import { effectiveOf, requirePermissions, type Holdings as Whole } from '../../src/permissions/permission-check.ts'
import { createRoles, type RoleSets } from '../../src/permissions/roles.ts'
import { refusalOf } from '../pipeline/world.ts'
import { createRandom } from '../verify/mutate.ts'

type Holdings = Omit<Whole, 'token'>

describe('what a caller may do', () => {
  it.each<[string, Holdings, readonly string[]]>([
    ['a session without a bound: all of its role', { granted: ['a', 'b'], bound: null }, ['a', 'b']],
    ['a key: what both have', { granted: ['a', 'b'], bound: ['c', 'b'] }, ['b']],
    ['a token whose scopes are none', { granted: ['a'], bound: [] }, []],
    ['a role that may do nothing', { granted: [], bound: ['a'] }, []],
    ['a token alone, sorted, each once', { granted: null, bound: ['b', 'a', 'b'] }, ['a', 'b']],
    ['a token alone that has no bound: nothing', { granted: null, bound: null }, []],
    ['names that look alike', { granted: ['a:b'], bound: ['A:B', 'a:b ', 'a:', 'a'] }, []],
  ])('%s', (_what, holdings, permissions) => {
    expect(effectiveOf(holdings)).toEqual(permissions)
    if (holdings.bound !== null || holdings.granted === null) expect(Object.isFrozen(effectiveOf(holdings))).toBe(true)
  })

  it.each<[string, Holdings, readonly string[], string | null]>([
    ['nothing is asked', { granted: [], bound: [] }, [], null],
    ['all is there', { granted: ['a', 'b'], bound: ['b', 'a'] }, ['b', 'a'], null],
    ['no bound', { granted: ['a'], bound: null }, ['a'], null],
    ['the role lacks one', { granted: ['a'], bound: null }, ['a', 'b'], 'permission_not_of_role'],
    ['the role lacks one and so does the credential', { granted: [], bound: [] }, ['a'], 'permission_not_of_role'],
    ['the credential lacks one', { granted: ['a', 'b'], bound: ['a'] }, ['a', 'b'], 'scope_missing'],
    ['the credential alone has it', { granted: null, bound: ['a'] }, ['a'], null],
    ['the credential alone lacks it', { granted: null, bound: ['A'] }, ['a'], 'scope_missing'],
    ['nobody says anything', { granted: null, bound: null }, ['a'], 'scope_missing'],
  ])('is required: %s', async (_what, holdings, needed, reason) => {
    const ask = (): void => requirePermissions({ ...holdings, token: false }, needed)
    if (reason === null) return expect(ask).not.toThrow()
    const refusal = await refusalOf(ask)
    expect(refusal.reason).toBe(reason)
    expect(refusal.code).toBe(reason === 'scope_missing' ? 'insufficient_scope' : 'forbidden')
    expect(refusal.expected).toBe(needed.join(' '))
    expect(refusal.headers['WWW-Authenticate']).toBe(
      reason === 'scope_missing' ? `Bearer error="insufficient_scope", scope="${needed.join(' ')}"` : undefined,
    )
  })
})

const SEED = 20_110
const WORLDS = 2_500
const CALLERS = 40

// Sets without a circle: a role may include those that come after it.
function randomSets(random: () => number, names: readonly string[], permissions: readonly string[]): RoleSets {
  const some = (list: readonly string[]): string[] => list.filter(() => random() < 0.3)
  return Object.fromEntries(names.map((role, index) => [role, [...some(names.slice(index + 1)), ...some(permissions)]]))
}

// Written the other way about than the library does it: everything that can be reached, by going there.
function reachable(sets: RoleSets, role: string): { readonly roles: Set<string>; readonly permissions: Set<string> } {
  const [roles, permissions, open] = [new Set<string>(), new Set<string>(), [role]]
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    if (!Object.hasOwn(sets, next)) permissions.add(next)
    else if (!roles.has(next)) open.push(...(sets[roles.add(next) && next] ?? []))
  }
  return { roles, permissions }
}

describe(`${WORLDS * CALLERS} random callers`, () => {
  const names = ['r0', 'r1', 'r2', 'r3', 'r4', 'r5']
  const permissions = ['p0', 'p1', 'p2', 'p3', 'p4', 'p5', 'p6']
  const within = (part: readonly string[], whole: readonly string[]): boolean =>
    part.every((each) => whole.includes(each))

  it('may do no more than their role and no more than their credential, and lose nothing by what is added', () => {
    const random = createRandom(SEED)
    const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)] as T
    const failures: unknown[] = []
    for (let world = 0; world < WORLDS; world++) {
      const sets = randomSets(random, names, permissions)
      const roles = createRoles(sets)
      const changed = pick(names)
      const added = pick([...names.slice(names.indexOf(changed) + 1), ...permissions])
      const more = { ...sets, [changed]: [...new Set([...(sets[changed] ?? []), added])] }
      const wider = createRoles(more)
      const reachedBy = new Map<string, ReturnType<typeof reachable>>()
      for (let caller = 0; caller < CALLERS; caller++) {
        const role = pick(names)
        const reached = reachedBy.get(role) ?? reachable(sets, role)
        reachedBy.set(role, reached)
        const granted = roles.permissionsOf(role)
        const bound = random() < 0.2 ? null : permissions.filter(() => random() < 0.5)
        const effective = effectiveOf({ granted, bound })
        const scope = pick(permissions)
        const checks = {
          role: granted.every((each) => reached.permissions.has(each)) && reached.permissions.size === granted.length,
          includes: names.every((other) => roles.includes(role, other) === reached.roles.has(other)),
          part: within(effective, granted) && (bound === null || within(effective, bound)),
          whole: granted.every((each) => effective.includes(each) === (bound === null || bound.includes(each))),
          scopeAdded: within(effective, effectiveOf({ granted, bound: bound === null ? null : [...bound, scope] })),
          roleAdded: within(effective, effectiveOf({ granted: wider.permissionsOf(role), bound })),
          stillIncludes: names.every((other) => !roles.includes(role, other) || wider.includes(role, other)),
          asked: effective.includes(scope) === passes({ granted, bound }, scope),
        }
        const wrong = Object.entries(checks).filter(([, good]) => !good)
        if (wrong.length > 0) failures.push({ world, caller, sets, role, bound, wrong: wrong.map(([name]) => name) })
      }
    }
    expect(failures.slice(0, 3)).toEqual([])
  })
})

function passes(holdings: Holdings, permission: string): boolean {
  try {
    requirePermissions({ ...holdings, token: true }, [permission])
    return true
  } catch {
    return false
  }
}
