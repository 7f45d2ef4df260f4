/** Which failures pass by themselves: a network that a transaction's work met is not the storage's, and a refusal stays one. */
import { describe, expect, it } from 'vitest'
import { AuthError } from '../../src/errors.ts'
import { causesOf, describeCause } from '../../src/lib/standard-error.ts'
import { ConflictError, isTransient, TransientError, toStorageError } from '../../src/storage/storage-errors.ts'

const coded = (code: string): Error => Object.assign(new Error('x'), { code })

describe('a failure', () => {
  it('of the network passes where a statement met it, and says nothing where work did that may have asked others', () => {
    for (const error of [coded('ECONNREFUSED'), new Error('x', { cause: coded('ETIMEDOUT') })]) {
      expect([isTransient(error, 'statement'), isTransient(error, 'work')]).toEqual([true, false])
    }
    for (const error of [coded('40001'), coded('57P01'), new TransientError('x'), new Error('Connection terminated')]) {
      expect([isTransient(error, 'statement'), isTransient(error, 'work')]).toEqual([true, true])
    }
  })

  it('that is a refusal or a conflict is one, whatever caused it', () => {
    const cause = coded('40001')
    for (const error of [new AuthError('forbidden', { cause }), new ConflictError('x', { cause })]) {
      expect([isTransient(error, 'statement'), isTransient(error, 'work')]).toEqual([false, false])
    }
  })

  it('is looked through no further than sixteen causes, also where they go in a circle', () => {
    const far = Array.from({ length: 40 }).reduce<Error>((cause) => new Error('x', { cause }), coded('40001'))
    expect([causesOf(far).length <= 32, isTransient(far, 'statement')]).toEqual([true, false])
    const circle = new Error('x')
    circle.cause = circle
    expect(isTransient(circle, 'statement')).toBe(false)
  })
})

describe('what Prisma throws', () => {
  const byPrisma = (code: string, originalCode: string): Error =>
    Object.assign(new Error('x'), {
      name: 'PrismaClientKnownRequestError',
      code,
      meta: {
        driverAdapterError: Object.assign(new Error('x', { cause: { originalCode } }), { name: 'DriverAdapterError' }),
      },
    })
  it.each([
    ['a raw query’s unique violation', byPrisma('P2010', '23505'), 'ConflictError'],
    ['a model’s', byPrisma('P2002', '23505'), 'ConflictError'],
    ['a raw query’s deadlock', byPrisma('P2010', '40P01'), 'TransientError'],
    ['a lock not available', byPrisma('P2039', '55P03'), 'TransientError'],
    ['a foreign key of nobody', byPrisma('P2010', '23503'), 'PrismaClientKnownRequestError'],
    [
      'its adapter’s own error, at the end of a transaction',
      Object.assign(new Error('x', { cause: { originalCode: '40001', kind: 'TransactionWriteConflict' } }), {
        name: 'DriverAdapterError',
      }),
      'TransientError',
    ],
  ])('%s', (_, error, name) => expect((toStorageError(error) as Error).name).toBe(name))

  it('is described by what the database said, where Prisma says no more than that a query failed', () => {
    expect(describeCause(byPrisma('P2010', '42P01'))).toBe('42P01')
    expect(describeCause(coded('P2025'))).toBe('P2025')
    expect(describeCause(coded('P2010'))).toBe('P2010')
  })

  it('is found where its own engine says it', () => {
    const byEngine = (code: string): Error =>
      Object.assign(coded('P2010'), { meta: { code, message: 'Key (email)=(ada@example.test) already exists.' } })
    expect(toStorageError(byEngine('23505'))).toMatchObject({
      name: 'ConflictError',
      message: 'the row is there already',
    })
    expect(toStorageError(byEngine('1213'))).toMatchObject({ name: 'TransientError' })
    expect(describeCause(byEngine('42P01'))).toBe('42P01')
  })
})

describe('what says something else', () => {
  it('is no number of MySQL where SQLite says it: SQLITE_IOERR_DIR_FSYNC', () => {
    const error = Object.assign(new Error('disk I/O error'), { code: 'ERR_SQLITE_ERROR', errcode: 1290 })
    expect(toStorageError(error)).toBe(error)
  })

  it.each([Symbol('x'), Object.create(null) as object, 1n, {}])('comes back as it is, whatever it holds: %#', (odd) => {
    const error = Object.assign(new Error('x'), { code: odd, errno: odd, message: odd, kind: odd, meta: odd })
    expect(toStorageError(error)).toBe(error)
    expect(describeCause(error)).toBe('Error')
  })
})

