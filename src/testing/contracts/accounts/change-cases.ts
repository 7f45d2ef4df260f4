/** Cases of the account contract: changes that do what they say and end sessions where they must; the last admin. */
import type { AccountChange } from '../../../storage/account-repositories.ts'
import { type Cases, test } from '../contract.ts'
import * as expect from '../expectations.ts'
import { hostileIds } from '../expectations.ts'
import { race } from '../storage-world.ts'
import { type AccountWorld, newEmail, newHash } from './account-world.ts'

const ROUNDS = 10

/** Two last holders at once, many times: what is done with both must leave one. */
async function expectOneLeft(
  { accounts, newAccount, role }: AccountWorld,
  changeOf: (id: string, round: number, which: number) => Promise<unknown>,
): Promise<void> {
  for (let round = 0; round < ROUNDS; round++) {
    const two = [await newAccount(), await newAccount()]
    await Promise.all(two.map(({ id }, which) => changeOf(id, round, which)))
    const left = (await accounts.list()).filter((account) => account.role === role && !account.disabled)
    expect.that(left.length === 1, 'one enabled account of the role to be left of two', left.length)
    for (const { id } of left) await accounts.remove(id)
  }
}

export const ACCOUNT_CHANGE_CASES: Cases<AccountWorld> = [
  test('accounts/update: change what is named and nothing else, and return the account', async (world) => {
    const { accounts, newAccount, now } = world
    const account = await newAccount()
    const email = newEmail()
    const updated = await accounts.update(account.id, { email })
    expect.same(updated, { kind: 'done', account: { ...account, email } }, 'the update of the e-mail')
    expect.same(await now(account), { ...account, email }, 'the account after it')
    expect.absent(await accounts.findByEmail(account.email), 'the former e-mail')
    const mass = { id: 'x', sessionVersion: 9, createdAt: new Date(0) } as AccountChange
    await accounts.update(account.id, mass)
    expect.same(await now(account), { ...account, email }, 'the account after members that are no change')
  }),
  test('accounts/update-ends-sessions: raise the session version by one with another role, another `disabled` and any new hash, else not', async (world) => {
    const { accounts, newAccount, now, role } = world
    const account = await newAccount()
    const passwordHash = newHash()
    const steps: readonly (readonly [AccountChange, number])[] = [
      [{ role }, 0],
      [{ disabled: false }, 0],
      [{ email: newEmail() }, 0],
      [{}, 0],
      [{ role: `${role}-2` }, 1],
      [{ disabled: true }, 2],
      [{ disabled: true, role: `${role}-2` }, 2],
      [{ disabled: false }, 3],
      [{ passwordHash }, 4],
      [{ passwordHash }, 5],
      [{ passwordHash: newHash(), role, disabled: true }, 6],
    ]
    for (const [change, wanted] of steps) {
      await accounts.update(account.id, change)
      const { sessionVersion } = await now(account)
      expect.same(sessionVersion, wanted, `the session version after ${Object.keys(change).join(', ') || 'nothing'}`)
    }
  }),
  test('accounts/end-sessions: raise the session version by one for each call, 20 at once too, and change nothing else', async (world) => {
    const { accounts, newAccount, now } = world
    const account = await newAccount()
    const ended = expect.allFulfilled(await race(20, () => accounts.endSessions(account.id)), 'call')
    expect.same([...new Set(ended)], [true], 'what each call says')
    expect.same(await now(account), { ...account, sessionVersion: 20 }, 'the account after 20 calls')
  }),
  test('accounts/missing: say so where there is no account to change, end, replace or remove, hostile ids included', async (world) => {
    const { accounts, newAccount, expectUnchanged } = world
    const account = await newAccount()
    for (const id of hostileIds(account.id)) {
      expect.same(await accounts.update(id, { disabled: true }), { kind: 'missing' }, 'the update of nobody')
      expect.same(await accounts.remove(id), 'missing', 'the removal of nobody')
      expect.same(await accounts.endSessions(id), false, 'the ending of nobody')
      const change = { from: account.passwordHash as string, to: newHash(), endSessions: true }
      expect.same(await accounts.replaceHash(id, change), false, 'the replacement of nobody')
    }
    await expectUnchanged(account, 'all that')
  }),
  test('accounts/remove: remove an account for good, its e-mail free again', async ({ accounts, newAccount }) => {
    const { id, email } = await newAccount()
    expect.same(await accounts.remove(id), 'done', 'a removal')
    expect.absent(await accounts.findById(id), 'the removed account by id')
    expect.absent(await accounts.findByEmail(email), 'the removed account by e-mail')
    const again = await newAccount({ email })
    expect.that(again.id !== id, 'another id for another account', again.id)
  }),
  test('accounts/last: keep the last enabled account of a role: no demotion, no disabling, no removal, and nothing written', async (world) => {
    const { accounts, newAccount, role, expectUnchanged, now } = world
    const last = await newAccount()
    await newAccount({ disabled: true })
    const keep = { keep: role }
    for (const change of [{ role: 'x' }, { disabled: true }, { role: 'x', email: newEmail() }]) {
      expect.same(await accounts.update(last.id, change, keep), { kind: 'last' }, 'a change of the last one')
    }
    expect.same(await accounts.remove(last.id, keep), 'last', 'the removal of the last one')
    await expectUnchanged(last, 'all that')
    await accounts.update(last.id, { email: newEmail(), passwordHash: newHash(), role, disabled: false }, keep)
    expect.same((await now(last)).sessionVersion, 1, 'a change that leaves it what it is: done, the session version')
  }),
  test('accounts/last-of-another-role: let go whoever is not the last: of another role, disabled, or with another beside', async (world) => {
    const { accounts, newAccount, role } = world
    const [one, two, disabled] = [await newAccount(), await newAccount(), await newAccount({ disabled: true })]
    const keep = { keep: role }
    expect.same(await accounts.remove(disabled.id, keep), 'done', 'the removal of a disabled one')
    const demoted = await accounts.update(one.id, { role: `${role}-2` }, keep)
    expect.same(demoted.kind, 'done', 'the demotion of one of two')
    expect.same(await accounts.remove(one.id, keep), 'done', 'the removal of one of another role')
    expect.same(await accounts.remove(two.id), 'done', 'the removal of the last one where none is to be kept')
  }),
  test('accounts/last-race-demote: leave one of two who are demoted at once, and of two who are disabled at once', (world) =>
    expectOneLeft(world, (id, round) =>
      world.accounts.update(id, round % 2 === 0 ? { role: 'x' } : { disabled: true }, { keep: world.role }),
    )),
  test('accounts/last-race-remove: leave one of two who are removed at once, and where one is removed while the other is demoted', (world) =>
    expectOneLeft(world, (id, round, which) =>
      round % 2 === 0 || which === 0
        ? world.accounts.remove(id, { keep: world.role })
        : world.accounts.update(id, { role: 'x' }, { keep: world.role }),
    )),
]
