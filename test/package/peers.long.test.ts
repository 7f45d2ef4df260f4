/**
 * The tarball beside the lowest and the newest release of every peer: its declarations compile there without `skipLibCheck`,
 * by the oldest TypeScript that is promised and by the newest ones, and a protected route answers 200, 401 and 403.
 */
import { execFileSync, spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import { entryPoints, root } from './entry-points.ts'
import { openPacked } from './packed.ts'

const packed = await openPacked()

/** By the name a host imports: the folder below `node_modules` that stands for it. */
const PEERS = {
  'the lowest of the lower majors': {
    express: 'express4-lowest',
    koa: 'koa2-lowest',
    hono: 'hono-lowest',
    '@opentelemetry/api': 'opentelemetry-api-lowest',
    '@types/express': 'types-express4',
    '@types/koa': 'types-koa2',
  },
  'the lowest of the upper majors': {
    express: 'express5-lowest',
    koa: 'koa3-lowest',
    hono: 'hono-lowest',
    '@opentelemetry/api': 'opentelemetry-api-lowest',
    '@types/express': 'types-express5-lowest',
    '@types/koa': 'types-koa3-lowest',
  },
  'the newest of the lower majors': {
    express: 'express4',
    koa: 'koa2',
    hono: 'hono',
    '@opentelemetry/api': '@opentelemetry/api',
    '@types/express': 'types-express4',
    '@types/koa': 'types-koa2',
  },
  'the newest': {
    express: 'express',
    koa: 'koa',
    hono: 'hono',
    '@opentelemetry/api': '@opentelemetry/api',
    '@types/express': '@types/express',
    '@types/koa': '@types/koa',
  },
} as const

const MODULES = {
  nodenext: { module: 'nodenext' },
  bundler: { module: 'esnext', moduleResolution: 'bundler' },
} as const

// Each set by the quick compiler in both ways, the oldest and the newest set by the slow ones too.
const COMPILATIONS: readonly (readonly [keyof typeof PEERS, string, keyof typeof MODULES])[] = [
  ...(Object.keys(PEERS) as (keyof typeof PEERS)[]).flatMap((peers) =>
    (['nodenext', 'bundler'] as const).map((modules) => [peers, '@typescript/native', modules] as const),
  ),
  ['the lowest of the lower majors', 'typescript-lowest', 'nodenext'],
  ['the newest', 'typescript-lowest', 'bundler'],
  ['the lowest of the lower majors', 'typescript', 'bundler'],
  ['the newest', 'typescript', 'nodenext'],
]

const AUTH = `
import { createAuth, createJwtVerifier, createOrgResolver, createProvisioner, header } from 'sallyport'
import { createMemoryStorage } from 'sallyport/memory'

export const storage = createMemoryStorage()
export const auth = createAuth({
  roles: ['member', 'admin', 'owner'],
  verifier: createJwtVerifier({
    issuers: [{
      issuer: 'https://issuer.example',
      keys: [{ kind: 'secret', secret: 'a secret of thirty-two bytes, at least' }],
      audience: 'authenticated',
    }],
  }),
  users: createProvisioner({ storage, ownerRole: 'admin' }),
  orgs: createOrgResolver({ memberships: storage.memberships, selectors: [header('X-Org-Id')], whenUnnamed: 'earliest-joined' }),
})
`

const HOSTS: Record<string, string> = {
  declarations: entryPoints
    .map(({ specifier, name }) => `export * as ${name.replaceAll('-', '_')} from '${specifier}'\n`)
    .join(''),
  auth: AUTH,
  express: `
import express from 'express'
import { createAdapter, type Adapter } from 'sallyport/express'
import { auth } from './auth.js'
const { middleware, protect, onError } = createAdapter(auth)
const signedIn = middleware()
const app = express()
app.use('/api', signedIn)
app.get('/api/org', (req, res) => { const id: string = signedIn.getAuth(req).org.id; res.json({ id }) })
app.get('/admin', protect({ role: 'admin' }, ({ org, role }, _req, res) => {
  const known: 'member' | 'admin' | 'owner' = role
  res.json({ id: org.id, known })
}))
app.get('/contacts/:id', protect({}, ({ user }, req, res) => { res.json({ user: user.id, id: req.params.id }) }))
app.use(onError)
`,
  koa: `
import Koa from 'koa'
import { createAdapter } from 'sallyport/koa'
import { auth } from './auth.js'
const { middleware, protect, onError } = createAdapter(auth)
const signedIn = middleware()
const app = new Koa<{ started: number }>()
app.use(onError)
app.use(signedIn)
app.use(async (ctx, next) => { const id: string = signedIn.getAuth(ctx).org.id; ctx.set('X-Id', id); await next() })
app.use(protect({ role: 'admin' }, ({ role }, ctx) => {
  const known: 'member' | 'admin' | 'owner' = role
  ctx.body = { known }
}))
`,
  hono: `
import { type Context, Hono } from 'hono'
import { createAdapter } from 'sallyport/hono'
import { auth } from './auth.js'
const { middleware, protect, onError } = createAdapter(auth)
const signedIn = middleware()
type AppEnv = { Variables: { started: number } }
const app = new Hono<AppEnv>()
app.use('/api/*', signedIn)
app.get('/api/org', (c) => { const id: string = signedIn.getAuth(c).org.id; return c.json({ id }) })
const routes = app.get('/contacts/:id', protect({ role: 'admin' }, ({ org, role }, c: Context<AppEnv, '/contacts/:id'>) => {
  const known: 'member' | 'admin' | 'owner' = role
  return c.json({ id: c.req.param('id'), org: org.id, known, started: c.get('started') })
}))
export type Routes = typeof routes
app.onError(onError)
`,
}

// A request without a token, one of a stranger's org and one that is let in, to each framework as it is installed here.
const RUN = `
import { createServer } from 'node:http'
import express from 'express'
import { Hono } from 'hono'
import { SignJWT } from 'jose'
import Koa from 'koa'
import * as forExpress from 'sallyport/express'
import * as forHono from 'sallyport/hono'
import * as forKoa from 'sallyport/koa'
import { auth } from './auth.mjs'

const token = await new SignJWT({ email: 'ada@example.test' })
  .setProtectedHeader({ alg: 'HS256', typ: 'JWT' })
  .setIssuer('https://issuer.example')
  .setAudience('authenticated')
  .setSubject('ada')
  .setIssuedAt()
  .setExpirationTime('5m')
  .sign(new TextEncoder().encode('a secret of thirty-two bytes, at least'))

const express_ = () => {
  const { protect } = forExpress.createAdapter(auth)
  const app = express()
  app.get('/in', protect({ role: 'admin' }, ({ org }, req, res) => res.json({ org: org.name })))
  app.get('/owner', protect({ role: 'owner' }, (context, req, res) => res.json({})))
  return app
}
const koa = () => {
  const { middleware } = forKoa.createAdapter(auth)
  const [admin, owner] = [middleware({ role: 'admin' }), middleware({ role: 'owner' })]
  const app = new Koa()
  app.use((ctx, next) => (ctx.path === '/owner' ? owner : admin)(ctx, next))
  app.use((ctx) => { ctx.body = { org: admin.getAuth(ctx).org.name } })
  return app.callback()
}
const hono = () => {
  const { protect } = forHono.createAdapter(auth)
  const app = new Hono()
  app.get('/in', protect({ role: 'admin' }, ({ org }, c) => c.json({ org: org.name })))
  app.get('/owner', protect({ role: 'owner' }, (context, c) => c.json({})))
  return app
}
const onNode = async (listener) => {
  const server = createServer(listener)
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve))
  const base = 'http://127.0.0.1:' + server.address().port
  return { ask: (path, init) => fetch(base + path, init), close: () => { server.closeAllConnections(); server.close() } }
}
const app = hono()
const hosts = {
  express: await onNode(express_()),
  koa: await onNode(koa()),
  hono: { ask: (path, init) => app.request(path, init), close: () => {} },
}
const seen = {}
for (const [name, { ask, close }] of Object.entries(hosts)) {
  const headers = { authorization: 'Bearer ' + token }
  const refused = await ask('/in')
  const [passed, low, foreign] = [
    await ask('/in', { headers }),
    await ask('/owner', { headers }),
    await ask('/in', { headers: { ...headers, 'x-org-id': crypto.randomUUID() } }),
  ]
  seen[name] = [refused.status, refused.headers.get('www-authenticate'), (await refused.json()).error.code, passed.status, (await passed.json()).org,
    low.status, foreign.status]
  close()
}
console.log(JSON.stringify(seen))
`

/** A project with the tarball and one set of peers. */
function projectWith(peers: Readonly<Record<string, string>>): string {
  const folder = join(dirname(packed.bare), `peers-${Object.values(peers).join('-').replaceAll(/[@/]/g, '')}`)
  cpSync(packed.bare, folder, { recursive: true, verbatimSymlinks: true })
  for (const scope of ['@types', '@opentelemetry']) mkdirSync(join(folder, 'node_modules', scope))
  for (const [name, actual] of Object.entries({ ...peers, '@types/node': '@types/node' })) {
    symlinkSync(`${root}node_modules/${actual}`, join(folder, 'node_modules', name))
  }
  for (const [name, text] of Object.entries(HOSTS)) writeFileSync(join(folder, `${name}.ts`), text)
  writeFileSync(join(folder, 'auth.mjs'), AUTH)
  writeFileSync(join(folder, 'run.mjs'), RUN)
  return folder
}

/** What a compiler says of the host and of our declarations; what it says of the frameworks' own types is theirs. */
function saidOf(folder: string, compiler: string, modules: object): string[] {
  const compilerOptions = {
    ...{ target: 'es2022', lib: ['es2023', 'dom', 'dom.iterable'], types: ['node'], ...modules },
    ...{ strict: true, exactOptionalPropertyTypes: true, noUncheckedIndexedAccess: true, noEmit: true },
    ...{ skipLibCheck: false, moduleDetection: 'force' },
  }
  const files = Object.keys(HOSTS).map((name) => `${name}.ts`)
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions, files }))
  const tsc = `${root}node_modules/${compiler}/bin/tsc`
  const { stdout } = spawnSync(process.execPath, [tsc, '--pretty', 'false'], { cwd: folder, encoding: 'utf8' })
  return stdout.split(/\n(?=\S)/).filter((text) => /^(\w+\.ts|node_modules\/sallyport\/|error)/.test(text))
}

