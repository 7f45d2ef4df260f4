/**
 * Decisions in words: a line for each refusal, with what came, what was wanted and what to try next. For whoever builds a
 * service and sees a 401; hands on text, made of what the decision record holds anyway.
 */
import type { Decision } from '../context.ts'
import { statusOfCode } from '../errors.ts'
import { toLogText } from '../lib/log-text.ts'
import { aBoolean, aFunction, maker, optional, parseOptions, type Shape } from '../lib/parse-options.ts'
import { notify, printLine, showsColors } from '../lib/standard-error.ts'
import { describeThrown } from './fault-misses.ts'
import type { Explained } from './load-explainer.ts'
import { nearMissOf } from './near-misses.ts'
import type { ReasonText } from './reason-text.ts'
import { reasonTexts } from './reason-texts.ts'

/** Options of {@link explain}. */
export interface ExplainOptions {
  /** What gets each line, without a line feed. Default: standard error. */
  readonly write?: ((line: string) => unknown) | undefined
  /** Whether lines are aligned and coloured. Default: on a terminal, unless `NO_COLOR` is set. */
  readonly color?: boolean | undefined
  /** Whether requests that were let in get a line, too. Default `false`. */
  readonly allowed?: boolean | undefined
}

const shape = (): Shape<ExplainOptions> => ({
  write: optional(aFunction()),
  color: optional(aBoolean()),
  allowed: optional(aBoolean()),
})

/** Where a refusal says what is amiss: what an `AuthError` and a decision record share. */
export type Refusal = Pick<Decision, 'reason' | 'expected' | 'got'>

const GREEN = 32
const YELLOW = 33
const RED = 31
const CYAN = 36
const GREY = 90
const REASON_WIDTH = 34

/**
 * Make an `onDecision` that says why each request was refused, in one line on standard error: status and reason, what came
 * and what was wanted, and the next thing to try, with a guess where something is nearly right. For development; in
 * production log the records themselves.
 *
 * A line holds what the record holds: names, issuers, audiences, algorithms and times, of other claims nothing; of what was thrown its
 * code or name, the address that could not be reached, and of the library’s own errors what they say; and method and path, without
 * e-mail addresses and what looks like a token or a key. Every reason and what it means: `docs/reasons.md`.
 *
 * @throws OptionsError for a wrong option
 * @example
 * createAuth({ issuers, storage, roles, onDecision: explain() })
 * // 401 token_issuer_unknown: the token says "https://acme.eu.auth0.com/", trusted is "https://acme.eu.auth0.com" — a trailing slash? (GET /me)
 */
export const explain: (options?: ExplainOptions) => (decision: Decision) => void = /* @__PURE__ */ maker(
  'explain()',
  makeExplain,
)

function makeExplain(options: ExplainOptions = {}): (decision: Decision) => void {
  const { write = printLine, color = showsColors(), allowed = false } = parseOptions('explain', shape(), options)
  const lineOf = createExplainer({ color })
  const print = (line: string): void => notify('explain: write', write, line)

  return (decision) => {
    const { outcome } = decision
    const where = `${decision.method} ${decision.path}`
    if (outcome === 'allowed' || outcome === 'anonymous') {
      if (allowed)
        print(
          `${head(paint(GREEN, 'ok', color), `${outcome}:`, color)} ${describeCaller(decision)} ${placed(where, color)}`,
        )
      return
    }
    print(lineOf({ ...decision, where }))
  }
}

/** How lines look, and what they name. */
interface ExplainerOptions {
  /** Default: on a terminal, unless `NO_COLOR` is set. */
  readonly color?: boolean
  /** Whether a fault names the address of what could not be reached. Default `true`. */
  readonly isPlaced?: boolean
}

/** Make what makes a line of a refusal or a fault. */
export function createExplainer({
  color = showsColors(),
  isPlaced = true,
}: ExplainerOptions): (explained: Explained) => string {
  const texts = reasonTexts()
  return (explained) => {
    const { code, outcome, cause, where } = explained
    const reason = toLogText(explained.reason) ?? 'none'
    const status = statusOfCode(code)
    const painted = paint(status >= 500 ? RED : YELLOW, String(status), color)
    const fault = outcome === 'failed' ? describeThrown(explained.reason, cause, isPlaced) : null
    const described = describe(explained, texts)
    const next = fault?.next ?? described.next
    const said = [
      head(painted, `${reason}:`, color),
      described.what,
      fault === null ? '' : `[${fault.word}]`,
      next === '' ? '' : `— ${paint(CYAN, next, color)}`,
      placed(where, color),
    ]
    return said.filter((part) => part !== '').join(' ')
  }
}

function paint(code: number, text: string, color: boolean): string {
  return color ? `\u001b[${code}m${text}\u001b[39m` : text
}

function placed(where: string, color: boolean): string {
  return where === '' ? '' : paint(GREY, `(${toLogText(where)})`, color)
}

function head(status: string, reason: string, isAligned: boolean): string {
  return `${status} ${isAligned ? reason.padEnd(REASON_WIDTH) : reason}`
}

function describeCaller({ principal, orgId, role, issuer }: Decision): string {
  const said = [
    principal === null ? null : `${principal.kind} ${principal.name ?? principal.id}`,
    issuer === null ? null : `of ${issuer}`,
    orgId === null ? null : `in ${orgId}`,
    role === null ? null : `as ${role}`,
  ].filter((part) => part !== null)
  return toLogText(said.join(' ')) || 'nobody in particular'
}

/** What is amiss, and what to try next: both without a full stop, the second empty where nothing is to be done. */
export function describe(
  { reason, expected, got }: Refusal,
  texts: ReadonlyMap<string, ReasonText>,
): { readonly what: string; readonly next: string } {
  const text = texts.get(reason ?? '')
  if (text === undefined) return { what: withValues('refused by a rule of the host', { expected, got }), next: '' }
  const { headline, says, saysOf = {}, try: remedies } = text
  const isSaid = says !== undefined && (expected !== null || !says.includes('{expected}'))
  const what =
    got !== null && Object.hasOwn(saysOf, got)
      ? fill(saysOf[got] ?? '', { expected, got })
      : isSaid && (got !== null || !says.includes('{got}'))
        ? fill(says, { expected, got })
        : withValues(headline, { expected, got })
  const all = Object.entries(remedies).map(([who, remedy]) =>
    who === 'wait' || who === 'nobody' ? remedy : `${who}: ${remedy}`,
  )
  return { what, next: nearMissOf(reason ?? '', expected, got) ?? all.join('; ') }
}

type Values = Pick<Decision, 'expected' | 'got'>

function withValues(sentence: string, { expected, got }: Values): string {
  const said = [got === null ? null : `got ${got}`, expected === null ? null : `expected ${expected}`]
  const known = said.filter((part) => part !== null).join(', ')
  return known === '' ? sentence : `${sentence} (${known})`
}

// In quotes each value of a list gets its own.
function fill(says: string, values: Values): string {
  return says.replace(/"\{(got|expected)\}"|\{(got|expected)\}/g, (_, quoted: keyof Values, plain: keyof Values) => {
    const value = values[quoted ?? plain] ?? ''
    return quoted === undefined || value === 'none'
      ? value
      : value
          .split(', ')
          .map((each) => `"${each}"`)
          .join(' or ')
  })
}
