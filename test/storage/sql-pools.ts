/** Drivers that count, and drivers that fail: wrapped around real ones, in the shape the storages ask for. */
import type { PgClient, PgPool, PgQuery, PgResult, SqliteDatabase } from '../../src/storage/sql-executor.ts'

/** A pool that notes each query, whatever connection it takes: one query is one round trip. */
export function countedPool(pool: PgPool): PgPool & { readonly queries: string[] } {
  const queries: string[] = []
  const note = (query: string | PgQuery): void => void queries.push(typeof query === 'string' ? query : query.text)
  return {
    queries,
    query(query) {
      note(query)
      return pool.query(query)
    },
    connect: async () =>
      wrapped(await pool.connect(), (client, query) => {
        note(query)
        return client.query(query)
      }),
  }
}

/** A handle that notes each statement it runs. */
export function countedDatabase(database: SqliteDatabase): SqliteDatabase & { readonly statements: string[] } {
  const statements: string[] = []
  return {
    statements,
    exec(text) {
      statements.push(text)
      return database.exec(text)
    },
    prepare(text) {
      const statement = database.prepare(text)
      return {
        all(...values: unknown[]) {
          statements.push(text)
          return statement.all(...values)
        },
      }
    },
  }
}

/** What goes wrong with a transaction. */
export type Fault = 'serialization' | 'deadlock' | 'drop' | 'lost-answer'

/** A fault, and at which of the transaction's statements (BEGIN is 0); beyond the last one: at its COMMIT. */
export interface PlannedFault {
  readonly fault: Fault
  readonly at: number
}

/** What fails: a transaction when it begins, a statement outside of one when it is asked. */
export interface FaultPlan {
  transaction(): PlannedFault | null
  lookUp?(text: string): Fault | null
}

/** A pool whose transactions and look-ups fail as planned. Drops are real: the socket is destroyed. */
export function faultyPool(
  pool: PgPool,
  { transaction: plan, lookUp = () => null }: FaultPlan,
): PgPool & { readonly faults: Fault[] } {
  const faults: Fault[] = []
  return {
    faults,
    async query(query) {
      const fault = lookUp(typeof query === 'string' ? query : query.text)
      if (fault === null) return pool.query(query)
      faults.push(fault)
      const client = await pool.connect()
      client.on?.('error', () => undefined)
      try {
        return await FAULTS[fault](client, query)
      } finally {
        client.release(true)
      }
    },
    async connect() {
      const planned = plan()
      let count = 0
      let done = planned === null
      return wrapped(await pool.connect(), (client, query) => {
        const isLast = isCommit(query)
        const isDue = planned !== null && !done && !isRollback(query) && (count++ === planned.at || isLast)
        if (!isDue) return client.query(query)
        done = true
        faults.push(planned.fault)
        return FAULTS[planned.fault](client, query)
      })
    },
  }
}

/** Whether a query is the last one of a transaction that is stored; a check stands before it, a look at the connection behind. */
export function isCommit(query: string | PgQuery): boolean {
  return typeof query === 'string' && /(^|; )COMMIT(;|$)/.test(query)
}

function isRollback(query: string | PgQuery): boolean {
  return typeof query === 'string' && query.startsWith('ROLLBACK')
}

type Ask = (client: PgClient, query: string | PgQuery) => Promise<PgResult>

const FAULTS: Readonly<Record<Fault, Ask>> = {
  serialization: async () => {
    throw Object.assign(new Error('could not serialize access due to concurrent update'), { code: '40001' })
  },
  deadlock: async () => {
    throw Object.assign(new Error('deadlock detected'), { code: '40P01' })
  },
  drop(client, query) {
    destroySocket(client)
    return client.query(query)
  },
  // The server has done it, and nobody hears of it.
  async 'lost-answer'(client, query) {
    await client.query(query)
    destroySocket(client)
    throw new Error('Connection terminated unexpectedly')
  },
}

function destroySocket(client: PgClient): void {
  ;(client as unknown as { connection: { stream: { destroy(): void } } }).connection.stream.destroy()
}

function wrapped(client: PgClient, ask: Ask): PgClient {
  return {
    query: (query) => ask(client, query),
    release: (broken) => client.release(broken),
    on: (event, listener) => client.on?.(event, listener),
    removeListener: (event, listener) => client.removeListener?.(event, listener),
  }
}

/** Numbers from 0 to 1 that are the same in every run. */
export function createDice(seed: number): () => number {
  let state = seed
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return state / 2 ** 32
  }
}

/** A plan by dice: `share` of all transactions fail once, somewhere, and of all look-ups of a user by identity. */
export function faultsByDice(share: number, seed: number): FaultPlan {
  const dice = createDice(seed)
  const kinds: readonly Fault[] = ['serialization', 'deadlock', 'drop', 'lost-answer']
  const roll = (): Fault | null => (dice() < share ? (kinds[Math.floor(dice() * kinds.length)] ?? 'drop') : null)
  return {
    transaction() {
      const fault = roll()
      return fault === null ? null : { fault, at: Math.floor(dice() * 7) }
    },
    lookUp: (text) => (/^SELECT .* WHERE u\.issuer = /.test(text) ? roll() : null),
  }
}
