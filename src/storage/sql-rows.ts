/**
 * What goes into the SQL tables and what comes out. Out: rows to records, column by column, so that what a driver adds, leaves
 * out or types in its own way does not get through; frozen, because nobody may write what others decide by. In: the form is
 * checked before a query, so that a hostile id finds nothing and no driver has to say so. PostgreSQL refuses NUL, some
 * SQLite drivers end the text there, and lone surrogates become another text.
 */

import type { ActingOrg } from '../context.ts'
import { ownOf } from '../lib/parse-options.ts'
import type { ApiKeyOwner, GuardedChange, Member, Membership } from './repositories.ts'
import type { StoredOrganization, StoredUser } from './shipped-storage.ts'
import type { SqlRow, SqlSession, SqlStatement, SqlValue } from './sql-executor.ts'

/** The columns of a record, each named after its member. */
export interface Columns<T> {
  /** What a statement asks of the table `t.`, instants by `toMilliseconds`; `instead`: what it asks for some members. */
  select(
    toMilliseconds: (column: string) => string,
    t: string,
    instead?: { readonly [K in keyof T]?: string | undefined },
  ): string
  /** Read them. */
  read(row: SqlRow): T
}

/**
 * Make columns, known in a row by their `prefix`: for each member, what makes it of a driver's value. `named`: columns whose
 * names are not those of their members.
 */
export function columnsOf<T extends object>(
  prefix: string,
  members: { readonly [K in keyof T]-?: (value: unknown) => T[K] },
  named: { readonly [K in keyof T]?: string | undefined } = {},
): Columns<T> {
  const columns = Object.entries<(value: unknown) => unknown>(members).map(([member, read]) => {
    const column = ownOf(named, member as keyof T) ?? member.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)
    return { member: member as keyof T, column, alias: `${prefix}_${column}`, read }
  })
  return {
    select: (toMilliseconds, t, instead = {}) => {
      const asked = columns.map(({ member, column, alias, read }) => {
        const isInstant = read === toDate || read === toDateOrNull
        const value = ownOf(instead, member) ?? `${t}${column}`
        return `${isInstant ? toMilliseconds(value) : value} AS ${alias}`
      })
      return asked.join(', ')
    },
    // Each request reads some: a plain loop costs a fifth of `Object.fromEntries`.
    read: (row) => {
      const record: Partial<Record<keyof T, unknown>> = {}
      for (const { member, alias, read } of columns) record[member] = read(row[alias])
      return Object.freeze(record) as T
    },
  }
}

/** A user's. */
export const USER: Columns<StoredUser> = columnsOf('user', {
  ...{ id: String, issuer: String, subject: String, email: toTextOrNull, disabled: toFlag, createdAt: toDate },
  ...{ orgId: toTextOrNull, role: toTextOrNull },
})

/** An organization's. */
export const ORG: Columns<StoredOrganization> = columnsOf('org', { id: String, name: String, createdAt: toDate })

/** A membership's. */
export const MEMBERSHIP: Columns<Membership> = columnsOf('membership', {
  ...{ orgId: String, userId: String, role: String, joinedAt: toDate },
})

/** A member's. */
export const MEMBER: Columns<Member> = columnsOf('member', {
  ...{ orgId: String, userId: String, role: String, joinedAt: toDate, email: toTextOrNull, disabled: toFlag },
})

/** Read what somebody may act in, or `null` where the join found none. */
export function toActing(row: SqlRow): ActingOrg<StoredOrganization> | null {
  if (toTextOrNull(row['org_id']) === null) return null
  return Object.freeze({ org: ORG.read(row), role: toTextOrNull(row['acting_role']) })
}

/** Read the first row of what a statement answers, or `null` where there is none. */
export async function findFirst<T>(
  session: SqlSession,
  statement: SqlStatement,
  values: readonly SqlValue[],
  read: (row: SqlRow) => T,
): Promise<T | null> {
  const [row] = await session.run(statement, values)
  return row === undefined ? null : read(row)
}

/** Ask whether a statement found or wrote any row. */
export async function hasRows(
  session: SqlSession,
  statement: SqlStatement,
  values: readonly SqlValue[],
): Promise<boolean> {
  return (await session.run(statement, values)).length > 0
}

/**
 * What locks all who hold a role, and the one who may lose it, in one order, for what it binds before the role and that one:
 * `holder`, which role it has (`holder_role`), and whether it is disabled.
 */
export interface Holders {
  readonly lock: SqlStatement
  readonly values: readonly string[]
  /** The one who may lose it. */
  readonly holder: string
}

