/**
 * OpenTelemetry as hosts run it: its SDK with the instrumentation of HTTP and Express, set up before the app, on each framework.
 * What a decision says stands on the span of the server, whichever span is active when it is told. Their packages are installed
 * at the first run, below `node_modules/.cache`.
 */
import { execFileSync } from 'node:child_process'
import { copyFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { beforeAll, expect, it } from 'vitest'
import { installPeers } from '../install-peers.ts'
import { TEST_PATIENCE_MS } from '../patience.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
const sources = fileURLToPath(new URL('./instrumented/', import.meta.url))
const place = `${root}node_modules/.cache/instrumented/`
const SERVER = 1

interface Told {
  readonly user: string
  readonly statuses: readonly number[]
  readonly spans: readonly {
    readonly kind: number
    readonly attributes: Readonly<Record<string, unknown>>
    readonly status: { readonly code: number }
  }[]
  readonly metrics: readonly { readonly name: string; readonly points: readonly { readonly attributes: object }[] }[]
}

beforeAll(() => {
  installPeers(sources, place)
  copyFileSync(`${sources}register.mjs`, `${place}register.mjs`)
})

it.each(['express', 'koa', 'hono'])('on %s', (framework) => {
  const args = ['--import', `${place}register.mjs`, '--import', 'tsx', `${sources}app.ts`, framework]
  const printed = execFileSync(process.execPath, args, { cwd: root, encoding: 'utf8', timeout: TEST_PATIENCE_MS })
  const { user, statuses, spans, metrics } = JSON.parse(printed) as Told
  expect(statuses).toEqual([204, 401, 500])
  const served = spans.filter(({ kind }) => kind === SERVER)
  expect(served.map(({ attributes, status }) => ({ ...attributes, code: status.code }))).toMatchObject([
    { 'http.response.status_code': 204, 'sallyport.outcome': 'allowed', 'enduser.id': user, code: 0 },
    { 'http.response.status_code': 401, 'sallyport.reason': 'credential_missing', code: 0 },
    { 'http.response.status_code': 500, 'sallyport.outcome': 'failed', 'error.type': 'internal_error', code: 2 },
  ])
  const others = spans.filter(({ kind }) => kind !== SERVER)
  expect(others.flatMap(({ attributes }) => Object.keys(attributes)).filter((name) => /^sallyport/.test(name))).toEqual(
    [],
  )
  expect(metrics.map(({ name, points }) => [name, points.length])).toEqual([
    ['sallyport.decisions', 3],
    ['sallyport.step.duration', 3],
  ])
})
