/** What a command has found out, as data, and how it is printed: a line a check, what to try below it, one verdict. */
import { type Colour, type Terminal, wrap } from './terminal.ts'

/**
 * `passes`; `refused`: by this somebody would be refused; `unknown`: it could not be found out; `warning`: it works, and
 * should not stay; `skipped`: it was not asked, because of what came before.
 */
export type CheckState = 'passes' | 'refused' | 'unknown' | 'warning' | 'skipped'

/** One thing that was asked. */
export interface Check {
  readonly name: string
  readonly state: CheckState
  /** What was found, in a clause. */
  readonly says: string
  /** The reason of the refusal, as decision records have it. */
  readonly reason?: string | undefined
  /** What to try, in a clause. */
  readonly try?: string | undefined
  /** Whether it is only worth a line where it does not pass. */
  readonly isMinor?: boolean | undefined
}

/** What all checks come to. */
export type Verdict = 'passes' | 'refused' | 'unknown'

/** One refusal outweighs whatever is not known. */
export function verdictOf(checks: readonly Check[]): Verdict {
  const states = new Set(checks.map(({ state }) => state))
  if (states.has('refused')) return 'refused'
  return states.has('unknown') ? 'unknown' : 'passes'
}

/** The exit code of a verdict. */
export const EXIT_CODES: Readonly<Record<Verdict, number>> = { passes: 0, refused: 1, unknown: 3 }

const SIGNS: Readonly<Record<CheckState, readonly [sign: string, colour: Colour]>> = {
  passes: ['✓', 'green'],
  refused: ['✗', 'red'],
  unknown: ['?', 'yellow'],
  warning: ['!', 'yellow'],
  skipped: ['–', 'grey'],
}

/** Print checks, aligned, each line no wider than the terminal. */
export function printChecks(checks: readonly Check[], terminal: Terminal): void {
  const shown = checks.filter(({ isMinor, state }) => isMinor !== true || (state !== 'passes' && state !== 'skipped'))
  const width = Math.max(...shown.map(({ name }) => name.length))
  for (const { name, state, says, try: next } of shown) {
    const [sign, colour] = SIGNS[state]
    const lines = wrap(says, terminal.columns - width - 5)
    terminal.print(` ${terminal.paint(colour, sign)} ${name.padEnd(width)}  ${lines[0] ?? ''}`)
    const indent = ' '.repeat(width + 5)
    for (const line of lines.slice(1)) terminal.print(`${indent}${line}`)
    if (next === undefined || next === '') continue
    for (const [index, line] of wrap(next, terminal.columns - width - 7).entries()) {
      terminal.print(`${indent}${terminal.paint('cyan', `${index === 0 ? '→' : ' '} ${line}`)}`)
    }
  }
}

/** Print a paragraph. */
export function printParagraph(text: string, terminal: Terminal): void {
  for (const line of wrap(text, terminal.columns)) terminal.print(line)
}

/** A check as `--json` shows it: every member always there. */
export function toJson({ name, state, says, reason = null, try: next = null }: Nullable<Check>): object {
  return { name, state, says, reason, try: next }
}

type Nullable<T> = { readonly [K in keyof T]: T[K] | null }
