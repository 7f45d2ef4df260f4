/** The shipped storages answer alike: the same calls at random, to memory, SQLite and PostgreSQL, answer by answer. */
import { describe, expect, it, onTestFinished } from 'vitest'
import { createMemoryStorage } from '../../src/storage/memory.ts'
import { createPostgresStorage } from '../../src/storage/postgres.ts'
import type { NewInvitation } from '../../src/storage/repositories.ts'
import type { ShippedStorage, StoredRepositories } from '../../src/storage/shipped-storage.ts'
import { createSqliteStorage, migrate } from '../../src/storage/sqlite.ts'
import { isConflictError } from '../../src/storage/storage-errors.ts'
import { newKeyOf } from '../../src/testing/contracts/api-keys/api-key-world.ts'
import { hostileIds, textOf } from '../../src/testing/contracts/expectations.ts'
import { createTestDatabase, openPool } from '../postgres.ts'
import { createSqlitePath, SQLITE_DRIVERS } from '../sqlite.ts'
import { createDice } from './sql-pools.ts'

/** One of the storages, and the ids it has made by the names that the test gives them. */
interface Side {
  readonly name: string
  readonly storage: ShippedStorage
  readonly ids: Map<string, string>
}

/** A call with everything in it but ids, which are names. */
type Call = (repositories: StoredRepositories, idOf: (name: string) => string, keep: Keep) => Promise<unknown>

/** Note the id of what was made under a name. */
type Keep = <T>(name: string, made: Promise<T>) => Promise<T>

const START = Date.parse('2026-11-20T10:00:00.000Z')
const ROLES = ['owner', 'admin', 'member']

