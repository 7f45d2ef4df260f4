/** What the tests of machine accounts stand on: a real issuer, a service behind our own pipeline, a client between them. */
import { createServer, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { inspect } from 'node:util'
import express from 'express'
import { createAuth, createJwtVerifier, createProvisioner, createUserOrgResolver, supabase } from 'sallyport'
import { createAdapter } from 'sallyport/express'
import { createTokenClient, type TokenClient, type TokenClientOptions, type TokenEvent } from 'sallyport/machine'
import { createMemoryStorage } from 'sallyport/memory'
import { onTestFinished } from 'vitest'
import { type FaultySupabase, startFaultySupabase } from '../support/faulty-supabase.ts'

/** Texts that must never be seen anywhere. */
export const SECRETS: { readonly password: string; readonly apiKey: string } = {
  password: 'canary-password-5b1f',
  apiKey: 'canary-api-key-77aa',
}
export const EMAIL = 'bot@example.test'

/** Close it after the test. */
export function closing<T extends { close(): unknown }>(thing: T): T {
  onTestFinished(async () => {
    await thing.close()
  })
  return thing
}

/** A test's own clock. */
export interface Clock {
  (): number
  tick(seconds: number): void
}

/** A clock that stands still until told. */
export function createClock(): Clock {
  let now = Date.UTC(2026, 0, 1)
  const tick = (seconds: number): void => {
    now += seconds * 1000
  }
  return Object.assign(() => now, { tick })
}

/** Serve on 127.0.0.1; closed after the test. */
export async function serve(handler: RequestListener): Promise<{ readonly url: string; readonly server: Server }> {
  // An idle connection is not ended under a request that is on its way: that is a reset, and none of the client's.
  const server = createServer({ keepAliveTimeout: 0 }, handler)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  return { server, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` }
}

/** Start an issuer with one machine account. */
export async function startIssuer(expiresInSeconds: number, clock: () => number = Date.now): Promise<FaultySupabase> {
  const users = [{ email: EMAIL, password: SECRETS.password }]
  return closing(await startFaultySupabase({ users, expiresInSeconds, apiKey: SECRETS.apiKey, clock }))
}

/** A service behind the pipeline: `GET /api/me` says who calls, `POST /api/echo` gives the body back. */
export async function startService(
  issuer: FaultySupabase,
  clock: () => number,
): Promise<{ readonly url: string; refused: number }> {
  const storage = createMemoryStorage({ membershipOn: 'user-row' })
  const auth = createAuth({
    roles: ['member'],
    verifier: createJwtVerifier({
      issuers: [supabase({ url: issuer.url })],
      clock,
      clockToleranceSeconds: 0,
    }),
    users: createProvisioner({ storage, ownerRole: 'member' }),
    orgs: createUserOrgResolver({ memberships: storage.memberships, orgIdOf: (user) => user.orgId }),
    clock,
  })
  const { middleware } = createAdapter(auth)
  const signedIn = middleware()
  const app = express()
  const service = { url: '', refused: 0 }
  app.use((_req, res, next) => {
    res.on('finish', () => {
      if (res.statusCode === 401) service.refused += 1
    })
    next()
  })
  app.use('/api', signedIn, express.text({ type: () => true }))
  app.get('/api/me', (req, res) => void res.json({ email: signedIn.getAuth(req).user.email }))
  app.post('/api/echo', (req, res) => void res.send(req.body as string))
  service.url = (await serve(app)).url
  return service
}

/** A client with its events; closed after the test. */
export interface Bench {
  readonly client: TokenClient
  readonly events: TokenEvent[]
}

/** Create a client of an issuer. */
export function createClient(issuer: { readonly url: string }, more: Partial<TokenClientOptions> = {}): Bench {
  const events: TokenEvent[] = []
  const client = createTokenClient({
    grant: { kind: 'supabase', url: issuer.url, apiKey: SECRETS.apiKey, email: EMAIL, password: SECRETS.password },
    origins: [],
    onEvent: (event) => void events.push(event),
    ...more,
  })
  closing(client)
  return { client, events }
}

/** Everything that can be seen of a value. */
export function show(value: unknown): string {
  const error = value instanceof Error ? `${value.message} ${value.stack} ${String(value)}` : ''
  return [inspect(value, { depth: 20, showHidden: true, getters: true }), JSON.stringify(value), error].join('\n')
}

/** What it throws. */
export async function thrownBy(work: Promise<unknown>): Promise<unknown> {
  return await work.then(
    () => 'nothing was thrown',
    (error: unknown) => error,
  )
}
