/** The promises of the account storage: accounts found exactly as they were stored, changes that end sessions where they must, the last admin, sessions that end early, the one first admin. */
import type { AccountChange } from '../../../storage/account-repositories.ts'
import { type Cases, type Contract, createContract, needing, test } from '../contract.ts'
import * as expect from '../expectations.ts'
import { compareIds, idsOf, RACERS, race } from '../races.ts'
import { expectCopies, longEmail, newEmail } from '../storage-world.ts'
import {
  type AccountsUnderTest,
  type AccountWorld,
  createAccountWorld,
  newAccountOf,
  newHash,
} from './account-world.ts'
import { SESSION_CASES } from './session-cases.ts'

const RECORD_CASES: Cases<AccountWorld> = [
  test('accounts/found-after-insert: find an account by id and by e-mail exactly as it was inserted, its session version 0', async (world) => {
    const { accounts, role } = world
    // As long as an address may be, and as hashes of other kinds are.
    const long = { email: longEmail(), passwordHash: newHash().padEnd(120, 'x') }
    for (const given of [newAccountOf(role), { ...newAccountOf(role), ...long }]) {
      const { id, ...account } = await accounts.insert(given)
      expect.same(account, { ...given, disabled: false, sessionVersion: 0 }, 'the inserted account')
      expect.that(typeof id === 'string' && id !== '', 'an id', id)
      expect.same(await accounts.findById(id), { id, ...account }, 'the account by id')
      expect.same(await accounts.findByEmail(given.email), { id, ...account }, 'the account by e-mail')
    }
  }),
  test('accounts/disabled-found: keep and find an account that is disabled, and one without a password', async (world) => {
    const { newAccount, now } = world
    const account = await newAccount({ disabled: true, passwordHash: null })
    const { disabled, passwordHash } = await now(account)
    expect.same([disabled, passwordHash], [true, null], 'disabled, and its hash')
  }),
  test('accounts/unknown-is-null: find nothing for ids and addresses that are not there, hostile ones too, and never throw', async (world) => {
    const { accounts, newAccount } = world
    const { id, email } = await newAccount()
    await expect.none('findById', expect.hostileIds(id), (text) => accounts.findById(text))
    await expect.none('findByEmail', expect.hostileIds(email), (text) => accounts.findByEmail(text))
    expect.absent(await accounts.findByEmail(email.toUpperCase()), 'an address in capitals')
  }),
  test('accounts/email-unique: refuse a second account of one e-mail with a ConflictError, and keep the first as it is', async (world) => {
    const account = await world.newAccount()
    await expect.conflict(world.newAccount({ email: account.email }), 'a second account of this e-mail')
    await world.expectUnchanged(account, 'the second one')
  }),
  test('accounts/email-race: let one of 20 inserts of one e-mail at once win, the others get a ConflictError', async (world) => {
    const email = newEmail()
    expect.oneWinner(await race(RACERS, () => world.newAccount({ email })), 'insert')
  }),
  test('accounts/email-taken: refuse to change an e-mail to one that is taken, and change nothing else with it', async (world) => {
    const { accounts, newAccount, expectUnchanged } = world
    const [one, other] = [await newAccount(), await newAccount()]
    await expect.conflict(accounts.update(one.id, { email: other.email, role: 'x' }), 'an e-mail that is taken')
    for (const account of [one, other]) await expectUnchanged(account, 'it')
    await accounts.update(one.id, { email: one.email })
    await expectUnchanged(one, 'an update to the e-mail it has')
  }),
  test('accounts/list-order: list by creation, then id', async ({ accounts, newAccount, role }) => {
    const at = (seconds: number): Date => new Date(Date.UTC(2026, 0, 1, 0, 0, seconds))
    const made = []
    for (const createdAt of [at(3), at(1), at(2), at(2), at(2), at(2)]) made.push(await newAccount({ createdAt }))
    made.sort((a, b) => a.createdAt.getTime() - b.createdAt.getTime() || compareIds(a.id, b.id))
    const listed = (await accounts.list()).filter((account) => account.role === role)
    expect.same(idsOf(listed), idsOf(made), 'the ids in order')
  }),
  test('accounts/list-without-hashes: list accounts whole, but without their hashes', async (world) => {
    const { accounts, newAccount, role } = world
    const { passwordHash, ...account } = await newAccount()
    const listed = (await accounts.list()).filter((each) => each.role === role)
    expect.same(listed, [account], 'the list')
    expect.that(!JSON.stringify(listed).includes(passwordHash as string), 'no hash in the list', listed)
  }),
  test('accounts/copies: hand out copies: changing what was returned, or what was inserted, changes nothing stored', async (world) => {
    const { accounts, role, now } = world
    const given = newAccountOf(role)
    const account = await accounts.insert(given)
    const { id, email } = account
    await expectCopies([account, given], [() => now({ id }), () => accounts.findByEmail(email)])
  }),
  test('accounts/replace-hash: replace a hash only where the present one is the one named, and change nothing else', async (world) => {
    const { accounts, newAccount, now, expectUnchanged } = world
    const account = await newAccount()
    const [from, to] = [account.passwordHash as string, newHash()]
    const wrong = await accounts.replaceHash(account.id, { from: newHash(), to, endSessions: true })
    expect.same(wrong, false, 'a replacement of another hash')
    await expectUnchanged(account, 'it')
    expect.same(await accounts.replaceHash(account.id, { from, to, endSessions: false }), true, 'a replacement')
    expect.same(await now(account), { ...account, passwordHash: to }, 'the account after it')
    const ending = await accounts.replaceHash(account.id, { from: to, to: from, endSessions: true })
    expect.same(ending, true, 'a replacement that ends sessions')
    expect.same(await now(account), { ...account, sessionVersion: 1 }, 'the account after that')
  }),
  test('accounts/replace-hash-race: let one of 20 replacements of one hash at once win', async (world) => {
    const { accounts, newAccount, now } = world
    const account = await newAccount()
    const from = account.passwordHash as string
    const changes = Array.from({ length: 20 }, () => ({ from, to: newHash(), endSessions: true }))
    const won = await Promise.all(changes.map((change) => accounts.replaceHash(account.id, change)))
    expect.that(won.filter(Boolean).length === 1, 'one of 20 to win', won)
    const { passwordHash, sessionVersion } = await now(account)
    const { to } = expect.found(changes[won.indexOf(true)], 'a winner')
    expect.same([passwordHash, sessionVersion], [to, 1], "the winner's hash, one version up")
  }),
]

