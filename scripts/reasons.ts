// The second column of docs/reasons.md: the code and status that a reason is answered with. `npm run pages` writes it in
// place, and a test compares it.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { AUTH_ERRORS, type AuthErrorCode } from '../src/errors.ts'

const ROOT = fileURLToPath(new URL('..', import.meta.url))
const PAGE = `${ROOT}docs/reasons.md`

/** A row of the page. */
interface ReasonRow {
  readonly reason: string
  readonly answered: string
  readonly means: string
  /** What `expected` and `got` say; a dash: they are `null`. */
  readonly expected: string
  readonly got: string
  readonly mendedBy: string
}

const ROW = /^\| `(\w+)` \|([^|]*)\|([^|]+)\|([^|]+)\|([^|]+)\|([^|]+)\|$/gm

/** The rows of the page, in its order. */
export function readReasons(page: string = readFileSync(PAGE, 'utf8')): ReasonRow[] {
  return [...page.matchAll(ROW)].map((match) => {
    const [reason = '', answered = '', means = '', expected = '', got = '', mendedBy = ''] = match
      .slice(1)
      .map((cell) => cell.trim())
    return { reason, answered, means, expected, got, mendedBy }
  })
}

/** The page with its second column as the source has it. */
export function withAnswers(page: string): string {
  const answers = readAnswers()
  return page.replace(ROW, (row, reason: string, answered: string) =>
    row.replace(`|${answered}|`, () => `| ${answers.get(reason) ?? '500'} |`),
  )
}

/** The page as it stands. */
export function readPage(): string {
  return readFileSync(PAGE, 'utf8')
}

// `new AuthError('forbidden', { …, reason: 'role_too_low'`; which of two codes it is may be decided there.
function readAnswers(): Map<string, string> {
  const sources = ['src', 'adapters'].flatMap((folder) =>
    readdirSync(ROOT + folder, { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.ts'))
      .map((name) => readFileSync(`${ROOT}${folder}/${name}`, 'utf8')),
  )
  return new Map(
    sources
      .flatMap((text) => [...text.matchAll(/new AuthError\(([^{]*?),\s*\{[^}]*?\breason: '(\w+)'/g)])
      .map(([, code = '', reason = '']) => [reason, answerOf(code)]),
  )
}

function answerOf(code: string): string {
  const codes = [...code.matchAll(/'(\w+)'/g)].map(([, each]) => each as AuthErrorCode)
  return codes.map((each) => `${AUTH_ERRORS[each].status} \`${each}\``).join(' or ')
}

if (process.argv[1] === fileURLToPath(import.meta.url)) writeFileSync(PAGE, withAnswers(readPage()))
