/** Cases of the user contract: an identity given to the user of another one, in one conditional write, to one of several. */
import { type Cases, needing, test } from '../contract.ts'
import * as expect from '../expectations.ts'
import { RACERS, race, retried } from '../races.ts'
import { findUser, newEmail, type World } from '../storage-world.ts'

const MOVED_CASES: Cases<World> = [
  test('users/move-identity: give the new identity the user of the old one, unchanged; the old one is nobody’s', async (world) => {
    const { users, newLogin, newIdentity } = world
    const [{ person, userId }, to] = [await newLogin(), newIdentity('another issuer')]
    const moved = expect.found(await users.moveIdentity(person, to), 'the user who was moved')
    expect.same([moved.id, moved.email, moved.disabled], [userId, person.email, false], 'id, e-mail and disabled')
    expect.same(await findUser(users, to), moved, 'the user of the new identity')
    expect.same(await users.findById(userId), moved, 'the user by id')
    expect.absent(await findUser(users, person), 'the user of the old identity')
    const again = await users.upsertByIdentity({ ...to, email: newEmail() })
    expect.same(again, { user: moved, created: false }, 'the user who comes by the new identity')
    const { user, created } = await users.upsertByIdentity(person)
    expect.that(created && user.id !== userId, 'somebody new by the old identity', user)
  }),
  test('users/move-identity-taken: refuse an identity that is somebody’s, a disabled one’s too, with a ConflictError, and write nothing', async (world) => {
    const { users, newLogin } = world
    const [one, other, disabled] = [await newLogin(), await newLogin(), await newLogin()]
    await users.setDisabled(disabled.userId, true)
    for (const { person: to } of [other, disabled]) {
      await expect.conflict(users.moveIdentity(one.person, to), 'a move to an identity that is taken')
    }
    for (const { person, userId } of [one, other, disabled]) {
      expect.same((await findUser(users, person))?.id, userId, 'the user of each identity, as before')
    }
    expect.same(await users.findById(one.userId), one.user, 'the user, unchanged')
  }),
  test('users/move-identity-missing: answer null where the old identity is nobody’s or hostile, and make nobody', async (world) => {
    const { users, newLogin, newIdentity } = world
    const [{ person, user }, to] = [await newLogin(), newIdentity()]
    expect.absent(await users.moveIdentity(newIdentity(), to), 'the move of nobody')
    const subjects = expect.hostileIds(person.subject)
    await expect.none('moveIdentity', subjects, (subject) => users.moveIdentity({ ...person, subject }, to))
    expect.absent(await findUser(users, to), 'the user of the new identity')
    expect.same(await findUser(users, person), user, 'the user of another, unchanged')
  }),
  test('users/move-identity-of-one: move the user of that identity, disabled or not, and no other', async (world) => {
    const { users, newLogin, newIdentity } = world
    const [one, other] = [await newLogin(), await newLogin()]
    await users.setDisabled(one.userId, true)
    const to = newIdentity()
    const moved = await users.moveIdentity(one.person, to)
    expect.same([moved?.id, moved?.disabled], [one.userId, true], 'id and disabled')
    expect.same(await findUser(users, other.person), other.user, 'another user, unchanged')
  }),
]

const RACE_CASES: Cases<World> = [
  test(`users/move-identity-race: let one of ${RACERS} users have an identity that all are moved to at once; the others get a ConflictError and stay`, async (world) => {
    const { users, newLogin, newIdentity } = world
    const logins = await Promise.all(Array.from({ length: RACERS }, newLogin))
    const to = newIdentity()
    const results = await race(RACERS, (index) =>
      retried(() => users.moveIdentity(logins[index]?.person ?? newIdentity(), to)),
    )
    const winner = expect.oneWinner(results, 'move')
    expect.same((await findUser(users, to))?.id, winner?.id, 'the user of the new identity')
    for (const { person, userId } of logins) {
      const found = await findUser(users, person)
      expect.same(found?.id, userId === winner?.id ? undefined : userId, 'who is found by each old identity')
    }
  }),
  test(`users/move-identity-once: move a user once who is moved to ${RACERS} identities at once: the others find nobody to move`, async (world) => {
    const { users, newLogin, newIdentity } = world
    const { person, userId } = await newLogin()
    const targets = Array.from({ length: RACERS }, () => newIdentity())
    const results = await race(RACERS, (index) =>
      retried(() => users.moveIdentity(person, targets[index] ?? newIdentity())),
    )
    const moved = expect.allFulfilled(results, 'move').filter((user) => user !== null)
    expect.that(moved.length === 1 && moved[0]?.id === userId, 'one move of the user', moved)
    const found: (string | undefined)[] = []
    for (const target of targets) found.push((await findUser(users, target))?.id)
    expect.same(
      found.filter((id) => id !== undefined),
      [userId],
      'who is found by the new identities',
    )
  }),
  test('users/move-identity-or-first-login: leave one user of an identity that somebody is moved to while it logs in first', async (world) => {
    const { users, newLogin, newPerson } = world
    for (let round = 0; round < 10; round++) {
      const [{ person, userId }, to] = [await newLogin(), newPerson()]
      const [move, login] = await Promise.all([
        expect.settled(retried(() => users.moveIdentity(person, to))),
        expect.settled(retried(() => users.upsertByIdentity(to))),
      ])
      const upserted = expect.found(expect.fulfilledValue(login), 'the login to be fulfilled')
      expect.same((await findUser(users, to))?.id, upserted.user.id, 'the one user of the identity')
      const isMoved = upserted.user.id === userId
      expect.same([upserted.created, move.status], isMoved ? [false, 'fulfilled'] : [true, 'rejected'], 'who won')
      expect.same((await findUser(users, person))?.id, isMoved ? undefined : userId, 'who is found by the old identity')
      if (!isMoved) expect.oneWinner<unknown>([move, login], 'of move and login')
    }
  }),
]

export const MOVE_CASES: Cases<World> = needing('userAdmin', [...MOVED_CASES, ...RACE_CASES])
