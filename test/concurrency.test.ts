/**
 * Many at once, over real sockets with the Express adapter: first logins, two tabs of one person in two orgs, people who
 * must not see each other. And revocation in process: what was taken away is refused on the very next request.
 */
import { Agent, createServer, request as httpRequest, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import express from 'express'
import { createAuth, createJwtVerifier, createOrgResolver, createProvisioner, header } from 'sallyport'
import { createAdapter } from 'sallyport/express'
import { createMemoryStorage, type MemoryStorage } from 'sallyport/memory'
import { afterAll, describe, expect, it } from 'vitest'
import { createWorld, issuer, reasonOf, type World } from './corridor/world.ts'

const agent = new Agent({ keepAlive: true, maxSockets: 64 })
const servers: Server[] = []

afterAll(async () => {
  agent.destroy()
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))))
})

interface Answer {
  readonly status: number
  readonly echo: string | undefined
  readonly body: { readonly user: string; readonly subject: string; readonly org: string; readonly role: string }
}

interface Host {
  readonly storage: MemoryStorage
  readonly hooks: string[]
  get(token: string, orgId?: string): Promise<Answer>
}

async function startHost(): Promise<Host> {
  const storage = createMemoryStorage()
  const hooks: string[] = []
  const auth = createAuth({
    roles: ['member', 'admin', 'owner'],
    verify: createJwtVerifier({
      issuers: [{ issuer: issuer.issuer, keys: [{ kind: 'secret', secret: issuer.secret }] }],
      audience: issuer.audience,
    }),
    users: createProvisioner({
      storage,
      bootstrap: async ({ user }) => {
        await new Promise((resolve) => setImmediate(resolve))
        hooks.push(user.subject)
      },
    }),
    orgs: createOrgResolver({
      source: storage.memberships,
      selectors: [header('X-Org-Id')],
      unnamed: 'earliest-joined',
    }),
  })
  const { middleware, getAuth } = createAdapter(auth)
  const app = express()
  app.use(middleware())
  app.get('/me', (req, res) => {
    const before = getAuth(req)
    // A turn of the event loop between two reads: whatever bled over would have time to.
    setImmediate(() => {
      const { user, org, role, identity } = getAuth(req)
      if (before.org.id !== org.id || before.user.id !== user.id) res.status(599)
      res.json({ user: user.id, subject: identity.subject, org: org.id, role })
    })
  })
  const server = createServer(app)
  servers.push(server)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return { storage, hooks, get: (token, orgId) => get(port, token, orgId) }
}

function get(port: number, token: string, orgId?: string): Promise<Answer> {
  const headers = { authorization: `Bearer ${token}`, ...(orgId !== undefined && { 'x-org-id': orgId }) }
  return new Promise((resolve, reject) => {
    const message = httpRequest({ port, host: '127.0.0.1', path: '/me', agent, headers }, (res) => {
      const chunks: Buffer[] = []
      res.on('data', (chunk: Buffer) => chunks.push(chunk))
      res.on('error', reject)
      res.on('end', () => {
        const body = JSON.parse(Buffer.concat(chunks).toString()) as Answer['body']
        resolve({ status: res.statusCode ?? 0, echo: res.headers['x-org-id'] as string | undefined, body })
      })
    })
    message.on('error', reject)
    message.end()
  })
}

/** Mix a list the same way each time, so that neighbours are strangers. */
function mixed<T>(list: readonly T[]): T[] {
  return list
    .map((item, i) => ({ item, key: (i * 7919) % 10_007 }))
    .sort((a, b) => a.key - b.key)
    .map(({ item }) => item)
}

const tokensOf = (count: number): Promise<string[]> =>
  Promise.all(Array.from({ length: count }, (_, i) => issuer.sign({ sub: `person-${i}`, email: `p${i}@example.test` })))

