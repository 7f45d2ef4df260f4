/** Everything the tour needs to exist: issuers on real sockets, the systems configured against them, people with tokens. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createTokenIssuer, type JwksServer, startJwksServer, type TokenIssuer } from 'sallyport/testing'
import type { Environment } from '../start/settings.ts'

/** What can be started. */
export type AppName = 'express' | 'koa' | 'hono' | 'iron' | 'intello' | 'ironflow' | 'ironflow --dev'

/** Start an app; the demo does it in its own process, the tests as processes of their own. */
export type StartApp = (app: AppName, environment: Environment) => Promise<StartedApp>

/** An app that answers. */
export interface StartedApp {
  readonly url: string
  readonly notes: readonly string[]
  stop(): Promise<void>
}

/** The world of one tour. */
export interface World {
  /** What steps remember. */
  readonly kept: Map<string, string>
  urlOf(system: string): string
  issuerOf(system: string): JwksServer
  /** The token of a person at a system's issuer: a name, and what is odd about the token: `ada expired`. */
  token(system: string, who: string): Promise<string>
  start: StartApp
  /** The variables a system was started with. */
  environmentOf(system: string): Environment
  close(): Promise<void>
}

/** The secret of Iron's service seam in the tour. */
export const SERVICE_SECRET = 'the-tour-is-the-service-here-0123456789'

/** A system: the app, its issuer, its variables. */
export interface System {
  readonly app: AppName
  /** Systems of one issuer share their people. */
  readonly issuer: string
  readonly environment: (issuer: JwksServer) => Environment
}

const quick = (issuer: JwksServer): Environment => ({
  ISSUER: issuer.issuer.issuer,
  JWKS_URL: issuer.jwksUrl,
  JWT_SECRET: issuer.issuer.secret,
})
const supabase = ({ url }: JwksServer): Environment => ({ SUPABASE_URL: url })

/** The systems by name. */
export const SYSTEMS: Readonly<Record<string, System>> = {
  express: { app: 'express', issuer: 'quick', environment: quick },
  koa: { app: 'koa', issuer: 'quick', environment: quick },
  hono: { app: 'hono', issuer: 'quick', environment: quick },
  'quick start, sync': {
    app: 'express',
    issuer: 'quick',
    environment: (issuer) => ({ ...quick(issuer), USERS: 'sync', ORG: 'user', ROLE: 'developer', AUDIENCE: 'tour' }),
  },
  'quick start, problem': {
    app: 'express',
    issuer: 'quick',
    environment: (issuer) => ({ ...quick(issuer), PROBLEM_JSON: '1', CLOCK_TOLERANCE: '0' }),
  },
  'quick start, young keys': {
    app: 'express',
    issuer: 'young',
    environment: (issuer) => ({ ...quick(issuer), JWKS_MAX_AGE: '1', JWKS_MAX_STALE: '4' }),
  },
  'quick start, cold': { app: 'express', issuer: 'cold', environment: quick },
  'quick start, embedded': { app: 'express', issuer: 'quick', environment: () => ({}) },
  iron: {
    app: 'iron',
    issuer: 'iron',
    environment: (issuer) => ({
      ...supabase(issuer),
      SUPABASE_JWT_SECRET: issuer.issuer.secret,
      IRON_CRM_SECRET: SERVICE_SECRET,
    }),
  },
  'iron without seam': {
    app: 'iron',
    issuer: 'iron',
    environment: ({ issuer }) => ({ AUTH_JWT_ISSUER: issuer.issuer, SUPABASE_JWT_SECRET: issuer.secret }),
  },
  intello: {
    app: 'intello',
    issuer: 'intello',
    environment: (issuer) => ({ ...supabase(issuer), PLATFORM_API_KEY: SERVICE_SECRET }),
  },
  'intello without seam': {
    app: 'intello',
    issuer: 'intello',
    environment: (issuer) => ({ ...supabase(issuer), AUTH_JWT_AUDIENCE: 'tour' }),
  },
  // Its users are its own: no issuer but itself.
  ironflow: { app: 'ironflow', issuer: 'quick', environment: () => ({}) },
  'ironflow, dev': { app: 'ironflow --dev', issuer: 'quick', environment: () => ({ NODE_ENV: 'development' }) },
}

/** What a world may be told. */
export interface WorldOptions {
  onStarted?(system: string): void
  /** The variables that say where Iron and Intello keep everything; default: a folder that is gone with the world. */
  storeOf?(system: string, folder: string): Environment
}

const inFolder = (system: string, folder: string): Environment => ({
  DATA_DIR: join(folder, system.replace(/\W+/g, '-')),
})

