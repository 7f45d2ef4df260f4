/** The promises of the user repository: found by exact identity, created once, never changed by a second login. */
import type { IdentityKey, User } from '../../context.ts'
import type { UserRepository } from '../../storage/repositories.ts'
import { type CaseSpec, type ContractCase, type ContractOptions, casesOf, type MakeStorage } from './contract-case.ts'
import { newEmail, newIdentity, newPerson, RACERS, race, spoil } from './contract-world.ts'
import { expectFound, expectNull, expectSame, expectThat, fulfilledValue, textOf } from './expectations.ts'
import { expectNothing, hostileIds } from './hostile-ids.ts'
import { IDENTITY_CASES } from './user-identity-cases.ts'

const UNNAMED = { kind: 'unnamed' } as const

/** Find the user of an identity, without the membership. */
async function findUser(users: UserRepository, identity: IdentityKey): Promise<User | null> {
  return (await users.findByIdentity(identity, UNNAMED))?.user ?? null
}

const CASES: readonly CaseSpec[] = [
  {
    id: 'users/created-once',
    name: 'MUST create the user at the first upsert and only return it at the second',
    requirement: 'P3',
    async test({ storage: { users } }) {
      const person = newPerson()
      const first = await users.upsertByIdentity(person)
      expectThat(first.created, 'created: true for a person never seen', first)
      expectSame([first.user.email, first.user.disabled], [person.email, false], 'e-mail and disabled of a new user')
      const second = await users.upsertByIdentity(person)
      expectThat(!second.created, 'created: false for a person who is there', second)
      expectSame(second.user, first.user, 'the user of the second upsert')
    },
  },
  {
    id: 'users/found-after-upsert',
    name: 'MUST find a user by identity and by id as upsert returned it, without any membership too',
    async test({ storage: { users } }) {
      for (const person of [newPerson(), { ...newIdentity(), email: null }]) {
        const { user } = await users.upsertByIdentity(person)
        expectSame(await findUser(users, person), user, 'the user found by identity')
        expectSame(await users.findById(user.id), user, 'the user found by id')
      }
    },
  },
  {
    id: 'users/unknown-is-null',
    name: 'MUST answer null for an identity or an id that nobody has, and create nothing by asking',
    async test({ storage: { users } }) {
      const identity = newIdentity()
      expectNull(await users.findByIdentity(identity, UNNAMED), 'the user of an unknown identity')
      expectNull(await users.findByIdentity(identity, { kind: 'malformed' }), 'the same, asked again')
      expectNull(await users.findById(crypto.randomUUID()), 'the user of an unknown id')
    },
  },
  {
    id: 'users/upsert-race',
    name: `MUST make one row of ${RACERS} concurrent upserts: exactly one says created, all get that user, none an error`,
    requirement: 'P3',
    async test({ storage: { users }, countUsers }) {
      const person = newPerson()
      const results = await race(RACERS, () => users.upsertByIdentity(person))
      const failed = results.find(({ status }) => status === 'rejected')
      expectThat(failed === undefined, 'no upsert to be rejected', failed)
      const winners = results.filter((result) => fulfilledValue(result)?.created === true).length
      expectThat(winners === 1, 'exactly one created: true', winners)
      const ids = new Set(results.map((result) => fulfilledValue(result)?.user.id))
      expectThat(ids.size === 1, 'the same user for everybody', [...ids])
      const rows = await countUsers(person)
      expectThat(rows === null || rows === 1, 'one row of this identity', rows)
    },
  },
  {
    id: 'users/upsert-race-apart',
    name: 'MUST give each of several people upserted at once their own user',
    requirement: 'P3',
    async test({ storage: { users } }) {
      const people = Array.from({ length: 5 }, newPerson)
      const results = await race(RACERS, (index) => users.upsertByIdentity(people[index % 5] ?? newPerson()))
      const ids = results.map((result) => fulfilledValue(result)?.user.id)
      for (const [index, person] of people.entries()) {
        const { id } = expectFound(await findUser(users, person), 'each person to be found')
        const own = ids.filter((_, racer) => racer % 5 === index)
        expectThat(
          own.every((got) => got === id),
          `all upserts of one person to return the user ${id}`,
          own,
        )
      }
      expectThat(new Set(ids).size === 5, '5 users', [...new Set(ids)])
    },
  },
  {
    id: 'users/upsert-unchanged',
    name: 'MUST leave the row of a known identity as it is, whatever the second upsert says',
    requirement: 'P9',
    async test({ storage: { users } }) {
      const person = newPerson()
      const { user } = await users.upsertByIdentity(person)
      for (const email of [newEmail(), null]) {
        const again = await users.upsertByIdentity({ ...person, email })
        expectSame(again.user, user, 'the user, unchanged, from upsert')
        expectSame(await users.findById(user.id), user, 'the user, unchanged, from storage')
      }
    },
  },
  {
    id: 'users/disabled-found',
    name: 'MUST find a disabled user, as disabled, so that nobody provisions the person again',
    requirement: 'P7',
    needs: ['disableUser'],
    async test({ storage: { users }, disableUser }) {
      const person = newPerson()
      const { user } = await users.upsertByIdentity(person)
      await disableUser(user.id)
      const again = await users.upsertByIdentity(person)
      expectThat(!again.created, 'created: false for a disabled user', again)
      const all = [await findUser(users, person), await users.findById(user.id), again.user]
      for (const got of all) expectSame([got?.id, got?.disabled], [user.id, true], 'id and disabled of a disabled user')
    },
  },
  {
    id: 'users/hostile-ids',
    name: 'MUST find nobody by a hostile issuer, subject or id, and never throw',
    requirement: 'V1',
    async test({ storage: { users } }) {
      const person = newPerson()
      const { user } = await users.upsertByIdentity(person)
      const subjects = hostileIds(person.subject)
      await expectNothing('findById', hostileIds(user.id), (id) => users.findById(id))
      await expectNothing('findByIdentity by subject', subjects, (subject) =>
        users.findByIdentity({ ...person, subject }, UNNAMED),
      )
      await expectNothing('findByIdentity by issuer', hostileIds(person.issuer), (issuer) =>
        users.findByIdentity({ ...person, issuer }, UNNAMED),
      )
    },
  },
  {
    id: 'users/copies',
    name: 'MUST return copies: what is changed in them, or in what was handed in, is not stored',
    async test({ storage: { users } }) {
      const person = { ...newPerson() }
      const identity = { ...person }
      const first = await users.upsertByIdentity(person)
      const before = textOf(first.user)
      Object.assign(person, { subject: 'spoiled', issuer: 'spoiled', email: 'spoiled' })
      spoil(first)
      spoil(await users.upsertByIdentity(identity))
      spoil(await users.findByIdentity(identity, UNNAMED))
      const found = expectFound(await findUser(users, identity), 'the user to be found after a copy was changed')
      expectThat(textOf(found) === before, `the user to be still ${before}`, found)
      spoil(await users.findById(found.id))
      expectThat(textOf(await users.findById(found.id)) === before, `the user to be still ${before}`, found)
    },
  },
]

/** The cases, for compositions. */
export const USER_CASES: readonly CaseSpec[] = [...CASES, ...IDENTITY_CASES]

/**
 * Test a user repository: `users/…` of {@link storageContract}.
 *
 * @param make makes the storage of one case
 * @throws TypeError for an unknown option
 * @example
 * for (const { id, name, run } of userContract(make)) it(`${id}: ${name}`, run)
 */
export function userContract(make: MakeStorage, options?: ContractOptions): readonly ContractCase[] {
  return casesOf('userContract', USER_CASES, make, options)
}
