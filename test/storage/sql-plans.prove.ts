/**
 * The look-ups of a request with 1,000, 10,000, 100,000 and 1,000,000 users and memberships: the plans stay on indexes,
 * on PostgreSQL those of identities and memberships on indexes alone, and the time stays flat. Prints the plans.
 */
import type pg from 'pg'
import { describe, expect, it } from 'vitest'
import { createOrgIds } from '../../src/storage/org-ids.ts'
import { createPostgresStorage, type PostgresStorage } from '../../src/storage/postgres.ts'
import type { StoredUser } from '../../src/storage/shipped-storage.ts'
import { createNames } from '../../src/storage/sql-names.ts'
import {
  createStatements,
  POSTGRES,
  SQLITE,
  type SqlDialect,
  type SqlStatements,
} from '../../src/storage/sql-statements.ts'
import { createSqliteStorage, migrate } from '../../src/storage/sqlite.ts'
import { createTestDatabase, openPool } from '../postgres.ts'
import { createSqlitePath, SQLITE_DRIVERS } from '../sqlite.ts'
import { createDice } from './sql-pools.ts'

type Storage = Pick<PostgresStorage<unknown>, 'users' | 'orgs' | 'memberships'>

const STEPS = [1_000, 10_000, 100_000, 1_000_000]
const ISSUER = 'https://issuer.test/auth/v1'
const MODES = ['rows', 'user-row'] as const
const statementsOf = (dialect: SqlDialect, membershipOn: (typeof MODES)[number]) =>
  createStatements({ dialect, names: createNames(), orgIds: createOrgIds(), membershipOn })

// The id of the user, or org, of a number: everybody is a member of the org of the same number and of the one before.
const idOf = (prefix: string, number: number): string =>
  `${prefix}0000000-0000-4000-8000-${number.toString(16).padStart(12, '0')}`
const U = 'a'
const O = 'b'

/** Each look-up of a request with its values, for the user of a number. */
const lookUps = (number: number): readonly (readonly [keyof SqlStatements, readonly (string | number)[]])[] => [
  ['findUser', [ISSUER, `subject-${number}`]],
  ['findUserInNamedOrg', [ISSUER, `subject-${number}`, idOf(O, number)]],
  ['findUserInEarliestOrg', [ISSUER, `subject-${number}`]],
  ['findActing', [idOf(U, number), idOf(O, number)]],
  ['listActing', [idOf(U, number), 1]],
  ['findUserById', [idOf(U, number)]],
  ['findOrg', [idOf(O, number)]],
]

/** The same as a request makes them. */
const lookersOf = (storage: Storage): Readonly<Record<string, (number: number) => Promise<unknown>>> => {
  const identity = (number: number) => ({ issuer: ISSUER, subject: `subject-${number}` })
  const caller = (number: number) =>
    ({ kind: 'user', user: { id: idOf(U, number) } }) as { kind: 'user'; user: StoredUser }
  return {
    'by identity, unnamed': (number) => storage.users.findByIdentity(identity(number), { kind: 'unnamed' }),
    'by identity, named': (number) =>
      storage.users.findByIdentity(identity(number), { kind: 'named', orgId: idOf(O, number) }),
    'acting in one': (number) => storage.memberships.findActing(caller(number), idOf(O, number)),
    'acting earliest': (number) => storage.memberships.listActing(caller(number), 1),
    'user by id': (number) => storage.users.findById(idOf(U, number)),
    'organization by id': (number) => storage.orgs.findById(idOf(O, number)),
  }
}

const ORG = ['Index Scan organizations']
const USER = ['Index Scan users']

/** What is read in a table, found by an index: an organization's name, a user by id. All else is in the index alone. */
const READ_IN_TABLE: Readonly<Record<string, Readonly<Partial<Record<keyof SqlStatements, readonly string[]>>>>> = {
  rows: {
    findUser: [],
    findUserInNamedOrg: ORG,
    findUserInEarliestOrg: ORG,
    findActing: ORG,
    listActing: ORG,
    findUserById: USER,
    findOrg: ORG,
  },
  'user-row': {
    findUser: [],
    findUserInNamedOrg: ORG,
    findUserInEarliestOrg: ORG,
    findActing: [...USER, ...ORG],
    listActing: [...USER, ...ORG],
    findUserById: USER,
    findOrg: ORG,
  },
}

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

/**
 * Microseconds of a look-up at a random number: the quickest quarter of a thousand, because what else the machine does
 * slows down any of them, and nothing makes one quicker than its plan.
 */
async function timeOf(look: (number: number) => Promise<unknown>, users: number): Promise<number> {
  const dice = createDice(users)
  const times: number[] = []
  for (let count = 0; count < 1200; count++) {
    const number = Math.floor(dice() * users)
    const began = performance.now()
    const found = await look(number)
    if (count >= 200) times.push((performance.now() - began) * 1000)
    if (found === null || (Array.isArray(found) && found.length === 0)) throw new Error(`nothing found for ${number}`)
  }
  times.sort((one, other) => one - other)
  return Math.round(times[times.length / 4] ?? 0)
}

/** Times by what was looked up, one for each step. */
type Times = Map<string, number[]>

async function timeAll(times: Times, mode: string, storage: Storage, users: number): Promise<void> {
  for (const [name, look] of Object.entries(lookersOf(storage))) {
    const key = `${mode}, ${name}`
    times.set(key, [...(times.get(key) ?? []), await timeOf(look, users)])
  }
}

/** A thousand times the rows, and less than three times the time: no plan reads more where there is more. */
function expectFlat(times: Times): void {
  console.log('microseconds a look-up', STEPS.join(' · '), Object.fromEntries(times))
  for (const [key, [small = 0, ...rest]] of times) expect(Math.max(...rest), key).toBeLessThan(small * 3 + 200)
}

describe('PostgreSQL', () => {
  it('looks up on indexes alone from 1,000 to 1,000,000 users, in the same time', async () => {
    const pool = openPool(await createTestDatabase(), { max: 1 })
    const times: Times = new Map()
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
          // Which index holds all that is read; the others find their one row by it, in the table.
          const byIndexAlone = scans.filter((scan) => !scan.startsWith('Index Only'))
          expect([membershipOn, name, byIndexAlone], plan).toEqual([
            membershipOn,
            name,
            READ_IN_TABLE[membershipOn]?.[name],
          ])
        }
        await timeAll(times, membershipOn, createPostgresStorage({ pool, membershipOn }), users)
      }
    }
    expectFlat(times)
  })
})

const SQLITE_STEP =
  /^(SEARCH \w+ USING ((COVERING )?INDEX|PRIMARY KEY) |CORRELATED SCALAR SUBQUERY |USE TEMP B-TREE FOR ORDER BY$)/

describe.each(SQLITE_DRIVERS)('SQLite by $name', ({ open }) => {
  it('looks up on indexes from 1,000 to 1,000,000 users, in the same time', async () => {
    const database = open(createSqlitePath())
    await migrate({ database })
    const times: Times = new Map()
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
          // Every table by an index, its primary key's included.
          for (const line of plan.split('\n')) expect(line).toMatch(SQLITE_STEP)
        }
        await timeAll(times, membershipOn, createSqliteStorage({ database, membershipOn }), users)
      }
    }
    expectFlat(times)
    database.close()
  })
})
