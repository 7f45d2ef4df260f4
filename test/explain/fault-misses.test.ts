/** Faults said "look at the cause" and no more: which server was away, and that the tables are not there, had to be guessed. */
import { describe, expect, it } from 'vitest'
import { describeThrown } from '../../src/explain/fault-misses.ts'
import { optionsError } from '../../src/lib/parse-options.ts'
import { TransientError } from '../../src/storage/storage-errors.ts'

const thrown = (more: object, message = 'password hunter2 for postgres://app:pw@10.1.2.3/app'): Error =>
  Object.assign(new Error(message), more)
const away = (address: string, port: number): Error =>
  thrown({ errno: -111, code: 'ECONNREFUSED', syscall: 'connect', address, port })
const inside = (cause: unknown): Error => new TransientError('x', { cause })

describe('what was thrown, in a few words', () => {
  it.each<[what: string, reason: string, cause: unknown, word: string, next: string | null]>([
    [
      'a database that is away',
      'storage_unavailable',
      inside(away('127.0.0.1', 5432)),
      'ECONNREFUSED 127.0.0.1:5432',
      'start the database',
    ],
    [
      'both addresses of a name',
      'storage_unavailable',
      inside(Object.assign(new AggregateError([away('::1', 5432), away('127.0.0.1', 5432)]), { code: 'ECONNREFUSED' })),
      'ECONNREFUSED [::1]:5432 127.0.0.1:5432',
      'start the database',
    ],
    [
      'a name that nobody has',
      'storage_unavailable',
      inside(thrown({ code: 'ENOTFOUND', syscall: 'getaddrinfo', hostname: 'db.internal' })),
      'ENOTFOUND db.internal',
      'mend the address',
    ],
    ['another server that is away', 'internal_error', away('10.0.0.9', 80), 'ECONNREFUSED 10.0.0.9:80', null],
    [
      'a table that PostgreSQL has not',
      'internal_error',
      thrown({ code: '42P01' }),
      '42P01',
      'npx sallyport migrate up',
    ],
    [
      'a column that PostgreSQL has not',
      'internal_error',
      thrown({ code: '42703' }),
      '42703',
      'npx sallyport migrate up',
    ],
    [
      'a table that SQLite has not',
      'internal_error',
      thrown({ code: 'ERR_SQLITE_ERROR', errcode: 1 }, 'no such table: hunter2'),
      'ERR_SQLITE_ERROR no such table',
      'npx sallyport migrate up',
    ],
    [
      'a column that SQLite has not, by libSQL',
      'internal_error',
      thrown({ code: 'SQLITE_ERROR' }, 'SQLITE_ERROR: no such column: hunter2'),
      'SQLITE_ERROR no such column',
      'npx sallyport migrate up',
    ],
    ['the same words of another', 'internal_error', thrown({}, 'no such table: hunter2'), 'Error', null],
    ['a wrong password', 'internal_error', thrown({ code: '28P01' }), '28P01', 'the user or the password'],
    ['a database that is not there', 'internal_error', thrown({ code: '3D000' }), '3D000', 'there is no database'],
    [
      'what the library says of a call',
      'internal_error',
      new Error('sallyport: somebody else has read the request body and left nothing of it'),
      'Error',
      'host: somebody else has read the request body and left nothing of it',
    ],
    [
      'the same, of options',
      'internal_error',
      optionsError('protect', '', 'must be called: protect(handler)'),
      'OptionsError',
      'host: protect: must be called: protect(handler)',
    ],
    ['whatever else', 'internal_error', new TypeError('hunter2'), 'TypeError', null],
    ['what no error is', 'internal_error', 'hunter2', 'no error', null],
    ['the code of a hook’s database', 'bootstrap_not_reached', thrown({ code: '42P01' }), '42P01', null],
    [
      'an address that is none',
      'storage_unavailable',
      inside(thrown({ code: 'ECONNREFUSED', syscall: 'connect', address: 'app:pw@10.1.2.3', port: 1 })),
      'ECONNREFUSED',
      'start the database',
    ],
  ])('%s', (_, reason, cause, word, next) => {
    const said = describeThrown(reason, cause, true)
    expect(said.word).toBe(word)
    if (next === null) expect(said.next).toBe(null)
    else expect(said.next).toContain(next)
    expect(JSON.stringify(said)).not.toMatch(/hunter2|pw/)
  })

  it.each<[string, unknown]>([
    ['null', null],
    ['undefined', undefined],
    ['what throws when it is read', Object.defineProperty(new Error('x'), 'code', { get: () => expect.fail() })],
    ['what throws whatever it is asked', new Proxy(new Error('x'), { get: () => expect.fail() })],
  ])('of %s says that it is no error, and throws nothing', (_, cause) => {
    expect(describeThrown('internal_error', cause, true)).toEqual({ word: 'no error', next: null })
    expect(describeThrown('storage_unavailable', cause, false)).toEqual({ word: 'no error', next: null })
  })

  it('names no address where it may not', () => {
    const said = describeThrown('storage_unavailable', inside(away('10.1.2.3', 5432)), false)
    expect(said.word).toBe('ECONNREFUSED')
    expect(said.next).toMatch(/; with `onDecision: explain\(\)` this line names it$/)
    expect(JSON.stringify(said)).not.toMatch(/10\.1\.2\.3|5432/)
  })
})
