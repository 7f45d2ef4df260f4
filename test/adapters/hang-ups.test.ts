/** A client that is gone before the head of its answer: one record a request, one count, all that is known in it. */
import { once } from 'node:events'
import type { RequestListener } from 'node:http'
import { connect as connectHttp2, createServer as createHttp2Server } from 'node:http2'
import { type AddressInfo, connect } from 'node:net'
import { expect, it } from 'vitest'
import type { Decision } from '../../src/context.ts'
import { jsonResponse } from '../../src/http/json-response.ts'
import { createMetrics } from '../../src/telemetry/metrics.ts'
import { afterFile } from '../after-file.ts'
import { until } from '../patience.ts'
import { createWorld } from '../pipeline/world.ts'
import { HOSTS, type HostName, listen } from '../support/hosts.ts'

/** A place where something waits: until it is let go. */
function createGate() {
  let isWaiting = false
  let open = (): void => undefined
  const opened = new Promise<void>((resolve) => {
    open = resolve
  })
  return {
    async wait() {
      isWaiting = true
      await opened
    },
    isWaiting: () => isWaiting,
    open: () => open(),
  }
}

type Hang = (listener: RequestListener, headers: Readonly<Record<string, string>>) => Promise<HangingUp>

interface HangingUp {
  hangUp(): Promise<void>
}

const HTTP1: Hang = async (listener, headers) => {
  const server = await listen(listener)
  afterFile(() => server.close())
  let isGone = false
  server.server.on('connection', (socket) => socket.on('close', () => (isGone = true)))
  const client = connect(server.port, '127.0.0.1').on('error', () => undefined)
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`)
  client.write(`GET /x HTTP/1.1\r\nHost: localhost\r\n${lines.join('')}\r\n`)
  return {
    async hangUp() {
      client.destroy()
      await until(() => isGone)
    },
  }
}

const HTTP2: Hang = async (listener, headers) => {
  const server = createHttp2Server(listener as never)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const client = connectHttp2(`http://127.0.0.1:${(server.address() as AddressInfo).port}`)
  afterFile(() => {
    client.destroy()
    server.close()
  })
  let isGone = false
  server.on('stream', (stream) => stream.on('close', () => (isGone = true)))
  const stream = client.request({ ':path': '/x', ...headers }).on('error', () => undefined)
  return {
    async hangUp() {
      stream.close(8)
      await until(() => isGone)
    },
  }
}

const NAMES = Object.keys(HOSTS) as HostName[]
const OVER: readonly (readonly [HostName, string, Hang])[] = [
  ...NAMES.map((name) => [name, 'HTTP/1', HTTP1] as const),
  // Express knows no HTTP/2.
  ...NAMES.filter((name) => !name.startsWith('express')).map((name) => [name, 'HTTP/2', HTTP2] as const),
]
const CASES = OVER.flatMap(([name, over, hang]) =>
  (['while the user is looked up', 'while the handler works'] as const).flatMap((when) =>
    [1, 2].map((mounts) => ({ name, over, hang, when, mounts })),
  ),
)

it.each(CASES)('$name over $over, gone $when, $mounts mounts', async ({ name, hang, when, mounts }) => {
  const decisions: Decision[] = []
  const metrics = createMetrics()
  const [looking, working] = [createGate(), createGate()]
  const world = createWorld({
    auth: (storage) => ({
      onDecision(decision) {
        decisions.push(decision)
        metrics.record(decision)
      },
      async users(identity, selection) {
        await looking.wait()
        return (await storage.users.findByIdentity(identity, selection)) as never
      },
    }),
  })
  const orgId = await world.org('a')
  const { id, headers } = await world.person('ada', { [orgId]: 'member' })
  const isOver = createGate()
  const listener = HOSTS[name]({
    auth: world.auth,
    endpoints: [
      {
        method: 'GET',
        path: '/x',
        mounts: mounts === 2 ? [{}] : [],
        access: {},
        async answer() {
          await working.wait()
          void isOver.wait()
          return jsonResponse(200, {})
        },
      },
    ],
  } as never)
  const { hangUp } = await hang(listener, headers)
  const gate = when === 'while the handler works' ? working : looking
  if (gate === working) looking.open()
  await until(gate.isWaiting)
  await hangUp()
  looking.open()
  working.open()
  await until(isOver.isWaiting)
  await until(() => decisions.length > 0)
  // Whatever is still to come has come.
  await new Promise((resolve) => setImmediate(resolve))
  await new Promise((resolve) => setImmediate(resolve))
  expect(decisions).toMatchObject([
    { outcome: 'allowed', method: 'GET', path: '/x', principal: { kind: 'user', id }, orgId, role: 'member' },
  ])
  expect(Object.keys(decisions[0]?.timings ?? {}).sort()).toEqual(['orgs', 'users', 'verify'])
  expect(metrics.page().body).toMatch(/^sallyport_decisions_total\{outcome="allowed",.*caller="user".*\} 1$/m)
})