/** Steps at random, by a seed: mostly about what there is, sometimes about nothing, sometimes hostile. */
function createSteps(seed: number) {
  const dice = createDice(seed)
  const pick = <T>(from: readonly T[]): T => from[Math.floor(dice() * from.length)] as T
  const made = { users: 0, orgs: 0, invitations: 0, keys: 0 }
  let step = 0
  const named = (kind: keyof typeof made): string =>
    dice() < 0.06 ? pick(HOSTILE) : `${kind} ${Math.floor(dice() * (made[kind] + 1))}`
  const identity = () => ({ issuer: `https://${pick(['a', 'b'])}.test`, subject: `person ${Math.floor(dice() * 12)}` })
  const email = (): string => `person-${Math.floor(dice() * 8)}@example.test`
  const role = (): string => pick(ROLES)
  const keeping = () => (dice() < 0.7 ? { keep: 'owner' } : {})
  const at = (): Date => new Date(START + step * 1000 - 1)
  const calls: Record<string, () => Call> = {
    upsert() {
      const [name, person] = [`users ${made.users++}`, { ...identity(), email: pick([email(), null]) }]
      return ({ users }, _, keep) =>
        keep(
          name,
          users.upsertByIdentity(person).then(({ user }) => user),
        )
    },
    findUser() {
      const who = identity()
      const org = named('orgs')
      const kind = pick(['named', 'unnamed', 'malformed'] as const)
      return ({ users }, idOf) => users.findByIdentity(who, kind === 'named' ? { kind, orgId: idOf(org) } : { kind })
    },
    userById: () => {
      const user = named('users')
      return ({ users }, idOf) => users.findById(idOf(user))
    },
    setDisabled() {
      const [user, disabled] = [named('users'), dice() < 0.4]
      return ({ users }, idOf) => users.setDisabled(idOf(user), disabled)
    },
    setEmail() {
      const [user, address] = [named('users'), pick([email(), null])]
      return ({ users }, idOf) => users.setEmail(idOf(user), address)
    },
    move() {
      const [from, to] = [identity(), identity()]
      return ({ users }) => users.moveIdentity(from, to)
    },
    anonymize() {
      const [user, instead] = [named('users'), pick([null, identity()])]
      return ({ users }, idOf) => users.anonymize(idOf(user), instead)
    },
    insertOrg() {
      const name = `orgs ${made.orgs++}`
      return ({ orgs }, _, keep) => keep(name, orgs.insert({ name }))
    },
    insertOrgAgain() {
      const [org, name] = [named('orgs'), `Org ${step}`]
      return ({ orgs }, idOf) => orgs.insert({ id: idOf(org), name })
    },
    findOrg() {
      const org = named('orgs')
      return async ({ orgs }, idOf) => [await orgs.findById(idOf(org)), await orgs.findLocked(idOf(org))]
    },
    rename() {
      const [org, name] = [named('orgs'), `Org ${step}`]
      return ({ orgs }, idOf) => orgs.rename(idOf(org), name)
    },
    removeOrg() {
      const org = named('orgs')
      return dice() < 0.5 ? ({ orgs }, idOf) => orgs.remove(idOf(org)) : ({ orgs }, idOf) => orgs.findById(idOf(org))
    },
    join() {
      const [org, user, as] = [named('orgs'), named('users'), role()]
      // Of two reasons at once either is told: no such org, and a member of another one.
      const refused = (): never => {
        throw new Error('refused')
      }
      return ({ memberships }, idOf) =>
        memberships.insert({ orgId: idOf(org), userId: idOf(user), role: as }).catch(refused)
    },
    members() {
      const [org, user] = [named('orgs'), named('users')]
      return async ({ memberships }, idOf) => [
        await memberships.listByOrg(idOf(org)),
        await memberships.find(idOf(org), idOf(user)),
      ]
    },
    acting() {
      const [org, user] = [named('orgs'), named('users')]
      return async ({ users, memberships }, idOf) => {
        const found = await users.findById(idOf(user))
        if (found === null) return null
        const caller = { kind: 'user', user: found } as const
        return [await memberships.findActing(caller, idOf(org)), await memberships.listActing(caller)]
      }
    },
    setRole() {
      const [org, user, as, options] = [named('orgs'), named('users'), role(), keeping()]
      return ({ memberships }, idOf) => memberships.setRole(idOf(org), idOf(user), as, options)
    },
    leave() {
      const [org, user, options] = [named('orgs'), named('users'), keeping()]
      return ({ memberships }, idOf) => memberships.remove(idOf(org), idOf(user), options)
    },
    invite() {
      const name = `invitations ${made.invitations++}`
      const [org, by] = [named('orgs'), pick([named('users'), null])]
      const createdAt = at()
      const expiresAt = new Date(createdAt.getTime() + Math.floor(dice() * 40) * 1000)
      const secretHash = dice() < 0.5 ? hashOf(name) : null
      const given = {
        email: pick([email(), ` ${email().toUpperCase()}`]),
        role: role(),
        createdAt,
        expiresAt,
        secretHash,
      }
      return ({ invitations }, idOf, keep) => {
        const invitedBy = by === null || HOSTILE.includes(by) ? null : idOf(by)
        const invitation: NewInvitation = { ...given, orgId: idOf(org), invitedBy }
        return keep(name, invitations.insert(invitation))
      }
    },
    findInvitation() {
      const [invitation, org, address, limit] = [named('invitations'), named('orgs'), email(), pick([1, 2, 100])]
      const instant = at()
      return async ({ invitations }, idOf) => [
        await invitations.findById(idOf(invitation)),
        await invitations.findBySecretHash(HOSTILE.includes(invitation) ? invitation : hashOf(invitation)),
        await invitations.listByEmail(address, limit),
        await invitations.listByEmail(address, limit, instant),
        await invitations.listByOrg(idOf(org)),
      ]
    },
    consume() {
      const invitation = named('invitations')
      return ({ invitations }, idOf) => invitations.consume(idOf(invitation))
    },
    removeOf() {
      const [user, address] = [named('users'), pick([email(), null, null])]
      return ({ invitations }, idOf) => invitations.removeOf(idOf(user), address)
    },
    makeKey() {
      const [name, org, user] = [`keys ${made.keys++}`, pick([named('orgs'), null]), named('users')]
      const key = { id: hashOf(name).slice(0, 12), createdAt: at(), secretHash: hashOf(name) }
      return ({ apiKeys }, idOf) =>
        apiKeys.insert(
          newKeyOf(org === null ? null : idOf(org), { ...key, createdBy: HOSTILE.includes(user) ? null : idOf(user) }),
        )
    },
    endKeys() {
      const [org, user, when] = [named('orgs'), named('users'), at()]
      const isAll = dice() < 0.3
      return async ({ apiKeys }, idOf) => {
        const owner = isAll ? ({ kind: 'installation' } as const) : ({ kind: 'org', orgId: idOf(org) } as const)
        const ended = await apiKeys.revokeCreatedBy(owner, idOf(user), when)
        return [[...ended].sort(), await apiKeys.list(owner)]
      }
    },
  }
  const kinds = Object.keys(calls).sort()
  const draw = (): Step['calls'][number] => {
    const name = pick(kinds)
    return [name, (calls[name] as () => Call)(), START + step++ * 1000]
  }
  const next = (): Step =>
    dice() < 0.15
      ? { calls: [draw(), draw(), draw()], transaction: pick(['committed', 'failing']) }
      : { calls: [draw()], transaction: 'none' }
  return { next, kinds }
}

