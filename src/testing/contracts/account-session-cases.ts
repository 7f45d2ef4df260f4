/** Cases of the account contract: sessions that end before their time, and units of work with the one first admin. */
import { type AccountCaseSpec, newAccountOf, newSessionId } from './account-world.ts'
import { expectNull, expectRejected, expectSame, expectThat } from './expectations.ts'
import { expectNothing, hostileIds } from './hostile-ids.ts'

const NOW = new Date('2026-11-20T10:00:00.000Z')
const later = (seconds: number): Date => new Date(NOW.getTime() + seconds * 1000)

export const ACCOUNT_SESSION_CASES: readonly AccountCaseSpec[] = [
  {
    id: 'sessions/find',
    name: 'MUST find the account of a session as it is now, and nothing for an unknown one',
    requirement: 'L7',
    async test({ storage: { sessions, accounts }, newAccount, now }) {
      const account = await newAccount()
      const sessionId = newSessionId()
      expectSame(await sessions.find(account.id, sessionId), { account, revoked: false }, 'a session')
      await accounts.update(account.id, { disabled: true })
      const found = await sessions.find(account.id, sessionId)
      expectSame(found, { account: await now(account), revoked: false }, 'the session after the account was disabled')
      await expectNothing('sessions.find', hostileIds(account.id), (id) => sessions.find(id, sessionId))
      await accounts.remove(account.id)
      expectNull(await sessions.find(account.id, sessionId), 'a session of a removed account')
    },
  },
  {
    id: 'sessions/revoke',
    name: 'MUST revoke one session for good, once or many times, and no other session',
    requirement: 'L7',
    async test({ storage: { sessions }, newAccount }) {
      const account = await newAccount()
      const [id, other] = [newSessionId(), newSessionId()]
      expectSame((await sessions.find(account.id, id))?.revoked, false, 'revoked, before')
      for (let i = 0; i < 3; i++) {
        await sessions.revoke({ id, expiresAt: later(3600) }, NOW)
        expectSame((await sessions.find(account.id, id))?.revoked, true, 'revoked')
      }
      for (const text of [other, id.toUpperCase(), id.slice(1), ...hostileIds()]) {
        expectSame((await sessions.find(account.id, text))?.revoked, false, 'another session, revoked')
      }
    },
  },
  {
    id: 'sessions/revoke-keeps',
    name: 'MUST keep a revocation until its session expires, whatever else is revoked meanwhile',
    requirement: 'L7',
    async test({ storage: { sessions }, newAccount }) {
      const account = await newAccount()
      const [id, short] = [newSessionId(), newSessionId()]
      await sessions.revoke({ id: short, expiresAt: later(1) }, NOW)
      await sessions.revoke({ id, expiresAt: later(3600) }, NOW)
      const others = Array.from({ length: 20 }, (_, i) =>
        sessions.revoke({ id: newSessionId(), expiresAt: later(3600 + i) }, later(3599)),
      )
      await Promise.all(others)
      expectSame((await sessions.find(account.id, id))?.revoked, true, 'revoked, a second before it expires')
    },
  },
  {
    id: 'transactions/all-or-nothing',
    name: 'MUST write nothing of a unit of work that rejects, and all of one that fulfils',
    requirement: 'L14',
    async test({ storage: { accounts, transaction }, newAccount, role, expectUnchanged }) {
      const account = await newAccount()
      const { email } = newAccountOf(role)
      const work = (fails: boolean) =>
        transaction(async (tx) => {
          await tx.accounts.insert({ ...newAccountOf(role), email })
          await tx.accounts.update(account.id, { disabled: true })
          if (fails) throw new Error('the work fails')
          return tx.accounts.findByEmail(email)
        })
      await expectRejected(work(true), 'a unit of work that throws')
      expectNull(await accounts.findByEmail(email), 'an account of a unit of work that was rejected')
      await expectUnchanged(account, 'a unit of work that was rejected')
      const made = await work(false)
      expectSame(await accounts.findByEmail(email), made, 'an account of a unit of work that fulfilled')
    },
  },
  {
    id: 'transactions/first-admin-once',
    name: 'MUST let one of 20 who claim the first admin at once have it, and nobody ever after',
    requirement: 'L14',
    needsFresh: true,
    async test({ storage: { transaction } }) {
      const claim = (): Promise<boolean> => transaction((tx) => tx.claimFirstAdmin(NOW))
      const claims = await Promise.all(Array.from({ length: 20 }, claim))
      expectThat(claims.filter(Boolean).length === 1, 'one claim of 20 to be true', claims)
      expectSame(await claim(), false, 'a claim afterwards')
    },
  },
  {
    id: 'transactions/first-admin-rollback',
    name: 'MUST give the claim back with a unit of work that rejects',
    requirement: 'L14',
    needsFresh: true,
    async test({ storage: { transaction } }) {
      const failing = transaction(async (tx) => {
        expectSame(await tx.claimFirstAdmin(NOW), true, 'the first claim')
        throw new Error('the work fails')
      })
      const error = await expectRejected(failing, 'a unit of work that throws')
      expectThat((error as Error).message === 'the work fails', 'the error of the work itself', error)
      expectSame(await transaction((tx) => tx.claimFirstAdmin(NOW)), true, 'the claim after a rollback')
    },
  },
]
