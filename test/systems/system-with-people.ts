/** A system as a process with a store of its own: asked as somebody, and looked at, or changed, in its database beside it. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'vitest'
import { at, parse } from '../../examples/demo/expected-answer.ts'
import { send, type WireAnswer } from '../../examples/demo/send.ts'
import type { StartedApp } from '../../examples/demo/world.ts'
import type { Environment } from '../../examples/start/settings.ts'
import { createTestDatabase, openPool } from '../postgres.ts'
import { SQLITE_DRIVERS } from '../sqlite.ts'
import { openWorldOf, startProcess } from './app-process.ts'

/** Where a system keeps everything. */
export type StoreName = 'SQLite' | 'PostgreSQL'

/** A request. */
export interface Asked {
  /** Claims beside those of the person. */
  readonly claims?: Readonly<Record<string, unknown>>
  readonly lines?: readonly (readonly [name: string, value: string])[]
  readonly json?: unknown
  /** Another process than the system's own. */
  readonly app?: StartedApp | undefined
}

/** An answer, and what its body is. */
export interface Answer extends WireAnswer {
  /** What the body holds at a path such as `org.id`, as text. */
  get(path: string): string
  readonly body: unknown
}

/** A system. */
export interface SystemWithPeople {
  /** Ask as somebody, whose address is `<who>@example.test`, or `null`: as nobody. */
  ask(who: string | null, line: string, asked?: Asked): Promise<Answer>
  /** Change the store by a statement that both databases understand. */
  change(statement: string): Promise<void>
  /** The one row of a query that both databases understand. */
  look(query: string): Promise<Readonly<Record<string, unknown>>>
  /** Start another process over the same store. */
  startBeside(environment: Environment): Promise<StartedApp>
  close(): Promise<void>
}

const SYSTEMS = {
  iron: { main: 'examples/iron-crm/main.ts', file: 'iron-crm.db' },
  intello: { main: 'examples/intello/main.ts', file: 'intello.db' },
} as const

/** Start it. */
export async function openSystem(system: keyof typeof SYSTEMS, store: StoreName): Promise<SystemWithPeople> {
  const { main, file } = SYSTEMS[system]
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-people-'))
  const where: Environment =
    store === 'SQLite' ? { DATA_DIR: folder } : { DATABASE_URL: await createTestDatabase('empty') }
  const world = await openWorldOf([system], { storeOf: () => where })
  const { issuer } = world.issuerOf(system)
  const database = store === 'SQLite' ? openFile(join(folder, file)) : openServer(where['DATABASE_URL'] ?? '')
  return {
    async ask(who, line, { claims, lines = [], json, app } = {}) {
      const [method = '', path = ''] = line.split(' ')
      const token = who === null ? null : await issuer.sign({ sub: who, email: `${who}@example.test`, ...claims })
      const all = [
        ...(token === null ? [] : [['Authorization', `Bearer ${token}`] as const]),
        ...(json === undefined ? [] : [['Content-Type', 'application/json'] as const]),
        ...lines,
      ]
      const url = (app?.url ?? world.urlOf(system)) + path
      const answer = await send({
        method,
        url,
        lines: all,
        body: json === undefined ? undefined : JSON.stringify(json),
      })
      const body = parse(answer.text)
      return { ...answer, body, get: (inner) => String(at(body, inner)) }
    },
    change: database.change,
    look: database.look,
    startBeside: (environment) => startProcess([main], { ...world.environmentOf(system), ...environment }),
    async close() {
      await world.close()
      database.close()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

type Database = Pick<SystemWithPeople, 'change' | 'look'> & { close(): void }

function openFile(path: string): Database {
  const [driver] = SQLITE_DRIVERS
  if (driver === undefined) throw new Error('this Node has no SQLite')
  const database = driver.open(path)
  database.exec('PRAGMA busy_timeout = 60000')
  return {
    change: async (statement) => void database.exec(statement),
    look: async (query) => ({ ...(database.prepare(query).all()[0] as object) }),
    close: () => void database.close(),
  }
}

function openServer(url: string): Database {
  const pool = openPool(url, { max: 1 })
  const rows = async (text: string): Promise<readonly Readonly<Record<string, unknown>>[]> =>
    (await pool.query<Record<string, unknown>>(text)).rows
  return {
    change: async (statement) => void (await rows(statement)),
    look: async (query) => ({ ...(await rows(query))[0] }),
    close: () => {},
  }
}

/** Say that an answer is this refusal, and whole. */
export function expectRefusal({ status, body }: Answer, wanted: number, code: string, field?: string): void {
  const error = { code, message: expect.any(String), ...(field !== undefined && { field }) }
  expect({ status, body }).toEqual({ status: wanted, body: { error } })
}

/** What an answer shows of itself but for the date: two that are alike can't be told apart. */
export function seenFrom({ status, headers, text }: Answer): unknown {
  const { date: _, ...rest } = headers
  return { status, headers: rest, text }
}

/** Ids as a path can hold them, which are nobody's. */
export const HOSTILE_IDS: readonly string[] = [
  ...['%zz', '%00', '%F0%9F', 'x'.repeat(3000), "'%20OR%20true--", '__proto__', '%2e%2e', '%20', '%E2%80%AE'],
]

/** What is no role. */
export const HOSTILE_ROLES: readonly unknown[] = [
  ...[null, 7, '', ' ', 'Admin', 'admin ', '__proto__', 'constructor', ['admin'], { role: 'admin' }, 'x'.repeat(3000)],
  ...['\u0000', '\ud800'],
]

/** What is no address. */
export const HOSTILE_ADDRESSES: readonly unknown[] = [
  ...[
    null,
    7,
    '',
    ' ',
    'a',
    '@',
    'a@',
    '@b',
    'a@b@c',
    'a b@c.test',
    'a@b\u0000.test',
    ['a@b.test'],
    'a@b.test\n,c@d.test',
  ],
  `${'x'.repeat(3000)}@b.test`,
]
