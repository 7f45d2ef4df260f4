/** The WebSocket server of docs/websockets-sse-browsers.md in a process of its own: asked by a real browser, and by raw sockets. */
import { once } from 'node:events'
import { copyFileSync, mkdirSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import { fileURLToPath } from 'node:url'
import type { Browser, BrowserContext, Page } from 'playwright-core'
import { type SupabaseIssuer, startSupabaseIssuer } from 'sallyport/testing'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { launchBrowser } from '../browser/browser.ts'
import { printedFiles } from '../readme/snippets.ts'
import { installPeers } from './peers.ts'
import { type Program, start } from './servers.ts'

let issuer: SupabaseIssuer
let token: string
let program: Program
let browser: Browser
/** A page of another origin. */
let elsewhere: Server

// Written below the program: whoever is disabled must be put out of a socket that is open.
const DISABLE = `
app.post('/disable', protect(async ({ user }, _req, res) => {
  await storage.users.setDisabled(user.id, true)
  res.end()
}))
app.get('/', (_req, res) => void res.send('a page'))
app.get('/timers', (_req, res) => void res.json(process.getActiveResourcesInfo().filter((each) => each === 'Timeout').length))
const { listActing } = storage.memberships
Object.assign(storage.memberships, {
  async listActing(who, ...given) {
    if (who.user?.email === 'broken@example.test') throw new Error('a fault below')
    if (who.user?.email === 'slow@example.test') await new Promise((resolve) => setTimeout(resolve, 100))
    return listActing(who, ...given)
  },
})
`

beforeAll(async () => {
  issuer = await startSupabaseIssuer()
  token = await tokenOf('ada')
  const place = await installPeers()
  const home = `${place}websocket/`
  mkdirSync(home, { recursive: true })
  const recipes = fileURLToPath(new URL('../../examples/recipes/', import.meta.url))
  copyFileSync(`${recipes}auth.ts`, `${home}auth.ts`)
  // As a reader of the page has it.
  const pasted = printedFiles.filter(({ name }) => name.includes('/websocket.ts#')).map(({ code }) => code)
  writeFileSync(`${home}websocket.ts`, pasted.join('\n') + DISABLE)
  const environment = { SUPABASE_URL: issuer.url, RECHECK_MS: '100', PATIENCE_MS: '200' }
  program = await start([process.execPath, '--import', 'tsx', 'websocket.ts'], home, environment)
  elsewhere = createServer((_request, response) => void response.end('another page')).listen(0, '127.0.0.1')
  browser = await launchBrowser()
}, 600_000)

afterAll(async () => {
  await browser?.close()
  elsewhere?.close()
  await program?.stop()
  await issuer?.close()
})

const tokenOf = (name: string): Promise<string> =>
  issuer.tokens.sign(issuer.tokens.supabaseClaims({ sub: name, email: `${name}@example.test` }))

interface Seen {
  readonly messages: readonly unknown[]
  /** `null`: it is open. */
  readonly code: number | null
  readonly reason: string
}

/** Open a socket as a page does, and wait for the first message, or that it is closed. */
function open(page: Page, path: string, first = ''): Promise<Seen> {
  return page.evaluate(
    ({ url, first }) =>
      new Promise<Seen>((resolve) => {
        const socket = new WebSocket(url)
        const ended = new Promise<Seen>((end) => {
          socket.onclose = ({ code, reason }) => end({ messages: [], code, reason })
        })
        Object.assign(globalThis, { ended })
        void ended.then(resolve)
        socket.onopen = () => first !== '' && socket.send(first)
        socket.onmessage = ({ data }) => resolve({ messages: [JSON.parse(data)], code: null, reason: '' })
      }),
    { url: program.url.replace('http', 'ws') + path, first },
  )
}

/** How the socket of a page ends. */
const ended = (page: Page): Promise<Seen> => page.evaluate(() => Reflect.get(globalThis, 'ended'))

async function pageOf(cookie: string | null, at = program.url): Promise<{ page: Page; context: BrowserContext }> {
  const context = await browser.newContext()
  if (cookie !== null) await context.addCookies([{ name: 'session', value: cookie, url: program.url }])
  const page = await context.newPage()
  await page.goto(at)
  return { page, context }
}

const another = (): string => `http://127.0.0.1:${(elsewhere.address() as AddressInfo).port}`
const ADA = { hello: 'ada@example.test', org: 'ada@example.test' }
const REFUSED = { messages: [], code: 1006, reason: '' }

it('a cookie: a page of the own origin is in, without one it is not', async () => {
  expect(await open((await pageOf(token)).page, '/live')).toMatchObject({ messages: [ADA], code: null })
  expect(await open((await pageOf(null)).page, '/live')).toEqual(REFUSED)
})

it('a cookie: a page of another origin is refused, though the browser sends it', async () => {
  expect(await open((await pageOf(token, another())).page, '/live')).toEqual(REFUSED)
  expect(await statusOf({ Cookie: `session=${token}`, Origin: another() })).toBe('HTTP/1.1 403 Refused')
  expect(await statusOf({ Cookie: `session=${token}`, Origin: program.url })).toBe('HTTP/1.1 101 Switching Protocols')
})

it('a ticket: good for a page of any origin, once', async () => {
  const refused = await fetch(`${program.url}/api/live/ticket`, { method: 'POST' })
  expect(refused.status).toBe(401)
  const headers = { authorization: `Bearer ${token}` }
  const answer = await fetch(`${program.url}/api/live/ticket`, { method: 'POST', headers })
  const { ticket } = (await answer.json()) as { ticket: string }
  expect(answer.headers.get('cache-control')).toBe('no-store')
  const { page } = await pageOf(null, another())
  expect(await open(page, `/live?ticket=${ticket}`)).toMatchObject({ messages: [ADA] })
  expect(await open(page, `/live?ticket=${ticket}`)).toEqual(REFUSED)
})

it.each([
  ['a good token', () => JSON.stringify({ token }), { messages: [ADA], code: null }],
  ['a bad token', () => JSON.stringify({ token: 'x.y.z' }), { messages: [], code: 1008, reason: 'refused' }],
  ['what is no header', () => JSON.stringify({ token: 'a\nb' }), { messages: [], code: 1008, reason: 'refused' }],
  ['what is no JSON', () => '{', { messages: [], code: 1008, reason: 'refused' }],
  ['nothing', () => '', { messages: [], code: 1008, reason: 'no token' }],
])('the first message: %s', async (_what, first, seen) => {
  const { page } = await pageOf(null, another())
  expect(await open(page, '/live/first-message', first())).toMatchObject(seen)
})

it.each(['cookie', 'first message'])('whoever is disabled is put out of a socket that is open: %s', async (by) => {
  const bob = await tokenOf(`bob by ${by}`.replaceAll(' ', '-'))
  const { page } = await pageOf(by === 'cookie' ? bob : null)
  const path = by === 'cookie' ? '/live' : '/live/first-message'
  const first = by === 'cookie' ? '' : JSON.stringify({ token: bob })
  expect(await open(page, path, first)).toMatchObject({ code: null })
  const headers = { authorization: `Bearer ${bob}` }
  expect((await fetch(`${program.url}/disable`, { method: 'POST', headers })).status).toBe(200)
  expect(await ended(page)).toMatchObject({ code: 1008, reason: 'ended' })
})

it('clients that reset while they are asked for end nothing', async () => {
  const { port } = new URL(program.url)
  const lines = `Host: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nAuthorization: Bearer ${token}\r\n\r\n`
  await Promise.all(
    Array.from({ length: 50 }, () => {
      const socket = connect(Number(port), '127.0.0.1')
      socket.on('error', () => undefined)
      return new Promise<void>((resolve) => {
        socket.on('close', () => resolve())
        socket.write(`GET /live HTTP/1.1\r\n${lines}`, () => setImmediate(() => socket.resetAndDestroy()))
      })
    }),
  )
  expect(await statusOf({ Authorization: `Bearer ${token}` })).toBe('HTTP/1.1 101 Switching Protocols')
  expect(program.output()).not.toMatch(/Error/)
})

it('a client that is refused, and never ends its side, is let go', async () => {
  const { port, host } = new URL(program.url)
  const socket = connect({ port: Number(port), host: '127.0.0.1', allowHalfOpen: true })
  socket.on('error', () => undefined)
  const ended = once(socket, 'end')
  // Not by `once`, which rejects for the error that comes before.
  const closed = new Promise((resolve) => socket.on('close', resolve))
  socket.resume()
  socket.write(`GET /live HTTP/1.1\r\nHost: ${host}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n`)
  await ended
  // Whoever writes to nobody is reset.
  const timer = setInterval(() => socket.write('is anybody there?'), 20)
  await closed
  clearInterval(timer)
})

it('who leaves while a first message is asked about leaves no timer', async () => {
  const slow = await tokenOf('slow')
  const timers = async (): Promise<number> => (await fetch(`${program.url}/timers`)).json() as Promise<number>
  const { page } = await pageOf(null, another())
  const before = await timers()
  await page.evaluate(
    async ({ url, first }) => {
      const leave = () =>
        new Promise<unknown>((resolve) => {
          const socket = new WebSocket(url)
          socket.onclose = resolve
          socket.onopen = () => {
            socket.send(first)
            socket.close()
          }
        })
      await Promise.all(Array.from({ length: 20 }, leave))
    },
    { url: `${program.url.replace('http', 'ws')}/live/first-message`, first: JSON.stringify({ token: slow }) },
  )
  await expect.poll(timers, { timeout: 10_000 }).toBeLessThan(before + 20)
})

it('an upgrade is answered with the status of a request', async () => {
  const bearer = (token: string): Record<string, string> => ({ Authorization: `Bearer ${token}` })
  const expired = { ...issuer.tokens.supabaseClaims({ sub: 'ada' }), exp: Math.floor(Date.now() / 1000) - 600 }
  const elsewhere = { ...bearer(token), 'X-Org-Id': '4b5c9a1e-9a0f-4f5e-8a57-0d8f1c1b2a3d' }
  const asked: readonly (readonly [status: number, headers: Record<string, string>])[] = [
    [401, {}],
    [401, bearer('x.y.z')],
    [401, bearer(await issuer.tokens.sign(expired))],
    [403, elsewhere],
    [400, { ...bearer(token), 'X-Org-Id': 'nonsense' }],
    [500, bearer(await tokenOf('broken'))],
  ]
  for (const [status, headers] of asked) expect(await statusOf(headers)).toBe(`HTTP/1.1 ${status} Refused`)
  const faults = (): number => program.output().split('sallyport: 500 internal_error').length - 1
  await expect.poll(faults, { timeout: 10_000 }).toBe(1)
})

it('a first message: who is refused sees 1008, and 1011 where that can’t be found out', async () => {
  const { page } = await pageOf(null, another())
  const codeOf = async (first: string): Promise<number | null> => (await open(page, '/live/first-message', first)).code
  for (const first of ['{', 'null', '{}', '{"token":"x.y.z"}', '{"token":"\\n"}'])
    expect(await codeOf(first)).toBe(1008)
  const elsewhere = { token, orgId: '4b5c9a1e-9a0f-4f5e-8a57-0d8f1c1b2a3d' }
  expect(await codeOf(JSON.stringify(elsewhere))).toBe(1008)
  expect(await codeOf(JSON.stringify({ token: await tokenOf('broken') }))).toBe(1011)
})

it('a target that is no URL ends nothing', async () => {
  expect(await statusOf({}, '//')).toBe('HTTP/1.1 401 Refused')
  expect(await statusOf({ Authorization: `Bearer ${token}` }, '/live?ticket=%')).toBe(
    'HTTP/1.1 101 Switching Protocols',
  )
})

/** The first line of the answer to an upgrade. */
function statusOf(headers: Readonly<Record<string, string>>, target = '/live'): Promise<string> {
  const { port, host } = new URL(program.url)
  const ours = { Host: host, Connection: 'Upgrade', Upgrade: 'websocket', 'Sec-WebSocket-Version': '13' }
  const lines = Object.entries({ ...ours, 'Sec-WebSocket-Key': 'c2l4dGVlbiBieXRlcyEhIQ==', ...headers })
  const socket = connect(Number(port), '127.0.0.1')
  socket.write(`GET ${target} HTTP/1.1\r\n${lines.map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n`)
  return new Promise((resolve, reject) => {
    socket.on('error', reject)
    socket.once('data', (chunk) => {
      resolve(String(chunk).split('\r\n')[0] as string)
      socket.destroy()
    })
  })
}
