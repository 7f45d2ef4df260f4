/**
 * The recipes of docs/recipes.md on the real frameworks, each a process with the packed package: they compile, they answer
 * whom they know, and refuse with the bytes of Express but where the page says otherwise.
 */
import { execFileSync } from 'node:child_process'
import { copyFileSync, cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { runAdapterAudit, type SupabaseIssuer, startSupabaseIssuer } from 'sallyport/testing'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { AUDITED_HEADERS, type AuditCase, type Line } from '../../src/testing/audit/audit-case.ts'
import { snippet } from '../readme/snippets.ts'
import { bunOf, installPeers } from './peers.ts'
import { type Program, start } from './servers.ts'

const RECIPES = ['auth', 'bun', 'elysia', 'fastify', 'fetch', 'nest', 'trpc'].map((name) => `${name}.ts`)
const NAMES = ['Fastify', 'Nest', 'Nest, asked first', 'Next', 'Elysia', 'Bun'] as const

const NEXT = 'node_modules/next/dist/bin/next'

let issuer: SupabaseIssuer
let home: string
let place: string
let cases: readonly AuditCase[]
const programs = new Map<string, Program>()
const answers = new Map<string, Readonly<Record<string, unknown>>>()

beforeAll(async () => {
  issuer = await startSupabaseIssuer()
  place = installPeers()
  home = `${place}recipes/`
  layOut()
  cases = await requests()
  const environment = { SUPABASE_URL: issuer.url, NEXT_TELEMETRY_DISABLED: '1' }
  const node = (script: string): [string, ...string[]] => [process.execPath, '--import', 'tsx', script]
  buildNext(environment)
  const commands: Readonly<Record<string, readonly [string, ...string[]]>> = {
    Express: node('express.ts'),
    Fastify: node('fastify.ts'),
    Nest: node('nest.ts'),
    'Nest, asked first': node('nest-first.ts'),
    Next: [process.execPath, `${place}${NEXT}`, 'start', '-p', '$PORT'],
    Elysia: [bunOf(place), 'elysia.ts'],
    Bun: [bunOf(place), 'bun.ts'],
    tRPC: node('trpc-server.ts'),
  }
  for (const [name, command] of Object.entries(commands)) {
    programs.set(name, await start(command, name === 'Next' ? `${home}next` : home, environment))
    if (name !== 'tRPC') answers.set(name, await answersOf(name))
  }
}, 600_000)

afterAll(async () => {
  for (const program of programs.values()) await program.stop()
  await issuer?.close()
})

const at = (name: string): string => programs.get(name)?.url ?? ''

// As they stand beside each other in the repository, with the first route of the README for comparison.
function layOut(): void {
  const recipes = fileURLToPath(new URL('../../examples/recipes/', import.meta.url))
  rmSync(home, { recursive: true, force: true })
  mkdirSync(home, { recursive: true })
  for (const name of RECIPES) copyFileSync(recipes + name, home + name)
  cpSync(`${recipes}next`, `${home}next`, { recursive: true })
  writeFileSync(`${home}express.ts`, snippet('express.ts').code)
  writeFileSync(`${home}trpc-server.ts`, TRPC_SERVER)
  writeFileSync(`${home}nest-first.ts`, readFileSync(`${home}nest.ts`, 'utf8').replace('await app.listen', NEST_FIRST))
  writeFileSync(`${home}tsconfig.json`, JSON.stringify({ compilerOptions: OPTIONS, exclude: ['next'] }))
  writeFileSync(`${home}next/tsconfig.json`, JSON.stringify({ compilerOptions: NEXT_OPTIONS }))
  for (const [file, text] of Object.entries(NEXT_PAGES)) writeFileSync(`${home}next/${file}`, text)
}

function buildNext(environment: Readonly<Record<string, string>>): string {
  const env = { PATH: process.env['PATH'], HOME: process.env['HOME'], ...environment }
  return execFileSync(process.execPath, [`${place}${NEXT}`, 'build'], {
    cwd: `${home}next`,
    env,
    encoding: 'utf8',
    stdio: 'pipe',
  })
}

const NEXT_PAGES = {
  'package.json': '{ "type": "module" }',
  'next.config.mjs': "export default { turbopack: { root: new URL('../..', import.meta.url).pathname } }\n",
  'app/layout.tsx': `import type { ReactNode } from 'react'
export default ({ children }: { children: ReactNode }) => <html lang="en"><body>{children}</body></html>
`,
  'app/page.tsx': `import { headers } from 'next/headers'
import { fromFetchRequest } from 'sallyport/adapter'
import { auth } from '../../auth.ts'

export default async function Page() {
  const { user } = await auth.authenticate(fromFetchRequest(new Request('https://app.invalid/', { headers: await headers() })))
  return <p>{user.email}</p>
}
`,
}

// Not a recipe: how a Fetch handler is served is not tRPC's concern.
const TRPC_SERVER = `import { getRequestListener } from '@hono/node-server'
import { createServer } from 'node:http'
import { handler } from './trpc.ts'
createServer(getRequestListener(handler)).listen(process.env.PORT)
`

const NEST_FIRST = `const { createAdapter } = await import('sallyport/express')
app.use('/api', createAdapter(auth).middleware())
await app.listen`

const OPTIONS = {
  ...{ target: 'es2022', lib: ['es2023', 'dom'], module: 'nodenext', strict: true, noUncheckedIndexedAccess: true },
  ...{ exactOptionalPropertyTypes: true, noImplicitOverride: true, noUnusedLocals: true, noUnusedParameters: true },
  ...{ experimentalDecorators: true, isolatedModules: true, verbatimModuleSyntax: true, types: ['node'] },
  ...{ allowImportingTsExtensions: true, skipLibCheck: true, noEmit: true },
}
const NEXT_OPTIONS = {
  ...{ target: 'es2022', lib: ['es2023', 'dom'], module: 'esnext', moduleResolution: 'bundler', strict: true },
  ...{ jsx: 'react-jsx', isolatedModules: true, allowImportingTsExtensions: true, skipLibCheck: true, noEmit: true },
}

async function requests(): Promise<readonly AuditCase[]> {
  const { tokens } = issuer
  const ada = tokens.supabaseClaims({ sub: 'ada', email: 'ada@example.test' })
  const bearer = async (claims: object, options?: object): Promise<Line> => [
    'Authorization',
    `Bearer ${await tokens.sign({ ...ada, ...claims }, options)}`,
  ]
  const good = await bearer({})
  const rows: Record<string, readonly Line[]> = {
    good: [good],
    none: [],
    'another scheme': [['Authorization', 'Basic eDp5']],
    'no token': [['Authorization', 'Bearer']],
    'no JWT': [['Authorization', 'Bearer x.y.z']],
    expired: [await bearer({ exp: Math.floor(Date.now() / 1000) - 600 })],
    'another audience': [await bearer({ aud: 'another' })],
    'another signature': [[good[0], `${good[1].slice(0, -8)}AAAAAAAA`]],
    anonymous: [await bearer({ sub: 'nobody', is_anonymous: true })],
    'a third party': [await bearer({ sub: 'bob', client_id: 'an app' })],
    'a cookie': [['Cookie', `session=${good[1].slice(7)}`]],
    'no org id': [good, ['X-Org-Id', 'nonsense']],
    'another org': [good, ['X-Org-Id', '4b5c9a1e-9a0f-4f5e-8a57-0d8f1c1b2a3d']],
    'two orgs': [good, ['X-Org-Id', 'a'], ['X-Org-Id', 'b']],
    'two tokens': [good, good],
  }
  const expected = { status: 0, headers: [], body: null }
  return Object.entries(rows).map(([id, headers]) => {
    return { id, request: { method: 'GET', path: '/api/me', headers, body: null, chunked: false }, expected }
  })
}

/** What is answered, but for what a framework adds: how a body is framed, the type of a handler's own answer, who the org is. */
async function answersOf(name: string): Promise<Readonly<Record<string, unknown>>> {
  const results = await runAdapterAudit({ cases }, at(name))
  return Object.fromEntries(
    results.map(({ id, answer }) => {
      const { status = 0, headers = {}, body = '' } = answer ?? {}
      const names = AUDITED_HEADERS.filter((each) => each !== 'content-length')
      const lines = Object.fromEntries(names.flatMap((each) => (each in headers ? [[each, headers[each]]] : [])))
      return [id, status === 200 ? { status, body, org: 'x-org-id' in headers } : { status, lines, body }]
    }),
  )
}

it('compile, with the types of the frameworks', () => {
  const tsc = `${place}node_modules/typescript/bin/tsc`
  expect(() => execFileSync(process.execPath, [tsc, '-p', home], { encoding: 'utf8', stdio: 'pipe' })).not.toThrow()
})

it('share the auth of the README', () => {
  expect(readFileSync(`${home}auth.ts`, 'utf8')).toBe(snippet('auth.ts').code)
})

describe.each(NAMES)('%s', (name) => {
  it('answers as Express does', () => {
    const express = answers.get('Express')
    expect(Object.keys(express ?? {})).toHaveLength(cases.length)
    expect(express?.['good']).toMatchObject({ status: 200, org: true })
    // Next is handed the headers of Node, which have dropped the second line.
    const otherwise = name === 'Next' ? { 'two tokens': express?.['good'] } : {}
    expect(answers.get(name)).toEqual({ ...express, ...otherwise })
  })
})

describe.each(['Fastify', 'Elysia', 'Nest', 'Nest, asked first'])('a body that is no JSON, on %s', (name) => {
  const post = async (headers: Record<string, string>, body: string): Promise<Response> =>
    fetch(`${at(name)}/api/contacts`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body,
    })

  it(name === 'Nest' ? 'is refused before it is asked who sends it' : 'of nobody is not looked at', async () => {
    expect((await post({}, '{')).status).toBe(name === 'Nest' ? 400 : 401)
  })

  it('is an answer where it is one', async () => {
    const authorization = String(cases[0]?.request.headers[0]?.[1])
    const answer = await post({ authorization }, '{"name":"bob"}')
    const added = { added: { name: 'bob' }, to: 'ada@example.test' }
    expect([answer.ok, await answer.json()]).toEqual([true, added])
    expect(answer.headers.get('x-org-id')).toMatch(/^[0-9a-f-]{36}$/)
  })
})

