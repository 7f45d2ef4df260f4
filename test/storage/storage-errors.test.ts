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
