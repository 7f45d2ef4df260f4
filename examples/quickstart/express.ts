/** The quick start on Express. */
import { createServer, type Server } from 'node:http'
import express from 'express'
import { createAdapter } from 'sallyport/express'
import type { Quickstart } from './auth.ts'

export function createApp({ auth, routes }: Quickstart): Server {
  const app = express()
  app.disable('x-powered-by')
  createAdapter(auth).mount(app, routes)
  return createServer(app)
}
