/**
 * Every statement of the SQL storages, once for both dialects and both places a membership may live in: a row of its
 * own, or columns of the user's row. Hands on texts; nothing here runs them.
 */
import type { OrgIds } from './org-ids.ts'
import type { SqlSession, SqlStatement } from './sql-executor.ts'
import type { SqlNames } from './sql-names.ts'
import { MEMBER, MEMBERSHIP, ORG, USER } from './sql-rows.ts'

/** What statements are written for. */
export interface SqlTables {
  readonly dialect: SqlDialect
  readonly names: SqlNames
  readonly orgIds: OrgIds
}

/** Where a repository asks: its session, and what its statements are written for. */
export interface SqlPlace extends SqlTables {
  readonly session: SqlSession
}

/** What the statements of users, organizations and memberships are written for. */
export interface SqlStatementOptions extends SqlTables {
  readonly membershipOn: 'rows' | 'user-row'
}

/** The statements by name. */
export type SqlStatements = Readonly<Record<keyof (UserTexts & MembershipTexts), SqlStatement>>
type UserTexts = ReturnType<typeof userTexts> & ReturnType<typeof orgTexts>
type MembershipTexts = ReturnType<typeof membershipTexts>

/** Write the statements. */
export function createStatements(options: SqlStatementOptions): SqlStatements {
  const [users, orgs] = [userTexts(options), orgTexts(options)]
  const lookUps = ['findUser', 'findUserInNamedOrg', 'findUserInEarliestOrg', 'findUserById']
  const hot = [...lookUps, 'findOrg', 'findActing', 'listActing']
  return toStatements({ ...users, ...orgs, ...membershipTexts(options) }, hot)
}

/** Make statements of texts by their names; `hot` are the names of those on the way of a request. */
export function toStatements<Name extends string>(
  texts: Readonly<Record<Name, string>>,
  hot: readonly string[],
): Readonly<Record<Name, SqlStatement>> {
  const entries = Object.entries<string>(texts).map(([name, written]): [string, SqlStatement] => {
    const text = written.replace(/\s+/g, ' ').trim()
    return [name, { name, text, hot: hot.includes(name), writes: /^(INSERT|UPDATE|DELETE)/.test(text) }]
  })
  return Object.fromEntries(entries) as Record<Name, SqlStatement>
}

/** Delete what has expired: so many rows at most, and none that another process is at just now. */
export function sweepText(dialect: SqlDialect, table: string, key: string): string {
  const expired = `SELECT ${key} FROM ${table} WHERE expires_at < ${dialect.fromMilliseconds('$1')}
    ORDER BY expires_at LIMIT ${dialect.toInteger('$2')}${dialect.skipLocked}`
  return `DELETE FROM ${table} WHERE ${key} IN (${expired}) RETURNING ${key}`
}

// Those of the membership are only read where it lives there; of an organization that is gone the role is left behind.
function userColumns({ dialect, membershipOn }: SqlStatementOptions, u: string): string {
  const role = `CASE WHEN ${u}org_id IS NOT NULL THEN ${u}role END`
  return USER.select(
    dialect.toMilliseconds,
    u,
    membershipOn === 'user-row' ? { role } : { orgId: 'NULL', role: 'NULL' },
  )
}

function userTexts(options: SqlStatementOptions) {
  const { dialect, names, membershipOn } = options
  const found = `SELECT ${userColumns(options, 'u.')}`
  const role = `${membershipOn === 'user-row' ? 'u' : 'm'}.role AS acting_role`
  const acting = `${found}, ${role}, ${ORG.select(dialect.toMilliseconds, 'o.')} FROM ${names.users} u`
  const byIdentity = 'WHERE u.issuer = $1 AND u.subject = $2'
  const [named, earliest] = membershipOn === 'user-row' ? ownOrg(names) : orgsOfRows(names)
  return {
    findUser: `${found} FROM ${names.users} u ${byIdentity}`,
    findUserInNamedOrg: `${acting} ${named} ${byIdentity}`,
    findUserInEarliestOrg: `${acting} ${earliest} ${byIdentity}`,
    findUserById: `${found} FROM ${names.users} u WHERE u.id = $1`,
    insertUser: `INSERT INTO ${names.users} (id, issuer, subject, email, created_at)
      VALUES ($1, $2, $3, $4, ${dialect.fromMilliseconds('$5')})
      ON CONFLICT (issuer, subject) DO NOTHING RETURNING ${userColumns(options, '')}`,
    setUserDisabled: `UPDATE ${names.users} SET disabled = ${dialect.toFlag('$2')}
      WHERE id = $1 RETURNING ${userColumns(options, '')}`,
    setUserEmail: `UPDATE ${names.users} SET email = $2
      WHERE id = $1 AND NOT disabled RETURNING ${userColumns(options, '')}`,
    moveIdentity: `UPDATE ${names.users} SET issuer = $3, subject = $4 WHERE issuer = $1 AND subject = $2
      AND NOT EXISTS (SELECT 1 FROM ${names.users} WHERE issuer = $3 AND subject = $4)
      RETURNING ${userColumns(options, '')}`,
    anonymizeUser: `UPDATE ${names.users} SET email = NULL, disabled = ${dialect.toFlag('1')},
      issuer = COALESCE($2, issuer), subject = COALESCE($3, subject) WHERE id = $1
      AND NOT EXISTS (SELECT 1 FROM ${names.users} WHERE issuer = $2 AND subject = $3 AND id <> $1)
      RETURNING ${userColumns(options, '')}`,
    countUsers: `SELECT count(*) AS count FROM ${names.users}`,
  }
}

