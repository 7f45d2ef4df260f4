/** The quick start on Hono. */
import type { Server } from 'node:http'
import { createAdaptorServer } from '@hono/node-server'
import { Hono } from 'hono'
import { createAdapter } from 'sallyport/hono'
import type { Quickstart } from './auth.ts'

export function createApp({ auth, routes }: Quickstart): Server {
  const app = new Hono()
  createAdapter(auth).mount(app, routes)
  return createAdaptorServer(app) as Server
}