describe('first logins over HTTP', () => {
  it('50 people × 100 parallel first requests: 5,000 answers, 50 users, 50 orgs, 50 hooks', async () => {
    const host = await startHost()
    const tokens = await tokensOf(50)
    const asked = mixed(
      tokens.flatMap((token, i) => Array.from({ length: 100 }, () => ({ token, subject: `person-${i}` }))),
    )
    const answers = await Promise.all(asked.map(({ token }) => host.get(token)))
    const idOf = new Map<string, string>()
    answers.forEach(({ status, body, echo }, i) => {
      expect(status).toBe(200)
      expect(body.subject).toBe(asked[i]?.subject)
      expect(body.role).toBe('owner')
      expect(echo).toBe(body.org)
      expect(idOf.get(body.subject) ?? body.user).toBe(body.user)
      idOf.set(body.subject, body.user)
    })
    expect(answers).toHaveLength(5000)
    expect(new Set(idOf.values()).size).toBe(50)
    expect([await host.storage.users.count(), await host.storage.orgs.count()]).toEqual([50, 50])
    expect([host.hooks.length, new Set(host.hooks).size]).toEqual([50, 50])
  })

  it('100 people × 5 parallel first requests: each gets its own id (T23)', async () => {
    const host = await startHost()
    const tokens = await tokensOf(100)
    const asked = mixed(
      tokens.flatMap((token, i) => Array.from({ length: 5 }, () => ({ token, subject: `person-${i}` }))),
    )
    const answers = await Promise.all(asked.map(({ token }) => host.get(token)))
    expect(answers.map(({ body }) => body.subject)).toEqual(asked.map(({ subject }) => subject))
    expect(new Set(answers.map(({ body }) => body.user)).size).toBe(100)
  })

  it('two tabs: one person, two orgs, 500 interleaved requests, no bleed', async () => {
    const host = await startHost()
    const [token = ''] = await tokensOf(1)
    const { body: own } = await host.get(token)
    const other = await host.storage.orgs.insert({ name: 'other' })
    await host.storage.memberships.insert({ orgId: other.id, userId: own.user, role: 'member' })
    const asked = mixed(Array.from({ length: 500 }, (_, i) => (i % 2 === 0 ? own.org : other.id)))
    const answers = await Promise.all(asked.map((orgId) => host.get(token, orgId)))
    expect(answers.map(({ body }) => body.org)).toEqual(asked)
    expect(answers.map(({ echo }) => echo)).toEqual(asked)
    expect(answers.every(({ body }) => body.role === (body.org === own.org ? 'owner' : 'member'))).toBe(true)
  })
})

describe('revocation: refused on the very next request', () => {
  const TRIALS = 1000

  // [what is taken away, how, the reason of the refusal]
  const changes: readonly (readonly [
    string,
    (world: World, orgId: string, userId: string) => Promise<unknown>,
    string,
  ])[] = [
    ['a membership', ({ storage }, orgId, userId) => storage.memberships.remove(orgId, userId), 'not_a_member'],
    ['a role', ({ storage }, orgId, userId) => storage.memberships.setRole(orgId, userId, 'member'), 'role_too_low'],
    ['a user', ({ storage }, _orgId, userId) => storage.users.setDisabled(userId, true), 'user_disabled'],
    ['an org', ({ storage }, orgId) => storage.orgs.remove(orgId), 'not_a_member'],
  ]

  it.each(changes)(`%s: ${TRIALS} of ${TRIALS}`, async (_what, takeAway, reason) => {
    const world = createWorld()
    let refused = 0
    for (let trial = 0; trial < TRIALS; trial++) {
      const orgId = await world.org(`org ${trial}`)
      const { id, headers } = await world.person(`person ${trial}`, { [orgId]: 'admin' })
      const request = { headers: { ...headers, 'x-org-id': orgId } }
      expect(await world.walk(request, { role: 'admin' })).toMatchObject({ role: 'admin' })
      await takeAway(world, orgId, id)
      if ((await reasonOf(world.walk(request, { role: 'admin' }))) === reason) refused++
    }
    expect(refused).toBe(TRIALS)
  })
})
