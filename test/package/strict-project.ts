/** A strict host of the tarball, for a compiler: what must compile, and the mistakes that must not. */
import { spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import { entryPoints, root } from './entry-points.ts'
import type { Packed } from './pack.ts'

// The long form, and the short one.
const CORE = `
import { createAuth, createJwtVerifier, createOrgResolver, createProvisioner, header, oidc } from 'sallyport'
import { createMemoryStorage } from 'sallyport/memory'

const storage = createMemoryStorage()
const auth = createAuth({
  roles: ['member', 'admin', 'owner'],
  verifier: createJwtVerifier({ issuers: [oidc({ issuer: 'https://login.example', audience: 'authenticated' })] }),
  users: createProvisioner({ storage }),
  orgs: createOrgResolver({ memberships: storage.memberships, selectors: [header('X-Org-Id')], whenUnnamed: 'earliest-joined' }),
})
`

const SHORT = `
import { createAuth, supabase } from 'sallyport'
import { createMemoryStorage } from 'sallyport/memory'

const auth = createAuth({
  issuers: [supabase({ url: 'https://project.example' })],
  storage: createMemoryStorage(),
  roles: ['member', 'admin', 'owner'],
})
`

const EXPRESS = `${CORE}
import express from 'express'
import { createAdapter } from 'sallyport/express'
const { middleware, protect, onError } = createAdapter(auth)
const signedIn = middleware()
const app = express()
app.use('/api', signedIn)
app.get('/api/org', (req, res) => { const id: string = signedIn.getAuth(req).org.id; res.json({ id }) })
app.delete('/api/x', protect({ role: 'admin' }, ({ org, role }, _req, res) => {
  const known: 'member' | 'admin' | 'owner' = role
  res.json({ id: org.id, known })
}))
app.use(onError)
`

const KOA = `${SHORT}
import Koa from 'koa'
import { createAdapter } from 'sallyport/koa'
const { middleware } = createAdapter(auth)
const signedIn = middleware()
const app = new Koa()
app.use(signedIn)
app.use((ctx) => { const id: string = signedIn.getAuth(ctx).org.id; ctx.body = { id } })
`

const HONO = `${SHORT}
import { Hono } from 'hono'
import { createAdapter } from 'sallyport/hono'
const { middleware, protect } = createAdapter(auth)
const signedIn = middleware()
const app = new Hono()
app.use('/api/*', signedIn)
app.get('/api/org', (c) => { const id: string = signedIn.getAuth(c).org.id; return c.json({ id }) })
app.get('/api/role', protect(({ role }, c) => { const known: 'member' | 'admin' | 'owner' = role; return c.json({ known }) }))
`

const DECLARATIONS = entryPoints.map(({ specifier, name }) => `export * as '${name}' from '${specifier}'\n`).join('')

// [what must not compile, its file, the text, what the compiler says of it]
const MISTAKES: readonly (readonly [string, string, string, string])[] = [
  [
    'a forgotten audience',
    'audience',
    `${CORE}createJwtVerifier({ issuers: [{ issuer: '', keys: [] }] })`,
    "'audience' is missing",
  ],
  ['a misspelt option', 'issuerz', CORE.replace('issuers:', 'issuerz:'), "'issuerz' does not exist"],
  [
    'no word on an unnamed org',
    'whenUnnamed',
    CORE.replace(", whenUnnamed: 'earliest-joined'", ''),
    "'whenUnnamed' is missing",
  ],
  ['a role that is not on the ladder', 'ladder', `${CORE}auth.authorizer({ role: 'superuser' })`, '"superuser"'],
]

// What a module of its own hands on, with declarations.
const DECLARED = `${CORE}
import { createAdapter as forExpress } from 'sallyport/express'
import { createAdapter as forHono } from 'sallyport/hono'
import { createAdapter as forKoa } from 'sallyport/koa'
import { createMembershipCache, protectedResourceMetadata } from 'sallyport'
import { createMemoryAccounts } from 'sallyport/memory'
import { testApiKeyContext, testContext, testServiceContext } from 'sallyport/testing'
export const people = createAuth({ issuers: [oidc({ issuer: 'https://login.example', audience: 'authenticated' })] })
export const toExpress = forExpress(auth, { errors: 'delegate' })
export const { middleware, protect, mount, onError } = forExpress(people)
export const signedIn = toExpress.middleware({ role: 'admin' })
export const toKoa = forKoa(auth)
export const { middleware: koaMiddleware, protect: koaProtect, mount: koaMount, onError: koaOnError } = forKoa(people)
export const koaSignedIn = toKoa.middleware({ role: 'admin' })
export const toHono = forHono(auth)
export const { middleware: honoMiddleware, protect: honoProtect, mount: honoMount, onError: honoOnError } = forHono(people)
export const honoSignedIn = toHono.middleware({ role: 'admin' })
export const authorize = auth.authorizer({ role: 'admin' })
export const readiness = () => auth.readiness()
export const accounts = createMemoryAccounts()
export const cache = createMembershipCache({ users: storage.users, memberships: storage.memberships })
export const { users, orgs, memberships } = storage
export const contexts = [testContext(), testContext({ needs: 'user' }), testApiKeyContext(), testServiceContext('telephony')]
export const metadata = protectedResourceMetadata({ resource: 'https://api.example', authorizationServers: ['https://login.example'] })
export const whoami = toHono.protect(({ user }, c) => c.json({ id: user.id }))
`

// What a module exports of what the package has made, as the pages do: the compiler must be able to name its type.
const NAMED = `
import { createMembershipCache, oidc, protectedResourceMetadata } from 'sallyport'
import { createMemoryStorage } from 'sallyport/memory'
import { migrationStatus } from 'sallyport/sqlite'
const issuer = 'https://login.example'
export const issuers = [{ ...oidc({ issuer, audience: 'api' }), claims: { scopes: 'scope' } }]
export const metadata = protectedResourceMetadata({ resource: 'https://api.example', authorizationServers: [issuer] })
export const { users, memberships } = createMemoryStorage()
export const cache = createMembershipCache({ users, memberships, ttlSeconds: 2 })
export const status = (database: Parameters<typeof migrationStatus>[0]['database']) => migrationStatus({ database })
`

const HOSTS = { express: EXPRESS, koa: KOA, hono: HONO, exported: DECLARED, named: NAMED }

/** What a backend of Node's own types has, and what most projects have. */
export const LIBS: Readonly<Record<'without the DOM library' | 'with it', readonly string[]>> = {
  'without the DOM library': ['es2023'],
  'with it': ['es2023', 'dom', 'dom.iterable'],
}

interface Asked {
  readonly compiler: string
  readonly texts: Readonly<Record<string, string>>
  readonly skipLibCheck: boolean
  readonly lib?: readonly string[]
}

// Compile files in the strictest settings: what the compiler says, by file.
function compile(
  { typed }: Packed,
  { compiler, texts, skipLibCheck, lib = LIBS['with it'] }: Asked,
): (name: string) => string {
  for (const [name, text] of Object.entries(texts)) writeFileSync(join(typed, `${name}.ts`), text)
  const compilerOptions = {
    target: 'es2022',
    lib,
    module: 'nodenext',
    moduleDetection: 'force',
    strict: true,
    exactOptionalPropertyTypes: true,
    noUncheckedIndexedAccess: true,
    declaration: true,
    // The frameworks' types are links to those of the repository.
    preserveSymlinks: true,
    noEmit: true,
    types: ['node'],
    skipLibCheck,
  }
  const files = Object.keys(texts).map((name) => `${name}.ts`)
  writeFileSync(join(typed, 'tsconfig.json'), JSON.stringify({ compilerOptions, files }))
  const tsc = `${root}node_modules/${compiler}/bin/tsc`
  const { stdout } = spawnSync(process.execPath, [tsc, '--pretty', 'false'], { cwd: typed, encoding: 'utf8' })
  // A diagnostic's further lines are indented; one that names no file of ours counts for all.
  const diagnostics = stdout.split(/\n(?=\S)/).filter((text) => text !== '')
  return (name) => diagnostics.filter((text) => text.startsWith(`${name}.ts`) || !/^\w+\.ts/.test(text)).join('\n')
}

/** Compile the hosts by one compiler, and ask of each what it says. */
export function describeStrictProject(packed: Packed, compiler: string): void {
  describe(`a strict nodenext project, compiled by ${compiler}`, () => {
    let said: (name: string) => string

    beforeAll(() => {
      const mistakes = Object.fromEntries(MISTAKES.map(([, name, text]) => [name, text]))
      said = compile(packed, { compiler, texts: { ...HOSTS, ...mistakes }, skipLibCheck: true })
    })

    it.each(Object.keys(HOSTS))('compiles with %s', (name) => {
      expect(said(name)).toBe('')
    })

    it.each(MISTAKES)('does not compile with %s', (_, name, __, sentence) => {
      expect(said(name)).toContain(sentence)
    })
  })
}

/** What a compiler says of our declaration files themselves, with some of its libraries. */
export function saidOfDeclarations(packed: Packed, compiler: string, lib: readonly string[]): string[] {
  const texts = { declarations: DECLARATIONS }
  const all = compile(packed, { compiler, texts, skipLibCheck: false, lib })('declarations')
  // Koa's own types don't pass this check; ours must.
  return all.split('\n').filter((line) => /^(declarations\.ts|node_modules\/sallyport\/)/.test(line))
}
