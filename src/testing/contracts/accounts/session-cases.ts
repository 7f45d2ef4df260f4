/** Cases of the account contract: sessions that end before their time, each alone and for good. */
import { type Cases, test } from '../contract.ts'
import * as expect from '../expectations.ts'
import { type AccountWorld, newSessionId } from './account-world.ts'

const NOW = new Date('2026-11-20T10:00:00.000Z')
const later = (seconds: number): Date => new Date(NOW.getTime() + seconds * 1000)

export const SESSION_CASES: Cases<AccountWorld> = [
  test('sessions/find: find the account of a session as it is now, and nothing for an unknown one', async (world) => {
    const { sessions, accounts, newAccount, now } = world
    const account = await newAccount()
    const sessionId = newSessionId()
    expect.same(await sessions.find(account.id, sessionId), { account, revoked: false }, 'a session')
    await accounts.update(account.id, { disabled: true })
    const found = await sessions.find(account.id, sessionId)
    expect.same(found, { account: await now(account), revoked: false }, 'the session after the account was disabled')
    await expect.none('sessions.find', expect.hostileIds(account.id), (id) => sessions.find(id, sessionId))
    await accounts.remove(account.id)
    expect.absent(await sessions.find(account.id, sessionId), 'a session of a removed account')
  }),
  test('sessions/revoke: revoke one session for good, once or many times, and no other session', async (world) => {
    const { sessions, newAccount } = world
    const account = await newAccount()
    const [id, other] = [newSessionId(), newSessionId()]
    expect.same((await sessions.find(account.id, id))?.revoked, false, 'revoked, before')
    for (let i = 0; i < 3; i++) {
      await sessions.revoke({ id, expiresAt: later(3600) }, NOW)
      expect.same((await sessions.find(account.id, id))?.revoked, true, 'revoked')
    }
    for (const text of [other, id.toUpperCase(), id.slice(1), ...expect.hostileIds()]) {
      expect.same((await sessions.find(account.id, text))?.revoked, false, 'another session, revoked')
    }
  }),
  test('sessions/revoke-keeps: keep a revocation until its session expires, whatever else is revoked meanwhile', async (world) => {
    const { sessions, newAccount } = world
    const account = await newAccount()
    const [id, short] = [newSessionId(), newSessionId()]
    await sessions.revoke({ id: short, expiresAt: later(1) }, NOW)
    await sessions.revoke({ id, expiresAt: later(3600) }, NOW)
    const others = Array.from({ length: 20 }, (_, i) =>
      sessions.revoke({ id: newSessionId(), expiresAt: later(3600 + i) }, later(3599)),
    )
    await Promise.all(others)
    expect.same((await sessions.find(account.id, id))?.revoked, true, 'revoked, a second before it expires')
  }),
]
