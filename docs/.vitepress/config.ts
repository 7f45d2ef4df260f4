/** The site: the pages of docs/ as they stand, with a search that asks no server. `npm run docs`, `npm run docs:build`. */
import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { llmsFull, llmsIndex, pageText } from './llms.ts'
import { NAV, toAnchor } from './nav.ts'

const root = fileURLToPath(new URL('../../', import.meta.url))
const { description, repository } = JSON.parse(readFileSync(`${root}package.json`, 'utf8'))
const { paths } = JSON.parse(readFileSync(`${root}tsconfig.json`, 'utf8')).compilerOptions as { paths: object }
// A placeholder (`npm run publisher`) is no address.
const repositoryUrl = repository.url.includes('.invalid/') ? undefined : repository.url.replace(/^git\+|\.git$/g, '')
const read = (page: string): string => readFileSync(`${root}docs/${page}.md`, 'utf8')

const toReference = (specifier: string): { text: string; link: string } => ({
  text: specifier,
  link: `/reference/${specifier.split('/')[1] ?? specifier}`,
})
const REFERENCE = referenceOf(readFileSync(`${root}test/package/exported-names.txt`, 'utf8'))

// Where each exported name stands; of what several entry points export, where the first of them has it.
function referenceOf(listed: string): ReadonlyMap<string, string> {
  const found = new Map<string, string>()
  let page = ''
  for (const line of listed.trim().split('\n')) {
    const name = line.trim().replace(/^type /, '')
    if (!line.startsWith(' ')) page = toReference(line).link
    // A small word alone may be an option's name or a header's.
    else if (!found.has(name) && /[A-Z]/.test(name)) found.set(name, `${page}#${name.toLowerCase()}`)
  }
  return found
}

const STYLE = `
.file-name { font: 500 13px var(--vp-font-family-mono); color: var(--vp-c-text-2); margin: 16px 0 -8px; }
.vp-doc td, .vp-doc th { padding: 6px 10px; font-size: 14px; vertical-align: top; }
.vp-doc td code { white-space: nowrap; }
.vp-doc td:last-child code { white-space: normal; overflow-wrap: break-word; }
.vp-doc [class*='language-'] code { font-size: 13px; }
.vp-doc .language- code { line-height: 1.35; }
.vp-doc[class*='_reference_'] :is(h4, h5, h6) { margin: 20px 0 0; font-size: 13px; font-weight: 500; color: var(--vp-c-text-2); }
.vp-doc[class*='_reference_'] :is(h4, h5, h6) + * { margin-top: 6px; }
.vp-doc[class*='_reference_'] h3 { font-family: var(--vp-font-family-mono); font-size: 19px; }
@media (min-width: 1280px) {
  .VPDoc.has-aside .aside { max-width: 232px; padding-left: 8px; }
}
@media (min-width: 1440px) {
  :root { --vp-layout-max-width: min(1760px, 100vw); }
  .VPDoc.has-aside .content-container { max-width: 920px !important; }
}
@media (max-width: 640px) {
  .vp-doc td:nth-child(n + 3):last-child { min-width: 240px; }
  .vp-doc:is([class*='_reference_'], ._options) :is(table, tbody) { display: block; }
  .vp-doc:is([class*='_reference_'], ._options) thead { display: none; }
  .vp-doc:is([class*='_reference_'], ._options) tr { display: block; padding: 6px 0; }
  .vp-doc:is([class*='_reference_'], ._options) td { display: block; border: 0; padding: 2px 10px; min-width: 0; }
  .vp-doc:is([class*='_reference_'], ._options) td code { white-space: normal; overflow-wrap: anywhere; }
}
`

interface Token {
  type: string
  content: string
  tag: string
  info: string
  attrs: [string, string][] | null
  children: Token[] | null
  attrGet(name: string): string | null
}

interface State {
  readonly tokens: Token[]
  readonly Token: new (type: string, tag: string, nesting: number) => Token
}

interface Markdown {
  readonly core: { readonly ruler: { push(name: string, rule: (state: State) => void): void } }
  readonly renderer: { readonly rules: Record<string, (tokens: Token[], at: number, ...more: unknown[]) => string> }
}

