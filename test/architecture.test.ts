/** The tree holds its plan: who imports whom, who may use what, budgets, names. First the checker itself is proved. */
import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { checkLayers } from './architecture/check-layers.ts'
import { unknownNames } from './architecture/docstring-names.ts'
import { listExportedNames } from './architecture/exported-names.ts'
import { EXCEPTIONS, PLACES } from './architecture/layers.ts'
import { readSource } from './architecture/source-file.ts'

const root = fileURLToPath(new URL('..', import.meta.url))
const read = (path: string): string => readFileSync(root + path, 'utf8')

function listFiles(folder: string): string[] {
  return readdirSync(root + folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && /\.(ts|mjs)$/.test(entry.name))
    .map((entry) => `${entry.parentPath}/${entry.name}`.slice(root.length))
}

const tree = new Map(
  ['src', 'adapters', 'test', 'examples', 'scripts'].flatMap(listFiles).map((path) => [path, read(path)]),
)

describe('the tree', () => {
  it('holds its plan', () => {
    expect(tree.size).toBeGreaterThan(20)
    expect(checkLayers(tree)).toEqual([])
  })

  it('documents every exported name', () => {
    const { compilerOptions } = JSON.parse(read('tsconfig.json')) as {
      compilerOptions: { paths: Record<string, [string]> }
    }
    const entryPoints = Object.values(compilerOptions.paths).map(([file]) => file.replace('./', ''))
    const exported = entryPoints.flatMap((file) => listExportedNames(file, read))
    expect(exported.length).toBeGreaterThan(20)
    const listed = (those: typeof exported): string[] => those.map(({ path, name }) => `${path}: ${name}`)
    expect(listed(exported.filter(({ hasDocstring }) => !hasDocstring))).toEqual([])
    // How each function and class is used, too.
    expect(listed(exported.filter(({ hasExample }) => hasExample === false))).toEqual([])
    expect(exported.filter(({ hasExample }) => hasExample === true).length).toBeGreaterThan(60)
  })

  it('names in its comments only what exists', () => {
    const files = [...tree].filter(([path]) => /^(src|adapters)\//.test(path))
    expect(unknownNames(files.map(([path, text]) => readSource(path, text)))).toEqual([])
  })

  it('makes no exception that nothing needs', () => {
    const unused = EXCEPTIONS.filter(({ path, uses }) => !readSource(path, read(path)).globals.has(uses))
    expect(unused).toEqual([])
  })

  it('has a table without holes: each place named once, each import a place', () => {
    const names = PLACES.map(({ name }) => name)
    expect(new Set(names).size).toBe(names.length)
    for (const { name, imports } of PLACES) {
      expect(
        imports.filter((other) => !names.includes(other) || other === name),
        name,
      ).toEqual([])
    }
  })

  it('points its arrows down: no place imports a higher layer, but storage entries their storage', () => {
    const layerOf = new Map(PLACES.map(({ name, layer }) => [name, layer]))
    const up = PLACES.flatMap(({ name, layer, imports }) =>
      imports.filter((other) => (layerOf.get(other) ?? 9) > layer).map((other) => `${name} → ${other}`),
    )
    expect(up).toEqual(['testing entry → testing', 'storage entries → storage'])
  })
})

const HEAD = '/** Head. */\n'
const manyLines = (count: number): string => 'export const a = 1\n'.repeat(count)
const functionOf = (lines: number): string => `export function f() {\n${'  g()\n'.repeat(lines - 2)}}\n`

// [what is wrong, files, what the checker says]; a text gets a head comment unless it begins with one.
const FAULTS: readonly (readonly [string, Record<string, string>, string])[] = [
  ['a tool that imports a noun', { 'src/lib/a.ts': "import '../errors.ts'" }, 'lib may not import nouns'],
  ['a tool that imports a tool', { 'src/lib/a.ts': "import './b.ts'" }, 'lib may not import lib'],
  ['a noun that imports a step', { 'src/errors.ts': "import './orgs/x.ts'" }, 'nouns may not import orgs'],
  [
    'a port that imports a step',
    { 'src/storage/repositories.ts': "import '../orgs/x.ts'" },
    'ports may not import orgs',
  ],
  [
    'a step that imports another',
    { 'src/orgs/a.ts': "import { b } from '../users/b.ts'" },
    'orgs may not import users',
  ],
  ['the same for a type', { 'src/orgs/a.ts': "import type { B } from '../users/b.ts'" }, 'orgs may not import users'],
  ['the same, re-exported', { 'src/orgs/a.ts': "export { b } from '../users/b.ts'" }, 'orgs may not import users'],
  ['the same, all of it', { 'src/orgs/a.ts': "export * from '../users/b.ts'" }, 'orgs may not import users'],
  ['the same, loaded late', { 'src/orgs/a.ts': "await import('../users/b.ts')" }, 'orgs may not import users'],
  ['the same, as an import type', { 'src/orgs/a.ts': "let b: import('../users/b.ts').B" }, 'orgs may not import users'],
  ['a computed import', { 'src/orgs/a.ts': 'await import(name)' }, 'imports (computed): not allowed in orgs'],
  ['a step that looks back', { 'src/orgs/a.ts': "import '../auth.ts'" }, 'orgs may not import auth'],
  [
    'a step that knows a storage',
    { 'src/users/a.ts': "import '../storage/memory.ts'" },
    'may not import storage entries',
  ],
  [
    'a composition that imports another',
    { 'src/login/a.ts': "import '../api-keys/a.ts'" },
    'login may not import api-keys',
  ],
  ['an adapter at the front entry', { 'adapters/koa.ts': "import '../src/index.ts'" }, 'may not import front entry'],
  [
    'an entry point with code in it',
    { 'src/index.ts': 'export const a = 1' },
    'is an entry point: it may only re-export',
  ],
  [
    'an entry point that imports for itself',
    { 'src/index.ts': "import './auth.ts'" },
    'is an entry point: it may only re-export',
  ],
  ['a storage that imports a step', { 'src/storage/sql.ts': "import '../users/b.ts'" }, 'storage may not import users'],
  [
    'an adapter past the front entry',
    { 'adapters/koa.ts': "import '../src/auth.ts'" },
    'koa adapter may not import auth',
  ],
  ['an adapter beside another', { 'adapters/koa.ts': "import './hono.ts'" }, 'koa adapter may not import hono adapter'],
  ['the kit in a step', { 'src/testing/a.ts': "import '../users/b.ts'" }, 'testing may not import users'],
  ['a file nowhere', { 'src/extra/a.ts': 'export {}' }, 'belongs to no place of the table'],
  [
    'an import of a file nowhere',
    { 'src/orgs/a.ts': "import '../../test/x.ts'" },
    'test/x.ts, which belongs to no place',
  ],
  ['jose outside', { 'src/users/a.ts': "import { jwtVerify } from 'jose'" }, 'imports jose: not allowed in users'],
  ['a decrypt function', { 'src/testing/a.ts': "import { jwtDecrypt } from 'jose'" }, 'imports jwtDecrypt'],
  [
    'the whole of jose',
    { 'src/verify/a.ts': "import { importJWK } from 'jose'" },
    'imports jose: not allowed in verify',
  ],
  ['all of zod', { 'src/login/a.ts': "import * as z from 'zod'" }, 'imports zod: not allowed in login'],
  [
    'zod beside the options',
    { 'src/users/a.ts': "import * as z from 'zod/mini'" },
    'imports zod/mini: not allowed in users',
  ],
  ['zod by name', { 'src/login/a.ts': "import { z } from 'zod/mini'" }, 'imports zod/mini by name'],
  [
    'a framework in the core',
    { 'src/auth.ts': "import type { Request } from 'express'" },
    'imports express: not allowed',
  ],
  ['a framework at run time', { 'adapters/koa.ts': "import Koa from 'koa'" }, 'imports koa at run time: types only'],
  [
    'another framework',
    { 'adapters/koa.ts': "import type { H } from 'hono'" },
    'imports hono: not allowed in koa adapter',
  ],
  ['a driver', { 'src/storage/postgres.ts': "import type { Pool } from 'pg'" }, 'imports pg: not allowed'],
  ['Node in the core', { 'src/auth.ts': "import { createHash } from 'node:crypto'" }, 'imports node:crypto'],
  ['Node types in the core', { 'src/http/a.ts': "import type { A } from 'node:http'" }, 'imports node:http'],
  ['the environment', { 'src/auth.ts': 'export const a = process.env.A' }, 'uses process'],
  ['the environment by globalThis', { 'src/auth.ts': 'export const a = globalThis.process' }, 'uses process'],
  ['the environment in shorthand', { 'src/auth.ts': 'export const a = { process }' }, 'uses process'],
  ['a console', { 'adapters/koa.ts': "console.log('x')" }, 'uses console'],
  ['a Buffer', { 'src/auth.ts': "export const a = Buffer.from('x')" }, 'uses Buffer'],
  ['a builtin by another way', { 'src/auth.ts': "x.process?.getBuiltinModule?.('node:fs')" }, 'uses getBuiltinModule'],
  ['weak randomness', { 'src/testing/a.ts': 'export const a = Math.random()' }, 'uses Math.random'],
  ['weak randomness as a value', { 'src/lib/a.ts': 'export const a = Math.random' }, 'uses Math.random'],
  ['a bare clock', { 'src/auth.ts': 'export const a = Date.now()' }, 'uses Date.now()'],
  ['a bare clock, the other', { 'src/auth.ts': 'export const a = new Date()' }, 'uses new Date()'],
  ['a bare clock, the third', { 'src/auth.ts': 'export const a = performance.now()' }, 'uses performance'],
  ['a long file', { 'src/auth.ts': manyLines(301) }, 'has 301 lines of code, the budget is 300'],
  ['a long adapter', { 'adapters/koa.ts': manyLines(121) }, 'has 121 lines of code, the budget is 120'],
  ['a long function', { 'src/auth.ts': functionOf(61) }, 'f has 61 lines of code, the budget is 60'],
  [
    'a function of many parameters',
    { 'src/auth.ts': 'export function f(a: 1, b: 2, c: 3, d: 4, e: 5) {}' },
    'f takes 5 parameters, the budget is 4',
  ],
  ['a metaphor', { 'src/auth.ts': 'export const enterDoor = 1' }, 'declares enterDoor, a metaphor'],
  [
    'casts through unknown',
    { 'src/auth.ts': 'export const a = b as unknown as C\n'.repeat(6) },
    '6 casts through unknown, the budget is 5',
  ],
  ['a method of many', { 'src/auth.ts': 'export class A { m(a, b, c, d, ...e) {} }' }, 'm takes 5 parameters'],
  ['a long text', { 'src/auth.ts': `export const a = \`${'\n'.repeat(300)}\`` }, 'has 301 lines of code'],
  ['a long set-up', { 'examples/iron-crm/auth.ts': manyLines(121) }, 'has 121 lines of code, the budget is 120'],
  [
    'a long set-up of any name',
    { 'examples/a/app.ts': `${manyLines(120)}createAuth({})` },
    'has 121 lines of code, the budget is 120',
  ],
  ...(
    [
      ["req.get('Authorization')", 'reads a credential header'],
      ["c.req.header('cookie')", 'reads a credential header'],
      ["req.headers['x-iron-crm-secret']", 'reads a credential header'],
      ['ctx.headers.authorization', 'reads a credential header'],
      ["request.lines('x-platform-api-key')", 'reads a credential header'],
      ['await jwtVerify(token, key)', 'verifies a token'],
      ["createHmac('sha256', secret)", 'verifies a token'],
      ['crypto.timingSafeEqual(a, b)', 'compares a secret'],
      ["res.setHeader('Set-Cookie', x)", 'sets a cookie'],
      ["setCookie(c, 'session', token)", 'sets a cookie'],
      ["res.cookie('session', token)", 'sets a cookie'],
      ["res.json({ error: { code: 'forbidden', message } })", 'writes an error body'],
      ["ctx.body = { type: 'about:blank', title, status: 403 }", 'writes an error body'],
      ["if (role === 'owner') requireOwner(context)", 'compares roles'],
      ["if (member?.role !== 'owner') throw x", 'compares roles'],
      ['if (member.role != context.role) throw x', 'compares roles'],
      ["throw new AuthError('conflict')", 'answers a conflict'],
    ] as const
  ).map(
    ([text, deed]) =>
      [`an example where ${text}`, { 'examples/a/app.ts': text }, `${deed}: that is the library's to do`] as const,
  ),
  [
    'two files that import each other',
    { 'src/orgs/a.ts': "import './b.ts'", 'src/orgs/b.ts': "import type { A } from './a.ts'" },
    'src/orgs/a.ts → src/orgs/b.ts → src/orgs/a.ts: a cycle',
  ],
  [
    'a cycle of three',
    { 'src/orgs/a.ts': "import './b.ts'", 'src/orgs/b.ts': "import './c.ts'", 'src/orgs/c.ts': "import './a.ts'" },
    'src/orgs/a.ts → src/orgs/b.ts → src/orgs/c.ts → src/orgs/a.ts: a cycle',
  ],
  ['an example with a way in', { 'examples/a/b.ts': "import '../../src/auth.ts'" }, 'imports the package by name'],
  ['no head comment', { 'src/auth.ts': '\nexport const a = 1' }, 'has no head comment'],
  ['a name in camel case', { 'src/users/syncGate.ts': '' }, 'the name is not kebab-case'],
  ['an empty name', { 'src/users/utils.ts': '' }, 'says nothing about what is inside'],
  ['an empty folder name', { 'src/testing/helpers/a.ts': '' }, 'says nothing about what is inside'],
  ['a refusal without a reason', { 'src/auth.ts': "throw new AuthError('forbidden')" }, 'without a literal reason'],
  ['a quick refusal without a reason', { 'src/auth.ts': "throw refused('forbidden', {})" }, 'without a literal reason'],
  [
    'a reason made of values',
    { 'src/auth.ts': "throw new AuthError('forbidden', { reason: x })" },
    'without a literal',
  ],
  ['a reason in prose', { 'src/auth.ts': "throw new AuthError('a', { reason: 'No way' })" }, 'not a snake_case word'],
  [
    'a reason given twice',
    {
      'src/auth.ts': "throw new AuthError('forbidden', { reason: 'x' })",
      'src/orgs/a.ts': "throw new AuthError('forbidden', { reason: 'x' })",
    },
    'the reason "x" is given at 2 sites',
  ],
]

const FINE: readonly (readonly [string, Record<string, string>])[] = [
  ['a step on its own floor and below', { 'src/orgs/a.ts': "import './b.ts'\nimport type { C } from '../context.ts'" }],
  ['the pipeline with its steps', { 'src/auth.ts': "import './guards.ts'\nimport './orgs/a.ts'" }],
  [
    'an example that sends a credential, and reads what is none',
    { 'examples/a/main.ts': "fetch(url, { headers: { authorization: 'Bearer x' } })\nreq.get('Accept')" },
  ],
  ['an example that asks whether there is a role', { 'examples/a/main.ts': 'if (scope.role !== undefined) grant()' }],
  ['a storage that is asked for one', { 'examples/a/main.ts': 'members.filter(({ role }) => role === keep)' }],
  ['the demo, which compares answers', { 'examples/demo/expected-answer.ts': "headers['set-cookie']" }],
  [
    'two files that need a third',
    { 'src/orgs/a.ts': "import './c.ts'\nimport './b.ts'", 'src/orgs/b.ts': "import './c.ts'" },
  ],
  ['a front entry point', { 'src/index.ts': "export { a } from './auth.ts'\nexport type { B } from './orgs/a.ts'" }],
  [
    'jose and zod in their places',
    {
      'src/verify/a.ts': "import { importJWK } from 'jose/key/import'",
      'src/login/a.ts': "import * as z from 'zod/mini'",
    },
  ],
  ['framework types', { 'adapters/hono.ts': "import type { Context } from 'hono'\nimport '../src/http/index.ts'" }],
  ['a clock handed in', { 'src/auth.ts': 'export const f = (clock = Date.now) => new Date(clock())' }],
  ['properties with the names of globals', { 'src/auth.ts': 'export const a = { process: 1, b: c.console }' }],
  [
    'comments and blanks beyond the budget',
    { 'src/auth.ts': `${'// why\n\n/**\n * what\n */\n'.repeat(99)}export const a = 1` },
  ],
  ['a file and a function at their budgets', { 'src/auth.ts': functionOf(60) + manyLines(240) }],
  ['five casts', { 'src/auth.ts': 'export const a = b as unknown as C\n'.repeat(5) }],
  ['four parameters and `this`', { 'src/auth.ts': 'export function f(this: void, a: 1, b: 2, c: 3, d: 4) {}' }],
  ['a command line that prints', { 'src/cli/main.ts': '#!/usr/bin/env node\n/** Head. */\nconsole.log(process.argv)' }],
  ['a test named after its subject', { 'test/types.test-d.ts': "import '../src/auth.ts'\nconsole.log(Date.now())" }],
]

const withHeads = (files: Record<string, string>): Map<string, string> =>
  new Map(Object.entries(files).map(([path, text]) => [path, /^(\n|#|\/\*\*)/.test(text) ? text : HEAD + text]))

describe('the checker', () => {
  it.each(FAULTS)('finds %s', (_, files, sentence) => {
    expect(checkLayers(withHeads(files)).join('\n')).toContain(sentence)
  })

  it.each(FINE)('lets %s be', (_, files) => {
    expect(checkLayers(withHeads(files))).toEqual([])
  })

  it('finds an exported name without a docstring, through its entry point', () => {
    const files: Record<string, string> = {
      'index.ts': "import { type D } from './a.ts'\nexport { a, b as c } from './a.ts'\nexport type { D }",
      'a.ts':
        '/** Head. */\nimport x from "x"\n/** Do. */\nexport function a() {}\nexport const b = 1\nexport interface D {}',
    }
    expect(listExportedNames('index.ts', (path) => files[path] ?? '')).toEqual([
      { name: 'D', kind: 'type', hasDocstring: false, hasExample: null, path: 'a.ts' },
      { name: 'a', kind: 'value', hasDocstring: true, hasExample: false, path: 'a.ts' },
      { name: 'c', kind: 'value', hasDocstring: false, hasExample: null, path: 'a.ts' },
    ])
    const first = '/** Head. */\nexport function f(): void\nexport function f(a?: 1) {}\nexport type f = 1'
    expect(listExportedNames('f.ts', () => first)).toEqual([
      { name: 'f', kind: 'value', hasDocstring: false, hasExample: false, path: 'f.ts' },
    ])
    const shown = (text: string): unknown =>
      listExportedNames('e.ts', () => `/** Head. */\n\n/**\n * Do.\n${text} */\nexport function e() {}`)[0]?.hasExample
    expect([shown(''), shown(' * @example\n'), shown(' * @example\n * e()\n')]).toEqual([false, false, true])
    expect(listExportedNames('f.ts', () => first.replace('\n', '\n/** Do. */\n'))[0]?.hasDocstring).toBe(true)
    expect(() => listExportedNames('i.ts', () => "export * from './a.ts'")).toThrow('one by one')
  })

  it.each([
    ['a link', '/** See {@link gone}. */', 'gone'],
    ['the member of a link', '/** See {@link here.gone}. */', 'gone'],
    ['a call', '// Ends with `here.gone()`.', 'gone'],
    ['a call with arguments', '/** `gone(here, …)` */', 'gone'],
    ['a word', '/** As `goneBy` does. */', 'goneBy'],
  ])('finds %s that names nothing', (_, comment, name) => {
    const text = `${comment}\nexport const here = { member: 'wordOf' }`
    expect(unknownNames([readSource('a.ts', text)])).toEqual([`a.ts: ${name}`])
  })

  it('lets names be that the code knows, and those of an example', () => {
    const comment = '/** {@link here.member}, `here(x)`, `wordOf`, `AggregateError`. @example `goneBy()` */'
    const text = `${comment}\nexport const here = { member: 'wordOf' }`
    expect(unknownNames([readSource('a.ts', text)])).toEqual([])
  })
})
