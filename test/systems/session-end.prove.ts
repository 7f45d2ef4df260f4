/**
 * Sessions end at once (L7): log out, another role, another password, disabled, deleted; 1,000 times, told to one process,
 * asked of another that shares the database, as a bearer and as a cookie, on the very next request.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, it } from 'vitest'
import { send, type WireAnswer } from '../../examples/demo/send.ts'
import { createTestDatabase } from '../postgres.ts'
import { type AppProcess, startProcess } from './app-process.ts'

const ROUNDS = 200
const AT_ONCE = 4
const FINE = ['four unlikely words here', 'three other unlikely words'] as const

const folder = mkdtempSync(join(tmpdir(), 'sallyport-session-end-'))
const apps: AppProcess[] = []
afterAll(async () => {
  await Promise.all(apps.map((app) => app.stop()))
  rmSync(folder, { recursive: true, force: true })
})

interface Asking {
  readonly token?: string
  readonly cookie?: string
  readonly json?: unknown
}

function ask({ url }: AppProcess, line: string, { token, cookie, json }: Asking = {}): Promise<WireAnswer> {
  const [method = '', path = ''] = line.split(' ')
  const lines: (readonly [string, string])[] = []
  if (token !== undefined) lines.push(['Authorization', `Bearer ${token}`])
  if (cookie !== undefined) lines.push(['Cookie', `ironflow_dashboard_token=${cookie}`])
  if (json !== undefined) lines.push(['Content-Type', 'application/json'])
  return send({ method, url: url + path, lines, body: json === undefined ? undefined : JSON.stringify(json) })
}

async function done(answer: Promise<WireAnswer>): Promise<string> {
  const { status, text } = await answer
  if (status >= 300) throw new Error(`${status} ${text}`)
  return text
}

async function logIn(app: AppProcess, email: string, password: string): Promise<string> {
  const text = await done(ask(app, 'POST /api/v1/auth/login', { json: { email, password } }))
  return (JSON.parse(text) as { token: string }).token
}

async function openTwo(database: Readonly<Record<string, string>>): Promise<readonly [AppProcess, AppProcess, string]> {
  const environment = { PORT: '0', IRONFLOW_DATA_DIR: mkdtempSync(join(folder, 'data-')), ...database }
  const first = await startProcess(['examples/ironflow/main.ts'], environment, 1200)
  apps.push(first)
  const second = await startProcess(['examples/ironflow/main.ts'], environment, 1200)
  apps.push(second)
  return [first, second, /password: (\S+)$/m.exec(first.stdout())?.[1] ?? '']
}

it.each(['PostgreSQL', 'SQLite'])('on %s: not one of them lives on', { timeout: 1_200_000 }, async (kind) => {
  const rounds = kind === 'PostgreSQL' ? ROUNDS : ROUNDS / 10
  const [first, second, password] = await openTwo(
    kind === 'PostgreSQL' ? { DATABASE_URL: await createTestDatabase('empty') } : {},
  )
  const admin = await logIn(first, 'admin@ironflow.local', password)
  const manage = (line: string, json?: unknown): Promise<string> => done(ask(first, line, { token: admin, json }))
  let [ended, alive] = [0, 0]

  const endOne = async (email: string, end: (session: string) => Promise<unknown>, secret: string): Promise<void> => {
    const session = await logIn(first, email, secret)
    const look = async (): Promise<number[]> =>
      (
        await Promise.all([
          ask(second, 'GET /api/v1/functions', { token: session }),
          ask(second, 'GET /api/v1/auth/validate', { cookie: session }),
        ])
      ).map(({ status }) => status)
    if ((await look()).join() === '200,200') alive += 1
    await end(session)
    if ((await look()).join() === '401,401') ended += 1
  }
  const runStep = async (lane: number): Promise<void> => {
    for (let round = lane; round < rounds; round += AT_ONCE) {
      const email = `user-${round}@example.test`
      const made = await manage('POST /api/v1/users', { email, password: FINE[0], role: 'viewer' })
      const { id } = (JSON.parse(made) as { user: { id: string } }).user
      const one = `/api/v1/users/${id}`
      await endOne(email, (token) => done(ask(first, 'POST /api/v1/auth/logout', { token })), FINE[0])
      await endOne(email, () => manage(`PATCH ${one}`, { role: 'developer' }), FINE[0])
      const json = { current_password: FINE[0], new_password: FINE[1] }
      await endOne(email, (token) => done(ask(first, 'POST /api/v1/auth/password', { token, json })), FINE[0])
      await endOne(email, () => manage(`PATCH ${one}`, { disabled: true }), FINE[1])
      await manage(`PATCH ${one}`, { disabled: false })
      await endOne(email, () => manage(`DELETE ${one}`), FINE[1])
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, (_, lane) => runStep(lane)))
  expect({ alive, ended }).toEqual({ alive: rounds * 5, ended: rounds * 5 })
  console.log(`${kind}: ${ended} of ${rounds * 5} sessions ended on the next request, in the other process`)
})
