/** The search through what a run of the tests left. Known secrets are read from the sources of tests and examples. */
import { createHash } from 'node:crypto'
import { type Dirent, readdirSync, readFileSync, statSync } from 'node:fs'
import { join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'

/** What a search found: lines that say where, and what by its first letters. */
export interface Searched {
  readonly found: readonly string[]
  readonly bytes: number
  /** How many secrets were known by their value. */
  readonly canaries: number
}

/** Search every file below a folder. */
export function searchLeavings(folder: string): Searched {
  const canaries = knownCanaries()
  const forms = canaries.flatMap((canary) => formsOf(canary).map((form) => [form, canary] as const))
  const pages = new Set<string>()
  const found = new Set<string>()
  let bytes = 0
  for (const path of filesBelow(folder)) {
    const content = readFileSync(path)
    bytes += content.length
    const where = relative(folder, path)
    const text = textsIn(where.startsWith('postgres/') ? newPages(content, pages) : content)
    const folded = text.toLowerCase()
    const known = forms.flatMap(([form, canary]) => (folded.includes(form) ? [canary] : []))
    for (const secret of [...known, ...(text.match(KEY_OR_TOKEN) ?? [])]) {
      found.add(`${where}: ${JSON.stringify(secret.slice(0, 40))}`)
    }
  }
  return { found: [...found], bytes, canaries: canaries.length }
}

/** An API key of any prefix, a JWT with a signature; whatever letter stands before it, the end of a colour's escape say. */
const KEY_OR_TOKEN =
  /[a-z][a-z0-9]{1,15}_[0-9A-Za-z]{12}_[0-9A-Za-z]{43}_[0-9A-Za-z]{6}|eyJ[\w-]{8,}\.eyJ[\w-]{8,}\.[\w-]{16,}/g

function filesBelow(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && !isCatalog(entry))
    .map(({ parentPath, name }) => join(parentPath, name))
}

// PostgreSQL's own tables, the same in every database: their numbers are below those of any table that somebody made.
function isCatalog({ parentPath, name }: Dirent): boolean {
  return /\/base\/\d+$/.test(parentPath) && !(Number.parseInt(name, 10) >= 16_384)
}

// Most are the same in each database, copies of one template. No row goes from one page to another.
function newPages(bytes: Buffer, seen: Set<string>): Buffer {
  const fresh: Buffer[] = []
  for (let start = 0; start < bytes.length; start += 8192) {
    const page = bytes.subarray(start, start + 8192)
    const digest = createHash('md5').update(page).digest('base64')
    if (!seen.has(digest)) fresh.push(page)
    seen.add(digest)
  }
  return Buffer.concat(fresh)
}

// What a person could read: the rest is numbers.
function textsIn(bytes: Buffer): string {
  return (bytes.toString('latin1').match(/[\x20-\x7e]{12,}/g) ?? []).join('\n')
}

/** The secrets that are written out in tests and examples: the values of what is called a secret, a password, a canary. */
export function knownCanaries(): readonly string[] {
  const root = fileURLToPath(new URL('..', import.meta.url))
  const sources = ['test', 'examples'].flatMap((name) =>
    readdirSync(join(root, name), { recursive: true, encoding: 'utf8' })
      .filter((path) => path.endsWith('.ts') && statSync(join(root, name, path)).isFile())
      .map((path) => readFileSync(join(root, name, path), 'utf8')),
  )
  const named = sources.flatMap((text) => [
    ...text.matchAll(/(?:secret|password)\w*'?\]?[:=, ]+'([^'\n]+)'/gi),
    ...text.matchAll(/'(canary[^'\n]+)'/g),
  ])
  return [...new Set(named.map(([, value = '']) => value))].filter(isSecret).sort()
}

// At least as long as a password, and no name: of a variable, a header, a file, a person; nor a row of statuses.
function isSecret(value: string): boolean {
  return value.length >= 15 && !/^[A-Z_]+$|^X-|^\.|@|^[a-z]+(_[a-z]+)*$|^[\d ]+$/.test(value)
}

/** A secret as it may be written, in lower case: as it is, or encoded. */
export function formsOf(canary: string): readonly string[] {
  const raw = Buffer.from(canary)
  const encoded = [raw.toString('hex'), raw.toString('base64').replace(/=+$/, ''), encodeURIComponent(canary)]
  return [...new Set([canary, ...encoded].map((form) => form.toLowerCase()))]
}
