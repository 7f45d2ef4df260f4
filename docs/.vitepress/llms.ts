/** The pages for language models: `llms.txt`, a line a page, and `llms-full.txt`, all of them, in the order of the sidebar. */
import { NAV, type NavPage } from './nav.ts'

const ABOUT = `# sallyport

> Auth middleware for Node services (Express, Koa, Hono) whose users sign in at an identity provider and belong to organizations: it
> verifies the token, finds or creates the user in the host's own tables, decides the acting organization, checks role and permissions.
`

/** `llms.txt`: where each page is. */
export function llmsIndex(): string {
  const sections = NAV.map(({ title, pages }) => `## ${title}\n\n${pages.map(lineOf).join('\n')}\n`)
  return [ABOUT, ...sections].join('\n')
}

function lineOf({ page, title, about }: NavPage): string {
  return `- [${title}](/${page}.md): ${about}`
}

/** `llms-full.txt`: every page, without what only the generator of its tables reads. */
export function llmsFull(read: (page: string) => string): string {
  return [ABOUT, ...NAV.flatMap(({ pages }) => pages.map(({ page }) => pageText(read(page))))].join('\n')
}

/** A page as it is put beside its HTML. */
export function pageText(text: string): string {
  return `${text.replace(/^<!--.*-->\n/gm, '').trim()}\n`
}
