/**
 * `npm run soak`: good and bad traffic against hosts on each framework, in four processes on one PostgreSQL, while keys
 * change, key servers and connections fail, clients break off and members come and go. Every answer is compared with what is
 * right. It stops by itself; the exit code is 1 where something is broken. `--seconds N` (default 120), `--quick` (20),
 * `--seed N`, `--flood N` (distinct bad inputs in process, default 1,000,000).
 */
import { randomBytes } from 'node:crypto'
import { once, setMaxListeners } from 'node:events'
import pg from 'pg'
import { migrate } from '../../src/storage/postgres.ts'
import { createTokenIssuer } from '../../src/testing/token-issuer.ts'
import { PATIENCE_MS } from '../patience.ts'
import { type Cluster, startCluster } from '../postgres-cluster.ts'
import type { HostName } from '../support/hosts.ts'
import { createRandom } from '../verify/mutate.ts'
import { changeKeys, changeMembers } from './changes.ts'
import { createClient } from './client.ts'
import { breakKeyServer, breakStorage, LIMIT_MS, rotateKeys } from './faults.ts'
import { startFlood } from './flood-process.ts'
import { createJudge } from './judge.ts'
import { type KeyServer, startKeyServer } from './key-server.ts'
import type { ServerTask } from './messages.ts'
import { parseSoakOptions, type SoakOptions } from './options.ts'
import type { StorageState } from './oracle.ts'
import { exitCodeOf, MEMORY_SECONDS, reportOf, type Sample, type Seen } from './report.ts'
import { addAccounts, firstLogins, passwordLogins, slowBodies } from './sequences.ts'
import { startServer } from './server-process.ts'
import { Timeline } from './timeline.ts'
import { work } from './traffic.ts'
import { openStore, pause, populate, type World } from './world.ts'

interface Host {
  readonly framework: HostName
  /** What ends its statements. */
  readonly limits: Readonly<Record<string, number>>
}

const HOSTS: readonly Host[] = [
  { framework: 'express 5', limits: { statement_timeout: LIMIT_MS } },
  { framework: 'koa 3', limits: { query_timeout: LIMIT_MS } },
  { framework: 'hono', limits: { lock_timeout: LIMIT_MS } },
  { framework: 'express 4', limits: { statement_timeout: LIMIT_MS } },
]
/** Three for each connection that a server has, so that requests wait for one another. */
const WORKERS = 24
/** Each sample costs a server a full collection of garbage: some fifteen in a quarter of the run are enough for a median. */
const SAMPLE_MS = 2000
/** Each comparison asks every server to answer first; what waits for it is some hundred answers. */
const COMPARE_MS = 300
/** So few that changes often meet a request of the very person, so many that tokens are not all seen before. */
const PEOPLE = 40
const ORGS = 6

const INTERRUPTED = 'interrupted'

/** What has to be closed in the end, the last that was opened first. */
type Closing = (() => unknown)[]

interface Prepared {
  readonly world: World
  readonly unhandled: readonly string[]
}

async function prepare({ seed }: SoakOptions, signal: AbortSignal, closing: Closing): Promise<Prepared> {
  const random = createRandom(seed)
  const cluster = await startCluster()
  closing.push(() => cluster.stop())
  await prepareDatabase(cluster)
  const [moving, steady] = await Promise.all([openKeyServer(closing), openKeyServer(closing)])
  const { pool, store } = openStore(cluster.url)
  closing.push(() => pool.end())
  const unhandled: string[] = []
  const common = { serviceSecret: secret(), sessionSecret: secret() }
  const servers = await openServers({ cluster, keyServers: [moving, steady], unhandled, common }, closing)
  const client = createClient()
  closing.push(() => client.close())
  await addAccounts({ store })
  const made = await populate({ random, store, moving, steady }, { people: PEOPLE, orgs: ORGS })
  const storage = new Timeline<StorageState>('there')
  const judge = createJudge(Date.now())
  const { serviceSecret } = common
  const world: World = {
    ...{ random, client, cluster, servers, moving, steady, pool, store, keys: [], signal, ...made },
    ...{ judge, storage, events: new Map(), serviceSecret },
  }
  return { world, unhandled }
}

