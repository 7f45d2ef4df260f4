/** First requests of many people at once, to several processes of Iron on one PostgreSQL. */
import { Agent, get } from 'node:http'
import { expect } from 'vitest'
import type { World } from '../../examples/demo/world.ts'
import { createTestDatabase, openPool } from '../postgres.ts'
import { startProcess } from './app-process.ts'

/** How big it is. */
export interface StormSize {
  readonly people: number
  /** Requests of each, all at once. */
  readonly requests: number
}

const PROCESSES = 4
const TABLES: readonly string[] = ['users', 'organizations', 'memberships', 'tenants', 'pipelines']

/** Let it come: every answer must be 200, one of everything for each person, nothing on stderr. Answers the seconds it took. */
export async function storm(world: World, { people, requests }: StormSize): Promise<number> {
  const DATABASE_URL = await createTestDatabase('empty')
  const environment = { ...world.environmentOf('iron'), DATABASE_URL }
  const main = ['examples/iron-crm/main.ts']
  const apps = await Promise.all(Array.from({ length: PROCESSES }, () => startProcess(main, environment, 600)))
  const { issuer } = world.issuerOf('iron')
  const tokens = await Promise.all(
    Array.from({ length: people }, (_, n) => issuer.sign({ sub: `person-${n}`, email: `person-${n}@example.test` })),
  )
  const agent = new Agent({ keepAlive: true, maxSockets: 500 })
  const began = performance.now()
  const answers = await Promise.all(
    Array.from({ length: people * requests }, (_, index) =>
      ask(`${apps[index % PROCESSES]?.url}/api/v1/me`, tokens[index % people] ?? '', agent),
    ),
  )
  const seconds = (performance.now() - began) / 1000
  agent.destroy()
  expect(countOf(answers.map(({ status }) => status))).toEqual({ 200: people * requests })
  expect(Object.keys(countOf(answers.map(({ body }) => body)))).toHaveLength(people)
  const pool = openPool(DATABASE_URL, { max: 1 })
  for (const table of TABLES) {
    const { rows } = await pool.query(`SELECT count(*)::int AS count FROM ${table}`)
    expect([table, rows]).toEqual([table, [{ count: people }]])
  }
  for (const { code, stderr } of await Promise.all(apps.map(({ end }) => end()))) {
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  }
  return seconds
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

function countOf(values: readonly (string | number)[]): Readonly<Record<string, number>> {
  const counts: Record<string, number> = {}
  for (const value of values) counts[value] = (counts[value] ?? 0) + 1
  return counts
}
