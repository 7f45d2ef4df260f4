/** Sessions of local login in the SQL storages: kept are those that were ended early, until nobody could use them anyway. */
import type { SessionRepository } from './account-repositories.ts'
import type { SqlAccountStatements } from './sql-account-statements.ts'
import type { SqlSession } from './sql-executor.ts'
import { toAccountRecord, toFlag } from './sql-rows.ts'
import { isId, isText } from './sql-text.ts'

const LONGEST_ID = 100
// A verifier may grant a session some minutes beyond its end, and another process's clock may be behind.
const GRACE_MS = 600_000
// More than each revocation adds.
const SWEPT_AT_ONCE = 100

/** Build the session repository over a session of the database. */
export function sqlLoginSessions(session: SqlSession, statements: SqlAccountStatements): SessionRepository {
  return {
    async find(accountId, sessionId) {
      if (!isId(accountId)) return null
      // What can't be stored was never revoked.
      const [row] = await session.run(statements.findSession, [accountId, isSessionId(sessionId) ? sessionId : null])
      return row === undefined ? null : { account: toAccountRecord(row), revoked: toFlag(row['revoked']) }
    },
    async revoke({ id, expiresAt }, now) {
      if (!isSessionId(id)) throw new TypeError(`the id of a session is a text of at most ${LONGEST_ID} characters`)
      await session.run(statements.revokeSession, [id, expiresAt.getTime()])
      await session.run(statements.sweepSessions, [now.getTime() - GRACE_MS, SWEPT_AT_ONCE])
    },
  }
}

function isSessionId(text: string): boolean {
  return isText(text, LONGEST_ID)
}
