/** Ironflow's passwords, sessions and keys: in no file, row or line of output, but for the first password's one line. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, it } from 'vitest'
import { parse } from '../../examples/demo/expected-answer.ts'
import { send } from '../../examples/demo/send.ts'
import { createTestDatabase } from '../postgres.ts'
import { type AppProcess, startProcess } from './app-process.ts'
import { dump, filesUnder, found } from './canary-search.ts'

const SECRET_FILE = '.ironflow_jwt_secret'
const EMAIL = 'admin@ironflow.local'
const LINE = /^ironflow: admin@ironflow\.local created, password: (\S+)$/m
const WRONG = 'canary of a wrong password 91c2'
const NEW = 'canary of a new password 5b7d'
const OTHERS = 'canary of another password 03fe'

const folder = mkdtempSync(join(tmpdir(), 'sallyport-ironflow-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** Log in and out, make a user, a key and a password, get much of it wrong; everything nobody may find again. */
async function runStep(
  app: AppProcess,
): Promise<{ readonly secrets: Set<string>; readonly statuses: readonly number[] }> {
  const first = LINE.exec(app.stdout())?.[1] ?? ''
  expect(first).not.toBe('')
  const secrets = new Set([first, WRONG, NEW, OTHERS])
  const statuses: number[] = []
  const ask = async (line: string, json?: object, bearer?: string) => {
    const [method = '', path = ''] = line.split(' ')
    const typed = json === undefined ? [] : [['Content-Type', 'application/json'] as const]
    const lines = bearer === undefined ? typed : [...typed, ['Authorization', `Bearer ${bearer}`] as const]
    const body = json === undefined ? undefined : JSON.stringify(json)
    const { status, text } = await send({ method, url: app.url + path, lines, body })
    statuses.push(status)
    const { token, key } = (parse(text) ?? {}) as { readonly token?: string; readonly key?: string }
    if (key !== undefined) secrets.add(key.split('_').slice(2).join('_'))
    for (const each of [token, key, bearer]) if (each !== undefined) secrets.add(each)
    return token ?? key ?? ''
  }
  const logIn = (password: string, email = EMAIL) => ask('POST /api/v1/auth/login', { email, password })
  await logIn(WRONG)
  await logIn(WRONG, 'nobody@ironflow.local')
  const admin = await logIn(first)
  await ask('POST /api/v1/users', { email: 'dev@ironflow.local', password: OTHERS, role: 'developer' }, admin)
  const key = await ask('POST /api/v1/api-keys', { name: 'worker', role: 'developer' }, admin)
  for (const bearer of [key, `${key}x`]) await ask('POST /api/v1/functions', { name: 'found again' }, bearer)
  await ask('POST /api/v1/auth/password', { current_password: WRONG, new_password: NEW }, admin)
  await ask('POST /api/v1/auth/password', { current_password: first, new_password: NEW }, admin)
  await ask('POST /api/v1/auth/logout', undefined, await logIn(NEW))
  await ask('GET /api/v1/auth/validate', undefined, await logIn(OTHERS, 'dev@ironflow.local'))
  return { secrets, statuses }
}

it.each(['SQLite', 'PostgreSQL'])('on %s', async (kind) => {
  const home = join(folder, kind)
  const url = kind === 'SQLite' ? null : await createTestDatabase('empty')
  // In development a first refusal is told of `explain()`.
  const NODE_ENV = 'production'
  const environment = { PORT: '0', NODE_ENV, IRONFLOW_DATA_DIR: home, ...(url !== null && { DATABASE_URL: url }) }
  const app = await startProcess(['examples/ironflow/main.ts'], environment)
  const { secrets, statuses } = await runStep(app).catch(async (error) => {
    await app.stop()
    throw error
  })
  const whileOpen = filesUnder(home, SECRET_FILE)
  const { stdout, stderr } = await app.end()
  expect(statuses).toEqual([401, 401, 200, 201, 201, 201, 401, 403, 204, 200, 204, 200, 200])
  secrets.add(readFileSync(join(home, SECRET_FILE), 'utf8').trim())
  const kept = [whileOpen, filesUnder(home, SECRET_FILE), Buffer.from(url === null ? '' : await dump(url))]
  expect(kept.some((bytes) => bytes.includes('found again') && bytes.includes('dev@ironflow.local'))).toBe(true)
  for (const bytes of kept) expect(found(bytes, secrets)).toEqual([])
  expect(found(stdout.replace(LINE, ''), secrets)).toEqual([])
  expect(stderr).toBe('')
})
