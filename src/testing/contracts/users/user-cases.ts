/**
 * The promises of the user repository: found by exact identity (the pair of issuer and subject, and nothing else is one),
 * created once, never changed by a second login.
 */
import type { IdentityKey, User } from '../../../context.ts'
import type { UserRepository } from '../../../storage/repositories.ts'
import { isTransientError } from '../../../storage/storage-errors.ts'
import { type Cases, needing, test } from '../contract.ts'
import * as expect from '../expectations.ts'
import { RACERS, race } from '../races.ts'
import { expectCopies, findUser, newEmail, oddEmails, type World } from '../storage-world.ts'
import { USER_ADMIN_CASES } from './admin-cases.ts'
import { MOVE_CASES } from './move-cases.ts'

const identityOf = (issuer: string, subject: string): IdentityKey => ({ issuer, subject })

const UNNAMED = { kind: 'unnamed' } as const

const CASES: Cases<World> = [
  test('users/created-once: create the user at the first upsert and only return it at the second', async (world) => {
    const { users, newPerson } = world
    const person = newPerson()
    const first = await users.upsertByIdentity(person)
    expect.that(first.created, 'created: true for a person never seen', first)
    expect.same([first.user.email, first.user.disabled], [person.email, false], 'e-mail and disabled of a new user')
    const second = await users.upsertByIdentity(person)
    expect.that(!second.created, 'created: false for a person who is there', second)
    expect.same(second.user, first.user, 'the user of the second upsert')
  }),
  test('users/found-after-upsert: find a user by identity and by id as upsert returned it, the e-mail exactly as it was given, without any membership too', async (world) => {
    const { users, newPerson, newIdentity } = world
    const people = [null, ...oddEmails()].map((email) => ({ ...newIdentity(), email }))
    for (const person of [newPerson(), ...people]) {
      const { user } = await users.upsertByIdentity(person)
      expect.same(user.email, person.email, 'the e-mail as it was given')
      expect.same(await findUser(users, person), user, 'the user found by identity')
      expect.same(await users.findById(user.id), user, 'the user found by id')
    }
  }),
  test('users/unknown-is-null: answer null for an identity or an id that nobody has, and create nothing by asking', async (world) => {
    const { users, newIdentity, newId } = world
    const identity = newIdentity()
    expect.absent(await users.findByIdentity(identity, UNNAMED), 'the user of an unknown identity')
    expect.absent(await users.findByIdentity(identity, { kind: 'malformed' }), 'the same, asked again')
    expect.absent(await users.findById(newId()), 'the user of an unknown id')
  }),
  test(`users/upsert-race: make one row of ${RACERS} concurrent upserts: exactly one says created, all get that user, none an error`, async (world) => {
    const { users, countUsers, newPerson } = world
    const person = newPerson()
    const results = await race(RACERS, () => users.upsertByIdentity(person))
    const upserts = expect.allFulfilled(results, 'upsert')
    const winners = upserts.filter(({ created }) => created).length
    expect.that(winners === 1, 'exactly one created: true', winners)
    const ids = new Set(upserts.map(({ user }) => user.id))
    expect.that(ids.size === 1, 'the same user for everybody', [...ids])
    const rows = await countUsers(person)
    expect.that(rows === null || rows === 1, 'one row of this identity', rows)
  }),
  test('users/upsert-race-apart: give each of several people upserted at once their own user', async (world) => {
    const { users, newPerson } = world
    const people = Array.from({ length: 5 }, newPerson)
    const results = await race(RACERS, (index) => users.upsertByIdentity(people[index % 5] ?? newPerson()))
    const ids = results.map((result) => expect.fulfilledValue(result)?.user.id)
    for (const [index, person] of people.entries()) {
      const { id } = expect.found(await findUser(users, person), 'each person to be found')
      const own = new Set(ids.filter((_, racer) => racer % 5 === index))
      expect.same([...own], [id], 'the user of all upserts of one person')
    }
    expect.that(new Set(ids).size === 5, '5 users', [...new Set(ids)])
  }),
  test('users/upsert-unchanged: leave the row of a known identity as it is, whatever the second upsert says', async (world) => {
    const { users, newLogin } = world
    const { person, user } = await newLogin()
    for (const email of [newEmail(), null]) {
      const again = await users.upsertByIdentity({ ...person, email })
      expect.same(again.user, user, 'the user, unchanged, from upsert')
      expect.same(await users.findById(user.id), user, 'the user, unchanged, from storage')
    }
  }),
  test('users/disabled-found: find a disabled user, as disabled, so that nobody provisions the person again', async (world: World) => {
    const { users, disableUser, newLogin } = world
    const { person, user } = await newLogin()
    await disableUser(user.id)
    const again = await users.upsertByIdentity(person)
    expect.that(!again.created, 'created: false for a disabled user', again)
    const all = [await findUser(users, person), await users.findById(user.id), again.user]
    for (const got of all) expect.same([got?.id, got?.disabled], [user.id, true], 'id and disabled of a disabled user')
  }).needing('disableUser'),
  test('users/disabled-joins-nothing: make a disabled user a member of nothing; whoever found them enabled has lost a race, which a TransientError says', async (world: World) => {
    const { newOrg, newUser, newMember, findMember, disableUser } = world
    const [{ id: orgId }, { id: userId }] = [await newOrg(), await newUser()]
    await disableUser(userId)
    const error = await expect.rejected(newMember({ orgId, userId }), 'a membership of a disabled user')
    expect.that(isTransientError(error), 'it to be rejected with a TransientError', error)
    expect.absent(await findMember(orgId, userId), 'a membership of a disabled user')
  }).needing('disableUser'),
  test('users/hostile-ids: find nobody by a hostile subject or id, and never throw', async ({ users, newLogin }) => {
    const { person, user } = await newLogin()
    const subjects = expect.hostileIds(person.subject)
    await expect.none('findById', expect.hostileIds(user.id), (id) => users.findById(id))
    await expect.none('findByIdentity by subject', subjects, (subject) =>
      users.findByIdentity({ ...person, subject }, UNNAMED),
    )
  }),
  test('users/copies: return copies: what is changed in them, or in what was handed in, is not stored', async (world) => {
    const { users, newPerson } = world
    const person = newPerson()
    const identity = { ...person }
    const { user } = await users.upsertByIdentity(person)
    const { id } = user
    const again = async (): Promise<User> => (await users.upsertByIdentity(identity)).user
    await expectCopies([user, person], [() => findUser(users, identity), () => users.findById(id), again])
  }),
]

