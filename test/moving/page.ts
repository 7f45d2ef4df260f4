/** What a guide says of both apps: its code, and the table of what they answer differently. */
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('../../', import.meta.url))

/** The text of a guide. */
export const guideText = (name: string): string => readFileSync(`${root}docs/coming-from-${name}.md`, 'utf8')

/** What both answer to one request, as `200` or `does not start`. */
export interface Difference {
  readonly title: string
  readonly before: string
  readonly after: string
}

/** The differences that the guide's table has: request, there, here, and a fourth column for what to do. */
export function differencesOf(text: string): Difference[] {
  const section = text.split(/^## /m).find((each) => each.startsWith('What they answer differently\n')) ?? ''
  const rows = [...section.matchAll(/^\| (.+) \|$/gm)].map(([, row = '']) => row.split(' | '))
  return rows.slice(2).map(([title = '', before = '', after = '']) => ({ title, before, after }))
}

/** What the guide says is answered alike: each request under what both answer. */
export function alikeOf(text: string): string {
  return /<!-- alike -->\n([\s\S]*?)<!-- \/alike -->/.exec(text)?.[1] ?? ''
}
