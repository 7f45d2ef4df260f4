/** The dashboard's files, read once and served as they are. No script but theirs runs on the page. */
import { readdirSync, readFileSync } from 'node:fs'
import { extname } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Route } from 'sallyport'
import type { Ironflow } from './auth.ts'

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

/** Make the routes of the page at `/` and of its files: public, and by the same door as everything else. */
export function dashboardRoutes({ route }: Ironflow['auth']): readonly Route[] {
  const folder = fileURLToPath(new URL('./dashboard/', import.meta.url))
  return readdirSync(folder).flatMap((name) => {
    const type = TYPES[extname(name)]
    if (type === undefined) return []
    const path = name === 'index.html' ? '/' : `/dashboard/${name}`
    const headers = Object.entries({ ...HEADERS, 'Content-Type': type })
    const body = readFileSync(folder + name, 'utf8')
    return [route({ method: 'GET', path, access: 'public', handle: () => ({ status: 200, headers, body }) })]
  })
}