async function run(options: SoakOptions, stop: AbortController, closing: Closing): Promise<Seen> {
  setMaxListeners(0, stop.signal)
  const { world, unhandled } = await prepare(options, stop.signal, closing)
  const flood = options.flood === 0 ? null : await startFlood(options.flood)
  if (flood !== null) {
    closing.push(() => flood.end())
    // What still runs when the time is up may end.
    stop.signal.addEventListener('abort', () => stop.signal.reason === INTERRUPTED && void flood.end())
  }
  const endProgress = startProgress(world, options)
  const timed = async (): Promise<readonly Sample[]> => {
    await warmUp(world, options)
    setTimeout(() => stop.abort(), options.seconds * 1000)
    return measure(world)
  }
  const [flooded, samples] = await Promise.all([
    flood?.result ?? null,
    timed(),
    drive(world, options).then(() => checkRows(world)),
  ])
  endProgress()
  const { judge, events } = world
  const { answers, wrong, counts } = judge
  const counted = { answers, wrong, wrongCount: counts.wrong, undeclared: counts.undeclared }
  return { seed: options.seed, seconds: options.seconds, ...counted, unhandled, samples, events, flood: flooded }
}

/** From two thousand for each server on its memory grows no more by being used. */
const WARM_UP_REQUESTS = 8000
/** A machine that takes longer is too busy to say anything; the run still has an end. */
const WARM_UP_MS = 45_000

/** Let engines compile what is asked often, and pools and caches fill, where memory will be compared. */
async function warmUp(world: World, { seconds }: SoakOptions): Promise<void> {
  if (seconds < MEMORY_SECONDS) return
  const latest = Date.now() + WARM_UP_MS
  while (!world.signal.aborted && totalOf(world) < WARM_UP_REQUESTS && Date.now() < latest) await pause(world, 200)
}

function totalOf({ judge }: World): number {
  return [...judge.answers.values()].flatMap((each) => [...each.values()]).reduce((sum, n) => sum + n, 0)
}

const secret = (): string => randomBytes(32).toString('hex')

async function prepareDatabase({ url }: Cluster): Promise<void> {
  const pool = new pg.Pool({ connectionString: url, max: 1 })
  await migrate({ pool })
  await pool.end()
}

async function openKeyServer(closing: Closing): Promise<KeyServer> {
  const server = await startKeyServer((issuer) =>
    createTokenIssuer({ issuer, algorithms: ['ES256', 'RS256', 'EdDSA', 'HS256'] }),
  )
  closing.push(() => server.close())
  return server
}

interface Surroundings {
  readonly cluster: Cluster
  readonly keyServers: readonly KeyServer[]
  readonly unhandled: string[]
  readonly common: Pick<ServerTask, 'serviceSecret' | 'sessionSecret'>
}

function openServers({ cluster, keyServers, unhandled, common }: Surroundings, closing: Closing) {
  return Promise.all(
    HOSTS.map(async ({ framework, limits }, index) => {
      const name = framework.replace(' ', '')
      const task = { ...common, framework, limits, databaseUrl: cluster.url, listens: index % 2 === 0 }
      const onUnhandled = (text: string): void => void unhandled.push(text)
      const server = await startServer({ name, task, keyServers, onUnhandled })
      closing.push(() => server.end())
      return server
    }),
  )
}

