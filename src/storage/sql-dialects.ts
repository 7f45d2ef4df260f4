/** Where PostgreSQL and SQLite say the same thing differently: each difference is a fragment with a name. */

/** One dialect's fragments. */
export interface SqlDialect {
  readonly name: 'postgres' | 'sqlite'
  /** An instant column as whole milliseconds since 1970. */
  toMilliseconds(column: string): string
  /** Milliseconds since 1970, bound to a parameter, as an instant. */
  fromMilliseconds(parameter: string): string
  /** A parameter of 1 or 0 as a truth value. */
  toFlag(parameter: string): string
  /** A parameter as a whole number. */
  toInteger(parameter: string): string
  /** The database's own clock, as whole milliseconds since 1970. */
  readonly now: string
  /** What a row limit binds for "no limit". */
  readonly noLimit: number | null
  /** Lock the rows that were found until the transaction ends. */
  readonly forUpdate: string
  /** Lock those of the rows that nobody else has locked, and leave out the others. */
  readonly skipLocked: string
}

/** PostgreSQL 13 and later: `timestamptz(3)`, row locks. */
export const POSTGRES: SqlDialect = {
  name: 'postgres',
  toMilliseconds: (column) => `(extract(epoch from ${column}) * 1000)::float8`,
  fromMilliseconds: (parameter) => `to_timestamp(${parameter}::float8 / 1000)`,
  toFlag: (parameter) => `(${parameter}::int = 1)`,
  toInteger: (parameter) => `${parameter}::bigint`,
  now: 'floor(extract(epoch from clock_timestamp()) * 1000)::float8',
  noLimit: null,
  forUpdate: ' FOR UPDATE',
  skipLocked: ' FOR UPDATE SKIP LOCKED',
}

/** SQLite 3.37 and later: instants are integers, a write transaction holds the whole database. */
export const SQLITE: SqlDialect = {
  name: 'sqlite',
  toMilliseconds: (column) => column,
  fromMilliseconds: (parameter) => parameter,
  toFlag: (parameter) => parameter,
  toInteger: (parameter) => `CAST(${parameter} AS INTEGER)`,
  now: "CAST(ROUND((julianday('now') - 2440587.5) * 86400000) AS INTEGER)",
  noLimit: -1,
  forUpdate: '',
  skipLocked: '',
}