describe('a row that breaks a rule of the schema', () => {
  const of = (code: string, more: object, message = 'x'): Error => Object.assign(new Error(message), { code, ...more })
  const adapters = (constraint: object): object => ({
    meta: { driverAdapterError: new Error('x', { cause: { originalCode: '23505', constraint } }) },
  })
  const detail = 'Key (email)=(ada@example.test) already exists.'
  it.each<[string, unknown, string]>([
    ['pg, PGlite', of('23505', { constraint: 'users_email_key', detail }), '23505 users_email_key'],
    ['postgres.js', of('23505', { constraint_name: 'users_email_key', detail }), '23505 users_email_key'],
    ['Prisma, by index', of('P2002', adapters({ index: 'users_email_key' })), 'P2002 users_email_key'],
    ['Prisma, by columns', of('P2002', adapters({ fields: ['issuer', 'subject'] })), 'P2002 issuer, subject'],
    ['Prisma without an adapter', of('P2002', { meta: { target: ['email'] } }), 'P2002 email'],
    [
      'SQLite',
      of('SQLITE_CONSTRAINT_UNIQUE', {}, 'UNIQUE constraint failed: users.email'),
      'SQLITE_CONSTRAINT_UNIQUE users.email',
    ],
    [
      'node:sqlite',
      of('ERR_SQLITE_ERROR', { errcode: 2067 }, 'UNIQUE constraint failed: users.issuer, users.subject'),
      'ERR_SQLITE_ERROR users.issuer, users.subject',
    ],
    [
      'a query builder',
      Object.assign(new Error('x', { cause: of('23505', { constraint: 'a_key' }) }), { query: 'q' }),
      '23505 a_key',
    ],
    ['a name that is none', of('23505', { constraint: 'ada@example.test' }), '23505'],
    ['an error of something else', of('E_CHECK', { constraint: 'secret' }), 'E_CHECK'],
    ['an error of the schema that names nothing', of('23505', { detail }), '23505'],
  ])('%s: is described by the rule, never by a value', (_, error, described) => {
    expect(describeCause(toStorageError(error))).toBe(described)
  })

  it('is a conflict that says so', () => {
    const error = toStorageError(of('23505', { constraint: 'users_email_key' }))
    expect(error).toMatchObject({ name: 'ConflictError', message: 'the row is there already (users_email_key)' })
    expect(toStorageError(coded('23505'))).toMatchObject({ message: 'the row is there already' })
  })
})

