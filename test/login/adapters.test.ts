/** The whole flow over real sockets on Express 5 and 4, Koa 3 and 2, and Hono: the same bytes, `Set-Cookie` included. */
import { request as httpRequest } from 'node:http'
import { describe, expect, it } from 'vitest'
import { createPasswordHasher } from '../../src/login/password-hash.ts'
import { PATIENCE_MS } from '../patience.ts'
import { HOSTS, type HostName, listen } from '../support/hosts.ts'
import { BETTER, createLoginWorld, GOOD } from './login-world.ts'

interface Seen {
  readonly status: number | undefined
  readonly headers: readonly string[]
  readonly body: string
}

// What a server adds by itself, each in its own way.
const OF_THE_SERVER = ['date', 'connection', 'keep-alive', 'x-powered-by', 'transfer-encoding', 'content-length']

function send(url: string, method: string, path: string, headers: object, body?: unknown): Promise<Seen> {
  const text = body === undefined ? undefined : JSON.stringify(body)
  const sent = text === undefined ? headers : { ...headers, 'Content-Type': 'application/json' }
  return new Promise((resolve, reject) => {
    const outgoing = httpRequest(
      `${url}/api/v1${path}`,
      { method, headers: sent as never, agent: false },
      (response) => {
        const chunks: Buffer[] = []
        response.on('data', (chunk) => chunks.push(chunk))
        response.on('end', () => {
          const lines = response.rawHeaders.flatMap((name, i) =>
            i % 2 === 0 && !OF_THE_SERVER.includes(name.toLowerCase())
              ? [`${name.toLowerCase()}: ${response.rawHeaders[i + 1]}`]
              : [],
          )
          resolve({ status: response.statusCode, headers: lines.sort(), body: Buffer.concat(chunks).toString() })
        })
      },
    )
    outgoing.on('error', reject)
    outgoing.end(text)
  })
}

async function flow(host: HostName): Promise<readonly Seen[]> {
  const world = createLoginWorld()
  await world.account('admin@example.test', 'admin')
  const { url, close } = await listen(
    HOSTS[host]({ auth: world.auth, routes: world.login.routes, endpoints: [] } as never),
  )
  const seen: Seen[] = []
  const step = async (method: string, path: string, headers: object = {}, body?: unknown): Promise<Seen> => {
    const answer = await send(url, method, path, headers, body)
    seen.push(answer)
    return answer
  }
  try {
    await step('GET', '/capabilities')
    await step('GET', '/auth/validate')
    await step('POST', '/auth/login', {}, { email: 'admin@example.test', password: 'wrong' })
    await step('POST', '/auth/login', {}, { email: 'nobody@example.test', password: 'wrong' })
    await step('POST', '/auth/login', {}, { email: 'admin@example.test' })
    await step('POST', '/auth/login', { 'Sec-Fetch-Site': 'cross-site' }, { email: 'a', password: 'b' })
    const { body } = await step('POST', '/auth/login', {}, { email: 'Admin@example.test', password: GOOD })
    const { token } = JSON.parse(body) as { token: string }
    const cookie = { Cookie: `other=1; session=${token}` }
    const ours = { ...cookie, 'Sec-Fetch-Site': 'same-origin' }
    await step('GET', '/auth/validate', cookie)
    await step('GET', '/users', cookie)
    await step('GET', '/users', { Authorization: `Bearer ${token}` })
    await step('POST', '/users', cookie, { email: 'b@example.test', password: GOOD, role: 'viewer' })
    const made = await step('POST', '/users', ours, { email: 'b@example.test', password: GOOD, role: 'viewer' })
    const { id } = JSON.parse(made.body).user as { id: string }
    await step('PATCH', `/users/${id}`, ours, { role: 'root' })
    await step('PATCH', `/users/${id}`, ours, { role: 'developer' })
    await step('DELETE', `/users/${id}`, ours)
    await step('DELETE', `/users/${id}`, ours)
    await step('POST', '/auth/password', ours, { current_password: 'wrong', new_password: BETTER })
    await step('POST', '/auth/logout', ours)
    await step('GET', '/auth/validate', cookie)
    for (let i = 0; i < 6; i++) await step('POST', '/auth/login', {}, { email: 'x@example.test', password: 'wrong' })
    return seen
  } finally {
    await close()
  }
}