// A user's membership of a named organization, and the earliest.
function ownOrg({ orgs }: SqlNames): readonly [named: string, earliest: string] {
  const earliest = `LEFT JOIN ${orgs} o ON o.id = u.org_id`
  return [`${earliest} AND o.id = $3`, earliest]
}

function orgsOfRows({ orgs, memberships }: SqlNames): readonly [named: string, earliest: string] {
  const join = (orgId: string): string => `LEFT JOIN ${memberships} m ON m.user_id = u.id AND m.org_id = ${orgId}
    LEFT JOIN ${orgs} o ON o.id = m.org_id`
  return [
    join('$3'),
    join(`(SELECT e.org_id FROM ${memberships} e JOIN ${orgs} eo ON eo.id = e.org_id
      WHERE e.user_id = u.id ORDER BY e.joined_at, e.org_id LIMIT 1)`),
  ]
}

function orgTexts({ dialect, names }: SqlStatementOptions) {
  const columns = (o: string): string => ORG.select(dialect.toMilliseconds, o)
  const find = `SELECT ${columns('o.')} FROM ${names.orgs} o WHERE o.id = $1`
  return {
    insertOrg: `INSERT INTO ${names.orgs} (id, name, created_at)
      VALUES ($1, $2, ${dialect.fromMilliseconds('$3')}) ON CONFLICT (id) DO NOTHING RETURNING ${columns('')}`,
    findOrg: `${find}`,
    findOrgLocked: `${find}${dialect.forNoKeyUpdate}`,
    renameOrg: `UPDATE ${names.orgs} SET name = $2 WHERE id = $1 RETURNING ${columns('')}`,
    lockOrg: `SELECT o.id FROM ${names.orgs} o WHERE o.id = $1${dialect.forUpdate}`,
    clearUsersOfOrg: `UPDATE ${names.users} SET org_id = NULL, role = NULL, joined_at = NULL
      WHERE org_id = $1 RETURNING id`,
    deleteOrg: `DELETE FROM ${names.orgs} WHERE id = $1 RETURNING id`,
    countOrgs: `SELECT count(*) AS count FROM ${names.orgs}`,
  }
}

