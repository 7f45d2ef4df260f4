/**
 * The look-ups of a request with 1,000, 10,000, 100,000 and 1,000,000 users and memberships: the plans stay on indexes,
 * those of users and memberships on indexes alone, and the time stays flat. Prints the plans.
 */
import type pg from 'pg'
import { describe, expect, it } from 'vitest'
import { createPostgresStorage } from '../../src/storage/postgres.ts'
import { POSTGRES, SQLITE, type SqlDialect } from '../../src/storage/sql-dialects.ts'
import { createNames } from '../../src/storage/sql-names.ts'
import { createStatements, type SqlStatementName } from '../../src/storage/sql-statements.ts'
import { migrate } from '../../src/storage/sqlite.ts'
import { createTestDatabase, openPool } from '../postgres.ts'
import { createSqlitePath, SQLITE_DRIVERS } from '../sqlite.ts'
import { createDice } from './sql-pools.ts'

const STEPS = [1_000, 10_000, 100_000, 1_000_000]
const ISSUER = 'https://issuer.test/auth/v1'
const MODES = ['rows', 'user-row'] as const
const statementsOf = (dialect: SqlDialect, membershipOn: (typeof MODES)[number]) =>
  createStatements({ dialect, names: createNames('plans'), membershipOn })

// The id of the user, or org, of a number: everybody is a member of the org of the same number and of the one before.
const idOf = (prefix: string, number: number): string =>
  `${prefix}0000000-0000-4000-8000-${number.toString(16).padStart(12, '0')}`
const U = 'a'
const O = 'b'

/** Each look-up of a request with its values, for the user of a number. */
const lookUps = (number: number): readonly (readonly [SqlStatementName, readonly (string | number)[]])[] => [
  ['findUser', [ISSUER, `subject-${number}`]],
  ['findUserInNamedOrg', [ISSUER, `subject-${number}`, idOf(O, number)]],
  ['findUserInEarliestOrg', [ISSUER, `subject-${number}`]],
  ['findActing', [idOf(U, number), idOf(O, number)]],
  ['listActing', [idOf(U, number), 1]],
]

async function fillPostgres(pool: pg.Pool, from: number, to: number): Promise<void> {
  const uuid = (prefix: string, n: string): string =>
    `('${prefix}0000000-0000-4000-8000-' || lpad(to_hex(${n}), 12, '0'))::uuid`
  const range = `generate_series(${from}, ${to - 1}) AS n`
  await pool.query(`INSERT INTO organizations (id, name) SELECT ${uuid(O, 'n')}, 'Org ' || n FROM ${range}`)
  await pool.query(`INSERT INTO users (id, issuer, subject, email, org_id, role, joined_at)
    SELECT ${uuid(U, 'n')}, '${ISSUER}', 'subject-' || n, 'user-' || n || '@example.test', ${uuid(O, 'n')}, 'owner', now()
    FROM ${range}`)
  for (const back of [0, 1]) {
    await pool.query(`INSERT INTO memberships (user_id, org_id, role)
      SELECT ${uuid(U, 'n')}, ${uuid(O, `n - ${back}`)}, 'owner' FROM ${range} WHERE n >= ${back}`)
  }
  // What autovacuum does a minute later.
  await pool.query('VACUUM ANALYZE')
}

/** The scans of a plan, as `Index Only Scan users`. */
function scansOf(plan: string): string[] {
  return [
    ...plan.matchAll(
      /((?:Seq|Index Only|Index|Bitmap Heap|Bitmap Index) Scan)(?: Backward)?(?: using \S+)? on "?(\w+)/g,
    ),
  ].map(([, scan, table]) => `${scan} ${table}`)
}

/** Microseconds for one of a thousand look-ups at random numbers. */
async function timeOf(look: (number: number) => Promise<unknown>, users: number): Promise<number> {
  const dice = createDice(users)
  const numbers = Array.from({ length: 1000 }, () => Math.floor(dice() * users))
  for (const number of numbers.slice(0, 200)) await look(number)
  const start = performance.now()
  for (const number of numbers) await look(number)
  return Math.round(performance.now() - start)
}

