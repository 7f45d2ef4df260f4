/**
 * The examples of the docstrings, each as a file that compiles: what it names of ours is imported, what it names of a host's is
 * declared in `examples.d.ts`.
 */
import { readFileSync } from 'node:fs'
import ts from 'typescript'
import { readSource } from '../architecture/source-file.ts'
import { type EntryPoint, entryPoints, root } from '../package/entry-points.ts'
import { exportsOf } from '../package/exports-of.ts'
import type { Snippet } from './snippets.ts'

// What a host's own names stand for where it is another thing than on Express.
const SCOPES: Readonly<Record<string, string>> = {
  index: "request: import('sallyport').AuthRequest, Image: import('zod').ZodObject",
  koa: "app: import('koa'), ctx: import('koa').Context",
  hono: "app: import('hono').Hono, c: import('hono').Context",
  adapter: `authorized: { responseHeaders: () => [] }, request: Request, headers: readonly (readonly [string, string])[],
    server: import('node:http').Server`,
  'api-keys': "apiKeys: import('sallyport/api-keys').ApiKeys",
  sqlite: "DatabaseSync: typeof import('node:sqlite').DatabaseSync, database: import('node:sqlite').DatabaseSync",
  login: `storage: import('sallyport/storage').AccountStorage, login: import('sallyport/login').Login, isDev: boolean,
    hashRaw: (password: string | Uint8Array, options: object) => Promise<Uint8Array>, announce: (given: object) => void`,
  testing: `request: import('sallyport').AuthRequest, listContacts: import('sallyport').Route, syncRoute: typeof listContacts,
    audit: import('sallyport/testing').AdapterAudit, createApp: (auth: unknown) => import('hono').Hono,
    expect: typeof import('vitest').expect, it: typeof import('vitest').it, myStorage: (pool?: unknown) => typeof storage,
    myAccounts: () => import('sallyport/storage').AccountStorage, myStore: () => import('sallyport/storage').ThrottleStore`,
}

/** All of them, by the entry point that exports what they are of. */
export const examples: readonly Snippet[] = entryPoints.flatMap(examplesOf)

function examplesOf(entry: EntryPoint): Snippet[] {
  return exportsOf(entry.file).flatMap(({ name, path }) =>
    declarationsOf(name, path)
      .flatMap(codeOf)
      .map((code, at) => ({ name: `${entry.name}-${name}-${at}.example.ts`, code: toFile(entry, code) })),
  )
}

function declarationsOf(name: string, path: string): ts.Statement[] {
  const { ast } = readSource(path, readFileSync(root + path, 'utf8'))
  return ast.statements.filter((each) => {
    const declared = ts.isVariableStatement(each) ? each.declarationList.declarations[0] : each
    return (declared as { readonly name?: ts.Node } | undefined)?.name?.getText() === name
  })
}

// Of the declaration and of its members.
function codeOf(node: ts.Node): string[] {
  const tags = ts.getJSDocTags(node).filter(({ tagName }) => tagName.text === 'example')
  const below: string[] = []
  ts.forEachChild(node, (child) => {
    if (ts.isTypeElement(child) || ts.isClassElement(child)) below.push(...codeOf(child))
  })
  return [...tags.map(({ comment }) => ts.getTextOfJSDocComment(comment) ?? ''), ...below]
}

function toFile(entry: EntryPoint, code: string): string {
  const named = namesIn(code)
  const isFirst = ({ name }: EntryPoint): boolean => name === 'index' || name === 'express'
  const imported = new Map<string, string>()
  for (const { specifier, file } of [entry, ...entryPoints.filter(isFirst), ...entryPoints])
    for (const { name, kind } of exportsOf(file)) {
      if (imported.has(name) || !named.has(name)) continue
      imported.set(name, `import { ${kind === 'type' ? 'type ' : ''}${name} } from '${specifier}'`)
    }
  const imports = [...imported.values(), "import type express from 'express'"].join('\n')
  return `${imports}\nexport async function example(${SCOPES[entry.name] ?? ''}) {{\n${code}\n}}\n`
}

// But those of members, and those in texts.
function namesIn(code: string): Set<string> {
  return new Set(code.match(/(?<!(?<!\.\.)\.|[\w'-])[A-Za-z_]\w*(?![\w'-])(?!\??:)/g))
}