/**
 * Make a change, unless it would take the role `keep` from the holder beside whom no enabled one remains. All are locked:
 * whoever comes second sees what the first has left; so is who may lose it, for they may get the role while this waits. Who was
 * not there yet when it began is missing: they may be the only one by now.
 */
export function keepingLast<T>(
  session: SqlSession,
  { lock, values, holder }: Holders,
  keep: string | undefined,
  change: (inside: SqlSession) => Promise<T>,
): Promise<T | 'last' | 'missing'> {
  if (!isText(keep, LONGEST.role)) return change(session)
  return session.atomically(async (inside) => {
    const locked = await inside.run(lock, [...values, keep, holder])
    const isHolder = (each: SqlRow): boolean => String(each['holder']) === holder
    if (!locked.some(isHolder)) return 'missing'
    const holders = locked.filter((each) => each['holder_role'] === keep)
    const others = holders.filter((each) => !isHolder(each))
    const isLast = others.length < holders.length && others.every((each) => toFlag(each['holder_disabled']))
    return isLast ? 'last' : change(inside)
  })
}

/** What became of a change that {@link keepingLast} has made or not. */
export function toGuardedChange(done: boolean | 'last' | 'missing'): GuardedChange {
  if (done === 'last') return done
  return done === true ? 'done' : 'missing'
}

/** Read a count. */
export function toCount(rows: readonly SqlRow[]): number {
  return Number(rows[0]?.['count'] ?? 0)
}

/** Read what makes somebody less: disabled, revoked. Whatever is not plainly false is true. */
export function toFlag(value: unknown): boolean {
  return value !== false && value !== 0 && value !== 0n
}

/** Read a text that may be absent. */
export function toTextOrNull(value: unknown): string | null {
  return value === null || value === undefined ? null : String(value)
}

/**
 * Read a list of texts that stands in one column.
 * @throws Error for anything else: in one text any part of it would be found
 */
export function toTexts(value: unknown): readonly string[] {
  const texts: unknown = JSON.parse(String(value))
  if (Array.isArray(texts) && texts.every((each) => typeof each === 'string')) return Object.freeze(texts)
  throw new Error('sallyport: a column that holds a list of texts as JSON holds something else')
}

/** Read an instant: drivers hand out numbers, big integers or text; a millisecond is a whole number in all of them. */
export function toDate(value: unknown): Date {
  return new Date(Math.round(Number(value)))
}

/** Read an instant that may be absent. */
export function toDateOrNull(value: unknown): Date | null {
  return value === null ? null : toDate(value)
}

/** What an owner binds: the installation owns every row; an organization those that are bound to it. */
export function toOwnerValues(owner: ApiKeyOwner): [number, string | null] {
  return owner.kind === 'installation' ? [1, null] : [0, owner.orgId]
}

/**
 * Ask for what an owner owns: each by a statement of its own, because with both in one a database can't look for the
 * organization by an index.
 */
export function runOwned(
  session: SqlSession,
  owner: ApiKeyOwner,
  { all, ofOrg }: { readonly all: SqlStatement; readonly ofOrg: SqlStatement },
): Promise<readonly SqlRow[]> {
  return owner.kind === 'installation' ? session.run(all, []) : session.run(ofOrg, [owner.orgId])
}

const NOT_TEXT = /[\0\p{Surrogate}]/u

/** The longest issuer and subject, e-mail and role, in UTF-16 units: an index entry holds them together (2,704 bytes). */
export const LONGEST = { identity: 255, email: 254, role: 64, name: 1000 } as const

/** Ask whether a text comes back exactly as it was written, and is at most `longest` UTF-16 units. */
export function isText(text: unknown, longest: number): text is string {
  return typeof text === 'string' && text.length <= longest && !NOT_TEXT.test(text)
}

/** Ask whether issuer and subject are what the tables can hold. */
export function isIdentity(issuer: string, subject: string): boolean {
  return isText(issuer, LONGEST.identity) && isText(subject, LONGEST.identity)
}

/** Require that they are, of whoever is to be written. */
export function requireIdentity(issuer: string, subject: string): void {
  if (isIdentity(issuer, subject)) return
  throw new TypeError(`issuer and subject must be well-formed text of at most ${LONGEST.identity} characters`)
}

/** Require a role that the tables can hold. */
export function requireRole(role: string): string {
  if (!isText(role, LONGEST.role)) throw new TypeError(`a role is a text of at most ${LONGEST.role} characters`)
  return role
}

/** A text that is for people to read: what can't be stored of it is replaced, what is too long is cut. */
export function toText(text: string, longest: number): string {
  return text.slice(0, longest).replace(/[\0\p{Surrogate}]/gu, '\ufffd')
}
