/** Writes docs/performance.md and its chart from the run that is published: `npm run pages`, and `npm run bench -- --publish`. */
import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { chartOf } from './chart.ts'
import { pageOf } from './page.ts'
import { results as folder, root } from './places.ts'
import type { Results } from './results.ts'

/** The run that is published. */
export function readPublished(): Results {
  return JSON.parse(readFileSync(`${folder}published.json`, 'utf8')) as Results
}

/** What is written, by its path from the root. */
export function pagesOf(results: Results): Readonly<Record<string, string>> {
  return { 'docs/performance.md': pageOf(results), 'docs/performance.svg': chartOf(results) }
}

/** Write them. */
export function writePages(results: Results): void {
  for (const [path, text] of Object.entries(pagesOf(results))) writeFileSync(root + path, text)
}

if (process.argv[1] === fileURLToPath(import.meta.url)) writePages(readPublished())
