/** Asking the database by Kysely: its transactions, and what its errors mean to a storage, in one place. */
import { type Kysely, sql, type Transaction } from 'kysely'
import { toStorageError } from 'sallyport/storage'

/** The database, or a transaction in it. */
export type Db = Kysely<unknown>

/** Kysely's own transaction. */
export type FleetTransaction = Transaction<unknown>

/** Repositories as a storage. */
export function withTransactions<R extends object>(db: Db, repositories: (db: Db) => R): R & Transactions<R> {
  return {
    ...repositories(db),
    transaction: (work) =>
      inTransaction(db, async (handle) => {
        const result = await work({ ...repositories(handle), handle })
        // After a failed statement that the work swallowed, a COMMIT would silently be a ROLLBACK: this fails then.
        await sql`SELECT 1`.execute(handle)
        return result
      }),
  }
}

interface Transactions<R> {
  transaction<T>(work: (transaction: R & { readonly handle: FleetTransaction }) => Promise<T>): Promise<T>
}

/** Do work in one transaction. */
export function inTransaction<T>(db: Db, work: (handle: FleetTransaction) => Promise<T>): Promise<T> {
  return translated(() => db.transaction().execute(work))
}

/** How repositories ask: SQL as a tagged template. */
export function asking(db: Db): { readonly all: Ask<'all'>; readonly first: Ask<'first'> } {
  const all = async <Row>(...query: Query): Promise<Row[]> =>
    (await translated(() => sql<Row>(...query).execute(db))).rows
  return { all, first: async <Row>(...query: Query) => (await all<Row>(...query))[0] ?? null }
}

type Query = [TemplateStringsArray, ...unknown[]]
type Ask<Which> = <Row>(...query: Query) => Promise<Which extends 'all' ? Row[] : Row | null>

// Unique violations are a ConflictError, serialization failures, deadlocks and lost connections a TransientError.
async function translated<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    throw toStorageError(error)
  }
}