// Every identity is a user of its own, and is found as that user.
async function expectApart(users: UserRepository, identities: readonly IdentityKey[]): Promise<void> {
  const ids: string[] = []
  for (const identity of identities) {
    const { user, created } = await users.upsertByIdentity({ ...identity, email: newEmail() })
    expect.that(created, `a user of its own for ${JSON.stringify(identity)}`, user)
    ids.push(user.id)
  }
  expect.that(new Set(ids).size === ids.length, `${ids.length} users`, ids)
  for (const [index, identity] of identities.entries()) {
    expect.same((await findUser(users, identity))?.id, ids[index], `the user found for ${JSON.stringify(identity)}`)
  }
}

// Nobody is found by these, and each can be a user of its own.
async function expectOthers(users: UserRepository, others: readonly IdentityKey[]): Promise<void> {
  for (const other of others) expect.absent(await findUser(users, other), `the user of ${JSON.stringify(other)}`)
  await expectApart(users, others)
}

const IDENTITY_CASES: Cases<World> = [
  test('users/identity-is-the-pair: tell users apart by issuer and subject together: the same subject of another issuer is another user', async (world: World) => {
    const { users, newIdentity, issuers } = world
    const [one = '', two = ''] = issuers ?? ['https://one.test', 'https://two.test']
    const [a, b] = [newIdentity().subject, newIdentity().subject]
    await expectApart(users, [identityOf(one, a), identityOf(two, a), identityOf(one, b)])
  }).needing('twoIssuers'),
  test('users/identity-is-exact: compare subjects exactly: case, white space and Unicode form all count', async (world) => {
    const { users, newPerson } = world
    const { issuer } = newPerson()
    const subject = `Jos\u00e9 ${crypto.randomUUID()}A`
    await users.upsertByIdentity({ issuer, subject, email: newEmail() })
    const subjects = [subject.toLowerCase(), subject.toUpperCase(), `${subject} `, ` ${subject}`]
    const others = [...subjects, subject.normalize('NFD')].map((other) => ({ issuer, subject: other }))
    await expectOthers(users, others)
  }),
  test('users/long-subjects: keep subjects of 255 characters whole: two that differ in the last are two users', async (world) => {
    const { users, newIdentity } = world
    const { issuer, subject } = newIdentity()
    const start = subject.padEnd(254, 'x')
    await expectApart(users, [identityOf(issuer, `${start}1`), identityOf(issuer, `${start}2`)])
  }),
  test('users/lone-surrogates: NOT find a user by a subject that only becomes the same in UTF-8', async (world) => {
    const { users, newPerson } = world
    const person = newPerson()
    await users.upsertByIdentity({ ...person, subject: `${person.subject}\ufffd` })
    for (const surrogate of ['\ud83e', '\udd8a']) {
      const identity = { ...person, subject: `${person.subject}${surrogate}` }
      expect.absent(await findUser(users, identity), 'the user of a subject that ends in a lone surrogate')
    }
  }),
  test('users/email-links-nothing: make two users of two identities with one e-mail address', async (world) => {
    const { users, newPerson, newIdentity } = world
    const [first, second] = [newPerson(), newIdentity()]
    const one = await users.upsertByIdentity(first)
    const result = await expect.settled(users.upsertByIdentity({ ...second, email: first.email }))
    const sentence =
      'a second user with the e-mail address of another (where addresses are unique they can never log in)'
    expect.that(result.status === 'fulfilled', sentence, result.status === 'rejected' ? result.reason : undefined)
    const other = result.value
    expect.that(other.created && other.user.id !== one.user.id, 'a new user for a new identity', other)
    expect.same([one.user.email, other.user.email], [first.email, first.email], 'the e-mail of both')
  }),
]

