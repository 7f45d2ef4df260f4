/** A repeated token whose user, organization and role come from a database: beside the bare query, and as the rows grow in number. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import Libsql from 'libsql'
import pg from 'pg'
import { type Auth, createAuth, createJwtVerifier, createOrgResolver, createProvisioner } from 'sallyport'
import * as postgres from 'sallyport/postgres'
import * as sqlite from 'sallyport/sqlite'
import type { AuthStorage } from 'sallyport/storage'
import type { TokenIssuer } from 'sallyport/testing'
import { startCluster } from '../../postgres-cluster.ts'
import { OUR_WHOLE, requestWith, toLine } from '../contenders.ts'
import { type Contender, cpuGroup, interleave, type RoundOptions, rowsOf, type Samples } from '../rounds.ts'
import { type BenchOptions, type Group, type Section, WrongAnswer } from '../section.ts'
import { AUDIENCE, createIssuer, ISSUER, makeTokens, type TokenTexts } from '../tokens.ts'
import { fillMemberships, fillPostgres, fillSqlite, subjectOf } from './storage-rows.ts'

const PEOPLE = 200
const LOOK_UP = 'the look-up of ours'
const BARE = 'the same query by the driver'
const MEMBERSHIPS = [1, 100, 10_000]

export async function benchStorage(options: BenchOptions): Promise<Section> {
  const cluster = await startCluster()
  const folder = mkdtempSync(`${tmpdir()}/sallyport-bench-`)
  try {
    const place: Place = { ...options, url: cluster.url, folder, issuer: await createIssuer() }
    return {
      title: 'Databases',
      about: `A repeated HS256 token; user, organization and role come from PostgreSQL (on this machine, by \`pg\`) or SQLite (\`libsql\`) \
on every request, in one query. Beside it is that very query, asked of the driver by name or prepared once, its row made into the same \
objects. What PostgreSQL's own processes use is not counted. Nothing is claimed of databases that are far away: there the round trip is all.`,
      groups: [
        ...(await warmPostgres(place)),
        ...(await warmSqlite(place)),
        ...(await growth(place)),
        ...(await scopes(place)),
      ],
      missing: [],
    }
  } finally {
    await cluster.stop()
    rmSync(folder, { recursive: true, force: true })
  }
}

interface Place extends BenchOptions {
  readonly url: string
  readonly folder: string
  readonly issuer: TokenIssuer
}

type Storage = postgres.PostgresStorage<unknown> | sqlite.SqliteStorage<sqlite.SqliteDatabase>

function authOver(storage: Storage, issuer: TokenIssuer): Auth {
  const over = storage as AuthStorage<postgres.StoredUser, postgres.StoredOrganization, unknown>
  return createAuth({
    roles: ['owner'],
    verifier: createJwtVerifier({
      issuers: [{ issuer: ISSUER, keys: [{ kind: 'secret', secret: issuer.secret }], audience: AUDIENCE }],
    }),
    users: createProvisioner({ storage: over }),
    orgs: createOrgResolver({ memberships: over.memberships, selectors: [], whenUnnamed: 'earliest-joined' }),
  }) as never
}

/** Let everybody in once: then they are there, and their tokens are known. */
async function letIn(auth: Auth, tokens: TokenTexts): Promise<void> {
  for (let index = 0; index < tokens.count; index++) await auth.authenticate(requestWith(toLine(tokens.fresh(index))))
}

function identityOf(tokens: TokenTexts, index: number): { issuer: string; subject: string } {
  const [, payload = ''] = tokens.fresh(index).split('.')
  return { issuer: ISSUER, subject: String(JSON.parse(Buffer.from(payload, 'base64url').toString()).sub) }
}

// What a request makes of the row, by a driver's own values.
function toFound(row: Readonly<Record<string, unknown>> | undefined): object {
  if (row === undefined) throw new WrongAnswer(`${BARE}: no row`)
  const instant = (value: unknown): Date => new Date(Number(value))
  const { user_id, user_issuer, user_subject, user_email, user_disabled, user_created_at } = row
  const { acting_role, org_id, org_name, org_created_at } = row
  const user = { id: user_id, issuer: user_issuer, subject: user_subject, email: user_email, disabled: user_disabled }
  const org = { id: org_id, name: org_name, createdAt: instant(org_created_at) }
  return { user: { ...user, createdAt: instant(user_created_at) }, membership: { org, role: acting_role } }
}

