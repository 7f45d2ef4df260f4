/** The quick start on Koa. */
import { createServer, type Server } from 'node:http'
import Koa from 'koa'
import { createAdapter } from 'sallyport/koa'
import type { Quickstart } from './auth.ts'

export function createApp({ auth, routes }: Quickstart): Server {
  const app = new Koa()
  createAdapter(auth).mount(app, routes)
  return createServer(app.callback())
}
