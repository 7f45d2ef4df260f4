/** Told to end, each app has ended in five seconds, also where somebody sends half a request and no more. */
import { connect } from 'node:net'
import { afterAll, beforeAll, expect, it } from 'vitest'
import type { World } from '../../examples/demo/world.ts'
import { type AppProcess, openWorldOf, startProcess } from './app-process.ts'

const APPS = {
  iron: ['examples/iron-crm/main.ts'],
  intello: ['examples/intello/main.ts'],
  ironflow: ['examples/ironflow/main.ts'],
  'quickstart express': ['examples/quickstart/main.ts', 'express'],
  'quickstart koa': ['examples/quickstart/main.ts', 'koa'],
  'quickstart hono': ['examples/quickstart/main.ts', 'hono'],
}

let world: World
beforeAll(async () => {
  world = await openWorldOf(['iron', 'intello', 'ironflow'])
})
afterAll(() => world.close())

it.each(Object.entries(APPS))('%s', async (name, script) => {
  const environment = name.startsWith('quickstart') ? { PORT: '0' } : world.environmentOf(name)
  const app: AppProcess = await startProcess(script, environment)
  const { hostname, port } = new URL(app.url)
  const socket = connect(Number(port), hostname)
  socket.on('error', () => {})
  await new Promise<void>((resolve) => socket.write('GET /health HTTP/1.1\r\nHos', () => resolve()))
  expect((await fetch(`${app.url}/health`)).ok || name.startsWith('ironflow')).toBe(true)
  const { code, milliseconds } = await app.end()
  socket.destroy()
  expect(code).toBe(0)
  expect(milliseconds).toBeLessThan(5000)
})