const ISSUER_CASES: Cases<World> = needing('anyIssuer', [
  test('users/hostile-issuers: find nobody by a hostile issuer, and never throw', async ({ users, newLogin }) => {
    const { person } = await newLogin()
    await expect.none('findByIdentity by issuer', expect.hostileIds(person.issuer), (issuer) =>
      users.findByIdentity({ ...person, issuer }, UNNAMED),
    )
  }),
  test('users/joined-pairs: NOT take pairs for one user that are the same text once issuer and subject are joined, or changed over', async (world) => {
    for (const joint of ['', '|', ':', '/', '#', ' ', ',', '.', '-', '_', '::', '","']) {
      const [a, b, c] = [crypto.randomUUID(), crypto.randomUUID(), crypto.randomUUID()]
      const pairs = [identityOf(a, `${b}${joint}${c}`), identityOf(`${a}${joint}${b}`, c)]
      await expectApart(world.users, [...pairs, identityOf(a, c), identityOf(c, a)])
    }
  }),
  test('users/issuer-is-exact: compare issuers exactly: case, white space and a final slash all count', async (world) => {
    const [issuer, subject] = [`https://${crypto.randomUUID()}.test`, crypto.randomUUID()]
    await world.users.upsertByIdentity({ issuer, subject, email: newEmail() })
    const others = [issuer.toUpperCase(), `${issuer}/`, `${issuer} `]
    await expectOthers(
      world.users,
      others.map((other) => identityOf(other, subject)),
    )
  }),
  test('users/long-issuers: keep issuers of 255 characters whole: two that differ in the last are two', async (world) => {
    const [start, subject] = [`https://${crypto.randomUUID()}.test/`.padEnd(254, 'y'), crypto.randomUUID()]
    await expectApart(world.users, [identityOf(`${start}1`, subject), identityOf(`${start}2`, subject)])
  }),
])

export const USER_CASES: Cases<World> = [
  ...CASES,
  ...IDENTITY_CASES,
  ...ISSUER_CASES,
  ...USER_ADMIN_CASES,
  ...MOVE_CASES,
]
