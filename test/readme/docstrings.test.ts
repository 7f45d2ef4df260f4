/** What is said of what exists: members and parameters of all that is exported, and the names that the pages mention. */
import { readdirSync, readFileSync } from 'node:fs'
import ts from 'typescript'
import { expect, it } from 'vitest'
import { SHOWN } from '../../scripts/readme-options.ts'
import { readSource } from '../architecture/source-file.ts'
import { entryPoints, root } from '../package/entry-points.ts'
import { exportsOf } from '../package/exports-of.ts'
import { PAGES } from './snippets.ts'

const read = (path: string): string => readFileSync(root + path, 'utf8')

// What a name alone says wherever it stands; the reference prints these where there is no docstring.
const GLOSSARY = new Set(Object.keys(JSON.parse(read('docs/.vitepress/glossary.json')) as object))

// Shapes of Node's and of drivers, whose own documentation says what they are; types whose members stand for those of `AuthTypes`.
const LEFT_OUT = ['NodeRequest', 'NodeResponse', 'SqliteDatabase', 'HostTypes', 'IdentityTypes']

const isDocumented = (node: ts.Node): boolean => ts.getJSDocCommentsAndTags(node).length > 0

const declarations: ReadonlyMap<string, readonly ts.Statement[]> = new Map(
  entryPoints
    .flatMap(({ file }) => exportsOf(file))
    .map(({ name, path }) => {
      const { ast } = readSource(path, read(path))
      const named = (each: ts.Statement): boolean => (each as { name?: ts.Node }).name?.getText() === name
      return [`${path} ${name}`, ast.statements.filter(named)]
    }),
)

it('each member of an exported interface has a docstring, or a name of the glossary', () => {
  const missing = [...declarations].flatMap(([of, found]) =>
    found
      .filter(ts.isInterfaceDeclaration)
      .filter(({ name }) => !LEFT_OUT.includes(name.text))
      .flatMap(({ members }) => [...members])
      .filter((member) => !isDocumented(member) && !GLOSSARY.has(member.name?.getText() ?? ''))
      .map((member) => `${of}: ${member.name?.getText() ?? 'a signature'}`),
  )
  expect(declarations.size).toBeGreaterThan(250)
  expect(missing).toEqual([])
})

it('each parameter of an exported function is named in its docstring, or holds members that are documented', () => {
  const isGroup = ({ name, type }: ts.ParameterDeclaration): boolean =>
    ts.isObjectBindingPattern(name) ||
    /^(?:options|overrides|given)$/.test(name.getText()) ||
    /Options\b/.test(`${type?.getText()}`)
  const missing = [...declarations].flatMap(([of, found]) => {
    const functions = found.filter(ts.isFunctionDeclaration)
    const signatures = functions.length === 1 ? functions : functions.filter(({ body }) => body === undefined)
    const said = functions
      .flatMap(ts.getJSDocCommentsAndTags)
      .map((each) => each.getText())
      .join('\n')
    return signatures
      .flatMap(({ parameters }) => [...parameters])
      .filter((each) => !isGroup(each) && !new RegExp(`\\b${each.name.getText()}\\b`).test(said))
      .map((each) => `${of}: ${each.name.getText()}`)
  })
  expect(missing).toEqual([])
})

it('each group of options that an exported function or a member of an exported interface takes is in a table', () => {
  const taken = new Set<string>()
  const visit = (node: ts.Node): void => {
    if (ts.isParameter(node)) {
      const type = node.type?.getText() ?? ''
      for (const [name] of type.matchAll(/\b\w*Options\b/g)) taken.add(name)
    }
    if (!ts.isBlock(node)) ts.forEachChild(node, visit)
  }
  for (const found of declarations.values()) {
    // What implements overloads is no signature of its own.
    const isOverloaded = found.filter(ts.isFunctionDeclaration).length > 1
    const isSignature = (each: ts.Statement) =>
      !isOverloaded || !ts.isFunctionDeclaration(each) || each.body === undefined
    for (const each of found.filter(isSignature)) visit(each)
  }
  expect(taken.size).toBeGreaterThan(60)
  expect([...taken].filter((name) => !SHOWN.has(name))).toEqual([])
})

// Of TypeScript, browsers and drivers.
const FOREIGN = new Set(['allowImportingTsExtensions', 'allowJs', 'EventSource', 'maxPayload', 'skipLibCheck'])

it('each name of the pages that looks like one of ours exists', () => {
  const sources = ['src', 'adapters', 'examples'].flatMap((folder) =>
    readdirSync(root + folder, { recursive: true, encoding: 'utf8' })
      .filter((path) => path.endsWith('.ts'))
      .map((path) => read(`${folder}/${path}`)),
  )
  // What is said of a peer has the peer's names in it.
  const pages = PAGES.filter(({ path }) => !path.startsWith('docs/coming-from'))
  const code = PAGES.flatMap(({ text }) => text.match(/^```[\s\S]*?^```$/gm) ?? [])
  const known = new Set([...sources, ...code].flatMap((text) => text.match(/[A-Za-z_$][\w$]*/g) ?? []))
  const unknown = pages.flatMap(({ path, text }) =>
    [...text.replace(/^```[\s\S]*?^```$/gm, '').matchAll(/`([\w.]+)(?:\(…?\))?`/g)]
      .flatMap(([, span = '']) => span.split('.'))
      .filter((name) => /^[A-Za-z]+[a-z][A-Z]\w*$/.test(name) && !known.has(name) && !FOREIGN.has(name))
      .map((name) => `${path}: ${name}`),
  )
  expect([...new Set(unknown)]).toEqual([])
})
