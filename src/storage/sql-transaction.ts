/** One transaction as a session: usable while its work runs and not a moment longer, because then the connection is somebody else's. */
import type { SqlSession } from './sql-executor.ts'

/** Run `work` with a session over `run` that refuses whatever is asked of it after `work` has settled. */
export async function oneTransaction<T>(run: SqlSession['run'], work: (session: SqlSession) => Promise<T>): Promise<T> {
  let open = true
  const session: SqlSession = {
    async run(statement, values) {
      if (!open) throw new Error('this transaction has ended: its repositories can no longer be used')
      return run(statement, values)
    },
    atomically: (inner) => inner(session),
  }
  try {
    return await work(session)
  } finally {
    open = false
  }
}
