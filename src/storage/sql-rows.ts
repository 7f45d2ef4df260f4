/**
 * What goes into the SQL tables and what comes out. Out: rows to records, column by column, so that what a driver adds, leaves
 * out or types in its own way does not get through; frozen, because nobody may write what others decide by. In: the form is
 * checked before a query, so that a hostile id finds nothing and no driver has to say so. PostgreSQL refuses NUL, some
 * SQLite drivers end the text there, and lone surrogates become another text.
 */
import type { ActingOrg } from '../context.ts'
import type { Account, AccountRecord } from './account-repositories.ts'
import type { Invitation, Membership } from './repositories.ts'
import type { StoredOrganization, StoredUser } from './shipped-storage.ts'
import type { SqlRow, SqlSession, SqlStatement, SqlValue } from './sql-executor.ts'

/** Read a user. */
export function toUser(row: SqlRow): StoredUser {
  const orgId = toTextOrNull(row['own_org_id'])
  return Object.freeze({
    id: String(row['user_id']),
    issuer: String(row['issuer']),
    subject: String(row['subject']),
    email: toTextOrNull(row['email']),
    disabled: toFlag(row['disabled']),
    createdAt: toDate(row['user_created_at']),
    orgId,
    role: orgId === null ? null : toTextOrNull(row['own_role']),
  })
}

/** Read an organization. */
export function toOrganization(row: SqlRow): StoredOrganization {
  return Object.freeze({
    id: String(row['org_id']),
    name: String(row['org_name']),
    createdAt: toDate(row['org_created_at']),
  })
}

/** Read what somebody may act in, or `null` where the join found none. */
export function toActing(row: SqlRow): ActingOrg<StoredOrganization> | null {
  if (toTextOrNull(row['org_id']) === null) return null
  return Object.freeze({ org: toOrganization(row), role: toTextOrNull(row['acting_role']) })
}

/** Read a membership. */
export function toMembership(row: SqlRow): Membership {
  return Object.freeze({
    orgId: String(row['org_id']),
    userId: String(row['user_id']),
    role: String(row['role']),
    joinedAt: toDate(row['joined']),
  })
}

/** Read an invitation. */
export function toInvitation(row: SqlRow): Invitation {
  return Object.freeze({
    id: String(row['id']),
    orgId: String(row['org_id']),
    email: String(row['email']),
    role: String(row['role']),
    createdAt: toDate(row['created']),
  })
}

/** Read an account, without its hash. */
export function toAccount(row: SqlRow): Account {
  return Object.freeze({
    id: String(row['id']),
    email: String(row['email']),
    role: String(row['role']),
    disabled: toFlag(row['disabled']),
    sessionVersion: Number(row['session_version']),
    createdAt: toDate(row['created']),
  })
}

/** Read an account with its hash. */
export function toAccountRecord(row: SqlRow): AccountRecord {
  return Object.freeze({ ...toAccount(row), passwordHash: toTextOrNull(row['password_hash']) })
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

/** What locks all who hold a role, in one order, for what it binds before the role; and the one who may lose it. */
export interface Holders {
  readonly lock: SqlStatement
  readonly values: readonly string[]
  readonly holder: string
}

/**
 * Make a change, unless it would take the last holder of the role `keep`. All are locked: whoever comes second sees what
 * the first has left.
 */
export function keepingLast<T>(
  session: SqlSession,
  { lock, values, holder }: Holders,
  keep: string | undefined,
  change: (inside: SqlSession) => Promise<T>,
): Promise<T | 'last'> {
  if (!isText(keep, LONGEST.role)) return change(session)
  return session.atomically(async (inside) => {
    const holders = await inside.run(lock, [...values, keep])
    return holders.length === 1 && String(holders[0]?.['holder']) === holder ? 'last' : change(inside)
  })
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

/** Read an instant: drivers hand out numbers, big integers or text; a millisecond is a whole number in all of them. */
export function toDate(value: unknown): Date {
  return new Date(Math.round(Number(value)))
}

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/
const NOT_TEXT = /[\0\p{Surrogate}]/u

/** The longest issuer and subject, e-mail and role, in UTF-16 units: an index entry holds them together (2,704 bytes). */
export const LONGEST: { readonly identity: 255; readonly email: 254; readonly role: 64; readonly name: 1000 } = {
  identity: 255,
  email: 254,
  role: 64,
  name: 1000,
}

/** Ask whether an id is one that the tables can hold: a UUID in canonical form. */
export function isId(id: unknown): id is string {
  return typeof id === 'string' && UUID.test(id)
}

/** Ask whether a text comes back exactly as it was written, and is at most `longest` UTF-16 units. */
export function isText(text: unknown, longest: number): text is string {
  return typeof text === 'string' && text.length <= longest && !NOT_TEXT.test(text)
}

/** A text that is for people to read: what can't be stored of it is replaced, what is too long is cut. */
export function toText(text: string, longest: number): string {
  return text.slice(0, longest).replace(/[\0\p{Surrogate}]/gu, '\ufffd')
}