function membershipTexts(options: SqlStatementOptions) {
  const { dialect, names, membershipOn } = options
  const onUser = membershipOn === 'user-row'
  const [table, userId] = onUser ? [names.users, 'id'] : [names.memberships, 'user_id']
  const columns = MEMBERSHIP.select(dialect.toMilliseconds, '', { userId })
  const acting = `SELECT m.role AS acting_role, ${ORG.select(dialect.toMilliseconds, 'o.')}
    FROM ${table} m JOIN ${names.orgs} o ON o.id = m.org_id WHERE m.${userId} = $1`
  const member = `${table} m JOIN ${names.users} u ON u.id = m.${userId}`
  const memberColumns = MEMBER.select(dialect.toMilliseconds, 'm.', {
    ...{ userId: `m.${userId}`, email: 'u.email', disabled: 'u.disabled' },
  })
  const pair = `org_id = $1 AND ${userId} = $2`
  const joined = dialect.fromMilliseconds('$4')
  // Whoever disables the user just now is waited for.
  const enabled = `id = $2 AND NOT disabled`
  const insert = onUser
    ? `UPDATE ${table} SET org_id = $1, role = $3, joined_at = ${joined} WHERE ${enabled} AND org_id IS NULL`
    : `INSERT INTO ${table} (org_id, user_id, role, joined_at)
       SELECT $1, id, $3, ${joined} FROM ${names.users} WHERE ${enabled}${dialect.forShare}
       ON CONFLICT (user_id, org_id) DO NOTHING`
  const remove = onUser ? `UPDATE ${table} SET org_id = NULL, role = NULL, joined_at = NULL` : `DELETE FROM ${table}`
  return {
    findActing: `${acting} AND m.org_id = $2`,
    listActing: `${acting} ORDER BY m.joined_at, m.org_id LIMIT ${dialect.toInteger('$2')}`,
    insertMembership: `${insert} RETURNING ${columns}`,
    findMembership: `SELECT ${columns} FROM ${table} WHERE ${pair}`,
    listMembersOfOrg: `SELECT ${memberColumns} FROM ${member} WHERE m.org_id = $1 ORDER BY m.joined_at, m.${userId}`,
    lockHolders: `SELECT m.${userId} AS holder, m.role AS holder_role, u.disabled AS holder_disabled FROM ${member}
      WHERE m.org_id = $1 AND (m.role = $2 OR m.${userId} = $3) ORDER BY m.${userId}${dialect.forUpdateOf('m')}`,
    setRole: `UPDATE ${table} SET role = $3 WHERE ${pair} RETURNING ${userId}`,
    deleteMembership: `${remove} WHERE ${pair} RETURNING ${userId}`,
  }
}

/** One dialect's fragments. */
export interface SqlDialect {
  readonly name: 'postgres' | 'sqlite'
  /** An instant column as whole milliseconds since 1970. */
  toMilliseconds(column: string): string
  /** Milliseconds since 1970, bound to a parameter, as an instant; a clock's fractions of one are dropped, as `Date` does. */
  fromMilliseconds(parameter: string): string
  /** An instant column, a week of 168 hours later: in time zones there are other days. */
  weekAfter(column: string): string
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
  /** The same of one of the tables. */
  forUpdateOf(table: string): string
  /** The same, but for who only refers to them. */
  readonly forNoKeyUpdate: string
  /** Lock them against changes alone, together with others who do. */
  readonly forShare: string
  /** The same of a row that is referred to, then of rows of other tables, in this order: whoever waits for the first holds none. */
  forKeyShareOf(referred: string, ...others: readonly string[]): string
  /** Lock those of the rows that nobody else has locked, and leave out the others. */
  readonly skipLocked: string
}

/** PostgreSQL 13 and later: `timestamptz(3)`, row locks. */
export const POSTGRES: SqlDialect = {
  name: 'postgres',
  toMilliseconds: (column) => `(extract(epoch from ${column}) * 1000)::float8`,
  fromMilliseconds: (parameter) => `to_timestamp(trunc(${parameter}::float8) / 1000)`,
  weekAfter: (column) => `${column} + interval '168 hours'`,
  toFlag: (parameter) => `(${parameter}::int = 1)`,
  toInteger: (parameter) => `${parameter}::bigint`,
  now: 'floor(extract(epoch from clock_timestamp()) * 1000)::float8',
  noLimit: null,
  forUpdate: ' FOR UPDATE',
  forUpdateOf: (table) => ` FOR UPDATE OF ${table}`,
  forNoKeyUpdate: ' FOR NO KEY UPDATE',
  forShare: ' FOR SHARE',
  forKeyShareOf: (referred, ...others) =>
    [` FOR KEY SHARE OF ${referred}`, ...others.map((table) => ` FOR SHARE OF ${table}`)].join(''),
  skipLocked: ' FOR UPDATE SKIP LOCKED',
}

/** SQLite 3.37 and later: instants are integers, a write transaction holds the whole database. */
export const SQLITE: SqlDialect = {
  name: 'sqlite',
  toMilliseconds: (column) => column,
  fromMilliseconds: (parameter) => `CAST(${parameter} AS INTEGER)`,
  weekAfter: (column) => `${column} + 604800000`,
  toFlag: (parameter) => parameter,
  toInteger: (parameter) => `CAST(${parameter} AS INTEGER)`,
  now: "CAST(ROUND((julianday('now') - 2440587.5) * 86400000) AS INTEGER)",
  noLimit: -1,
  forUpdate: '',
  forUpdateOf: () => '',
  forNoKeyUpdate: '',
  forShare: '',
  forKeyShareOf: () => '',
  skipLocked: '',
}