// What is not of the site (examples, SECURITY.md) is in the repository, if the package says where that is.
function linkOutside(tokens: readonly Token[]): void {
  const open: boolean[] = []
  for (const token of tokens) {
    if (token.type === 'link_open') {
      const href = token.attrGet('href') ?? ''
      open.push(href.startsWith('../'))
      if (!href.startsWith('../')) continue
      if (repositoryUrl) token.attrs = [['href', `${repositoryUrl}/blob/HEAD/${href.slice(3)}`]]
      else Object.assign(token, { tag: 'span', attrs: [] })
    }
    if (token.type === 'link_close' && open.pop() && !repositoryUrl) token.tag = 'span'
  }
}

// Each exported name, at its first mention on a page, leads to its place in the reference.
function linkNames({ tokens, Token }: State): void {
  const mentioned = new Set<string>()
  tokens.forEach((token, at) => {
    if (token.type !== 'inline' || token.children === null || tokens[at - 1]?.type === 'heading_open') return
    let depth = 0
    token.children = token.children.flatMap((each) => {
      depth += each.type === 'link_open' ? 1 : each.type === 'link_close' ? -1 : 0
      const name = each.type === 'code_inline' && depth === 0 ? each.content.replace(/\(\)$/, '') : ''
      const href = REFERENCE.get(name)
      if (href === undefined || mentioned.has(name)) return [each]
      mentioned.add(name)
      const open = Object.assign(new Token('link_open', 'a', 1), { attrs: [['href', href]] })
      return [open, each, new Token('link_close', 'a', -1)]
    })
  })
}

function extend(md: Markdown): void {
  md.core.ruler.push('names', linkNames)
  md.core.ruler.push('outside', ({ tokens }) => {
    for (const { children } of tokens) {
      linkOutside(children ?? [])
      // Braces in code are no expression of Vue's.
      for (const token of children ?? []) if (token.type === 'code_inline') token.attrs = [['v-pre', '']]
    }
  })
  const fence = md.renderer.rules['fence']
  md.renderer.rules['fence'] = (tokens, at, ...more) => {
    const [, name] = tokens[at]?.info.split(' ') ?? []
    const code = fence?.(tokens, at, ...more) ?? ''
    return name === undefined ? code : `<div class="file-name">${name}</div>${code}`
  }
}

// Of the reference each name is found, with all that is said of it, and not its parameters once more.
function renderForSearch(source: string, env: { readonly relativePath: string }, md: Rendering): string {
  const html = md.render(source, env)
  return env.relativePath.startsWith('reference/') ? html.replace(/<(\/?)h[4-6]\b[^>]*>/g, '<$1p>') : html
}

interface Rendering {
  render(source: string, env: object): string
}

export default {
  title: 'sallyport',
  description,
  lang: 'en',
  outDir: `${root}.data/site`,
  cacheDir: `${root}.data/site-cache`,
  head: [['style', {}, STYLE]],
  markdown: { anchor: { slugify: toAnchor }, config: extend },
  themeConfig: {
    sidebar: [
      ...NAV.map(({ title, pages }) => ({
        text: title,
        items: pages.map(({ page, title }) => ({ text: title, link: `/${page}` })),
      })),
      { text: 'Reference', link: '/reference/', collapsed: true, items: Object.keys(paths).map(toReference) },
    ],
    outline: [2, 3],
    nav: [
      { text: 'Quick start', link: '/quick-start' },
      { text: 'Why 401?', link: '/debugging' },
      { text: 'Reference', link: '/reference/' },
    ],
    search: {
      provider: 'local',
      options: {
        miniSearch: { searchOptions: { boostDocument: (id: string) => (id.startsWith('/reference/') ? 0.3 : 1) } },
        _render: renderForSearch,
      },
    },
  },
  // The front page has code in it: it takes the room of the outline.
  transformPageData: ({ relativePath }: { readonly relativePath: string }) =>
    relativePath === 'index.md' ? { frontmatter: { aside: false } } : {},
  buildEnd({ outDir }: { readonly outDir: string }): void {
    writeFileSync(`${outDir}/llms.txt`, llmsIndex())
    writeFileSync(`${outDir}/llms-full.txt`, llmsFull(read))
    for (const { page } of NAV.flatMap(({ pages }) => pages))
      writeFileSync(`${outDir}/${page}.md`, pageText(read(page)))
  },
}