const HOSTILE = hostileIds()

function hashOf(name: string): string {
  return Array.from({ length: 64 }, (_, index) =>
    ((name.charCodeAt(index % name.length) + index) % 16).toString(16),
  ).join('')
}

// An id that nothing has, the same for every storage.
function idOfNobody(name: string): string {
  return HOSTILE.includes(name)
    ? name
    : hashOf(name).replace(/^(.{8})(.{4}).(.{3}).(.{3})(.{12}).*/, '$1-$2-4$3-8$4-$5')
}

/** What was answered, with names for ids; what was thrown, by its kind. */
async function answerOf({ ids }: Side, call: () => Promise<unknown>): Promise<string> {
  const answer = await call().catch(kindOf)
  const names = new Map([...ids].map(([name, id]) => [id, name]))
  return JSON.stringify(JSON.parse(textOf([answer])), (_, value: unknown) =>
    typeof value === 'string' ? (names.get(value) ?? value) : value,
  )
}

function kindOf(error: unknown): string {
  if (isConflictError(error)) return 'ConflictError'
  return error instanceof TypeError ? 'TypeError' : 'another error'
}

const OTHER = '["another error"]'

const clock = { now: START }
const options = (membershipOn: 'rows' | 'user-row') => ({ membershipOn, clock: () => clock.now })

async function openSides(membershipOn: 'rows' | 'user-row'): Promise<readonly Side[]> {
  const pool = openPool(await createTestDatabase(), { max: 2 })
  const database = (SQLITE_DRIVERS[0] as (typeof SQLITE_DRIVERS)[number]).open(createSqlitePath())
  onTestFinished(() => void database.close())
  await migrate({ database })
  return [
    { name: 'memory', storage: createMemoryStorage(options(membershipOn)), ids: new Map() },
    { name: 'SQLite', storage: createSqliteStorage({ database, ...options(membershipOn) }), ids: new Map() },
    { name: 'PostgreSQL', storage: createPostgresStorage({ pool, ...options(membershipOn) }), ids: new Map() },
  ]
}

/** What is asked at once: one call by itself, or several in a transaction that fails in the end, or does not. */
interface Step {
  readonly calls: readonly (readonly [name: string, call: Call, now: number])[]
  readonly transaction: 'none' | 'committed' | 'failing'
}

/** What a storage answers to a step; other errors than conflicts end it, as PostgreSQL aborts a transaction then. */
async function answersOf(side: Side, { calls, transaction }: Step): Promise<string> {
  const keep: Keep = async (name, made) => {
    const row = await made
    side.ids.set(name, (row as { id: string }).id)
    return row
  }
  const idOf = (name: string): string => side.ids.get(name) ?? idOfNobody(name)
  const answers: string[] = []
  const run = async (repositories: StoredRepositories): Promise<void> => {
    for (const [, call, now] of calls) {
      clock.now = now
      answers.push(await answerOf(side, () => call(repositories, idOf, keep)))
      if (answers.at(-1) === OTHER) throw ENDED
    }
    if (transaction === 'failing') throw ENDED
  }
  const running = transaction === 'none' ? run(side.storage) : side.storage.transaction(run)
  await running.catch((error: unknown) => {
    if (error !== ENDED) throw error
  })
  return String(answers)
}

const ENDED = new Error('on purpose')

/** Ask the storages the same, so often for each seed. */
export function testAlike(seeds: readonly number[], steps: number): void {
  describe.each(['rows', 'user-row'] as const)('memberships in %s', (membershipOn) => {
    it.each(seeds)('memory, SQLite and PostgreSQL answer alike: seed %s', async (seed) => {
      const sides = await openSides(membershipOn)
      const { next, kinds } = createSteps(seed)
      const seen = new Set<string>()
      for (let count = 0; count < steps; count++) {
        const step = next()
        const names = step.calls.map(([name]) => name)
        const answers: string[] = []
        for (const side of sides) answers.push(`${side.name}: ${await answersOf(side, step)}`)
        const [first = ''] = answers
        const wanted = sides.map(({ name }) => first.replace('memory', name))
        expect(answers, `${count}: ${names}, transaction: ${step.transaction}`).toEqual(wanted)
        for (const name of names) seen.add(name)
      }
      expect([...seen].sort()).toEqual(kinds)
    })
  })
}
