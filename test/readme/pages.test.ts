/** The pages as a whole: each is in the list that the site is made from, and no link between them is dead. */
import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { llmsFull, llmsIndex } from '../../docs/.vitepress/llms.ts'
import { NAV, toAnchor } from '../../docs/.vitepress/nav.ts'
import { AuthError, toAuthResponse } from '../../src/index.ts'
import { brokenLinks, linksOf } from './links.ts'
import { PAGES, printedFiles, textOf } from './snippets.ts'

const root = fileURLToPath(new URL('../../', import.meta.url))
const read = (path: string): string => readFileSync(root + path, 'utf8')
const pages = NAV.flatMap(({ pages }) => pages)

it('docs/.vitepress/nav.ts has each page of docs/ once, and no other', () => {
  const files = readdirSync(`${root}docs`).filter((name) => name.endsWith('.md') && name !== 'index.md')
  expect(pages.map(({ page }) => `${page}.md`).sort()).toEqual(files.sort())
})

it('llms.txt and llms-full.txt have each page once, in that order', () => {
  const links = [...llmsIndex().matchAll(/\]\(\/([\w-]+)\.md\): \S/g)].map(([, page]) => page)
  expect(links).toEqual(pages.map(({ page }) => page))
  const full = llmsFull((page) => `<!-- written -->\n# ${page}\n\ntext\n`)
  expect(full.match(/^# .*$/gm)).toEqual(['# sallyport', ...links.map((page) => `# ${page}`)])
  expect(full).not.toContain('<!--')
})

it.each(printedFiles)('what is printed of $name is what stands there', ({ name, code }) => {
  expect(code).toBe(textOf(name))
})

it('the pieces of websocket.ts, pasted in the order of their page, are the whole file', () => {
  const file = 'examples/recipes/websocket.ts'
  const pieces = printedFiles.filter(({ name }) => name.startsWith(`${file}#`)).map(({ code }) => code)
  expect(pieces[0]).toContain("from 'ws'")
  expect(pieces.at(-1)).toContain('server.listen(')
  const linesIn = (text: string) => text.split('\n').filter((line) => !/^(?:\/\*\* A W.*|\/\/ #.*|)$/.test(line))
  expect(linesIn(pieces.join('\n')).sort()).toEqual(linesIn(textOf(file)).sort())
})

it('docs/index.md shows the first route of the quick start, and what a refusal is answered', () => {
  const [index, quickStart] = [read('docs/index.md'), read('docs/quick-start.md')]
  const blocks = index.match(/^```ts [\s\S]*?^```$/gm) ?? []
  expect(blocks.length).toBe(2)
  expect(blocks.filter((block) => !quickStart.includes(block))).toEqual([])
  expect(index).toContain(toAuthResponse(new AuthError('unauthorized')).body)
})

it('README.md is no manual', () => {
  expect(read('README.md').split('\n').length).toBeLessThanOrEqual(300)
})

// Of what no hand writes: what there is.
const WRITTEN = ['options', 'performance']

it.each(pages.map(({ page }) => page).filter((page) => !WRITTEN.includes(page)))(
  'docs/%s.md has 320 lines, and paragraphs of three sentences, at most',
  (page) => {
    const text = read(`docs/${page}.md`)
    expect(text.split('\n').length - 1).toBeLessThanOrEqual(320)
    const blocks = text.replace(/^```[\s\S]*?^```$|<!--.*?-->/gm, '\n').split(/\n\s*\n|\n(?=- |\d+\. )/)
    const paragraphs = blocks.filter((block) => !/^\s*[|#]/.test(block)).map((block) => block.replace(/`[^`]*`/g, 'x'))
    const sentencesOf = (paragraph: string): number => paragraph.match(/[.!?](?=\s+[A-Zx[]|\s*$)/g)?.length ?? 0
    expect(paragraphs.filter((paragraph) => sentencesOf(paragraph) > 3)).toEqual([])
  },
)

it.each([
  ['What a route asks: `Access`', 'what-a-route-asks-access'],
  ['Supabase’s getUser', 'supabases-getuser'],
  ['hono/jwk and hono/jwt', 'honojwk-and-honojwt'],
  ['A 401 & a 403', 'a-401--a-403'],
])('the anchor of "%s"', (heading, anchor) => {
  expect(toAnchor(heading)).toBe(anchor)
})

describe.each([
  ...PAGES,
  ...['docs/index.md', 'SECURITY.md', 'ARCHITECTURE.md', 'CONTRIBUTING.md', 'CHANGELOG.md'].map(pageOf),
])('$path', ({ path, text }) => {
  it('has one title, before all else', () => {
    const said = text.replace(/^```[\s\S]*?^```$|^<!--.*-->$/gm, '').trim()
    expect(said.match(/^# .*$/gm)).toEqual([said.split('\n')[0]])
  })

  it('links to files and sections that are there', () => {
    expect(brokenLinks(path, text)).toEqual([])
  })

  it('names only scripts that exist', () => {
    const { scripts } = JSON.parse(read('package.json')) as { scripts: object }
    const named = [...text.matchAll(/npm run ([a-z:]+)/g)].map(([, script]) => script as string)
    expect(named.filter((script) => !Object.hasOwn(scripts, script))).toEqual([])
  })
})

it.each([
  ['[a](nothing.md)', ['nothing.md']],
  ['[a](README.md#nothing)', ['README.md#nothing']],
  ['[a](#nothing) [b](#here)\n## Here', ['#nothing']],
  ['[a](README.md#install) [b](docs/routes.md) [c](https://example.com)\n```\n[d](nothing)\n```', []],
])('the dead links of %j', (text, dead) => {
  expect(linksOf(text).length).toBeGreaterThan(0)
  expect(brokenLinks('README.md', text).filter((link) => link !== '#here')).toEqual(dead)
})

function pageOf(path: string): { path: string; text: string } {
  return { path, text: read(path) }
}
