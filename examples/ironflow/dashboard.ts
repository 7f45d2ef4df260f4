/** The dashboard's files, read once and served as they are. No script but theirs runs on the page. */
import { readdirSync, readFileSync } from 'node:fs'
import { extname } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Hono } from 'hono'

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.svg': 'image/svg+xml',
}

const HEADERS = {
  'Content-Security-Policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; " +
    "form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'",
  'X-Content-Type-Options': 'nosniff',
  'Referrer-Policy': 'same-origin',
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cache-Control': 'no-cache',
}

/** Serve the page at `/` and its files beside it. */
export function mountDashboard(app: Hono): void {
  const folder = fileURLToPath(new URL('./dashboard/', import.meta.url))
  for (const name of readdirSync(folder)) {
    const type = TYPES[extname(name)]
    if (type === undefined) continue
    const text = readFileSync(folder + name, 'utf8')
    app.get(name === 'index.html' ? '/' : `/dashboard/${name}`, (c) =>
      c.body(text, 200, { ...HEADERS, 'Content-Type': type }),
    )
  }
}
