// The tables of docs/reasons.md: what stands in src/explain, and the code and status that a reason is answered with, as the
// source has it. `npm run pages` writes them in place, and a test compares them.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { AUTH_ERRORS, type AuthErrorCode } from '../src/errors.ts'
import type { ReasonText, Remedies } from '../src/explain/reason-text.ts'
import { reasonSections } from '../src/explain/reason-texts.ts'

const ROOT = fileURLToPath(new URL('..', import.meta.url))
const PAGE = `${ROOT}docs/reasons.md`

const HEAD =
  '| reason | answered | what it means | `expected` | `got` | what to try |\n| --- | --- | --- | --- | --- | --- |\n'

/** The page with its tables as the source has them; each section needs its heading. */
export function withTables(page: string): string {
  const answers = readAnswers()
  return Object.entries(reasonSections()).reduce((text, [title, reasons]) => {
    const rows = Object.entries(reasons).map(([reason, said]) => toRow(reason, answers.get(reason) ?? '500', said))
    const table = new RegExp(`(^## ${title}\\n[^#]*?)(?:^\\|.*\\n)+`, 'm')
    if (!table.test(text)) throw new Error(`docs/reasons.md has no section "${title}" with a table`)
    return text.replace(table, (_, before: string) => `${before}${HEAD}${rows.join('\n')}\n`)
  }, page)
}

/** The page as it stands. */
export function readPage(): string {
  return readFileSync(PAGE, 'utf8')
}

function toRow(reason: string, answered: string, { headline, more, expected, got, try: remedies }: ReasonText): string {
  const means = [sentence(headline), ...(more === undefined ? [] : [more])].join(' ')
  return `| \`${reason}\` | ${answered} | ${means} | ${expected ?? '–'} | ${got ?? '–'} | ${toSentences(remedies)} |`
}

const WHO: Readonly<Record<keyof Remedies, string>> = {
  client: 'Client',
  host: 'Host',
  issuer: 'Issuer',
  wait: 'Wait',
  nobody: 'Nobody',
}

function toSentences(remedies: Remedies): string {
  const said = Object.entries(remedies) as [keyof Remedies, string][]
  return said.map(([who, what]) => `${WHO[who]}: ${what}.`).join(' ')
}

function sentence(clause: string): string {
  return `${clause.charAt(0).toUpperCase()}${clause.slice(1)}.`
}

/** What each reason is answered with: `refused('forbidden', { …, reason: 'role_too_low'`, or `new AuthError` of it; which of two codes it is may be decided there. */
export function readAnswers(): Map<string, string> {
  const sources = ['src', 'adapters'].flatMap((folder) =>
    readdirSync(ROOT + folder, { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.ts'))
      .map((name) => readFileSync(`${ROOT}${folder}/${name}`, 'utf8')),
  )
  return new Map(
    sources
      .flatMap((text) => [...text.matchAll(/(?:new AuthError|refused)\(([^{]*?),\s*\{[^}]*?\breason: '(\w+)'/g)])
      .map(([, code = '', reason = '']) => [reason, answerOf(code)]),
  )
}

function answerOf(code: string): string {
  const codes = [...code.matchAll(/'(\w+)'/g)].map(([, each]) => each as AuthErrorCode)
  return codes.map((each) => `${AUTH_ERRORS[each].status} \`${each}\``).join(' or ')
}

if (process.argv[1] === fileURLToPath(import.meta.url)) writeFileSync(PAGE, withTables(readPage()))