/** The bare query, the look-up and the whole request, of one storage. */
function warmContenders(
  { issuer }: Place,
  storage: Storage,
  askBare: (identity: { issuer: string; subject: string }) => unknown,
): Contender[] {
  const tokens = makeTokens(issuer, 'HS256', PEOPLE)
  const identities = Array.from({ length: PEOPLE }, (_, index) => identityOf(tokens, index))
  const identity = (index: number) => identities[index % PEOPLE] as (typeof identities)[number]
  const auth = authOver(storage, issuer)
  const prepare = async (size: number) => {
    await letIn(auth, tokens)
    const lines = Array.from({ length: size }, (_, index) => toLine(tokens.fresh(index)))
    return (index: number) => auth.authenticate(requestWith(lines[index] as string))
  }
  return [
    { name: BARE, prepare: () => (index) => askBare(identity(index)) },
    { name: LOOK_UP, prepare: () => (index) => storage.users.findByIdentity(identity(index), { kind: 'unnamed' }) },
    { name: OUR_WHOLE, prepare },
  ]
}

async function warmPostgres(place: Place): Promise<Group[]> {
  const pool = new pg.Pool({ connectionString: place.url, max: 8 })
  await postgres.migrate({ pool, schema: 'warm' })
  const asked: pg.QueryConfig[] = []
  const noting = {
    connect: () => pool.connect(),
    query(query: pg.QueryConfig) {
      asked.push(query)
      return pool.query(query)
    },
  }
  await letIn(authOver(postgres.createPostgresStorage({ pool, schema: 'warm' }), place.issuer), people(place))
  const noted = postgres.createPostgresStorage({ pool: noting as never, schema: 'warm' })
  await noted.users.findByIdentity(identityOf(people(place), 0), { kind: 'unnamed' })
  const { text } = asked[0] as pg.QueryConfig
  const askBare = async ({ issuer, subject }: { issuer: string; subject: string }): Promise<object> =>
    toFound((await pool.query({ name: 'bare', text, values: [issuer, subject] })).rows[0])
  const contenders = warmContenders(place, postgres.createPostgresStorage({ pool, schema: 'warm' }), askBare)
  const groups: Group[] = []
  for (const inFlight of [8, 1]) {
    const title = `PostgreSQL, ${inFlight === 1 ? 'one at a time' : `${inFlight} at once`}`
    const samples = await interleave(contenders, roundsOf(place, title, { size: 1000, inFlight }))
    groups.push(cpuGroup({ title, targets: { [OUR_WHOLE]: { goal: 1.3, gate: 1.6 } } }, samples))
    if (inFlight === 1) groups.push(latencyGroup(title, samples))
  }
  await pool.end()
  return groups
}

const people = ({ issuer }: Place): TokenTexts => makeTokens(issuer, 'HS256', PEOPLE)

async function warmSqlite(place: Place): Promise<Group[]> {
  const database = new Libsql(`${place.folder}/warm.db`)
  await sqlite.migrate({ database })
  const storage = sqlite.createSqliteStorage({ database })
  await letIn(authOver(storage, place.issuer), people(place))
  const texts: string[] = []
  const noting: sqlite.SqliteDatabase = {
    exec: (text) => database.exec(text),
    prepare(text) {
      texts.push(text)
      return database.prepare(text)
    },
  }
  const noted = sqlite.createSqliteStorage({ database: noting })
  await noted.users.findByIdentity(identityOf(people(place), 0), { kind: 'unnamed' })
  const bare = database.prepare(texts.at(-1) as string)
  const contenders = warmContenders(place, storage, ({ issuer, subject }) =>
    toFound(bare.all(issuer, subject)[0] as Readonly<Record<string, unknown>>),
  )
  const samples = await interleave(contenders, roundsOf(place, 'SQLite', { size: 4000 }))
  database.close()
  return [cpuGroup({ title: 'SQLite' }, samples), latencyGroup('SQLite', samples)]
}

