/** First logins in processes that are killed at a step boundary (P5), and what is there afterwards. */
import { spawn } from 'node:child_process'
import type { ShippedStorage } from '../../src/storage/shipped-storage.ts'
import { testIdentity } from '../../src/testing/principals.ts'
import { createProvisioner } from '../../src/users/provisioner.ts'
import { joiningAtOnce, newInvitation } from '../invitation.ts'
import { PATIENCE_MS } from '../patience.ts'
import { programOf } from '../program.ts'
import { emailOf } from './crash-email.ts'

/** Before the first write, after the user, org, membership, the hook's two rows, before the COMMIT, after it. */
export const STEPS: readonly number[] = [0, 1, 2, 3, 4, 5, 6, 7]
const COMMITTED = 7

/** The same for somebody who was invited: after the user, the invitation was taken, the membership; the hook writes nothing. */
export const JOIN_STEPS: readonly number[] = [0, 1, 2, 3, 6, 7]

/** A database that processes crash over. */
export interface CrashSite {
  /** What the child is told: a URL, or a path. */
  readonly where: string
  readonly storage: ShippedStorage
  /** Run a statement on a transaction's handle. */
  run(handle: unknown, text: string): Promise<unknown>
  /** Rows of each of these tables, or of what follows FROM, all at one moment. */
  counts(tables: readonly string[]): Promise<readonly number[]>
}

/** The program of the processes that crash. */
export const crashChild = (): Promise<string> => programOf('test/storage/crash-child.ts')

function killAt(file: string, site: CrashSite, subject: string, step: number, how: 'stop' | 'go on'): Promise<string> {
  return runAndKill(file, [site.where, subject, String(step), how])
}

/** Start a process and kill it at its first word: that word, and how it ended. Nobody waits for ever for one that says nothing. */
export function runAndKill(file: string, given: readonly string[]): Promise<string> {
  const child = spawn(process.execPath, ['--no-warnings', file, ...given], {
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: PATIENCE_MS,
    killSignal: 'SIGTERM',
  })
  const said: string[] = []
  child.stdout.on('data', (chunk: Buffer) => {
    said.push(chunk.toString())
    child.kill('SIGKILL')
  })
  child.stderr.on('data', (chunk: Buffer) => void said.push(chunk.toString()))
  return new Promise((resolve) => child.on('close', (_code, signal) => resolve(`${said.join('').trim()} ${signal}`)))
}

const TABLES = ['users', 'organizations', 'memberships', 'tenants', 'pipelines']
const JOIN_TABLES = ['users', 'memberships', 'invitations', 'organizations']

/** What became of the crashes; each list is empty where all is well. */
export interface CrashReport {
  readonly crashes: number
  /** Of those that were killed after COMMIT or while going on: how many had been committed. */
  readonly committed: number
  readonly wrong: readonly string[]
}

/**
 * Kill `times` first logins at each step. Every other one is killed while it goes on. After each: everything of it is
 * there or nothing, nothing at all where it stopped before the COMMIT; and the next request of that person completes.
 */
export async function crashEverywhere(site: CrashSite, file: string, times: number): Promise<CrashReport> {
  const wrong: string[] = []
  let crashes = 0
  let committed = 0
  let before = 0
  const users = createProvisioner({
    storage: site.storage,
    async bootstrap({ org, transaction: { handle } }) {
      for (const table of ['tenants', 'pipelines']) {
        await site.run(handle, `INSERT INTO ${table} (org_id) VALUES ('${org?.id}')`)
      }
    },
  })
  for (const step of STEPS) {
    for (let trial = 0; trial < times; trial++) {
      const how = trial % 2 === 0 ? 'stop' : 'go on'
      const subject = `step ${step}, trial ${trial}, to ${how}`
      const end = await killAt(file, site, subject, step, how)
      // One that goes on may have ended before the signal came.
      if (!end.startsWith(`at ${step} `) || (how === 'stop' && !end.endsWith('SIGKILL')))
        wrong.push(`${subject}: ${end}`)
      crashes++
      const after = await site.counts(TABLES)
      const more = (after[0] ?? 0) - before
      committed += more
      const allowed = how === 'go on' ? [0, 1] : [step === COMMITTED ? 1 : 0]
      if (!allowed.includes(more) || after.some((count) => count !== after[0])) wrong.push(`${subject}: left ${after}`)
      const { user } = await users(testIdentity({ subject, issuer: 'https://issuer.test' }), { kind: 'unnamed' })
      const acting = await site.storage.memberships.listActing({ kind: 'user', user })
      const complete = await site.counts(TABLES)
      if (acting.length !== 1 || acting[0]?.role !== 'owner' || complete.some((count) => count !== before + 1)) {
        wrong.push(`${subject}: completed to ${complete}`)
      }
      before += 1
    }
  }
  return { crashes, committed, wrong }
}

/**
 * The same for people who were invited into one organization, and join by their first login or accept as their very first
 * request (`accepts`): after each crash user, membership and the taken invitation
 * are all there or none of them, and the next request joins that organization by that invitation.
 */
export async function crashJoins(
  site: CrashSite,
  file: string,
  times: number,
  kind: 'invited' | 'accepts' = 'invited',
): Promise<CrashReport> {
  const { storage } = site
  const wrong: string[] = []
  let [crashes, committed] = [0, 0]
  const { id: orgId } = await storage.orgs.insert({ name: 'Acme' })
  const resolver = createProvisioner({ storage, invitations: joiningAtOnce(storage) })
  for (const step of JOIN_STEPS) {
    for (let trial = 0; trial < times; trial++) {
      const how = trial % 2 === 0 ? 'stop' : 'go on'
      const subject = `${kind}, step ${step}, trial ${trial}, to ${how}`
      await storage.invitations.insert(newInvitation({ orgId, email: emailOf(subject), role: 'member' }))
      const done = crashes
      const [nothing, everything] = [
        [done, done, 1, 1],
        [done + 1, done + 1, 0, 1],
      ].map(String)
      const end = await killAt(file, site, subject, step, how)
      if (!end.startsWith(`at ${step} `)) wrong.push(`${subject}: ${end}`)
      crashes++
      const after = String(await site.counts(JOIN_TABLES))
      if (after === everything) committed++
      const allowed = how === 'go on' ? [nothing, everything] : [step === COMMITTED ? everything : nothing]
      if (!allowed.includes(after)) wrong.push(`${subject}: left ${after}`)
      const identity = testIdentity({
        ...{ subject, issuer: 'https://issuer.test', email: emailOf(subject), emailVerified: true },
      })
      const { user } = await resolver(identity, { kind: 'unnamed' })
      const acting = await storage.memberships.listActing({ kind: 'user', user })
      const joined = acting.map(({ org, role }) => `${org.id} ${role}`)
      if (String(joined) !== `${orgId} member` || String(await site.counts(JOIN_TABLES)) !== everything) {
        wrong.push(`${subject}: completed to ${joined}, ${await site.counts(JOIN_TABLES)}`)
      }
    }
  }
  return { crashes, committed, wrong }
}