// Tokens and ids are random; everything else is not.
function settled(seen: readonly Seen[]): unknown {
  const text = JSON.stringify(seen)
  return JSON.parse(text.replace(/eyJ[\w.-]+/g, 'TOKEN').replace(/[0-9a-f]{8}-[0-9a-f-]{27}/g, 'ID'))
}

it('clients that go away in the middle of a login leave no slot taken, and no try in flight (E3)', async () => {
  // Places for all twenty, also beside those that are kept: however slow the machine is, none is sent away at once.
  const PLACES = 26
  const passwords = createPasswordHasher({ cost: { kind: 'scrypt', ln: 13, r: 8, p: 1 }, maxQueued: PLACES - 2 })
  const world = createLoginWorld({ passwords })
  const emails = Array.from({ length: 5 }, (_, round) => `ada${round}@example.test`)
  for (const email of emails) await world.account(email)
  const begun = (): number => world.calls.filter((call) => call === 'passwords.verify').length
  const { url, close } = await listen(
    HOSTS['express 5']({ ...world, routes: world.login.routes, endpoints: [] } as never),
  )
  try {
    for (const email of emails) {
      const before = begun()
      const gone = Array.from({ length: 4 }, () => {
        const sent = httpRequest(`${url}/api/v1/auth/login`, {
          ...{ method: 'POST', agent: false, headers: { 'Content-Type': 'application/json' } },
        })
        sent.on('error', () => undefined).end(JSON.stringify({ email, password: GOOD }))
        return sent
      })
      await expect.poll(begun, { timeout: PATIENCE_MS, interval: 1 }).toBeGreaterThan(before)
      for (const sent of gone) sent.destroy()
    }
    // The clock of this world stands still: what is not let go of now is never.
    for (const email of emails) {
      const again = () => send(url, 'POST', '/auth/login', {}, { email, password: GOOD })
      await expect.poll(async () => (await again()).status, { timeout: PATIENCE_MS, interval: 50 }).toBe(200)
    }
    const takeAll = (): void => {
      const taken: { leave(): void }[] = []
      try {
        for (let count = 0; count < PLACES; count++) taken.push(passwords.takePlace?.(true) as { leave(): void })
      } finally {
        for (const place of taken) place.leave()
      }
    }
    await expect.poll(async () => takeAll(), { timeout: PATIENCE_MS, interval: 50 }).toBeUndefined()
  } finally {
    await close()
  }
})

describe('the login flow', async () => {
  const wanted = await flow('express 5')

  it('answers with these statuses, these headers, this body', () => {
    expect(wanted.map(({ status }) => status)).toEqual([
      ...[200, 401, 401, 401, 400, 403, 200, 200, 200, 200, 403, 201, 400, 200, 204, 404, 403, 204, 401],
      ...[401, 401, 401, 401, 401, 429],
    ])
    const { body, ...login } = settled([wanted[6] as Seen]) as never as Seen & { 0: Seen }
    expect([body, login[0]]).toEqual([
      undefined,
      {
        status: 200,
        headers: [
          'cache-control: no-store',
          'content-type: application/json; charset=utf-8',
          'set-cookie: session=TOKEN; Path=/; Max-Age=86400; HttpOnly; SameSite=Lax',
        ],
        body: '{"token":"TOKEN"}',
      },
    ])
  })

  it('says in Vary that a session comes by Authorization or cookie, and nothing of it on public routes', () => {
    const withVary = wanted.flatMap(({ headers }, i) => (headers.includes('vary: Authorization, Cookie') ? [i] : []))
    expect(withVary).toEqual(expect.arrayContaining([8, 9, 11, 13]))
    expect(withVary).not.toContain(0)
    expect(withVary).not.toContain(7)
  })

  it.each(Object.keys(HOSTS).slice(1) as HostName[])('is the same on %s', async (host) => {
    expect(settled(await flow(host))).toEqual(settled(wanted))
  })
})
