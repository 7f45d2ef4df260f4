/** Intello as a process against a real issuer: the contract chapter by chapter, then what the tour has no words for. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { send } from '../../examples/demo/send.ts'
import { INTELLO } from '../../examples/demo/tour-intello.ts'
import type { World } from '../../examples/demo/world.ts'
import { openWorldOf, runToEnd, startProcess } from './app-process.ts'
import { walkChapters } from './walk-chapters.ts'

let world: World
beforeAll(async () => {
  world = await openWorldOf(['intello', 'intello without seam'])
})
afterAll(() => world.close())

const INTELLO_MAIN = ['examples/intello/main.ts']

describe('the contract', () => walkChapters(INTELLO, () => world))

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

it('ends within five seconds of SIGTERM, and says one line', async () => {
  const app = await startProcess(INTELLO_MAIN, world.environmentOf('intello without seam'))
  expect((await fetch(`${app.url}/health`)).status).toBe(200)
  const { code, stdout, stderr, milliseconds } = await app.end()
  expect({ code, stdout, stderr }).toEqual({ code: 0, stdout: `intello ready on ${app.url}\n`, stderr: '' })
  expect(milliseconds).toBeLessThan(5000)
})

it('refuses to start without its Supabase project: one sentence, no stack, exit code 1', async () => {
  const ending = await runToEnd(INTELLO_MAIN, { PORT: '0' })
  expect(ending).toEqual({ code: 1, stdout: '', stderr: 'intello: SUPABASE_URL is required\n' })
})
