/**
 * The snippets of the pages: every block of TypeScript with the file name it has there. A name below `examples/` is a file of the
 * repository, whole or (`examples/recipes/mcp-server.ts#tools`) one region of it.
 */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { NAV } from '../../docs/.vitepress/nav.ts'

const root = new URL('../../', import.meta.url)

/** A page, verbatim. */
export interface Page {
  readonly path: string
  readonly text: string
}

/** The pages whose snippets are compiled and run, the README first. */
export const PAGES: readonly Page[] = [
  'README.md',
  ...NAV.flatMap(({ pages }) => pages.map(({ page }) => `docs/${page}.md`)),
].map((path) => ({ path, text: readFileSync(new URL(path, root), 'utf8') }))

/** One snippet, verbatim. */
export interface Snippet {
  readonly name: string
  readonly code: string
}

const isFile = (name: string): boolean => name.startsWith('examples/')

const printed: readonly Snippet[] = PAGES.flatMap(({ text }) =>
  [...text.matchAll(/^```(?:ts|js) (\S+)\n([\s\S]*?)^```$/gm)].map(([, name = '', code = '']) => ({ name, code })),
)

/** All of them, in their order, as often as they are printed; those of one page may import those of another. */
export const printedSnippets: readonly Snippet[] = printed.filter(({ name }) => name.endsWith('.ts') && !isFile(name))

/** What is printed of files of the repository. */
export const printedFiles: readonly Snippet[] = printed.filter(({ name }) => isFile(name))

/** A file of the repository, or with `#name` what stands between its `// #region name` and `// #endregion`. */
export function textOf(name: string): string {
  const [path = '', region] = name.split('#')
  const text = readFileSync(new URL(path, root), 'utf8')
  if (region === undefined) return text
  const [, , inside] = new RegExp(`^( *)// #region ${region}\n([\\s\\S]*?)^ *// #endregion$`, 'm').exec(text) ?? []
  if (inside === undefined) throw new Error(`${path} has no region ${region}`)
  const indent = /^ */.exec(inside)?.[0] ?? ''
  return inside.replaceAll(new RegExp(`^${indent}`, 'gm'), '')
}

/** Each of them once: the first route stands in the README and in the quick start. */
export const snippets: readonly Snippet[] = [...new Map(printedSnippets.map((each) => [each.name, each])).values()]

/** One by its file name. */
export function snippet(name: string): Snippet {
  const found = snippets.find((each) => each.name === name)
  if (found === undefined) throw new Error(`no page has a snippet ${name}`)
  return found
}

/** The snippets as files, in a folder of one test file alone. */
export interface SnippetFolder {
  /** With a slash at its end. */
  readonly path: string
  load<T>(name: string): Promise<T>
  remove(): void
}

/** Write the snippets as files. Not below test/: what a run that was killed leaves would be taken for tests. */
export function openSnippets(): SnippetFolder {
  const parent = fileURLToPath(new URL('.data/snippets/', root))
  mkdirSync(parent, { recursive: true })
  const path = `${mkdtempSync(parent)}/`
  for (const { name, code } of snippets) writeFileSync(`${path}${name}`, code)
  return {
    path,
    load: <T>(name: string) => import(`${path}${name}`) as Promise<T>,
    remove: () => rmSync(path, { recursive: true, force: true }),
  }
}
