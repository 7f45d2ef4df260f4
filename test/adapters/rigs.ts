/** One small app in six frameworks: what a test wants of a host, said once. */
import { getRequestListener } from '@hono/node-server'
import type express from 'express'
import { Hono } from 'hono'
import type Koa from 'koa'
import { type Access, type Auth, type AuthTypes, createAuth, createOrgResolver, type Decision, header } from 'sallyport'
import type { AdapterOptions } from 'sallyport/adapter'
import * as forExpress from 'sallyport/express'
import * as forHono from 'sallyport/hono'
import * as forKoa from 'sallyport/koa'
import { createTestKit, type TestCaller } from 'sallyport/testing'
import { createSyncGate, type UserResolver, type Verifier } from '../../src/index.ts'
import type { StoredUser } from '../../src/storage/shipped-storage.ts'
import { type Listening, listen, newExpress, newKoa } from '../support/hosts.ts'

export const RIGS = ['express 5', 'express 4', 'koa 3', 'koa 2', 'hono', 'hono over fetch'] as const
export type RigName = (typeof RIGS)[number]

/** How a handler answers. */
export type Reply = 'json' | 'stream' | 'plain'

export interface RigRoute {
  readonly path: string
  readonly how: 'protect' | 'middleware'
  readonly access?: Access
  readonly reply?: Reply
  /** Runs in the handler, before it answers; may throw. */
  run?(): unknown
}

export interface RigOptions extends AdapterOptions {
  /** Mount the adapter's `onError`. */
  readonly onError?: boolean
  /** Set by a middleware before everything else. */
  readonly earlier?: Readonly<Record<string, string>>
}

export interface Rig {
  /** What has reached the framework's own error handling. */
  readonly errors: unknown[]
  send(path: string, init?: RequestInit): Promise<Response>
  close(): Promise<void>
}

/** A world with one member of one org, and counters of the steps' work. */
export interface RigWorld {
  readonly auth: Auth<AuthTypes>
  readonly caller: TestCaller
  readonly stranger: TestCaller
  readonly counts: { verify: number; users: number }
  readonly decisions: Decision[]
  /** Set to make the user resolver do something else. */
  users: (() => unknown) | null
}

export async function createRigWorld(): Promise<RigWorld> {
  const kit = await createTestKit()
  const counts = { verify: 0, users: 0 }
  const world: { users: (() => unknown) | null } = { users: null }
  const verify: Verifier<never> = {
    verify: (token) => {
      counts.verify++
      return kit.verifier.verify(token)
    },
  }
  const gate = createSyncGate({ users: kit.storage.users })
  const users: UserResolver<StoredUser> = async (identity, selection) => {
    counts.users++
    await world.users?.()
    return gate(identity, selection)
  }
  const orgs = createOrgResolver({
    memberships: kit.storage.memberships,
    selectors: [header('X-Org-Id')],
    whenUnnamed: 'earliest-joined',
  })
  const decisions: Decision[] = []
  const onDecision = (decision: Decision): unknown => decisions.push(decision)
  const auth = createAuth({
    roles: ['member', 'admin'],
    verifier: verify,
    users,
    orgs,
    onDecision,
  }) as unknown as Auth<AuthTypes>
  const caller = await kit.signIn({ org: 'acme', role: 'member' })
  return Object.assign(world, { auth, caller, stranger: await kit.signIn(), counts, decisions })
}

/** Build the app and let it listen. */
export async function createRig(
  name: RigName,
  auth: Auth,
  routes: readonly RigRoute[],
  options: RigOptions = {},
): Promise<Rig> {
  if (name.startsWith('express')) return listening(expressRig(name, auth, routes, options))
  if (name.startsWith('koa')) return listening(koaRig(name, auth, routes, options))
  const { app, errors } = honoRig(auth, routes, options)
  if (name === 'hono') return listening({ listener: getRequestListener(app.fetch), errors })
  return {
    errors,
    send: async (path, init) => app.fetch(new Request(`http://127.0.0.1${path}`, init)),
    close: async () => undefined,
  }
}

async function listening({ listener, errors }: { listener: unknown; errors: unknown[] }): Promise<Rig> {
  const server: Listening = await listen(listener as never)
  return { errors, send: (path, init) => fetch(`${server.url}${path}`, init), close: server.close }
}

