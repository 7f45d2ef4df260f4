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

/** The name of the file that holds all that the run printed. */
export const OUTPUT = 'output of the run'

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
    const name = relative(folder, path)
    const parts =
      name === OUTPUT
        ? reportsIn(content)
        : [{ where: name, content: name.startsWith('postgres/') ? newPages(content, pages) : content }]
    for (const part of parts) {
      const text = textsIn(part.content)
      const folded = text.toLowerCase()
      const known = forms.flatMap(([form, canary]) => (folded.includes(form) ? [canary] : []))
      for (const secret of [...known, ...(text.match(KEY_OR_TOKEN) ?? [])]) {
        found.add(`${part.where}: ${JSON.stringify(secret.slice(0, 40))}`)
      }
    }
  }
  return { found: [...found], bytes, canaries: canaries.length }
}

interface Part {
  readonly where: string
  readonly content: Buffer
}

// What the run printed, by the test that it is about: a secret in the report of a failed test is that test's fault, told
// once already, and a secret that a test printed is found where that test is named.
function reportsIn(content: Buffer): Part[] {
  const parts: { where: string; lines: string[] }[] = [{ where: OUTPUT, lines: [] }]
  for (const line of content.toString('latin1').split('\n')) {
    const where = headOf(line.replaceAll(COLOUR, ''))
    if (where !== null) parts.push({ where, lines: [] })
    parts.at(-1)?.lines.push(line)
  }
  return parts.map(({ where, lines }) => ({ where, content: Buffer.from(lines.join('\n'), 'latin1') }))
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: the escape is what begins a colour.
const COLOUR = /\x1b\[[\d;]*m/g

function headOf(line: string): string | null {
  const [, failed] = /^\s*FAIL\s+(.+)$/.exec(line) ?? []
  if (failed !== undefined)
    return `${OUTPUT}, in the report of a failed test, which is to be mended first (${failed.trim()})`
  const [, printed] = /^std(?:out|err) \| (.+)$/.exec(line) ?? []
  if (printed !== undefined) return `${OUTPUT}, printed by a test (${printed.trim()})`
  // How a file ended, or all of them.
  return /^\s*(?:\u00e2\u009c\u0093|\u00e2\u009d\u00af)\s|^\s*Test Files\s/.test(line) ? OUTPUT : null
}

/** An API key of any prefix, a JWT with a signature; whatever letter stands before it, the end of a colour's escape say. */
export const KEY_OR_TOKEN: RegExp =
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