async function growth(place: Place): Promise<Group[]> {
  const populations = place.quick ? [1000, 10_000] : [1000, 10_000, 100_000, 1_000_000]
  const pool = new pg.Pool({ connectionString: place.url, max: 1 })
  const kinds: Record<string, (schema: string, fill: Fill) => Promise<Storage>> = {
    async PostgreSQL(schema, fill) {
      await postgres.migrate({ pool, schema })
      await fill.postgres(pool, schema)
      return postgres.createPostgresStorage({ pool, schema })
    },
    async SQLite(name, fill) {
      const database = new Libsql(`${place.folder}/${name}.db`)
      await sqlite.migrate({ database })
      fill.sqlite(database)
      return sqlite.createSqliteStorage({ database })
    },
  }
  const groups: Group[] = []
  for (const [kind, open] of Object.entries(kinds)) {
    const byUsers: Contender[] = []
    for (const count of populations) {
      place.progress(`${kind}: making ${count} users`)
      const storage = await open(`users${count}`, {
        postgres: (into, schema) => fillPostgres(into, schema, count),
        sqlite: (into) => fillSqlite(into, count),
      })
      byUsers.push(lookUps(`${count.toLocaleString('en')} users`, storage, (call) => (call * 7919) % count))
    }
    const some = await open('memberships', fillMemberships(MEMBERSHIPS))
    const byMemberships = MEMBERSHIPS.map((count, index) =>
      lookUps(`${count.toLocaleString('en')} membership${count === 1 ? '' : 's'}`, some, () => index),
    )
    for (const contenders of [byUsers, byMemberships]) {
      const title = `${kind}, the look-up by ${contenders === byUsers ? 'users' : 'memberships of the one who asks'}`
      groups.push(latencyGroup(title, await interleave(contenders, roundsOf(place, title, { size: 1000 }))))
    }
  }
  await pool.end()
  return groups
}

type Fill = ReturnType<typeof fillMemberships>

function lookUps(name: string, { users }: Storage, numberOf: (call: number) => number): Contender {
  const find = async (call: number): Promise<object> => {
    const found = await users.findByIdentity(
      { issuer: ISSUER, subject: subjectOf(numberOf(call)) },
      { kind: 'unnamed' },
    )
    if (found?.membership == null) throw new WrongAnswer(`${name}: a user was not found`)
    return found
  }
  return { name, prepare: () => find }
}

/** What is sent to the server for a query in a scope of an organization, and how long it takes. */
async function scopes(place: Place): Promise<Group[]> {
  const pool = new pg.Pool({ connectionString: place.url, max: 1 })
  const sent = { count: 0 }
  // A query that waits for its answer is a round trip, whatever its messages.
  pool.on('connect', (client) => {
    const query = client.query.bind(client) as (...given: readonly unknown[]) => unknown
    client.query = ((...given: readonly unknown[]) => {
      sent.count++
      return query(...given)
    }) as typeof client.query
  })
  await pool.query('CREATE TABLE notes (id int); CREATE ROLE bench_tenant; GRANT SELECT ON notes TO bench_tenant')
  const text = 'SELECT count(*) FROM notes'
  const context = { kind: 'user', org: { id: 'an-org' }, user: { id: 'a-user', email: null, disabled: false } } as const
  const byHand = async (): Promise<unknown> => {
    const client = await pool.connect()
    try {
      await client.query('BEGIN')
      await client.query("SELECT set_config('app.org_id', $1, true)", [context.org.id])
      await client.query('SET LOCAL ROLE bench_tenant')
      const found = await client.query(text)
      await client.query('COMMIT')
      return found
    } finally {
      client.release()
    }
  }
  const inScope = (): Promise<unknown> =>
    postgres.withOrgScope(pool, context, (client) => client.query(text), { role: 'bench_tenant' })
  const contenders: Contender[] = [
    { name: 'BEGIN, set_config, SET LOCAL ROLE, the query, COMMIT', prepare: () => byHand },
    { name: 'withOrgScope', prepare: () => inScope },
    { name: 'the query alone', prepare: () => () => pool.query(text) },
  ]
  const series: { name: string; values: number[] }[] = []
  for (const { name, prepare } of contenders) {
    const call = await prepare(1)
    sent.count = 0
    await call(0)
    series.push({ name, values: [sent.count] })
  }
  const title = 'PostgreSQL, a query bound to an organization'
  const samples = await interleave(contenders, roundsOf(place, title, { size: 300 }))
  await pool.end()
  const trips = { ...rowsOf({ title }, series), measure: 'round trips', unit: '', better: 'lower' as const }
  return [trips, latencyGroup(title, samples), cpuGroup({ title }, samples)]
}

function roundsOf(
  { quick, progress }: Place,
  title: string,
  { size, inFlight = 1 }: { readonly size: number; readonly inFlight?: number },
): RoundOptions {
  const tell = (doing: string): void => progress(`${title}: ${doing}`)
  return { rounds: quick ? 5 : 15, size: Math.round(size * (quick ? 0.2 : 1)), inFlight, progress: tell }
}

/** A group of how long a call takes: lower is better. */
function latencyGroup(title: string, samples: readonly Samples[]): Group {
  const series = samples.map(({ name, wall }) => ({ name, values: wall }))
  return { ...rowsOf({ title }, series), measure: 'time a call', unit: 'µs', better: 'lower' }
}
