/** What is done to the servers' surroundings while they work: keys change, key servers fail, connections end, statements wait. */
import { until } from '../patience.ts'
import type { HttpFault } from '../support/http-faults.ts'
import type { KeyServer } from './key-server.ts'
import type { StorageState } from './oracle.ts'
import { note, oneOf, pause, type World } from './world.ts'

/** Change the keys of an issuer again and again: a new one beside the old ones, and the oldest leave. */
export async function rotateKeys(world: World, { issuer }: KeyServer, everyMs: number): Promise<void> {
  const { random, signal } = world
  while (!signal.aborted) {
    await pause(world, everyMs * (0.5 + random()))
    if (signal.aborted) return
    const algorithm = oneOf(random, ['ES256', 'RS256', 'EdDSA'] as const)
    await issuer.rotate(algorithm)
    note(world, 'keys changed')
    const own = issuer.jwks().keys.filter(({ alg }) => alg === algorithm)
    for (const { kid } of own.slice(0, -2)) {
      issuer.drop(kid)
      note(world, 'keys dropped')
    }
  }
}

const FAULTS: readonly ('refused' | HttpFault)[] = [
  ...(['refused', 'hang', 'status-500', 'invalid-json', 'html', 'reset-in-body', 'null', 'empty', 'drip'] as const),
]

/** Have the key server of the moving issuer fail now and then, each time in another way, and be slow in between. */
export async function breakKeyServer(world: World, everyMs: number): Promise<void> {
  const { random, moving, signal } = world
  while (!signal.aborted) {
    await pause(world, everyMs * (0.5 + random()))
    if (signal.aborted) return
    const fault = oneOf(random, FAULTS)
    note(world, `key server ${fault}`)
    await moving.fault(fault)
    await pause(world, 6000)
    await moving.fault('slow')
    await pause(world, everyMs / 2)
    await moving.fault('ok')
  }
}

/** Have the storage fail in one way after another, with rests, until all ends. */
export async function breakStorage(world: World, everyMs: number): Promise<void> {
  const { random, signal } = world
  const ways = [cut, stall, cut, goAway]
  for (let turn = Math.floor(random() * ways.length); !signal.aborted; turn++) {
    await pause(world, everyMs * (0.7 + random() * 0.6))
    if (!signal.aborted) await (ways[turn % ways.length] as typeof cut)(world)
  }
}

/** Connections of servers end in the middle of whatever they do. */
async function cut(world: World): Promise<void> {
  const { pool } = world
  note(world, 'connections cut')
  await failing(world, 'cut', async () => {
    const ended: number[] = []
    for (let times = 0; times < 3; times++) {
      // First which, then their end: a planner may ask in any order, and one of them is this connection.
      const { rows } = await pool.query<{ pid: number }>(`WITH chosen AS MATERIALIZED
        (SELECT pid FROM pg_stat_activity WHERE application_name = 'soaked' AND random() < 0.5)
        SELECT pid, pg_terminate_backend(pid) FROM chosen`)
      ended.push(...rows.map(({ pid }) => pid))
      await pause(world, 100)
    }
    // Told to end, they do so in their own time.
    const left = 'SELECT FROM pg_stat_activity WHERE pid = ANY($1)'
    await until(async () => (await pool.query(left, [ended])).rowCount === 0)
  })
}

/** How long statements of servers may take, in milliseconds: more than any takes on a busy machine that nothing holds up. */
export const LIMIT_MS = 2000

/** A lock that outlasts what statements may take. */
async function stall(world: World): Promise<void> {
  note(world, 'statements stalled')
  await failing(world, 'stalled', async () => {
    const client = await world.pool.connect()
    try {
      await client.query('BEGIN')
      await client.query('LOCK TABLE memberships, login_accounts IN ACCESS EXCLUSIVE MODE')
      await pause(world, LIMIT_MS * 1.5)
    } finally {
      await client.query('ROLLBACK')
      client.release()
    }
  })
}

/** The whole server is stopped, and started again. */
async function goAway(world: World): Promise<void> {
  const { storage, cluster } = world
  note(world, 'database restarted')
  const leaving = storage.begin('away')
  await cluster.leave()
  leaving.done()
  await pause(world, 1000)
  await recovered(world, () => cluster.comeBack())
}

async function failing(world: World, state: StorageState, work: () => Promise<void>): Promise<void> {
  world.storage.begin(state).done()
  await recovered(world, work)
}

// Over once every server has seen what became of its connections.
async function recovered({ storage, servers }: World, work: () => Promise<void>): Promise<void> {
  const change = storage.begin('there')
  await work()
  await Promise.all(servers.map((server) => server.settled()))
  change.done()
}
