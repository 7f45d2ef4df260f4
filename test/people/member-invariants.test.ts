/** Random acts of random members, one after another and several at once: whatever they try, nobody reaches above themselves (M1, M3). */
import { describe, expect, it } from 'vitest'
import { createRoles } from '../../src/permissions/roles.ts'
import { createRandom } from '../verify/mutate.ts'
import { createPeopleWorld, outcomeOf, type PeopleWorld } from './world.ts'

const SEEDS = Array.from({ length: 10 }, (_, seed) => seed + 1)
const LADDER = ['viewer', 'member', 'admin', 'owner']
const HELD = { 'things:read': 'viewer', 'things:write': 'member', 'members:write': 'admin', 'org:delete': 'owner' }
const roles = createRoles(LADDER, HELD)
const CUSTOM: Readonly<Record<string, readonly string[]>> = {
  reader: ['things:read'],
  recruiter: ['things:read', 'members:write'],
  liquidator: ['org:delete'],
}
const GIVEN = [...LADDER, ...Object.keys(CUSTOM), 'emperor']

// What each role may do, written out: not asked of what is under test.
function permissionsOf(role: string): readonly string[] {
  if (role in CUSTOM) return CUSTOM[role] ?? []
  const rank = LADDER.indexOf(role)
  return Object.entries(HELD).flatMap(([permission, least]) => (LADDER.indexOf(least) <= rank ? [permission] : []))
}

function isAbove(role: string, own: string, scopes: readonly string[] | null): boolean {
  if (!GIVEN.includes(role) || role === 'emperor') return false
  const held = permissionsOf(role)
  const reaches = LADDER.includes(role)
    ? LADDER.indexOf(own) >= LADDER.indexOf(role)
    : held.every((each) => permissionsOf(own).includes(each))
  return !reaches || !held.every((each) => scopes?.includes(each) ?? true)
}

interface Attempt {
  readonly actor: string
  readonly target: string
  readonly scopes: readonly string[] | null
  readonly leaves: boolean
  run(): Promise<string>
}

async function createChaos(seed: number) {
  const random = createRandom(seed)
  const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)] as T
  const customRoles = { find: async (_: string, role: string) => CUSTOM[role] ?? null }
  const manage = { permissions: ['members:write' as const] }
  const world = await createPeopleWorld({ members: { roles: roles as never, customRoles, manage, list: undefined } })
  const people = [await world.person('founder', 'owner')]
  for (let index = 0; index < 6; index++) people.push(await world.person(`p${index}`, pick([null, ...GIVEN])))
  const attempt = (): Attempt => {
    const [actor, target, role, kind] = [
      pick(people),
      pick(people),
      pick(GIVEN),
      pick(['add', 'change', 'remove', 'leave']),
    ]
    const scopes = random() < 0.2 ? pick([['things:read'], ['things:read', 'things:write', 'members:write']]) : null
    // What the request found is any role that the actor may have had.
    const context = world.as(actor, pick(GIVEN), scopes === null ? {} : { scopes })
    const { members } = world
    const acts: Readonly<Record<string, () => Promise<unknown>>> = {
      add: () => members.add(context, { userId: target, role }),
      change: () => members.changeRole(context, { userId: target, role }),
      remove: () => members.remove(context, target),
      leave: () => members.leave(context),
    }
    const leaves = kind === 'leave' || (kind === 'remove' && target === actor)
    return {
      actor,
      target: leaves ? actor : target,
      scopes,
      leaves,
      run: () => outcomeOf((acts[kind] as () => Promise<unknown>)()),
    }
  }
  return { world, people, random, pick, attempt }
}

async function ownersOf({ storage, orgId }: PeopleWorld): Promise<number> {
  return (await storage.memberships.listByOrg(orgId)).filter(({ role, disabled }) => role === 'owner' && !disabled)
    .length
}

describe.each(SEEDS)('seed %i', (seed) => {
  it('one after another: what changes is the target alone, by who may', async () => {
    const { world, attempt } = await createChaos(seed)
    for (let step = 0; step < 60; step++) {
      const before = await world.rolesOf()
      const { actor, target, scopes, leaves, run } = attempt()
      const outcome = await run()
      expect(outcome).toMatch(/^(?:done|4\d\d )/)
      const after = await world.rolesOf()
      const changed = [...new Set([...Object.keys(before), ...Object.keys(after)])].filter(
        (id) => before[id] !== after[id],
      )
      expect(changed.filter((id) => outcome !== 'done' || id !== target)).toEqual([])
      expect(await ownersOf(world)).toBeGreaterThan(0)
      const own = before[actor]
      if (changed.length === 0) continue
      expect(own).toBeDefined()
      for (const role of [before[target], after[target]]) {
        if (role !== undefined) expect([role, own, isAbove(role, own ?? '', scopes)]).toEqual([role, own, false])
      }
      if (!leaves) expect(permissionsOf(own ?? '')).toContain('members:write')
    }
  })

  it('several at once, with people disabled meanwhile: an owner is left', async () => {
    const { world, people, random, pick, attempt } = await createChaos(seed)
    for (let burst = 0; burst < 15; burst++) {
      const person = pick(people)
      const owners = await ownersOf(world)
      const isSafe = owners > 1 || (await world.rolesOf())[person] !== 'owner'
      if (isSafe && random() < 0.3) await world.storage.users.setDisabled(person, random() < 0.5)
      const outcomes = await Promise.all(Array.from({ length: 5 }, () => attempt().run()))
      for (const outcome of outcomes) expect(outcome).toMatch(/^(?:done|4\d\d )/)
      expect(await ownersOf(world)).toBeGreaterThan(0)
    }
    // What was told is what came of it.
    const told = new Map<string, string | null>()
    for (const { userId, role } of world.events) told.set(userId, role)
    const now = await world.rolesOf()
    for (const [userId, role] of told) expect(now[userId] ?? null).toBe(role)
  })
})
