/** The quick start as processes on three frameworks: the contract, the same bytes on each, and how it starts and ends. */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { send, type WireAnswer } from '../../examples/demo/send.ts'
import { QUICKSTART } from '../../examples/demo/tour-quickstart.ts'
import { SYSTEMS, type World } from '../../examples/demo/world.ts'
import { openWorldOf, runToEnd, startProcess } from './app-process.ts'
import { runChapters } from './run-chapters.ts'

let world: World
beforeAll(async () => {
  world = await openWorldOf(Object.keys(SYSTEMS).filter((name) => !/iron|intello/.test(name)))
})
afterAll(() => world.close())

const FRAMEWORKS = ['express', 'koa', 'hono'] as const
const main = (framework?: string): string[] => [
  'examples/quickstart/main.ts',
  ...(framework === undefined ? [] : [framework]),
]

describe('the contract', () => runChapters(QUICKSTART, () => world))

describe('every refusal is the same bytes and headers on every framework', () => {
  const cases: readonly (readonly [
    name: string,
    method: string,
    path: string,
    lines: readonly (readonly [string, string])[],
  ])[] = [
    ['no credential', 'GET', '/protected', []],
    ['HEAD without a credential', 'HEAD', '/protected', []],
    ['another scheme', 'GET', '/protected', [['Authorization', 'Basic eDp5']]],
    ['a token that is none', 'GET', '/protected', [['Authorization', 'Bearer x.y.z']]],
    ['no token', 'GET', '/protected', [['Authorization', 'Bearer ']]],
    ['a comma', 'GET', '/protected', [['Authorization', 'Bearer a,b']]],
    [
      'two lines',
      'GET',
      '/protected',
      [
        ['Authorization', 'Bearer a'],
        ['authorization', 'Bearer a'],
      ],
    ],
    ['too long', 'GET', '/protected', [['Authorization', `Bearer ${'x'.repeat(8193)}`]]],
    ['an expired token', 'GET', '/protected', [['Authorization', 'Bearer {ada expired}']]],
    [
      'a malformed org',
      'GET',
      '/protected',
      [
        ['Authorization', 'Bearer {ada}'],
        ['X-Org-Id', 'x'],
      ],
    ],
    [
      'two org headers',
      'GET',
      '/protected',
      [
        ['Authorization', 'Bearer {ada}'],
        ['X-Org-Id', 'x'],
        ['X-Org-Id', 'x'],
      ],
    ],
    [
      'an unknown org',
      'GET',
      '/admin',
      [
        ['Authorization', 'Bearer {ada}'],
        ['X-Org-Id', 'aaaaaaaa-0000-4000-8000-000000000000'],
      ],
    ],
    ['sync without a credential', 'POST', '/auth/sync', []],
    ['health', 'GET', '/health', []],
    ['health by HEAD', 'HEAD', '/health', []],
  ]
  it.each(cases)('%s', async (_name, method, path, lines) => {
    const answers = await Promise.all(
      FRAMEWORKS.map(async (framework) => comparable(await ask(framework, method, path, lines))),
    )
    expect(answers[1]).toEqual(answers[0])
    expect(answers[2]).toEqual(answers[0])
  })
})

async function ask(
  framework: string,
  method: string,
  path: string,
  lines: readonly (readonly [string, string])[],
): Promise<WireAnswer> {
  const filled = await Promise.all(
    lines.map(async ([name, value]) => {
      const [, who] = /\{(.*)\}/.exec(value) ?? []
      return [name, who === undefined ? value : `Bearer ${await world.token(framework, who)}`] as const
    }),
  )
  return send({ method, url: world.urlOf(framework) + path, lines: filled, body: undefined })
}

function comparable({ status, headers, text }: WireAnswer): unknown {
  const { date, ...rest } = headers
  return { status, text, headers: rest, hasDate: date !== undefined }
}

describe('how it starts', () => {
  it.each(FRAMEWORKS)('with no variables at all, on %s: a token and the lines to try it with', async (framework) => {
    const app = await startProcess(main(framework), { PORT: '0' })
    try {
      const text = app.stdout()
      expect(text.split('\n')[0]).toBe(`quickstart ready on ${app.url}`)
      expect(app.url).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/)
      const token = /^TOKEN=(eyJ\S+)$/m.exec(text)?.[1] ?? ''
      expect(text.split(token)).toHaveLength(2)
      expect(text).toContain(`curl -i ${app.url}/admin -H "Authorization: Bearer $TOKEN"\n`)
      const answer = await fetch(`${app.url}/protected`, { headers: { authorization: `Bearer ${token}` } })
      expect(await answer.json()).toMatchObject({ role: 'owner' })
      for (const path of ['/health', '/protected', '/admin', '/auth/sync']) expect(text).toContain(`${app.url}${path}`)
      expect(text).not.toContain('\x1b')
    } finally {
      const { code, stderr } = await app.end()
      expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    }
  })

  it.each([
    ['no framework', undefined, {}, 'name a framework: npm run quickstart -- express|koa|hono'],
    ['an unknown framework', 'constructor', {}, 'name a framework: npm run quickstart -- express|koa|hono'],
    ['USERS=foo', 'express', { USERS: 'foo' }, 'USERS must be provision or sync'],
    ['JWT_SECRET=', 'hono', { ISSUER: 'x', JWT_SECRET: '' }, 'JWT_SECRET is set, but empty'],
    [
      'production without ISSUER',
      'koa',
      { NODE_ENV: 'production' },
      'ISSUER is required in production: no embedded issuer there',
    ],
  ] as const)('refuses %s: one sentence, no stack, exit code 1', async (_name, framework, environment, sentence) => {
    const ending = await runToEnd(main(framework), { PORT: '0', ...environment })
    expect(ending).toEqual({ code: 1, stdout: '', stderr: `quickstart: ${sentence}\n` })
  })

  it('refuses a port that is taken', async () => {
    const holder = createServer().listen(0, '127.0.0.1')
    await new Promise((resolve) => holder.once('listening', resolve))
    const { port } = holder.address() as AddressInfo
    const ending = await runToEnd(main('express'), { PORT: String(port) })
    holder.close()
    const stderr = `quickstart: cannot listen on HOST 127.0.0.1, PORT ${port}: the port is taken\n`
    expect(ending).toEqual({ code: 1, stdout: '', stderr })
  })
})
