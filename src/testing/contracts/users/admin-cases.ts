/** Cases of the user contract: a user who is disabled, anonymized, whose e-mail is another one now; each changes that and no more. */
import type { IdentityKey, User } from '../../../context.ts'
import { type Cases, needing, test } from '../contract.ts'
import * as expect from '../expectations.ts'
import { expectCopies, findUser, newEmail, oddEmails, type World } from '../storage-world.ts'

/** What the library reads of a user's row; a host's row may have more, which changes with it. */
const read = (user: User | null) => user && { id: user.id, email: user.email, disabled: user.disabled }

/** The user is stored as the call answered it, and so it reads, whoever looks. */
async function expectChanged(
  { users }: World,
  identity: IdentityKey,
  changed: User | null,
  wanted: ReturnType<typeof read>,
): Promise<void> {
  expect.same(read(changed), wanted, 'the user as it was changed')
  expect.same(await users.findById(wanted?.id ?? ''), changed, 'the user found by id')
  expect.same(await findUser(users, identity), changed, 'the user found by identity')
}

/** Nobody has touched the row. */
async function expectUnchanged({ users }: World, { person, user }: Login): Promise<void> {
  expect.same(await users.findById(user.id), user, 'the row of another, found by id')
  expect.same(await findUser(users, person), user, 'the row of another, found by identity')
}

type Login = Pick<Awaited<ReturnType<World['newLogin']>>, 'person' | 'user'>

const DISABLE_CASES: Cases<World> = [
  test('users/set-disabled: disable and enable that user, answer the row and change nothing else', async (world) => {
    const { users, newLogin, newId } = world
    const [{ person, user }, other] = [await newLogin(), await newLogin()]
    for (const disabled of [true, true, false, false]) {
      const changed = await users.setDisabled(user.id, disabled)
      await expectChanged(world, person, changed, { id: user.id, email: user.email, disabled })
    }
    await expectUnchanged(world, other)
    expect.absent(await users.setDisabled(newId(), true), 'a user who is not there')
  }),
  test('users/admin-hostile-ids: change nobody by a hostile id, and never throw', async (world) => {
    const { users, newLogin, newIdentity } = world
    const login = await newLogin()
    const ids = expect.hostileIds(login.userId)
    await expect.none('setDisabled', ids, (id) => users.setDisabled(id, true))
    await expect.none('anonymize', ids, (id) => users.anonymize(id, null))
    await expect.none('anonymize with an identity', ids, (id) => users.anonymize(id, newIdentity()))
    await expectUnchanged(world, login)
  }),
  test('users/admin-copies: return copies of users who were changed', async (world) => {
    const { users, newLogin, newIdentity } = world
    const { id } = (await newLogin()).user
    const [instead, find] = [newIdentity(), () => users.findById(id)]
    await expectCopies([await users.setDisabled(id, true)], [find])
    await expectCopies([await users.anonymize(id, instead), instead], [find])
  }),
]

const ANONYMIZE_CASES: Cases<World> = [
  test('users/anonymize: take the e-mail and disable the user, in the row that stays; the identity stays that of a disabled user', async (world) => {
    const { users, newLogin, newId } = world
    const [{ person, user }, other] = [await newLogin(), await newLogin()]
    const wanted = { id: user.id, email: null, disabled: true }
    let changed: User | null = null
    for (let count = 0; count < 2; count++) {
      changed = await users.anonymize(user.id, null)
      await expectChanged(world, person, changed, wanted)
    }
    const again = await users.upsertByIdentity(person)
    expect.same(again, { user: changed, created: false }, 'the user, who comes again')
    await expectUnchanged(world, other)
    expect.absent(await users.anonymize(newId(), null), 'a user who is not there')
  }),
  test('users/anonymize-freed: put another identity in the place of theirs: whoever comes by the old one is somebody new', async (world) => {
    const { users, newLogin, newIdentity } = world
    const [{ person, user }, other] = [await newLogin(), await newLogin()]
    const instead = newIdentity('another issuer')
    const wanted = { id: user.id, email: null, disabled: true }
    const changed = await users.anonymize(user.id, instead)
    await expectChanged(world, instead, changed, wanted)
    const text = expect.textOf(changed)
    for (const gone of [person.subject, person.email ?? '']) {
      expect.that(!text.includes(gone), 'nothing of who it was in the row', changed)
    }
    expect.absent(await findUser(users, person), 'the user of the old identity')
    const { user: next, created } = await users.upsertByIdentity(person)
    expect.that(created && next.id !== user.id, 'somebody new by the old identity', next)
    await expectChanged(world, instead, changed, wanted)
    await expectUnchanged(world, other)
  }),
  test('users/anonymize-taken: refuse an identity that is somebody else’s with a ConflictError, and write nothing; their own is none', async (world) => {
    const { users, newLogin } = world
    const [one, other] = [await newLogin(), await newLogin()]
    await expect.conflict(users.anonymize(one.userId, other.person), 'to stand in by the identity of another')
    for (const login of [one, other]) await expectUnchanged(world, login)
    const wanted = { id: one.userId, email: null, disabled: true }
    await expectChanged(world, one.person, await users.anonymize(one.userId, one.person), wanted)
  }),
  test('users/anonymize-missing: make nobody of an identity that stands in for a user who is not there', async (world) => {
    const { users, newIdentity, newId } = world
    const instead = newIdentity()
    expect.absent(await users.anonymize(newId(), instead), 'a user who is not there')
    expect.absent(await findUser(users, instead), 'the user of that identity')
  }),
]

const EMAIL_CASES: Cases<World> = needing('setEmail', [
  test('users/set-email: write exactly that e-mail into the row of that user, or none, and answer the row', async (world) => {
    const { users, newLogin, newId } = world
    const [{ person, user }, other] = [await newLogin(), await newLogin()]
    // One that somebody else has, too: an address links nobody.
    for (const email of [newEmail(), ...oddEmails(), other.person.email, null, person.email]) {
      const changed = await users.setEmail(user.id, email)
      await expectChanged(world, person, changed, { id: user.id, email, disabled: user.disabled })
    }
    await expectUnchanged(world, other)
    expect.absent(await users.setEmail(newId(), newEmail()), 'a user who is not there')
    await expect.none('setEmail', expect.hostileIds(other.userId), (id) => users.setEmail(id, newEmail()))
    await expectUnchanged(world, other)
  }),
  test('users/set-email-disabled: leave the row of a disabled user as it is, and answer null', async (world: World) => {
    const { users, newLogin, disableUser } = world
    const { person, user } = await newLogin()
    await disableUser(user.id)
    const before = await users.findById(user.id)
    expect.absent(await users.setEmail(user.id, newEmail()), 'a disabled user')
    await expectUnchanged(world, { person, user: before ?? user })
  }).needing('disableUser'),
])

export const USER_ADMIN_CASES: Cases<World> = [
  ...needing('userAdmin', [...DISABLE_CASES, ...ANONYMIZE_CASES]),
  ...EMAIL_CASES,
]