/** All that happens, until the time is up; then what is still unanswered is waited for, and compared. */
async function drive(world: World, { seconds }: SoakOptions): Promise<void> {
  const { judge, servers, moving, steady, signal } = world
  // In twenty seconds each happens once or twice, in two minutes often.
  const everyMs = Math.max(6000, (seconds * 1000) / 9)
  const all = Promise.all([
    ...Array.from({ length: WORKERS }, () => work(world)),
    ...[slowBodies(world), slowBodies(world)],
    ...[firstLogins(world), passwordLogins(world), changeMembers(world), changeMembers(world), changeKeys(world)],
    ...[rotateKeys(world, moving, 4000), rotateKeys(world, steady, 6000)],
    ...[breakKeyServer(world, everyMs * 2), breakStorage(world, everyMs)],
  ])
  while (!signal.aborted) {
    await Promise.race([all, pause(world, COMPARE_MS)])
    await judge.compare(servers)
  }
  const late = once(AbortSignal.timeout(PATIENCE_MS), 'abort')
  await Promise.race([all, late.then(() => judge.fault('the end', 'all', 'something still waits', 'nothing does'))])
  await judge.compare(servers)
}

async function measure(world: World): Promise<readonly Sample[]> {
  const { servers, signal } = world
  const startedAt = Date.now()
  const samples: Sample[] = []
  while (!signal.aborted) {
    await pause(world, SAMPLE_MS)
    if (signal.aborted) break
    for (const server of servers) {
      const sample = await server.sample()
      if (sample !== null) samples.push({ server: server.facts.name, at: (Date.now() - startedAt) / 1000, ...sample })
    }
  }
  return samples
}

/** Whoever was made was made once: an organization each, of which they are the one owner, beside those that are shared. */
async function checkRows({ pool, orgs, judge }: World): Promise<void> {
  const { rows } = await pool.query<Record<string, number>>(
    `SELECT (SELECT count(*)::int FROM users) AS users, (SELECT count(*)::int - $1 FROM organizations) AS own,
      (SELECT count(DISTINCT user_id)::int FROM memberships WHERE NOT org_id = ANY($2)) AS owners,
      (SELECT count(*)::int FROM memberships WHERE NOT org_id = ANY($2)) AS memberships`,
    [orgs.length, orgs],
  )
  if (new Set(Object.values(rows[0] ?? {})).size !== 1) {
    judge.fault('rows at the end', 'PostgreSQL', JSON.stringify(rows[0]), 'as many of each')
  }
}

function startProgress(world: World, { seconds }: SoakOptions): () => void {
  const startedAt = Date.now()
  const isTerminal = process.stdout.isTTY === true
  const timer = setInterval(
    () => {
      const { judge, events } = world
      const done = [...events.values()].reduce((sum, n) => sum + n, 0)
      const at = Math.round((Date.now() - startedAt) / 1000)
      const line = `${at} s (${seconds} once all is warm): ${totalOf(world)} requests, ${judge.counts.wrong} wrong, ${done} changes and faults`
      process.stdout.write(isTerminal ? `\r\u001b[K${line}` : `${line}\n`)
    },
    isTerminal ? 1000 : 10_000,
  )
  return () => {
    clearInterval(timer)
    if (isTerminal) process.stdout.write('\r\u001b[K')
  }
}

const stop = new AbortController()
const closing: Closing = []
let wasInterrupted = false
for (const name of ['SIGINT', 'SIGTERM'] as const)
  process.on(name, () => {
    wasInterrupted = true
    stop.abort(INTERRUPTED)
  })
try {
  const options = parseSoakOptions(process.argv.slice(2))
  console.log(`seed ${options.seed}; ${options.seconds} s`)
  const report = reportOf(await run(options, stop, closing))
  for (const line of report.lines) console.log(line)
  process.exitCode = wasInterrupted ? 130 : exitCodeOf(report)
} catch (error) {
  // The terminal's Ctrl-C ends PostgreSQL as well: whatever fails then says nothing.
  if (wasInterrupted) console.log('interrupted')
  else console.error(error)
  process.exitCode = wasInterrupted ? 130 : 1
} finally {
  for (const close of closing.reverse()) await Promise.resolve(close()).catch(() => undefined)
  // Whatever still waits for a server that is gone must not keep this process.
  process.exit()
}