describe('PostgreSQL', () => {
  it('looks up on indexes alone from 1,000 to 1,000,000 users, in the same time', async () => {
    const pool = openPool(await createTestDatabase(), { max: 1 })
    const times = new Map<string, number[]>()
    let from = 0
    for (const users of STEPS) {
      await fillPostgres(pool, from, users)
      from = users
      for (const membershipOn of MODES) {
        const statements = statementsOf(POSTGRES, membershipOn)
        for (const [name, values] of lookUps(users / 2)) {
          const { rows } = await pool.query(
            `EXPLAIN (ANALYZE, COSTS OFF, SUMMARY OFF, TIMING OFF, BUFFERS OFF) ${statements[name].text}`,
            [...values],
          )
          const plan = rows.map((row) => row['QUERY PLAN']).join('\n')
          if (users === STEPS.at(-1)) console.log(`--- ${membershipOn}: ${name}, ${users} users\n${plan}`)
          const scans = scansOf(plan)
          expect(scans.length, plan).toBeGreaterThan(0)
          expect(
            scans.filter((scan) => scan.startsWith('Seq') || scan.startsWith('Bitmap')),
            plan,
          ).toEqual([])
          const tables = scans.filter((scan) => !scan.endsWith(' organizations'))
          if ((name !== 'findActing' && name !== 'listActing') || membershipOn === 'rows') {
            expect(
              tables.filter((scan) => !scan.startsWith('Index Only')),
              plan,
            ).toEqual([])
          }
        }
        const storage = createPostgresStorage({ pool, membershipOn })
        for (const kind of ['unnamed', 'named'] as const) {
          const look = (number: number): Promise<unknown> => {
            const selection = kind === 'named' ? { kind, orgId: idOf(O, number) } : { kind }
            return storage.users.findByIdentity({ issuer: ISSUER, subject: `subject-${number}` }, selection)
          }
          const key = `${membershipOn}, ${kind}`
          times.set(key, [...(times.get(key) ?? []), await timeOf(look, users)])
        }
      }
    }
    console.log('microseconds a look-up', STEPS.join(' · '), Object.fromEntries(times))
    for (const [key, [small = 0, ...rest]] of times) expect(Math.max(...rest), key).toBeLessThan(small * 2 + 100)
  })
})

describe.each(SQLITE_DRIVERS)('SQLite by $name', ({ open }) => {
  it('looks up on indexes from 1,000 to 1,000,000 users', async () => {
    const database = open(createSqlitePath())
    await migrate({ database })
    let from = 0
    for (const users of STEPS) {
      const insert = [
        database.prepare('INSERT INTO organizations (id, name) VALUES (?, ?) RETURNING 1'),
        database.prepare(
          'INSERT INTO users (id, issuer, subject, org_id, role, joined_at) VALUES (?, ?, ?, ?, ?, 1) RETURNING 1',
        ),
        database.prepare('INSERT INTO memberships (user_id, org_id, role) VALUES (?, ?, ?) RETURNING 1'),
      ] as const
      database.exec('BEGIN')
      for (let n = from; n < users; n++) {
        insert[0].all(idOf(O, n), `Org ${n}`)
        insert[1].all(idOf(U, n), ISSUER, `subject-${n}`, idOf(O, n), 'owner')
        insert[2].all(idOf(U, n), idOf(O, n), 'owner')
      }
      database.exec('COMMIT')
      from = users
      for (const membershipOn of MODES) {
        const statements = statementsOf(SQLITE, membershipOn)
        for (const [name] of lookUps(1)) {
          const text = `EXPLAIN QUERY PLAN ${statements[name].text.replace(/\$\d+/g, "'1'")}`
          const plan = (database.prepare(text).all() as { detail: string }[]).map(({ detail }) => detail).join('\n')
          if (users === STEPS.at(-1)) console.log(`--- ${membershipOn}: ${name}\n${plan}`)
          expect(plan).not.toMatch(/^SCAN/m)
        }
      }
    }
    database.close()
  })
})
