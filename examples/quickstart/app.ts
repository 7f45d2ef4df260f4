/** The quick start's variables, its embedded issuer, and its server on the framework that was asked for. */
import type { Server } from 'node:http'
import { createMemoryStorage } from 'sallyport/memory'
import { createTokenIssuer, startJwksServer } from 'sallyport/testing'
import { closing, listen, type Running } from '../start/run.ts'
import { type Environment, readSettings, type Settings, settingsError } from '../start/settings.ts'
import { openStore, type Store } from '../store/store.ts'
import { createQuickstart, type Quickstart, type QuickstartOptions, ROLES } from './auth.ts'

const SERVERS: Readonly<Record<string, () => Promise<{ createApp(quickstart: Quickstart): Server }>>> = {
  express: () => import('./express.ts'),
  koa: () => import('./koa.ts'),
  hono: () => import('./hono.ts'),
}

/** Where tokens come from, and how to let go of it. */
interface Source {
  readonly issuer: string
  readonly jwksUrl: string | undefined
  readonly secret: string | undefined
  /** A token to try, where the issuer is ours. */
  readonly token: string | null
  close(): Promise<void>
}

/** Start the quick start on `express`, `koa` or `hono`. */
export async function startQuickstart(framework: string | undefined, environment: Environment): Promise<Running> {
  const load = Object.hasOwn(SERVERS, framework ?? '') ? SERVERS[framework as string] : undefined
  if (load === undefined)
    throw settingsError(`name a framework: npm run quickstart -- ${Object.keys(SERVERS).join('|')}`)
  const settings = readSettings(environment)
  const choices = readChoices(settings)
  const source = await openSource(settings, choices.audience, environment.NODE_ENV)
  return closing(source, async () => {
    const store = await openQuickStore(settings, choices.org)
    return closing(store, async () => {
      const { issuer, jwksUrl, secret } = source
      const options = { ...choices, issuer, jwksUrl, secret }
      const quickstart = settings.judge(VARIABLES, () => createQuickstart(options, store.storage))
      const { createApp } = await load()
      const running = await listen(createApp(quickstart), settings, 3000, quickstart.auth.close)
      return { ...running, notes: source.token === null ? [] : notesOf(running.url, source.token) }
    })
  })
}

// In memory, unless one of the variables says where.
async function openQuickStore(settings: Settings, org: 'header' | 'user'): Promise<Pick<Store, 'storage' | 'close'>> {
  const membershipOn = org === 'user' ? 'user-row' : 'rows'
  if (settings.text('DATA_DIR') !== undefined || settings.text('DATABASE_URL') !== undefined) {
    return openStore(settings, { app: 'quickstart', tables: [], membershipOn })
  }
  return { storage: createMemoryStorage({ membershipOn }), close: async () => {} }
}

const VARIABLES = {
  issuer: 'ISSUER',
  audience: 'AUDIENCE',
  url: 'JWKS_URL',
  secret: 'JWT_SECRET',
  clockToleranceSeconds: 'CLOCK_TOLERANCE',
  maxAgeSeconds: 'JWKS_MAX_AGE',
  maxStaleSeconds: 'JWKS_MAX_STALE',
}

function readChoices(settings: Settings): Omit<QuickstartOptions, 'issuer' | 'jwksUrl' | 'secret'> {
  return {
    audience: settings.text('AUDIENCE') ?? 'authenticated',
    clockToleranceSeconds: settings.whole('CLOCK_TOLERANCE', 0, 300, 5),
    keyAges: {
      maxAgeSeconds: settings.whole('JWKS_MAX_AGE', 1, 86_400, undefined),
      maxStaleSeconds: settings.whole('JWKS_MAX_STALE', 0, 86_400, undefined),
    },
    users: settings.choice('USERS', ['provision', 'sync'], 'provision'),
    org: settings.choice('ORG', ['header', 'user'], 'header'),
    role: settings.choice('ROLE', ROLES, 'owner'),
    errorFormat: settings.choice('PROBLEM_JSON', ['0', '1'], '0') === '1' ? 'problem' : 'json',
  }
}

async function openSource(settings: Settings, audience: string, nodeEnv: string | undefined): Promise<Source> {
  const issuer = settings.text('ISSUER')
  if (issuer === undefined) return openEmbeddedIssuer(settings, audience, nodeEnv)
  const jwksUrl = settings.text('JWKS_URL')
  const secret = settings.text('JWT_SECRET')
  if (jwksUrl === undefined && secret === undefined) throw settingsError('ISSUER needs JWKS_URL or JWT_SECRET')
  return { issuer, jwksUrl, secret, token: null, close: async () => {} }
}

async function openEmbeddedIssuer(settings: Settings, audience: string, nodeEnv: string | undefined): Promise<Source> {
  settings.refuse(['JWKS_URL', 'JWT_SECRET'], 'means nothing without ISSUER')
  if (nodeEnv === 'production') throw settingsError('ISSUER is required in production: no embedded issuer there')
  const server = await startJwksServer((url) => createTokenIssuer({ issuer: url, audience, algorithms: ['ES256'] }))
  const token = await server.issuer.sign({}, { expiresInSeconds: 86_400 })
  return { issuer: server.issuer.issuer, jwksUrl: server.jwksUrl, secret: undefined, token, close: server.close }
}

function notesOf(url: string, token: string): string[] {
  const authorization = '-H "Authorization: Bearer $TOKEN"'
  return [
    '',
    'An embedded issuer signed this token for you. Both end with this process, and the token after a day.',
    '',
    `TOKEN=${token}`,
    '',
    'Paste that line into another shell, then try:',
    '',
    `curl -i ${url}/health`,
    `curl -i ${url}/protected`,
    `curl -i ${url}/protected ${authorization}`,
    `curl -i ${url}/admin ${authorization}`,
    `curl -i -X POST ${url}/auth/sync ${authorization}`,
  ]
}
