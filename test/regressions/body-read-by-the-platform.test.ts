/** A platform that has read the body before the framework left it on Node's message: on some frameworks that was a 500. */
import { createServer, type IncomingMessage, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import { SLOW_HOSTS, type SlowHost, slowApp } from '../adapters/slow-hosts.ts'
import { createWorld } from '../pipeline/world.ts'

const { auth } = createWorld()
const closing: (() => unknown)[] = []
afterEach(() => {
  for (const close of closing.splice(0)) close()
})

const LEFT: Record<string, (bytes: Buffer) => object> = {
  'bytes in rawBody': (bytes) => ({ rawBody: bytes }),
  'text in rawBody': (bytes) => ({ rawBody: bytes.toString() }),
  'bytes in body': (bytes) => ({ body: bytes }),
  'text in body': (bytes) => ({ body: bytes.toString() }),
  'a value in body': (bytes) => ({ body: JSON.parse(bytes.toString()) as object }),
  'bytes in rawBody and a value in body': (bytes) => ({ rawBody: bytes, body: JSON.parse(bytes.toString()) as object }),
}

async function serve(host: SlowHost, leave: (bytes: Buffer) => object): Promise<string> {
  const app = slowApp(host, auth, {}, { bodyTimeoutSeconds: 5 }) as { listener: RequestListener }
  const server = createServer(async (message: IncomingMessage, response) => {
    const chunks: Buffer[] = []
    for await (const chunk of message) chunks.push(chunk as Buffer)
    Object.assign(message, leave(Buffer.concat(chunks)))
    app.listener(message, response)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  closing.push(() => server.close().closeAllConnections())
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/public`
}

const post = async (url: string, body: string): Promise<[number, unknown]> => {
  const response = await fetch(url, { method: 'POST', body, headers: { 'Content-Type': 'application/json' } })
  return [
    response.status,
    response.headers.get('content-type')?.includes('json') === true ? await response.json() : null,
  ]
}

describe.each(SLOW_HOSTS.filter((host) => host !== 'hono over fetch'))('%s', (host) => {
  it.each(Object.keys(LEFT))('reads %s', async (name) => {
    const url = await serve(host, LEFT[name] as (bytes: Buffer) => object)
    expect(await post(url, '{"a":1}')).toEqual([200, { a: 1 }])
    expect(await post(url, `{"a":"${'x'.repeat(16_384)}"}`)).toMatchObject([413, {}])
    expect(await post(url, '[]')).toMatchObject([400, { error: { field: 'body' } }])
  })

  it('is a fault where nothing was left', async () => {
    expect(await post(await serve(host, () => ({})), '{"a":1}')).toMatchObject([500, null])
  })
})