// As `mysql2` 3 and `mariadb` 3 throw them on MariaDB 10.11, with what Kysely, Knex, Drizzle and Prisma make of that.
describe('what MySQL and MariaDB say', () => {
  const mysql2 = (code: string | undefined, errno: number, sqlMessage: string): Error =>
    Object.assign(new Error(sqlMessage), { code, errno, sqlMessage, sql: 'INSERT INTO users (email) VALUES (?)' })
  const mariadb = (code: string, errno: number, sqlMessage: string): Error =>
    Object.assign(new Error(`(conn:4, no: ${errno}) ${sqlMessage}\nsql: INSERT … - parameters:['ada']`), {
      ...{ name: 'SqlError', code, errno, sqlMessage },
    })
  const knex = (error: Error): Error =>
    Object.assign(error, { message: `insert into \`users\` values ('a - LOADING b') - ${error.message}` })
  const drizzle = (cause: Error, value = 'ada'): Error =>
    Object.assign(new Error(`Failed query: INSERT …\nparams: ${value}`, { cause }), { query: 'INSERT …' })
  const prisma = (originalCode: string, more: object): Error =>
    Object.assign(new Error('Raw query failed'), {
      code: 'P2010',
      meta: { driverAdapterError: new Error('x', { cause: { originalCode, ...more } }) },
    })
  const duplicate = (value: string, key: string): string => `Duplicate entry '${value}' for key '${key}'`
  const taken = duplicate('ada@example.test', 'users.users_email')

  it.each<[string, Error, string | undefined]>([
    ['mysql2', mysql2('ER_DUP_ENTRY', 1062, taken), 'users.users_email'],
    ['mysql2, by number alone', mysql2(undefined, 1062, taken), 'users.users_email'],
    ['mysql2, by name alone', Object.assign(new Error(taken), { code: 'ER_DUP_ENTRY' }), 'users.users_email'],
    ['mariadb', mariadb('ER_DUP_ENTRY', 1062, taken), 'users.users_email'],
    ['the primary key', mysql2('ER_DUP_ENTRY', 1062, duplicate('1', 'PRIMARY')), 'PRIMARY'],
    ['Knex', knex(mysql2('ER_DUP_ENTRY', 1062, taken)), 'users.users_email'],
    ['Drizzle', drizzle(mysql2('ER_DUP_ENTRY', 1062, taken)), 'users.users_email'],
    [
      'Prisma',
      prisma('1062', { kind: 'UniqueConstraintViolation', constraint: { index: 'users_email' } }),
      'users_email',
    ],
    ['a value like a sentence', mysql2('ER_DUP_ENTRY', 1062, duplicate("x' for key 'secret", 'k')), 'k'],
    ['a value of several lines', mysql2('ER_DUP_ENTRY', 1062, duplicate('a\n - LOADING b', 'k')), 'k'],
    ['a key with quotes in its name', mysql2('ER_DUP_ENTRY', 1062, duplicate('x', "odd 'key'")), undefined],
    ['another language', mysql2('ER_DUP_ENTRY', 1062, "Doppelter Eintrag 'x' für Schlüssel 'k'"), undefined],
    [
      'of a server that does not say which',
      mysql2('ER_DUP_KEY', 1022, "Can't write; duplicate key in table"),
      undefined,
    ],
  ])('a row that is there already is a conflict: %s', (_, error, constraint) => {
    expect(toStorageError(error)).toMatchObject({ name: 'ConflictError', constraint })
  })

  it.each<[string, Error]>([
    ['a deadlock', mysql2('ER_LOCK_DEADLOCK', 1213, 'Deadlock found when trying to get lock')],
    ['a lock wait', mariadb('ER_LOCK_WAIT_TIMEOUT', 1205, 'Lock wait timeout exceeded')],
    ['a lock wait by Prisma', prisma('1205', { kind: 'mysql', code: 1205 })],
    ['a deadlock by Drizzle', drizzle(mysql2('ER_LOCK_DEADLOCK', 1213, 'Deadlock found'))],
    ['a row that changed', mysql2('ER_CHECKREAD', 1020, "Record has changed since last read in table 'users'")],
    ['a lock that is not to be had', mysql2('ER_LOCK_NOWAIT', 3572, 'Statement aborted because lock(s) could not')],
    ['too many connections', mysql2('ER_CON_COUNT_ERROR', 1040, 'Too many connections')],
    ['too many of a user', mysql2('ER_USER_LIMIT_REACHED', 1226, "User 'x' has exceeded the 'max_user_connections'")],
    ['a server that goes', mysql2('ER_SERVER_SHUTDOWN', 1053, 'Server shutdown in progress')],
    ['a node that is not ready', mysql2('ER_UNKNOWN_COM_ERROR', 1047, 'WSREP has not yet prepared node')],
    ['a server that became read-only', mysql2('ER_OPTION_PREVENTS_STATEMENT', 1290, 'running with the --read-only')],
    ['a statement that took too long', mysql2(undefined, 1969, 'Query execution was interrupted')],
    ['one that the driver gave up', Object.assign(new Error('x'), { code: 'PROTOCOL_SEQUENCE_TIMEOUT' })],
    ['a connection lost', Object.assign(new Error('Connection lost'), { code: 'PROTOCOL_CONNECTION_LOST' })],
    ['the next use of it', new Error("Can't add new command when connection is in closed state")],
    [
      'a connection lost, mariadb',
      mariadb('ER_SOCKET_UNEXPECTED_CLOSE', 45_009, 'socket has unexpectedly been closed'),
    ],
    ['a pool in vain, mariadb', mariadb('ER_GET_CONNECTION_TIMEOUT', 45_028, 'pool timeout')],
    ['a connection of pg lost, by Knex', knex(new Error('Connection terminated unexpectedly'))],
  ])('%s passes, whoever met it', (_, error) => {
    expect([isTransient(error, 'work'), isTransient(error, 'statement')]).toEqual([true, true])
  })

  it.each<[string, Error]>([
    ['a full queue', new Error('Queue limit reached.')],
    ['a pool that lends no more', new Error('No connections available.')],
    ['Knex’s own limit', new Error('Defined query timeout of 200ms exceeded when running query.')],
  ])('%s passes where a statement met it', (_, error) => {
    expect([isTransient(error, 'work'), isTransient(error, 'statement')]).toEqual([false, true])
  })

  it.each<[string, Error]>([
    ['a foreign key of nobody', mysql2('ER_NO_REFERENCED_ROW_2', 1452, 'Cannot add or update a child row')],
    ['a table that is not there', mysql2('ER_NO_SUCH_TABLE', 1146, "Table 't.users' doesn't exist")],
    ['a packet too large', mysql2('ER_NET_PACKET_TOO_LARGE', 1153, 'Got a packet bigger than max_allowed_packet')],
    ['a value like a sentence', drizzle(mysql2('ER_DATA_TOO_LONG', 1406, 'x'), 'x - Connection terminated')],
    ['a number of somebody else', Object.assign(new Error('x'), { code: 1062 })],
    ['another number of somebody else', Object.assign(new Error('x'), { code: 1205 })],
  ])('%s is itself', (_, error) => {
    expect(toStorageError(error, 'statement')).toBe(error)
  })

  it('is described by what it said, where Prisma says no more than that a query failed', () => {
    const error = prisma('1062', { constraint: { index: 'users_email' } })
    expect(describeCause(toStorageError(error))).toBe('1062 users_email')
    expect(describeCause(toStorageError(prisma('1213', { kind: 'TransactionWriteConflict' })))).toBe('1213')
  })

  it('is described by its name, or by its number where the driver knows none', () => {
    expect(describeCause(toStorageError(mysql2('ER_LOCK_DEADLOCK', 1213, 'x')))).toBe('ER_LOCK_DEADLOCK')
    expect(describeCause(toStorageError(mysql2(undefined, 1969, 'x')))).toBe('1969')
    expect(describeCause(toStorageError(mysql2('ER_DUP_ENTRY', 1062, taken)))).toBe('ER_DUP_ENTRY users.users_email')
  })
})