it('the lowest releases here are the lowest of the ranges that package.json declares', () => {
  const { peerDependencies } = JSON.parse(readFileSync(`${root}package.json`, 'utf8')) as {
    peerDependencies: Record<string, string>
  }
  const versionOf = (name: string): string =>
    (JSON.parse(readFileSync(`${root}node_modules/${name}/package.json`, 'utf8')) as { version: string }).version
  expect(peerDependencies).toEqual({
    '@opentelemetry/api': `^${versionOf('opentelemetry-api-lowest')}`,
    express: `^${versionOf('express4-lowest')} || ^${versionOf('express5-lowest')}`,
    hono: `^${versionOf('hono-lowest')}`,
    koa: `^${versionOf('koa2-lowest')} || ^${versionOf('koa3-lowest')}`,
  })
})

describe.each(Object.keys(PEERS) as (keyof typeof PEERS)[])('beside %s', (name) => {
  let folder: string

  beforeAll(() => {
    folder = projectWith(PEERS[name])
  })

  it('a protected route answers 200, 401 and 403 on each framework', () => {
    const printed = execFileSync(process.execPath, ['run.mjs'], { cwd: folder, encoding: 'utf8' })
    const expected = [401, 'Bearer', 'unauthorized', 200, 'ada@example.test', 403, 403]
    expect(JSON.parse(printed)).toEqual({ express: expected, koa: expected, hono: expected })
  })

  it.each(COMPILATIONS.filter(([peers]) => peers === name))('%s, compiled by %s as %s', (_, compiler, modules) => {
    expect(saidOf(folder, compiler, MODULES[modules])).toEqual([])
  })
})
