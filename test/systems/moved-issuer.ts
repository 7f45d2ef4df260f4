/** An issuer that is replaced while everybody works: real tokens of both, four processes at a time, one PostgreSQL. */
import { Agent, get } from 'node:http'
import { expect } from 'vitest'
import { type JwksServer, startJwksServer } from '../../src/testing/key-server.ts'
import { createTokenIssuer } from '../../src/testing/token-issuer.ts'
import { createTestDatabase, openPool } from '../postgres.ts'
import { type AppProcess, startProcess } from './app-process.ts'

/** How big it is. */
export interface MoveSize {
  readonly people: number
  /** Requests of each at each stage, all at once. */
  readonly requests: number
}

/** What became of it. */
export interface MoveReport {
  readonly answers: number
  readonly users: number
}

const PROCESSES = 4
const APP = ['test/systems/moved-issuer-app.ts']

/**
 * Replace an issuer in the three stages of a rollout: all know the old one, one process after another is replaced by one that
 * knows both, and by one that knows the new one alone; people come by tokens of whom the processes know, most for the first
 * time while both are known. Every answer must be 200, one user for each person, nothing on stderr.
 */
export async function moveIssuer({ people, requests }: MoveSize): Promise<MoveReport> {
  const DATABASE_URL = await createTestDatabase('empty')
  const start = () => startJwksServer((url) => createTokenIssuer({ issuer: url, algorithms: ['ES256'] }))
  const [before, after] = await Promise.all([start(), start()])
  const open = (...issuers: readonly JwksServer[]) =>
    startProcess(APP, { DATABASE_URL, BEFORE: before.url, ISSUERS: issuers.map(({ url }) => url).join(' ') }, 600)
  const apps: AppProcess[] = await Promise.all(Array.from({ length: PROCESSES }, () => open(before)))
  const known = new Map<string, Set<string>>()
  let answers = 0

  async function come(person: number, issuer: JwksServer, at: number, agent: Agent): Promise<void> {
    const subject = `person-${person}`
    const token = await issuer.issuer.sign({ sub: subject, email: `${subject}@example.test` })
    const { status, body } = await ask(`${apps[at % PROCESSES]?.url}/me`, token, agent)
    if (status !== 200) throw new Error(`answered ${status}: ${body.slice(0, 600)}`)
    const [userId, tokenIssuer] = JSON.parse(body) as [string, string]
    expect(tokenIssuer).toBe(issuer.url)
    answers++
    known.set(subject, (known.get(subject) ?? new Set()).add(userId))
  }

  /** Some people come by tokens of these issuers, all of them at once. */
  async function load(some: number, ...issuers: readonly JwksServer[]): Promise<void> {
    // Of its own: a connection that has been idle for five seconds ends under the request that takes it up again.
    const agent = new Agent({ keepAlive: true, maxSockets: 200 })
    const each = Array.from({ length: some * requests }, (_, n) =>
      come(
        n % some,
        issuers[Math.floor(n / some) % issuers.length] as JwksServer,
        n + Math.floor(n / PROCESSES),
        agent,
      ),
    )
    await Promise.all(each)
    agent.destroy()
  }

  /** Put a process in each one's place, while people come; who is asked no more may end. */
  async function replaceAll(...issuers: readonly JwksServer[]): Promise<void> {
    for (const [index, old] of [...apps].entries()) {
      apps[index] = await open(...issuers)
      await load(Math.ceil(people / 4), ...(issuers.length > 1 ? [before] : [after]))
      expectQuiet(await old.end())
    }
  }

  await load(Math.ceil(people / 4), before)
  await replaceAll(before, after)
  // The others for the first time, by tokens of both at once.
  await load(people, before, after)
  await replaceAll(after)
  await load(people, after)
  for (const app of apps) expectQuiet(await app.end())
  await Promise.all([before.close(), after.close()])
  expect([...known.values()].map(({ size }) => size)).toEqual(Array(people).fill(1))
  const pool = openPool(DATABASE_URL, { max: 1 })
  const { rows } = await pool.query(
    `SELECT (SELECT count(*)::int FROM users) AS users, (SELECT count(*)::int FROM organizations) AS orgs,
      (SELECT count(*)::int FROM memberships) AS members, (SELECT array_agg(DISTINCT issuer) FROM users) AS issuers`,
  )
  expect(rows).toEqual([{ users: people, orgs: people, members: people, issuers: [before.url] }])
  return { answers, users: people }
}

function expectQuiet({ code, stderr }: { readonly code: number | null; readonly stderr: string }): void {
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
}

function ask(url: string, token: string, agent: Agent): Promise<{ readonly status: number; readonly body: string }> {
  return new Promise((resolve, reject) => {
    get(url, { agent, headers: { authorization: `Bearer ${token}` } }, (answer) => {
      const chunks: string[] = []
      answer.setEncoding('utf8').on('data', (chunk: string) => chunks.push(chunk))
      answer.on('end', () => resolve({ status: answer.statusCode ?? 0, body: chunks.join('') }))
      answer.on('error', reject)
    }).on('error', reject)
  })
}