/** Open a world of these systems: start their issuers, then the systems, all at once. */
export async function openWorld(
  systems: Readonly<Record<string, System>>,
  start: StartApp,
  { onStarted = () => {}, storeOf = inFolder }: WorldOptions = {},
): Promise<World> {
  const folder = await mkdtemp(join(tmpdir(), 'sallyport-world-'))
  const issuers = new Map<string, JwksServer>()
  for (const name of new Set(Object.values(systems).map(({ issuer }) => issuer))) {
    issuers.set(name, await startIssuer(name))
  }
  const issuerOf = (system: string): JwksServer => issuers.get(SYSTEMS[system]?.issuer ?? '') as JwksServer
  const environmentOf = (system: string): Environment => ({
    PORT: '0',
    ...(/^(iron|intello)/.test(system) ? storeOf(system, folder) : {}),
    // Beside PostgreSQL too: else its secret's file would lie in the working directory.
    ...(/^ironflow/.test(system) ? { IRONFLOW_DATA_DIR: inFolder(system, folder)['DATA_DIR'] } : {}),
    ...SYSTEMS[system]?.environment(issuerOf(system)),
  })
  const apps = new Map<string, StartedApp>()
  const close = async (): Promise<void> => {
    await Promise.all([...[...apps.values()].map(({ stop }) => stop()), ...[...issuers.values()].map((s) => s.close())])
    await rm(folder, { recursive: true, force: true })
  }
  const starting = Object.entries(systems).map(async ([name, { app }]) => {
    apps.set(name, await start(app, environmentOf(name)))
    onStarted(name)
  })
  const failed = (await Promise.allSettled(starting)).find(({ status }) => status === 'rejected')
  if (failed !== undefined) {
    await close()
    throw (failed as PromiseRejectedResult).reason
  }
  const kept = new Map([['secret', SERVICE_SECRET]])
  for (const note of apps.get('quick start, embedded')?.notes ?? []) {
    const [, token] = /^TOKEN=(eyJ\S+)$/.exec(note) ?? []
    if (token !== undefined) kept.set('token of embedded', token)
  }
  for (const note of apps.get('ironflow')?.notes ?? []) {
    const [, password] = / password: (\S+)$/.exec(note) ?? []
    if (password !== undefined) kept.set('ironflow.password', password)
  }
  const token = createTokens((system) => issuerOf(system), kept)
  return { kept, urlOf: (system) => apps.get(system)?.url ?? '', issuerOf, token, start, environmentOf, close }
}

// Intello's keys are ES256 alone; the other algorithms are there to be refused.
function startIssuer(name: string): Promise<JwksServer> {
  const [first, ...others] = name === 'iron' ? (['HS256', 'ES256', 'RS256', 'EdDSA'] as const) : ALGORITHMS
  const path = name === 'iron' || name === 'intello' ? '/auth/v1' : ''
  return startJwksServer((url) => createTokenIssuer({ issuer: url + path, algorithms: [first, ...others] }))
}

const ALGORITHMS = ['ES256', 'RS256', 'EdDSA', 'HS256'] as const

type Signing = Parameters<TokenIssuer['sign']>

/** What can be odd about a token. */
const ODDITIES: Readonly<Record<string, { readonly claims?: Signing[0]; readonly options?: Signing[1] }>> = {
  expired: { options: { expiresInSeconds: -6 } },
  'just expired': { options: { expiresInSeconds: 0 } },
  'not yet valid': { claims: { nbf: Math.floor(Date.now() / 1000) + 3600 } },
  'for another audience': { claims: { aud: 'somebody-else' } },
  'for the tour': { claims: { aud: 'tour' } },
  'of another issuer': { claims: { iss: 'https://evil.example/auth/v1' } },
  'without subject': { claims: { sub: undefined } },
  'by HS256': { options: { algorithm: 'HS256' } },
  'by ES256': { options: { algorithm: 'ES256' } },
  'by RS256': { options: { algorithm: 'RS256' } },
  'by EdDSA': { options: { algorithm: 'EdDSA' } },
  'forged by HS256': { options: { algorithm: 'HS256', key: Buffer.from('another secret of thirty-two bytes') } },
  'with a foreign kid': { options: { algorithm: 'ES256', kid: 'nobody-knows-it' } },
  'without kid': { options: { algorithm: 'ES256', kid: null } },
  anew: {},
  'as a guest': { claims: { is_anonymous: true } },
  'through an app': { claims: { client_id: 'an-app-of-somebody-else' } },
  'of a machine': { claims: { gty: 'client-credentials' } },
  'bound to a key': { claims: { cnf: { jkt: '0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I' } } },
  'as somebody else': { claims: { sub: 'somebody-else' } },
  unconfirmed: { claims: { email_verified: false } },
  'claiming an org': { claims: { org_id: '00000000-0000-4000-8000-000000000000', app_metadata: { role: 'owner' } } },
}

function createTokens(issuerOf: (system: string) => JwksServer, kept: ReadonlyMap<string, string>): World['token'] {
  const tokens = new Map<string, Promise<string>>()
  return (system, who) => {
    const given = kept.get(`token of ${who}`)
    if (given !== undefined) return Promise.resolve(given)
    const [person = '', ...rest] = who.split(' ')
    const odd = rest.length === 0 ? {} : ODDITIES[rest.join(' ')]
    if (odd === undefined) throw new Error(`the tour knows no token "${who}"`)
    const { issuer } = issuerOf(system)
    const key = JSON.stringify([issuer.issuer, who])
    const claims = { sub: subjectOf(person), email: `${person}@example.test`, ...odd.claims }
    const token = tokens.get(key) ?? issuer.sign(claims, odd.options)
    tokens.set(key, token)
    return token
  }
}

/** The subject of a person: a UUID, as Supabase has them. */
export function subjectOf(person: string): string {
  return `00000000-0000-4000-8000-${Buffer.from(person.padEnd(6, '.').slice(0, 6)).toString('hex')}`
}
