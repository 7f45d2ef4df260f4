/**
 * PostgreSQL in this process. A new one makes its cluster anew, which takes seconds; here each begins with a copy of an empty one,
 * which is made once and kept beside the checkout.
 */
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { PGlite } from '@electric-sql/pglite'

const root = fileURLToPath(new URL('..', import.meta.url))
const { version } = JSON.parse(readFileSync(`${root}node_modules/@electric-sql/pglite/package.json`, 'utf8')) as {
  version: string
}
const kept = `${root}.data/pglite-${version}.tar`

/** Open an empty one; whoever opens it closes it. */
export async function openPglite(): Promise<PGlite> {
  if (!existsSync(kept)) await makeCopy()
  return PGlite.create({ loadDataDir: new Blob([readFileSync(kept)]) })
}

// Several processes may be about it: each brings a whole file to its place.
async function makeCopy(): Promise<void> {
  const first = await PGlite.create()
  const copy = await first.dumpDataDir('none')
  await first.close()
  mkdirSync(`${root}.data`, { recursive: true })
  const path = `${kept}.${process.pid}`
  writeFileSync(path, Buffer.from(await copy.arrayBuffer()))
  renameSync(path, kept)
}
