/**
 * Over HTTP/2 a request whose client had reset its stream while a middleware before the mount worked left no record, whatever became of
 * it: a response of HTTP/2 does not say by itself that it is over. Its handler ran all the same.
 */
import { once } from 'node:events'
import { connect, createServer } from 'node:http2'
import type { AddressInfo } from 'node:net'
import * as forKoa from 'sallyport/koa'
import { expect, it } from 'vitest'
import { afterFile } from '../after-file.ts'
import { until } from '../patience.ts'
import { createWorld } from '../pipeline/world.ts'
import { newKoa } from '../support/hosts.ts'

it.each(
  ['koa 3', 'koa 2'].flatMap((name) => (['allowed', 'refused'] as const).map((outcome) => [name, outcome] as const)),
)('%s tells once that it was %s', async (name, outcome) => {
  const { auth, decisions, org, person } = createWorld()
  const { headers } = await person('ada', { [await org('a')]: 'member' })
  let isWaiting = false
  let isOver = false
  let go = (): void => undefined
  const app = newKoa(name)
  app.use(async (_ctx, next) => {
    const gone = new Promise<void>((resolve) => {
      go = resolve
    })
    isWaiting = true
    await gone
    await next().finally(() => {
      isOver = true
    })
  })
  app.use(forKoa.createAdapter(auth).middleware())
  app.use((ctx) => {
    ctx.body = 'done'
  })
  const server = createServer(app.callback() as never)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const client = connect(`http://127.0.0.1:${(server.address() as AddressInfo).port}`)
  afterFile(() => {
    client.destroy()
    server.close()
  })
  let isGone = false
  server.on('stream', (stream) => stream.on('close', () => (isGone = true)))
  const stream = client.request({ ':path': '/x', ...(outcome === 'allowed' ? headers : {}) })
  stream.on('error', () => undefined)
  await until(() => isWaiting)
  stream.close(8)
  await until(() => isGone)
  go()
  await until(() => isOver)
  expect(decisions).toMatchObject([{ outcome, method: 'GET', path: '/x' }])
})
