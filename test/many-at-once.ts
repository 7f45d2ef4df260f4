/**
 * A server on each framework that makes a user on first sight, and what many at once do to it over real sockets: used
 * small in the suite and full-size in the proof.
 */
import { Agent, createServer, request as httpRequest, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { getRequestListener } from '@hono/node-server'
import express from 'express'
import { Hono } from 'hono'
import Koa from 'koa'
import type { Auth, Organization, UserOrgContext } from 'sallyport'
import * as forExpress from 'sallyport/express'
import * as forHono from 'sallyport/hono'
import * as forKoa from 'sallyport/koa'
import { createMemoryStorage, type MemoryStorage } from 'sallyport/memory'
import { expect } from 'vitest'
import { createTestAuth, issuer } from './support/world.ts'

const agent = new Agent({ keepAlive: true, maxSockets: 64 })
const servers: Server[] = []

/** Close every host that was started. */
export async function closeHosts(): Promise<void> {
  agent.destroy()
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))))
}

export interface Answer {
  readonly status: number
  readonly echo: string | undefined
  readonly body: { readonly user: string; readonly subject: string; readonly org: string; readonly role: string }
}

export interface Host {
  readonly storage: MemoryStorage
  readonly hooks: string[]
  get(token: string, orgId?: string): Promise<Answer>
}

export type Framework = 'express' | 'koa' | 'hono'

/** Start a server that provisions on first sight and shows who calls and where. */
export async function startHost(framework: Framework = 'express'): Promise<Host> {
  const storage = createMemoryStorage()
  const hooks: string[] = []
  const auth = createTestAuth(storage, {
    bootstrap: async ({ user }) => {
      await new Promise((resolve) => setImmediate(resolve))
      hooks.push(user.subject)
    },
  })
  const server = createServer(HOSTS[framework](auth as never))
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

type Seen = UserOrgContext & { readonly org: Organization }

// Two looks at the context with a turn of the event loop between them: whatever bled over would have time to.
async function seenTwice(look: () => Seen): Promise<{ readonly status: 200 | 500; readonly body: object }> {
  const before = look()
  await new Promise((resolve) => setImmediate(resolve))
  const { user, org, role, identity } = look()
  const isSame = before.org.id === org.id && before.user.id === user.id
  return { status: isSame ? 200 : 500, body: { user: user.id, subject: identity.subject, org: org.id, role } }
}

const HOSTS: Readonly<Record<Framework, (auth: Auth) => RequestListener>> = {
  express: (auth) => {
    const signedIn = forExpress.createAdapter(auth).middleware()
    const app = express()
    app.use(signedIn)
    app.get('/me', async (req, res) => {
      const { status, body } = await seenTwice(() => signedIn.getAuth(req) as Seen)
      res.status(status).json(body)
    })
    return app as unknown as RequestListener
  },
  koa: (auth) => {
    const signedIn = forKoa.createAdapter(auth).middleware()
    const app = new Koa()
    app.use(signedIn)
    app.use(async (ctx) => {
      const { status, body } = await seenTwice(() => signedIn.getAuth(ctx) as Seen)
      Object.assign(ctx, { status, body })
    })
    return app.callback()
  },
  hono: (auth) => {
    const signedIn = forHono.createAdapter(auth).middleware()
    const app = new Hono()
    app.use(signedIn)
    app.get('/me', async (c) => {
      const { status, body } = await seenTwice(() => signedIn.getAuth(c) as Seen)
      return c.json(body, status)
    })
    return getRequestListener(app.fetch)
  },
}

/** Mix a list the same way each time, so that neighbours are strangers. */
export function mixed<T>(list: readonly T[]): T[] {
  return list
    .map((item, i) => ({ item, key: (i * 7919) % 10_007 }))
    .sort((a, b) => a.key - b.key)
    .map(({ item }) => item)
}

/** Tokens of so many people nobody has seen. */
export const tokensOf = (count: number): Promise<string[]> =>
  Promise.all(Array.from({ length: count }, (_, i) => issuer.sign({ sub: `person-${i}`, email: `p${i}@example.test` })))

/** So many parallel first requests of each of so many people: every one answered, everybody made once (P3). */
export async function expectFirstLogins(framework: Framework, people: number, requests: number): Promise<void> {
  const host = await startHost(framework)
  const tokens = await tokensOf(people)
  const asked = mixed(
    tokens.flatMap((token, i) => Array.from({ length: requests }, () => ({ token, subject: `person-${i}` }))),
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
  expect(answers).toHaveLength(people * requests)
  expect(new Set(idOf.values()).size).toBe(people)
  expect([await host.storage.users.count(), await host.storage.orgs.count()]).toEqual([people, people])
  expect([host.hooks.length, new Set(host.hooks).size]).toEqual([people, people])
}
