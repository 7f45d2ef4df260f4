/** Intello as a process against a real issuer: the contract chapter by chapter, then what the tour has no words for. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { send } from '../../examples/demo/send.ts'
import { INTELLO } from '../../examples/demo/tour-intello.ts'
import { INTELLO_KEYS } from '../../examples/demo/tour-intello-keys.ts'
import type { World } from '../../examples/demo/world.ts'
import { openWorldOf, runToEnd, startProcess } from './app-process.ts'
import { runChapters } from './run-chapters.ts'

let world: World
beforeAll(async () => {
  world = await openWorldOf(['intello', 'intello without seam'])
})
afterAll(() => world.close())

const INTELLO_MAIN = ['examples/intello/main.ts']

describe('the contract', () => runChapters([...INTELLO, ...INTELLO_KEYS], () => world))

it('answers 428 with the words of the document', async () => {
  const token = await world.token('intello', 'nobody')
  const { status, headers, text } = await send({
    method: 'GET',
    url: `${world.urlOf('intello')}/api/me`,
    lines: [['Authorization', `Bearer ${token}`]],
    body: undefined,
  })
  const { date, connection, 'keep-alive': keepAlive, ...rest } = headers
  expect([date, connection, keepAlive]).toEqual([expect.any(String), 'keep-alive', 'timeout=5'])
  expect({ status, rest }).toEqual({
    status: 428,
    rest: {
      'content-type': 'application/json; charset=utf-8',
      'cache-control': 'no-store',
      'content-length': String(text.length),
    },
  })
  expect(text).toBe(
    '{"error":{"code":"user_not_synced","message":"user account not synced, call POST /auth/sync first"}}',
  )
})

it('joins one invited address once, whoever of two identities syncs first', async () => {
  const url = world.urlOf('intello')
  const as = async (who: string, method: string, path: string, json?: unknown) => {
    const lines = [['Authorization', `Bearer ${await world.token('intello', who)}`] as const]
    const body = json === undefined ? undefined : JSON.stringify(json)
    const typed = json === undefined ? lines : [...lines, ['Content-Type', 'application/json'] as const]
    return JSON.parse((await send({ method, url: url + path, lines: typed, body })).text) as {
      data: { user: { org_id: string } }
    }
  }
  const host = await as('lea', 'POST', '/auth/sync')
  await as('lea', 'POST', '/api/invitations', { email: 'max@example.test', role: 'viewer' })
  const { issuer } = world.issuerOf('intello')
  const twins = await Promise.all(['first', 'second'].map((sub) => issuer.sign({ sub, email: 'MAX@example.test' })))
  const answers = await Promise.all(
    twins.map((token) => fetch(`${url}/auth/sync`, { method: 'POST', headers: { authorization: `Bearer ${token}` } })),
  )
  const orgs = (await Promise.all(answers.map((answer) => answer.json()))) as (typeof host)[]
  expect(orgs.filter(({ data }) => data.user.org_id === host.data.user.org_id)).toHaveLength(1)
  expect(answers.map(({ status }) => status)).toEqual([201, 201])
})

it('ends at SIGTERM, and says one line', async () => {
  const app = await startProcess(INTELLO_MAIN, world.environmentOf('intello without seam'))
  expect((await fetch(`${app.url}/health`)).status).toBe(200)
  const { code, stdout, stderr } = await app.end()
  expect({ code, stdout, stderr }).toEqual({ code: 0, stdout: `intello ready on ${app.url}\n`, stderr: '' })
})

it('refuses to start without its Supabase project: one sentence, no stack, exit code 1', async () => {
  const ending = await runToEnd(INTELLO_MAIN, { PORT: '0' })
  expect(ending).toEqual({ code: 1, stdout: '', stderr: 'intello: SUPABASE_URL is required\n' })
})

describe('API keys of organizations', () => {
  interface Answer {
    readonly status: number
    readonly body: { readonly data: { readonly id: string; readonly key: string; readonly [member: string]: unknown } }
    readonly text: string
  }
  const call = async (url: string, bearer: string, method: string, path: string, json?: unknown): Promise<Answer> => {
    const lines = [['Authorization', `Bearer ${bearer}`] as const]
    const typed = json === undefined ? lines : [...lines, ['Content-Type', 'application/json'] as const]
    const body = json === undefined ? undefined : JSON.stringify(json)
    const { status, text } = await send({ method, url: url + path, lines: typed, body })
    return { status, text, body: (text === '' ? {} : JSON.parse(text)) as Answer['body'] }
  }
  const admin = async (name: string, url = world.urlOf('intello')): Promise<string> => {
    const token = await world.token('intello', name)
    await call(url, token, 'POST', '/auth/sync')
    return token
  }

  it('work on the dependencies, by role and scope, and nowhere else', async () => {
    const url = world.urlOf('intello')
    const token = await admin('keyholder')
    const made = await call(url, token, 'POST', '/api/keys', { name: 'ci' })
    const { id, key } = made.body.data
    expect(made.status).toBe(201)
    expect(made.text).toBe(
      `{"data":{"id":"${id}","name":"ci","prefix":"itk","key":"${key}","role":"viewer","scopes":["dependencies:read"],"expires_at":null}}`,
    )
    const writing = { name: 'deploy', scopes: ['dependencies:read', 'dependencies:write'] }
    const writer = (await call(url, token, 'POST', '/api/keys', writing)).body.data
    expect(writer).toMatchObject({ role: 'member', scopes: writing.scopes })
    const added = await call(url, writer.key, 'POST', '/api/dependencies', { name: 'left-pad' })
    expect(added.status).toBe(201)
    const one = `/api/dependencies/${added.body.data.id}`
    const statuses = async (bearer: string): Promise<number[]> => [
      (await call(url, bearer, 'GET', '/api/dependencies')).status,
      (await call(url, bearer, 'GET', one)).status,
      (await call(url, bearer, 'POST', '/api/dependencies', { name: 'x' })).status,
      (await call(url, bearer, 'GET', '/api/me')).status,
      (await call(url, bearer, 'GET', '/api/keys')).status,
      (await call(url, bearer, 'POST', '/api/keys', { name: 'x' })).status,
      (await call(url, bearer, 'GET', '/internal/stats')).status,
      (await call(url, bearer, 'POST', '/auth/sync')).status,
      (await call(url, bearer, 'DELETE', one)).status,
    ]
    expect(await statuses(key)).toEqual([200, 200, 403, 403, 403, 403, 403, 403, 403])
    expect(await statuses(writer.key)).toEqual([200, 200, 201, 403, 403, 403, 403, 403, 204])
    const reader = (await call(url, token, 'POST', '/api/keys', { name: 'x', role: 'admin' })).body.data
    expect((await call(url, reader.key, 'POST', '/api/dependencies', { name: 'x' })).text).toContain(
      'insufficient_scope',
    )
  })

  it("are rotated, revoked and listed by their own organization's admins only", async () => {
    const url = world.urlOf('intello')
    const [token, stranger] = [await admin('rotator'), await admin('stranger')]
    const { id, key } = (await call(url, token, 'POST', '/api/keys', { name: 'ci' })).body.data
    const use = async (bearer: string): Promise<number> => (await call(url, bearer, 'GET', '/api/dependencies')).status
    for (const [method, path] of [
      ['POST', `/api/keys/${id}/rotate`],
      ['DELETE', `/api/keys/${id}`],
    ] as const) {
      expect((await call(url, stranger, method, path)).status).toBe(404)
    }
    expect((await call(url, stranger, 'GET', '/api/keys')).text).toBe('{"data":[]}')
    const rotated = await call(url, token, 'POST', `/api/keys/${id}/rotate`, { overlap_seconds: 3600 })
    expect([rotated.status, rotated.body.data.id]).toEqual([200, id])
    expect([await use(key), await use(rotated.body.data.key)]).toEqual([200, 200])
    const again = await call(url, token, 'POST', `/api/keys/${id}/rotate`, {})
    expect([await use(key), await use(rotated.body.data.key), await use(again.body.data.key)]).toEqual([401, 401, 200])
    expect((await call(url, token, 'GET', '/api/keys')).text).not.toContain(again.body.data.key)
    expect(await call(url, token, 'DELETE', `/api/keys/${id}`)).toMatchObject({ status: 204, text: '' })
    expect(await use(again.body.data.key)).toBe(401)
    for (const gone of [id, 'aaaaaaaaaaaa']) {
      expect((await call(url, token, 'DELETE', `/api/keys/${gone}`)).status).toBe(404)
      expect((await call(url, token, 'POST', `/api/keys/${gone}/rotate`)).status).toBe(404)
    }
  })

  it('are not there with API_KEYS=off: their routes 404, keys 401', async () => {
    const app = await startProcess(INTELLO_MAIN, { ...world.environmentOf('intello'), API_KEYS: 'off' })
    const token = await admin('keyless', app.url)
    for (const [method, path] of [
      ['GET', '/api/keys'],
      ['POST', '/api/keys'],
      ['POST', '/api/keys/aaaaaaaaaaaa/rotate'],
      ['DELETE', '/api/keys/aaaaaaaaaaaa'],
    ] as const) {
      expect((await call(app.url, token, method, path)).status).toBe(404)
    }
    const { key } = (await call(world.urlOf('intello'), await admin('keyful'), 'POST', '/api/keys', { name: 'x' })).body
      .data
    expect((await call(app.url, key, 'GET', '/api/dependencies')).status).toBe(401)
    expect((await call(app.url, token, 'GET', '/api/dependencies')).status).toBe(200)
    await app.stop()
    const ending = await runToEnd(INTELLO_MAIN, { ...world.environmentOf('intello'), API_KEYS: 'no' })
    expect(ending).toEqual({ code: 1, stdout: '', stderr: 'intello: API_KEYS must be on or off\n' })
  })
})
