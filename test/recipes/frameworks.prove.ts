/**
 * The recipes of docs/recipes.md on the real frameworks, each a process with the packed package: they compile, they answer
 * whom they know, and refuse with the bytes of Express but where the page says otherwise.
 */
import { execFileSync } from 'node:child_process'
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { runAdapterAudit, type SupabaseIssuer, startSupabaseIssuer } from 'sallyport/testing'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { AUTH_ERRORS } from '../../src/index.ts'
import { AUDITED_HEADERS, type AuditCase } from '../../src/testing/audit/audit-case.ts'
import { snippet } from '../readme/snippets.ts'
import { bunOf, installPeers } from './peers.ts'
import { OWN_ANSWERS, requestsTo, STATUSES } from './recipe-requests.ts'
import { FAULT, programsOf, SEED } from './recipe-routes.ts'
import { type Program, start } from './servers.ts'

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
  place = await installPeers()
  home = `${place}recipes/`
  layOut()
  cases = await requestsTo(issuer)
  const environment = { SUPABASE_URL: issuer.url, NEXT_TELEMETRY_DISABLED: '1', NODE_ENV: 'production' }
  const node = (script: string): [string, ...string[]] => [process.execPath, '--import', 'tsx', script]
  buildNext(environment)
  const commands: Readonly<Record<string, readonly [string, ...string[]]>> = {
    Express: node('express.ts'),
    Fastify: node('fastify.ts'),
    Nest: node('nest.ts'),
    'Nest, asked first': node('nest-first.ts'),
    Next: [process.execPath, `${place}${NEXT}`, 'start', '-p', '$PORT'],
    Elysia: [bunOf(place), 'elysia.ts'],
    Bun: [bunOf(place), 'bun-routes.ts'],
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

const authorization = (): string => String(cases[0]?.request.headers[0]?.[1])
const at = (name: string): string => programs.get(name)?.url ?? ''

// As they stand beside each other in the repository, with the first route of the README for comparison.
function layOut(): void {
  const recipes = fileURLToPath(new URL('../../examples/recipes/', import.meta.url))
  rmSync(home, { recursive: true, force: true })
  mkdirSync(home, { recursive: true })
  cpSync(`${recipes}next`, `${home}next`, { recursive: true })
  const textOf = (name: string): string => readFileSync(recipes + name, 'utf8')
  for (const [file, text] of Object.entries(programsOf(textOf, snippet('express.ts').code))) {
    mkdirSync(dirname(home + file), { recursive: true })
    writeFileSync(home + file, text)
  }
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

/** What is answered, but for what a framework adds: how a body is framed, the type of a handler's own answer, who the org is. */
async function answersOf(name: string): Promise<Readonly<Record<string, unknown>>> {
  const results = await runAdapterAudit({ cases }, at(name))
  return Object.fromEntries(
    results.map(({ id, answer }) => {
      const { status = 0, headers = {}, body = '' } = answer ?? {}
      if (OWN_ANSWERS.includes(id)) return [id, { status, shown: body.includes(FAULT) }]
      const names = AUDITED_HEADERS.filter((each) => each !== 'content-length' && each in headers)
      // Each process has made an organization of its own.
      const lines = Object.fromEntries(
        names.map((each) => [each, lineOf(each, headers[each])]).filter(([, line]) => line),
      )
      return [id, status === 200 ? { status, body, org: 'x-org-id' in headers } : { status, lines, body }]
    }),
  )
}

/** The statuses of some answers, by request. */
function statusesOf(name: string, ids: readonly string[]): Readonly<Record<string, unknown>> {
  const all = answers.get(name) ?? {}
  return Object.fromEntries(ids.map((id) => [id, (all[id] as { status?: number } | undefined)?.status]))
}

/** Answers without some. */
const without = (all: Readonly<Record<string, unknown>> | undefined, ids: readonly string[]): object =>
  Object.fromEntries(Object.entries(all ?? {}).filter(([id]) => !ids.includes(id)))

it('compile, with the types of the frameworks', () => {
  const tsc = `${place}node_modules/typescript/bin/tsc`
  expect(() => execFileSync(process.execPath, [tsc, '-p', home], { encoding: 'utf8', stdio: 'pipe' })).not.toThrow()
})

it('share the auth of the README', () => {
  expect(readFileSync(`${home}auth.ts`, 'utf8')).toBe(snippet('auth.ts').code + SEED)
})

it('Express: what the others are compared with', () => {
  const express = answers.get('Express') ?? {}
  expect(Object.keys(express)).toEqual(cases.map(({ id }) => id))
  expect(express['good']).toMatchObject({ status: 200, org: true })
  expect(statusesOf('Express', Object.keys(STATUSES))).toEqual(STATUSES)
  const thrown = Object.entries(AUTH_ERRORS).map(([code, { status }]) => [`thrown: ${code}`, status])
  expect(
    statusesOf(
      'Express',
      thrown.map(String).map((id) => id.split(',')[0] ?? ''),
    ),
  ).toEqual(Object.fromEntries(thrown))
})

// By framework: what its own parser answers, as its row of the page says.
const BODIES = ['a body', 'no JSON', 'another type', 'too large', 'no JSON, of nobody'] as const
const OWN_BODIES: Readonly<Record<string, Readonly<Record<(typeof BODIES)[number], number>>>> = {
  Fastify: { 'a body': 200, 'no JSON': 400, 'another type': 415, 'too large': 413, 'no JSON, of nobody': 401 },
  Nest: { 'a body': 201, 'no JSON': 400, 'another type': 201, 'too large': 413, 'no JSON, of nobody': 400 },
  'Nest, asked first': {
    'a body': 201,
    'no JSON': 400,
    'another type': 201,
    'too large': 413,
    'no JSON, of nobody': 401,
  },
}

// Of organizations one is as good as another; what Next itself varies by is none of ours.
function lineOf(name: string, value: string | undefined): string | undefined {
  if (name === 'x-org-id') return 'an org'
  const fields = value?.split(', ').filter((field) => !/^(?:rsc|next-.*|accept-encoding)$/i.test(field))
  return name === 'vary' ? fields?.join(', ') : value
}

function otherwiseOn(name: string, express: Readonly<Record<string, unknown>>): object {
  // Next is handed the headers of Node, which have dropped the second line.
  if (name === 'Next') return { 'two tokens': express['good'] }
  // Also in production.
  if (name === 'Elysia' || name === 'Fastify') return { fault: { status: 500, shown: true } }
  if (!name.startsWith('Nest')) return {}
  // The guard of the class has let them in, as a middleware would have.
  const refused = express['the role is missing'] as { lines: object }
  const ours = { 'x-org-id': 'an org', vary: 'Authorization, X-Org-Id' }
  return { 'the role is missing': { ...refused, lines: { ...refused.lines, ...ours } } }
}

describe.each(NAMES)('%s', (name) => {
  it('answers as Express does', () => {
    const express = answers.get('Express')
    const otherwise = otherwiseOn(name, express ?? {})
    const own = name in OWN_BODIES ? BODIES : []
    expect(without(answers.get(name), own)).toEqual({ ...without(express, own), ...otherwise })
  })

  it.runIf(name in OWN_BODIES)('answers bodies in its own way', () => {
    expect(statusesOf(name, BODIES)).toEqual(OWN_BODIES[name])
  })

  it('leaves one trace of what a handler fails with', () => {
    expect(
      programs
        .get(name)
        ?.output()
        .match(/sallyport: answered 500: /g),
    ).toHaveLength(1)
  })
})

it.each(['Fastify', 'Elysia', 'Bun', 'Next', 'Nest', 'Nest, asked first'])(
  'a body of whom it may be, on %s',
  async (name) => {
    const headers = { 'content-type': 'application/json', authorization: authorization() }
    const answer = await fetch(`${at(name)}/api/contacts`, { method: 'POST', headers, body: '{"name":"bob"}' })
    expect([answer.ok, await answer.json()]).toEqual([true, { added: { name: 'bob' }, to: 'ada@example.test' }])
    expect(answer.headers.get('x-org-id')).toMatch(/^[0-9a-f-]{36}$/)
  },
)

describe('Next', () => {
  it('has a server component that knows who calls', async () => {
    expect(await (await fetch(at('Next'), { headers: { authorization: authorization() } })).text()).toContain(
      '<p>ada@example.test</p>',
    )
  })

  it('is not built without what the auth reads', () => {
    const build = (): string => buildNext({ NEXT_TELEMETRY_DISABLED: '1' })
    expect(build).toThrow(/OptionsError[\s\S]*"url" is required/)
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

  const answerOf = async (path: string, init: RequestInit = {}): Promise<object> => {
    const headers = { authorization: authorization(), 'content-type': 'application/json', ...init.headers }
    const answer = await fetch(`${at('tRPC')}/trpc/${path}`, { ...init, headers })
    const { error } = (await answer.json()) as { error?: { data?: object; message?: string } }
    const shown = error?.message === FAULT
    return { status: answer.status, shown, ...error?.data, challenge: answer.headers.get('www-authenticate') }
  }

  it.each(Object.entries(AUTH_ERRORS))(
    'a procedure that throws %s is answered by it',
    async (auth, { status, challenge }) => {
      const answer = await answerOf(`refuse?input=${JSON.stringify(auth)}`)
      expect(answer).toMatchObject({ status, httpStatus: status, auth, challenge })
    },
  )

  it('a body is tRPC’s own', async () => {
    const post = (body: string, headers = {}) => answerOf('count', { method: 'POST', body, headers })
    expect(await post('1')).toMatchObject({ status: 200 })
    expect(await post('{')).toMatchObject({ status: 400, code: 'BAD_REQUEST' })
    expect(await post('"x"')).toMatchObject({ status: 400, code: 'BAD_REQUEST' })
    expect(await post(JSON.stringify('x'.repeat(2_000_000)))).toMatchObject({ status: 400, code: 'BAD_REQUEST' })
    expect(await post('1', { 'content-type': 'text/plain' })).toMatchObject({
      status: 415,
      code: 'UNSUPPORTED_MEDIA_TYPE',
    })
    expect(await post('{', { authorization: 'Bearer x.y.z' })).toMatchObject({ status: 401, auth: 'unauthorized' })
  })
})
