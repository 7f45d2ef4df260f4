/** One transaction as a session: usable while its work runs and not a moment longer, because then the connection is somebody else's. */
import type { SqlSession } from './sql-executor.ts'
import { whileOpen } from './turns.ts'

/**
 * Run `work` with a session over `run` that refuses whatever is asked of it after `work` has settled, or once `isHeld` says
 * that what it works in is no longer its own.
 */
export function oneTransaction<T>(
  run: SqlSession['run'],
  work: (session: SqlSession) => Promise<T>,
  isHeld: () => boolean = () => true,
): Promise<T> {
  return whileOpen(isHeld, (requireOpen) => {
    const session: SqlSession = {
      async run(statement, values) {
        requireOpen()
        return run(statement, values)
      },
      atomically: (inner) => inner(session),
    }
    return work(session)
  })
}