/** Two last holders at once, in 10 rounds: what is done with both must leave one. */
async function expectOneLeft(
  { accounts, newAccount, role }: AccountWorld,
  changeOf: (id: string, round: number, which: number) => Promise<unknown>,
): Promise<void> {
  for (let round = 0; round < 10; round++) {
    const two = [await newAccount(), await newAccount()]
    await Promise.all(two.map(({ id }, which) => changeOf(id, round, which)))
    const left = (await accounts.list()).filter((account) => account.role === role && !account.disabled)
    expect.that(left.length === 1, 'one enabled account of the role to be left of two', left.length)
    for (const { id } of left) await accounts.remove(id)
  }
}

const CHANGE_CASES: Cases<AccountWorld> = [
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
  test('accounts/others-unchanged: change, end, replace and remove that account only, and no other of its role', async (world) => {
    const { accounts, newAccount, expectUnchanged, role } = world
    const [account, other] = [await newAccount(), await newAccount()]
    const { id } = account
    const [from, to] = [newHash(), newHash()]
    const changes: Readonly<Record<string, () => Promise<unknown>>> = {
      'a new hash': () => accounts.update(id, { passwordHash: from }),
      'a replaced hash': () => accounts.replaceHash(id, { from, to, endSessions: true }),
      'the end of sessions': () => accounts.endSessions(id),
      'another role': () => accounts.update(id, { role: `${role}-2` }),
      'the role again': () => accounts.update(id, { role }, { keep: role }),
      'being disabled': () => accounts.update(id, { disabled: true }, { keep: role }),
      'a removal': () => accounts.remove(id, { keep: role }),
    }
    for (const [what, change] of Object.entries(changes)) {
      await change()
      await expectUnchanged(other, `${what} of another`)
    }
  }),
  test('accounts/missing: say so where there is no account to change, end, replace or remove, hostile ids included', async (world) => {
    const { accounts, newAccount, expectUnchanged } = world
    const account = await newAccount()
    for (const id of expect.hostileIds(account.id)) {
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

const TRANSACTION_CASES: Cases<AccountWorld> = [
  test('transactions/all-or-nothing: write nothing of a unit of work that rejects, and all of one that fulfils', async (world) => {
    const { accounts, transaction, newAccount, role, expectUnchanged } = world
    const account = await newAccount()
    const { email } = newAccountOf(role)
    const work = (fails: boolean) =>
      transaction(async (tx) => {
        await tx.accounts.insert({ ...newAccountOf(role), email })
        await tx.accounts.update(account.id, { disabled: true })
        if (fails) throw new Error('the work fails')
        return tx.accounts.findByEmail(email)
      })
    await expect.rejected(work(true), 'a unit of work that throws')
    expect.absent(await accounts.findByEmail(email), 'an account of a unit of work that was rejected')
    await expectUnchanged(account, 'a unit of work that was rejected')
    const made = await work(false)
    expect.same(await accounts.findByEmail(email), made, 'an account of a unit of work that fulfilled')
  }),
]

const NOW = new Date('2026-11-20T10:00:00.000Z')

const FIRST_ADMIN_CASES: Cases<AccountWorld> = needing('freshAccounts', [
  test('transactions/first-admin-once: let one of 20 who claim the first admin at once have it, and nobody ever after', async (world) => {
    const claim = (): Promise<boolean> => world.transaction((tx) => tx.claimFirstAdmin(NOW))
    const claims = await Promise.all(Array.from({ length: 20 }, claim))
    expect.that(claims.filter(Boolean).length === 1, 'one claim of 20 to be true', claims)
    expect.same(await claim(), false, 'a claim afterwards')
  }),
  test('transactions/first-admin-rollback: give the claim back with a unit of work that rejects', async (world) => {
    const failing = world.transaction(async (tx) => {
      expect.same(await tx.claimFirstAdmin(NOW), true, 'the first claim')
      throw new Error('the work fails')
    })
    const error = await expect.rejected(failing, 'a unit of work that throws')
    expect.that((error as Error).message === 'the work fails', 'the error of the work itself', error)
    expect.same(await world.transaction((tx) => tx.claimFirstAdmin(NOW)), true, 'the claim after a rollback')
  }),
])

/**
 * The promises of an account storage, races and hostile ids included. Where all cases share a database, the options say
 * `without: ['freshAccounts']`: then those about the one first admin are left out, and must be run with fresh ones.
 *
 * @example
 * for (const { id, name, run } of accountContract.cases(() => ({ storage: myAccounts() }))) it(`${id}: ${name}`, run)
 */
export const accountContract: Contract<AccountsUnderTest> = createContract(
  'accountContract',
  [...RECORD_CASES, ...CHANGE_CASES, ...SESSION_CASES, ...TRANSACTION_CASES, ...FIRST_ADMIN_CASES],
  createAccountWorld,
)