describe('Next', () => {
  it('is not built without what the auth reads', () => {
    const build = (): string => buildNext({ NEXT_TELEMETRY_DISABLED: '1' })
    expect(build).toThrow(/OptionsError[\s\S]*"url" is required/)
  })

  it('has a server component that knows who calls', async () => {
    const authorization = String(cases[0]?.request.headers[0]?.[1])
    expect(await (await fetch(at('Next'), { headers: { authorization } })).text()).toContain('<p>ada@example.test</p>')
  })
})

describe('tRPC', () => {
  interface Client {
    readonly me: { query(): Promise<unknown> }
    readonly hello: { query(): Promise<unknown> }
    readonly rename: { mutate(): Promise<unknown> }
  }
  const clientOf = async (headers: object): Promise<Client> => {
    const { createTRPCClient, httpBatchLink } = await import(`${place}node_modules/@trpc/client/dist/index.mjs`)
    return createTRPCClient({ links: [httpBatchLink({ url: `${at('tRPC')}/trpc`, headers })] })
  }
  const authorization = (): string => String(cases[0]?.request.headers[0]?.[1])
  const refused = { data: { auth: 'unauthorized', code: 'UNAUTHORIZED', httpStatus: 401 } }

  it('answers a procedure that asks, several in one request, and one that does not', async () => {
    const client = await clientOf({ authorization: authorization() })
    const me = { user: 'ada@example.test', org: 'ada@example.test', role: 'owner' }
    expect(await Promise.all([client.me.query(), client.hello.query()])).toEqual([me, 'hello'])
    expect(await client.rename.mutate()).toEqual({ renamed: expect.stringMatching(/^[0-9a-f-]{36}$/) })
  })

  it('refuses by procedure: the client is told the code', async () => {
    const nobody = await clientOf({})
    const [me, hello] = await Promise.allSettled([nobody.me.query(), nobody.hello.query()])
    expect([me, hello]).toMatchObject([{ reason: refused }, { value: 'hello' }])
    const elsewhere = { authorization: authorization(), 'x-org-id': '4b5c9a1e-9a0f-4f5e-8a57-0d8f1c1b2a3d' }
    await expect((await clientOf(elsewhere)).me.query()).rejects.toMatchObject({ data: { auth: 'forbidden' } })
  })

  it('has the challenge and the headers of an answer', async () => {
    const answer = await fetch(`${at('tRPC')}/trpc/me`)
    const headers = ['www-authenticate', 'cache-control', 'content-type'].map((name) => answer.headers.get(name))
    expect([answer.status, ...headers]).toEqual([401, 'Bearer', 'no-store', 'application/json'])
    const known = await fetch(`${at('tRPC')}/trpc/me`, { headers: { authorization: authorization() } })
    expect([known.status, known.headers.get('vary')]).toEqual([200, expect.stringContaining('X-Org-Id')])
  })
})
