/**
 * Who publishes the package: the one place that writes it. `npm run publisher -- <repository> <homepage> <address>` fills
 * `package.json` (`repository`, `homepage`, `bugs`) and SECURITY.md; the site reads the first of them. Without arguments it says what is still a placeholder,
 * and `npm publish` asks it first.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const ROOT = fileURLToPath(new URL('..', import.meta.url))
const FILES = ['package.json', 'SECURITY.md'] as const

// A name that nobody can have (RFC 2606): what stands below it is a placeholder.
const PLACEHOLDER = /[\w+.:/@-]*\.invalid\b[\w./-]*/g

/** The placeholders in a text, each once. */
export function placeholdersIn(text: string): string[] {
  return [...new Set(text.match(PLACEHOLDER) ?? [])]
}

/** Who publishes. */
export interface Publisher {
  /** Where the sources are: an `https:` URL, without `.git`. */
  readonly repository: string
  /** Where the site is: an `https:` URL. */
  readonly homepage: string
  /** The e-mail address for reports of vulnerabilities. */
  readonly address: string
}

/** What is wrong with what was given, or `null`. */
export function describeFault({ repository, homepage, address }: Partial<Publisher>): string | null {
  for (const [name, value] of Object.entries({ repository, homepage })) {
    const url = value !== undefined && URL.canParse(value) ? new URL(value) : null
    if (url?.protocol !== 'https:' || url.username !== '') return `${name}: an https URL`
    if (/\.git$|\/$/.test(url.pathname) && url.pathname !== '/') return `${name}: without .git or a slash at its end`
  }
  if (!/^[^\s@<>]+@[^\s@<>]+\.[^\s@<>]+$/.test(address ?? '')) return 'address: an e-mail address'
  return placeholdersIn(`${repository} ${homepage} ${address}`).length === 0 ? null : 'no placeholders'
}

/** `package.json` with who publishes it. */
export function withPublisher(manifest: string, { repository, homepage, address }: Publisher): string {
  const parsed = JSON.parse(manifest) as Record<string, unknown>
  parsed['repository'] = { type: 'git', url: `git+${repository}.git` }
  parsed['homepage'] = homepage
  parsed['bugs'] = { url: `${repository}/issues`, email: address }
  return `${JSON.stringify(parsed, null, 2)}\n`
}

/** SECURITY.md with the address of who publishes: the one in angle brackets. */
export function withAddress(page: string, address: string): string {
  return page.replace(/<[^\s<>@]+@[^\s<>]+>/, `<${address}>`)
}

function main(given: readonly string[]): number {
  const texts = FILES.map((name) => readFileSync(ROOT + name, 'utf8'))
  const [manifest = '', page = ''] = texts
  if (given.length === 0) {
    const left = FILES.flatMap((name, at) => placeholdersIn(texts[at] ?? '').map((each) => `${name}: ${each}`))
    if (left.length === 0) return 0
    console.error(
      `Placeholders are left:\n  ${left.join('\n  ')}\nnpm run publisher -- <repository> <homepage> <address> fills them.`,
    )
    return 1
  }
  const [repository = '', homepage = '', address = '', ...more] = given
  const fault = more.length > 0 ? 'three arguments' : describeFault({ repository, homepage, address })
  if (fault !== null) {
    console.error(`npm run publisher -- <repository> <homepage> <address>\n${fault}`)
    return 2
  }
  writeFileSync(`${ROOT}package.json`, withPublisher(manifest, { repository, homepage, address }))
  writeFileSync(`${ROOT}SECURITY.md`, withAddress(page, address))
  return 0
}

if (process.argv[1] === fileURLToPath(import.meta.url)) process.exitCode = main(process.argv.slice(2))
