/** Cases of the account contract: accounts found exactly as they were stored, once per e-mail, listed in order. */
import { type AccountCaseSpec, newAccountOf, newEmail, newHash } from './account-world.ts'
import { spoil } from './contract-world.ts'
import { expectConflict, expectNull, expectSame, expectThat, settled } from './expectations.ts'
import { expectNothing, hostileIds } from './hostile-ids.ts'

export const ACCOUNT_RECORD_CASES: readonly AccountCaseSpec[] = [
  {
    id: 'accounts/found-after-insert',
    name: 'MUST find an account by id and by e-mail exactly as it was inserted, its session version 0',
    async test({ storage: { accounts }, role }) {
      const given = newAccountOf(role)
      const { id, ...account } = await accounts.insert(given)
      expectSame(account, { ...given, disabled: false, sessionVersion: 0 }, 'the inserted account')
      expectThat(typeof id === 'string' && id !== '', 'an id', id)
      expectSame(await accounts.findById(id), { id, ...account }, 'the account by id')
      expectSame(await accounts.findByEmail(given.email), { id, ...account }, 'the account by e-mail')
    },
  },
  {
    id: 'accounts/disabled-found',
    name: 'MUST keep and find an account that is disabled, and one without a password',
    async test({ newAccount, now }) {
      const account = await newAccount({ disabled: true, passwordHash: null })
      const { disabled, passwordHash } = await now(account)
      expectSame([disabled, passwordHash], [true, null], 'disabled, and its hash')
    },
  },
  {
    id: 'accounts/unknown-is-null',
    name: 'MUST find nothing for ids and addresses that are not there, hostile ones too, and never throw',
    async test({ storage: { accounts }, newAccount }) {
      const { id, email } = await newAccount()
      await expectNothing('findById', hostileIds(id), (text) => accounts.findById(text))
      await expectNothing('findByEmail', hostileIds(email), (text) => accounts.findByEmail(text))
      expectNull(await accounts.findByEmail(email.toUpperCase()), 'an address in capitals')
    },
  },
  {
    id: 'accounts/email-unique',
    name: 'MUST refuse a second account of one e-mail with a ConflictError, and keep the first as it is',
    requirement: 'L6',
    async test({ storage: { accounts }, newAccount, role, expectUnchanged }) {
      const account = await newAccount()
      const again = { ...newAccountOf(role), email: account.email }
      await expectConflict(accounts.insert(again), 'a second account of this e-mail')
      await expectUnchanged(account, 'the second one')
    },
  },
  {
    id: 'accounts/email-race',
    name: 'MUST let one of 20 inserts of one e-mail at once win, the others get a ConflictError',
    requirement: 'L6',
    async test({ storage: { accounts }, role }) {
      const email = newEmail()
      const inserts = Array.from({ length: 20 }, () => accounts.insert({ ...newAccountOf(role), email }))
      const results = await Promise.all(inserts.map((insert) => settled(insert)))
      const won = results.filter(({ status }) => status === 'fulfilled')
      expectThat(won.length === 1, 'one insert of 20 to win', won.length)
      for (const lost of inserts.filter((_, i) => results[i]?.status === 'rejected')) {
        await expectConflict(lost, 'each other insert')
      }
    },
  },
  {
    id: 'accounts/email-taken',
    name: 'MUST refuse to change an e-mail to one that is taken, and change nothing else with it',
    requirement: 'L6',
    async test({ storage: { accounts }, newAccount, expectUnchanged }) {
      const [one, other] = [await newAccount(), await newAccount()]
      await expectConflict(accounts.update(one.id, { email: other.email, role: 'x' }), 'an e-mail that is taken')
      for (const account of [one, other]) await expectUnchanged(account, 'it')
      await accounts.update(one.id, { email: one.email })
      await expectUnchanged(one, 'an update to the e-mail it has')
    },
  },
  {
    id: 'accounts/list-order',
    name: 'MUST list by creation, then id',
    async test({ storage: { accounts }, newAccount, role }) {
      const at = (seconds: number): Date => new Date(Date.UTC(2026, 0, 1, 0, 0, seconds))
      const made = []
      for (const createdAt of [at(3), at(1), at(2), at(2), at(2), at(2)]) made.push(await newAccount({ createdAt }))
      const wanted = [...made].sort((a, b) => a.createdAt.getTime() - b.createdAt.getTime() || (a.id < b.id ? -1 : 1))
      const listed = (await accounts.list()).filter((account) => account.role === role)
      expectSame(
        listed.map(({ id }) => id),
        wanted.map(({ id }) => id),
        'the ids in order',
      )
    },
  },
  {
    id: 'accounts/list-without-hashes',
    name: 'MUST list accounts whole, but without their hashes',
    requirement: 'L15',
    async test({ storage: { accounts }, newAccount, role }) {
      const { passwordHash, ...account } = await newAccount()
      const listed = (await accounts.list()).filter((each) => each.role === role)
      expectSame(listed, [account], 'the list')
      expectThat(!JSON.stringify(listed).includes(passwordHash as string), 'no hash in the list', listed)
    },
  },
  {
    id: 'accounts/copies',
    name: 'MUST hand out copies: changing what was returned, or what was inserted, changes nothing stored',
    async test({ storage: { accounts }, role, now, expectUnchanged }) {
      const given = { ...newAccountOf(role) }
      const account = await accounts.insert(given)
      const before = structuredClone(await now(account))
      given.createdAt.setTime(0)
      for (const copy of [account, await now(account), await accounts.findByEmail(account.email)]) {
        spoil(copy)
      }
      await expectUnchanged(before, 'changes of copies')
    },
  },
  {
    id: 'accounts/replace-hash',
    name: 'MUST replace a hash only where the present one is the one named, and change nothing else',
    requirement: 'L4',
    async test({ storage: { accounts }, newAccount, now, expectUnchanged }) {
      const account = await newAccount()
      const [from, to] = [account.passwordHash as string, newHash()]
      const wrong = await accounts.replaceHash(account.id, { from: newHash(), to, endSessions: true })
      expectSame(wrong, false, 'a replacement of another hash')
      await expectUnchanged(account, 'it')
      expectSame(await accounts.replaceHash(account.id, { from, to, endSessions: false }), true, 'a replacement')
      expectSame(await now(account), { ...account, passwordHash: to }, 'the account after it')
      const ending = await accounts.replaceHash(account.id, { from: to, to: from, endSessions: true })
      expectSame(ending, true, 'a replacement that ends sessions')
      expectSame(await now(account), { ...account, sessionVersion: 1 }, 'the account after that')
    },
  },
  {
    id: 'accounts/replace-hash-race',
    name: 'MUST let one of 20 replacements of one hash at once win',
    requirement: 'L4',
    async test({ storage: { accounts }, newAccount, now }) {
      const account = await newAccount()
      const from = account.passwordHash as string
      const changes = Array.from({ length: 20 }, () => ({ from, to: newHash(), endSessions: true }))
      const won = await Promise.all(changes.map((change) => accounts.replaceHash(account.id, change)))
      expectThat(won.filter(Boolean).length === 1, 'one of 20 to win', won)
      const { passwordHash, sessionVersion } = await now(account)
      expectSame(
        [passwordHash, sessionVersion],
        [changes[won.indexOf(true)]?.to, 1],
        "the winner's hash, one version up",
      )
    },
  },
]