function expressRig(
  name: RigName,
  auth: Auth,
  routes: readonly RigRoute[],
  options: RigOptions,
): { listener: unknown; errors: unknown[] } {
  const { onError = false, earlier = {}, ...adapterOptions } = options
  const adapter = forExpress.createAdapter(auth, adapterOptions)
  const app = newExpress(name)
  const errors: unknown[] = []
  app.use((_req, res, next) => {
    res.set(earlier)
    next()
  })
  for (const { path, how, access = {}, reply = 'json', run } of routes) {
    const answer = (res: express.Response): void => {
      if (reply === 'json') res.json({ ok: true })
      else if (reply === 'plain') res.writeHead(200, { 'Content-Type': 'text/plain' }).end('plain')
      else {
        res.write('str')
        setTimeout(() => res.end('eam'), 5)
      }
    }
    // Express 4 does not look at promises, so a handler of its time hands its errors on by itself.
    const handler: express.RequestHandler = (_req, res, next) => {
      Promise.resolve()
        .then(() => run?.())
        .then(() => answer(res), next)
    }
    if (how === 'middleware') app.get(path, adapter.middleware(access), handler)
    else {
      app.get(
        path,
        adapter.protect(access, async (_context, _req, res) => {
          await run?.()
          answer(res)
        }),
      )
    }
  }
  if (onError) app.use(adapter.onError)
  app.use(((error, _req, _res, next) => {
    errors.push(error)
    next(error)
  }) satisfies express.ErrorRequestHandler)
  return { listener: app, errors }
}

function koaRig(
  name: RigName,
  auth: Auth,
  routes: readonly RigRoute[],
  options: RigOptions,
): { listener: unknown; errors: unknown[] } {
  const { onError = false, earlier = {}, ...adapterOptions } = options
  const adapter = forKoa.createAdapter(auth, adapterOptions)
  const app = newKoa(name)
  const errors: unknown[] = []
  app.on('error', (error) => errors.push(error))
  app.use((ctx, next) => {
    ctx.set(earlier)
    return next()
  })
  if (onError) app.use(adapter.onError)
  for (const { path, how, access = {}, reply = 'json', run } of routes) {
    const handler: Koa.Middleware = async (ctx) => {
      await run?.()
      if (reply === 'json') ctx.body = { ok: true }
      else if (reply === 'plain') ctx.body = 'plain'
      else ctx.body = new Blob(['str', 'eam']).stream()
      if (reply === 'stream' && name === 'koa 2') ctx.body = (await import('node:stream')).Readable.from(['str', 'eam'])
    }
    const guard = adapter.middleware(access)
    const wrapped = adapter.protect(access, (_context, ctx, next) => handler(ctx, next))
    app.use((ctx, next) => {
      if (ctx.path !== path) return next()
      return how === 'protect' ? wrapped(ctx, next) : guard(ctx, () => Promise.resolve(handler(ctx, next)))
    })
  }
  return { listener: app.callback(), errors }
}

function honoRig(auth: Auth, routes: readonly RigRoute[], options: RigOptions): { app: Hono; errors: unknown[] } {
  const { onError = false, earlier = {}, ...adapterOptions } = options
  const adapter = forHono.createAdapter(auth, adapterOptions)
  const app = new Hono()
  const errors: unknown[] = []
  if (Object.keys(earlier).length > 0) {
    app.use(async (c, next) => {
      for (const [key, value] of Object.entries(earlier)) c.res.headers.set(key, value)
      await next()
    })
  }
  for (const { path, how, access = {}, reply = 'json', run } of routes) {
    const handler = async (): Promise<Response> => {
      await run?.()
      if (reply === 'json') return Response.json({ ok: true })
      return new Response(reply === 'plain' ? 'plain' : new Blob(['str', 'eam']).stream())
    }
    if (how === 'middleware') app.get(path, adapter.middleware(access), handler)
    else app.get(path, adapter.protect(access, handler))
  }
  app.onError((error, c) => {
    if (onError) {
      try {
        return adapter.onError(error, c)
      } catch (passed) {
        errors.push(passed)
        return c.text('Internal Server Error', 500)
      }
    }
    errors.push(error)
    return 'getResponse' in error ? error.getResponse() : c.text('Internal Server Error', 500)
  })
  return { app, errors }
}
