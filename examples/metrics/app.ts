/** A small app on Express that counts its decisions, serves the page that Prometheus scrapes, and a dashboard over it. */
import { readdirSync, readFileSync } from 'node:fs'
import { extname } from 'node:path'
import { fileURLToPath } from 'node:url'
import express, { type Express } from 'express'
import { type Auth, createAuth, createMetrics, type IssuerOptions } from 'sallyport'
import { createAdapter } from 'sallyport/express'
import type { AuthStorage } from 'sallyport/storage'

/** What the app is made of. */
export interface MetricsAppOptions {
  readonly storage: AuthStorage
  readonly issuers: readonly IssuerOptions[]
}

/** The app, and its auth. */
export interface MetricsApp {
  readonly app: Express
  readonly auth: Pick<Auth, 'close'>
}

/** Make the app. */
export function createMetricsApp({ storage, issuers }: MetricsAppOptions): MetricsApp {
  const metrics = createMetrics()
  const auth = createAuth({ issuers, storage, roles: ['member', 'admin'], onDecision: metrics.record })
  const { middleware, protect } = createAdapter(auth)

  const app = express()
  app.disable('x-powered-by')
  app.get('/health', middleware('public'), (_req, res) => void res.json({ status: 'ok' }))
  app.get(
    '/api/notes',
    protect(({ org }, _req, res) => res.json({ org: org.id, notes: [] })),
  )
  app.delete(
    '/api/notes/:id',
    protect({ role: 'admin' }, (_context, _req, res) => res.status(204).end()),
  )

  // Here beside the rest, so that one process shows it all; in production on a port that the proxy does not lead to.
  app.get('/metrics', (req, res) => {
    const { contentType, body } = metrics.page(req.headers.accept)
    res.type(contentType).send(body)
  })
  for (const { path, type, body } of dashboardFiles()) {
    app.get(path, (_req, res) => void res.set('Content-Security-Policy', POLICY).type(type).send(body))
  }
  return { app, auth }
}

const POLICY = "default-src 'none'; script-src 'self'; style-src 'self'; img-src data:; connect-src 'self'"

function dashboardFiles(): { path: string; type: string; body: string }[] {
  const folder = fileURLToPath(new URL('./dashboard/', import.meta.url))
  return readdirSync(folder).map((name) => ({
    path: name === 'index.html' ? '/' : `/dashboard/${name}`,
    type: extname(name),
    body: readFileSync(folder + name, 'utf8'),
  }))
}
