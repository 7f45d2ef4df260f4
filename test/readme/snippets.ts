/** The snippets of the README: every block of TypeScript with the file name it has there. */
import { readFileSync } from 'node:fs'

/** The README. */
export const readme: string = readFileSync(new URL('../../README.md', import.meta.url), 'utf8')

/** One snippet, verbatim. */
export interface Snippet {
  readonly name: string
  readonly code: string
}

/** All of them, in their order. */
export const snippets: readonly Snippet[] = [...readme.matchAll(/^```ts (\S+)\n([\s\S]*?)^```$/gm)].map(
  ([, name = '', code = '']) => ({ name, code }),
)

/** One by its file name. */
export function snippet(name: string): Snippet {
  const found = snippets.find((each) => each.name === name)
  if (found === undefined) throw new Error(`the README has no snippet ${name}`)
  return found
}
