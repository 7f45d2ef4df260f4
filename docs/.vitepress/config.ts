/** The site: the pages of docs/ as they stand, with a search that asks no server. `npm run docs`, `npm run docs:build`. */
import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { llmsFull, llmsIndex, pageText } from './llms.ts'
import { NAV, toAnchor } from './nav.ts'

const root = fileURLToPath(new URL('../../', import.meta.url))
const { description, repository } = JSON.parse(readFileSync(`${root}package.json`, 'utf8'))
const repositoryUrl = (repository?.url ?? repository)?.replace(/^git\+|\.git$/g, '')
const read = (page: string): string => readFileSync(`${root}docs/${page}.md`, 'utf8')

const STYLE = `
.file-name { font: 500 13px var(--vp-font-family-mono); color: var(--vp-c-text-2); margin: 16px 0 -8px; }
.vp-doc td, .vp-doc th { padding: 6px 10px; font-size: 14px; vertical-align: top; }
.vp-doc td code { white-space: nowrap; }
.vp-doc td:last-child code { white-space: normal; overflow-wrap: break-word; }
`

interface Token {
  type: string
  tag: string
  info: string
  attrs: [string, string][] | null
  children: Token[] | null
  attrGet(name: string): string | null
}

interface Markdown {
  readonly core: { readonly ruler: { push(name: string, rule: (state: { tokens: Token[] }) => void): void } }
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

function extend(md: Markdown): void {
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

export default {
  title: 'sallyport',
  description,
  lang: 'en',
  outDir: `${root}.data/site`,
  cacheDir: `${root}.data/site-cache`,
  head: [['style', {}, STYLE]],
  markdown: { anchor: { slugify: toAnchor }, config: extend },
  themeConfig: {
    sidebar: NAV.map(({ title, pages }) => ({
      text: title,
      items: pages.map(({ page, title }) => ({ text: title, link: `/${page}` })),
    })),
    outline: [2, 3],
    search: { provider: 'local' },
  },
  buildEnd({ outDir }: { readonly outDir: string }): void {
    writeFileSync(`${outDir}/llms.txt`, llmsIndex())
    writeFileSync(`${outDir}/llms-full.txt`, llmsFull(read))
    for (const { page } of NAV.flatMap(({ pages }) => pages))
      writeFileSync(`${outDir}/${page}.md`, pageText(read(page)))
  },
}
