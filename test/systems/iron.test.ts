/** Iron as a process against a real issuer: the contract chapter by chapter, then what the tour has no words for. */
import { connect } from 'node:net'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { send } from '../../examples/demo/send.ts'
import { IRON } from '../../examples/demo/tour-iron.ts'
import type { World } from '../../examples/demo/world.ts'
import { openWorldOf, runToEnd, startProcess } from './app-process.ts'
import { runChapters } from './run-chapters.ts'

let world: World
beforeAll(async () => {
  world = await openWorldOf(['iron', 'iron without seam'])
})
afterAll(() => world.close())

const IRON_MAIN = ['examples/iron-crm/main.ts']
const call = async (method: string, path: string, lines: readonly (readonly [string, string])[], body?: string) =>
  send({ method, url: world.urlOf('iron') + path, lines, body })
const bearer = async (who: string): Promise<readonly [string, string]> => [
  'Authorization',
  `Bearer ${await world.token('iron', who)}`,
]

describe('the contract', () => runChapters(IRON, () => world))

it('writes these bytes and these headers, no others', async () => {
  const { status, headers, text } = await call('GET', '/api/v1/me', [])
  const { date, ...rest } = headers
  expect(date).toEqual(expect.any(String))
  expect({ status, rest, text }).toEqual({
    status: 401,
    rest: {
      'content-type': 'application/json; charset=utf-8',
      'cache-control': 'no-store',
      'www-authenticate': 'Bearer',
      'content-length': '77',
      connection: 'keep-alive',
      'keep-alive': 'timeout=5',
    },
    text: '{"error":{"code":"unauthorized","message":"A valid credential is required."}}',
  })
  const field = await call(
    'POST',
    '/api/v1/contacts',
    [await bearer('ada'), ['Content-Type', 'application/json']],
    '{}',
  )
  expect(field.text).toBe(
    '{"error":{"code":"validation_error","message":"The request body is not valid.","field":"name"}}',
  )
})

it('takes the scheme in any case, and a first login through a stranger’s org header still makes the user', async () => {
  const [, token] = (await bearer('ida'))[1].split(' ')
  const ada = JSON.parse((await call('GET', '/api/v1/me', [await bearer('ada')])).text) as { org: { id: string } }
  const lines = [['authorization', `bEARER ${token}`] as const]
  expect((await call('GET', '/api/v1/me', [...lines, ['x-org-id', ada.org.id]])).status).toBe(403)
  const { text } = await call('GET', '/api/v1/orgs', lines)
  expect(JSON.parse(text)).toEqual({ orgs: [{ id: expect.any(String), name: 'ida@example.test', role: 'owner' }] })
})

it('keeps one owner when two of them remove each other at once', async () => {
  const me = async (who: string) =>
    JSON.parse((await call('GET', '/api/v1/me', [await bearer(who)])).text) as {
      user: { id: string }
      org: { id: string }
    }
  const [joe, kim] = [await me('joe'), await me('kim')]
  const json = ['Content-Type', 'application/json'] as const
  const members = `/api/v1/orgs/${joe.org.id}/members`
  const body = JSON.stringify({ user_id: kim.user.id, role: 'owner' })
  expect((await call('POST', members, [await bearer('joe'), json], body)).status).toBe(201)
  const removals = await Promise.all([
    call('DELETE', `${members}/${kim.user.id}`, [await bearer('joe')]),
    call('DELETE', `${members}/${joe.user.id}`, [await bearer('kim')]),
  ])
  const statuses = removals.map(({ status }) => status)
  expect(statuses.filter((status) => status === 204)).toHaveLength(1)
  expect(statuses.filter((status) => [403, 404, 409].includes(status))).toHaveLength(1)
})

it('knows a user by the id in any case: made a member, and leaving', async () => {
  const me = async (who: string) =>
    JSON.parse((await call('GET', '/api/v1/me', [await bearer(who)])).text) as {
      user: { id: string }
      org: { id: string }
    }
  const [pia, quin] = [await me('pia'), await me('quin')]
  const members = `/api/v1/orgs/${pia.org.id}/members`
  const shouted = quin.user.id.toUpperCase()
  const body = JSON.stringify({ user_id: shouted, role: 'member' })
  const made = await call('POST', members, [await bearer('pia'), ['Content-Type', 'application/json']], body)
  expect([made.status, JSON.parse(made.text).member.user_id]).toEqual([201, quin.user.id])
  expect((await call('DELETE', `${members}/${shouted}`, [await bearer('quin')])).status).toBe(204)
})

it('answers an id that cannot be decoded as one that is not there', async () => {
  const { status, text } = await call('GET', '/api/v1/contacts/%zz', [await bearer('pia')])
  expect([status, JSON.parse(text).error.code]).toEqual([404, 'not_found'])
})

it('ends within five seconds of SIGTERM, with connections open, idle and half sent', async () => {
  const app = await startProcess(IRON_MAIN, world.environmentOf('iron without seam'))
  const { hostname, port } = new URL(app.url)
  const sockets = await Promise.all(
    ['GET /health HTTP/1.1\r\nHost: x\r\n\r\n', 'GET /health HTTP/1.1\r\nHos'].map(
      (text) =>
        new Promise<ReturnType<typeof connect>>((resolve) => {
          const socket = connect(Number(port), hostname, () => socket.write(text, () => resolve(socket)))
          socket.on('error', () => {})
        }),
    ),
  )
  expect((await fetch(`${app.url}/health`)).status).toBe(200)
  const { code, stdout, stderr } = await app.end()
  for (const socket of sockets) socket.destroy()
  expect({ code, stdout, stderr }).toEqual({ code: 0, stdout: `iron-crm ready on ${app.url}\n`, stderr: '' })
  expect(app.url).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/)
})

it('ends with the npm that started it, though no signal reaches it', async () => {
  const app = await startProcess(['npm', 'run', '--silent', 'example:iron'], world.environmentOf('iron'))
  expect((await fetch(`${app.url}/health`)).status).toBe(200)
  // The pipes stay open until the app itself has ended.
  await app.end()
  await expect(fetch(`${app.url}/health`)).rejects.toThrow()
})

it('refuses to start with a short secret: one sentence, no stack, exit code 1', async () => {
  const ending = await runToEnd(IRON_MAIN, { ...world.environmentOf('iron'), IRON_CRM_SECRET: 'short' })
  expect(ending).toEqual({
    code: 1,
    stdout: '',
    stderr: 'iron-crm: IRON_CRM_SECRET holds a secret that must be at least 32 bytes long\n',
  })
})
