/** docs/production.md: its snippets, run as their readers would run them. */
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { context, metrics as meters, trace } from '@opentelemetry/api'
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks'
import { BasicTracerProvider, InMemorySpanExporter, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-base'
import { type Auth, isAuthError, type Metrics } from 'sallyport'
import { fromFetchRequest } from 'sallyport/adapter'
import { createTokenIssuer, type SupabaseIssuer, startSupabaseIssuer } from 'sallyport/testing'
import { afterAll, beforeAll, expect, it, vi } from 'vitest'
import { decisionOf } from '../telemetry/decisions.ts'
import { openSnippets, PAGES } from './snippets.ts'

const { load, remove } = openSnippets()
const PAGE = PAGES.find(({ path }) => path === 'docs/production.md')?.text ?? ''
let issuer: SupabaseIssuer
let token: string

beforeAll(async () => {
  issuer = await startSupabaseIssuer()
  process.env['SUPABASE_URL'] = issuer.url
  token = await issuer.tokens.sign(issuer.tokens.supabaseClaims({ sub: 'ada', email: 'ada@example.test' }))
})

afterAll(async () => {
  await issuer.close()
  remove()
})

interface Production {
  readonly server: Server
  readonly metricsServer: Server
  start(port: number, metricsPort: number): Promise<void>
}

const urlOf = (server: Server): string => `http://127.0.0.1:${(server.address() as AddressInfo).port}`
const ask = (auth: Auth, headers: Record<string, string>, method = 'GET'): Promise<unknown> =>
  auth
    .authenticate(fromFetchRequest(new Request('https://app.example.com/me', { method, headers })))
    .catch((error: unknown) => (isAuthError(error) ? error.reason : error))

it('production.ts, shutdown.ts: ready once it has started, a line and a count a request, an end when told to', async () => {
  const lines: string[] = []
  const log = vi.spyOn(console, 'log').mockImplementation((line) => void lines.push(String(line)))
  try {
    const { server, metricsServer, start } = await load<Production>('production.ts')
    await start(0, 0)
    expect((await fetch(`${urlOf(server)}/readyz`)).status).toBe(200)
    expect((await fetch(`${urlOf(server)}/api/me`)).status).toBe(401)
    expect((await fetch(`${urlOf(server)}/api/me`, { headers: { authorization: `Bearer ${token}` } })).status).toBe(200)
    expect(lines.map((line) => JSON.parse(line))).toMatchObject([
      { outcome: 'refused', reason: 'credential_missing' },
      { outcome: 'allowed', reason: null },
    ])
    const page = await fetch(urlOf(metricsServer))
    expect(page.headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8')
    const [, quoted = ''] = /```text\n([\s\S]*?)…\n```/.exec(PAGE) ?? []
    expect(quoted).not.toBe('')
    expect((await page.text()).slice(0, quoted.length)).toBe(quoted)

    const { endOn } = await load<{ endOn(signal: string): void }>('shutdown.ts')
    endOn('SIGUSR2')
    const closed = Promise.all(
      [server, metricsServer].map((each) => new Promise((resolve) => each.once('close', resolve))),
    )
    process.emit('SIGUSR2')
    server.closeIdleConnections()
    metricsServer.closeIdleConnections()
    await closed
    expect(server.listening).toBe(false)
  } finally {
    log.mockRestore()
  }
})

it('request-id.ts: the record has the id of the request', async () => {
  const log = vi.spyOn(console, 'log').mockImplementation(() => undefined)
  try {
    const { auth } = await load<{ auth: Auth }>('request-id.ts')
    await ask(auth, { 'x-request-id': 'req-1' })
    expect(log.mock.calls).toEqual([['req-1', 'refused', 'credential_missing']])
  } finally {
    log.mockRestore()
  }
})

it('labelled.ts: counts by a label and a reason of the host', async () => {
  const { metrics } = await load<{ metrics: Metrics }>('labelled.ts')
  metrics.record(decisionOf())
  metrics.record(decisionOf({ outcome: 'refused', code: 'forbidden', reason: 'trial_over', orgId: null }))
  const { body } = metrics.page()
  expect(body).toContain('reason="",status="",caller="user",plan="free"} 1')
  expect(body).toContain('reason="trial_over",status="403",caller="user",plan=""} 1')
})

it('traced.ts: the span says whose request it was', async () => {
  const exporter = new InMemorySpanExporter()
  const provider = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] })
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable())
  try {
    const { auth } = await load<{ auth: Auth }>('traced.ts')
    await provider.getTracer('test').startActiveSpan('GET /me', async (span) => {
      await ask(auth, { authorization: `Bearer ${token}` })
      span.end()
    })
    expect(exporter.getFinishedSpans()[0]?.attributes).toMatchObject({
      'sallyport.outcome': 'allowed',
      'enduser.id': expect.any(String),
      'sallyport.org.id': expect.any(String),
    })
  } finally {
    context.disable()
    trace.disable()
    meters.disable()
  }
})

it('readiness.ts: names what is down', async () => {
  const { readiness } = await load<{ readiness(auth: object): unknown }>('readiness.ts')
  const down = ['https://login.example.com']
  expect(readiness({ readiness: () => ({ isReady: true, down }) })).toEqual({
    status: 200,
    body: { ready: true, down },
  })
  expect(readiness({ readiness: () => ({ isReady: false, down }) })).toMatchObject({ status: 503 })
})

it('proxied.ts: a cookie counts from the own origin alone', async () => {
  const { auth } = await load<{ auth: Auth }>('proxied.ts')
  const cookie = { cookie: `__Host-token=${token}` }
  const own = { ...cookie, origin: 'https://app.example.com' }
  expect(await ask(auth, own, 'POST')).toMatchObject({ kind: 'user' })
  expect(await ask(auth, { ...cookie, origin: 'https://evil.example' }, 'POST')).toBe('cross_site_request')
})

it('rotated.ts: takes both secrets, and no third', async () => {
  const secrets = ['new', 'old', 'other'].map((name) => `the ${name} secret of thirty-two bytes or more`)
  ;[process.env['JWT_SECRET'], process.env['JWT_SECRET_PREVIOUS']] = secrets
  const { auth } = await load<{ auth: Auth }>('rotated.ts')
  const options = { issuer: 'https://login.example.com', audience: 'https://api.example.com' }
  const asked = secrets.map(async (secret) => {
    const tokens = await createTokenIssuer({ ...options, algorithms: ['HS256'], secret })
    return ask(auth, { authorization: `Bearer ${await tokens.sign({ sub: 'ada' })}` })
  })
  expect(await Promise.all(asked)).toMatchObject([{ kind: 'user' }, { kind: 'user' }, 'token_signature_invalid'])
})
