/** Print the tour: one aligned line a step, colours only on a terminal. */
import type { Outcome } from './step.ts'

/** Where lines go, and whether it is a terminal. */
export interface Screen {
  readonly columns: number
  readonly colours: boolean
  write(text: string): void
}

/** The screen of this process. */
export function ownScreen(): Screen {
  const { stdout, env } = process
  const terminal = stdout.isTTY === true
  return {
    columns: Math.max(80, Math.min(stdout.columns ?? 140, 170)),
    colours: terminal && env['NO_COLOR'] === undefined && env['TERM'] !== 'dumb',
    write: (text) => void stdout.write(text),
  }
}

/** What prints a tour. */
export interface TourPrinter {
  title(text: string): void
  /** Say what is going on, on a terminal only: the next line takes its place. */
  progress(text: string): void
  outcome(outcome: Outcome): void
  summary(text: string, good: boolean): void
}

/** Create the printer. */
export function createPrinter(screen: Screen): TourPrinter {
  const paint = (code: number, text: string): string => (screen.colours ? `\x1b[${code}m${text}\x1b[0m` : text)
  const clear = screen.colours ? '\r\x1b[K' : ''
  const answer = Math.floor((screen.columns - 10) * 0.25)
  const question = screen.columns - 10 - 2 * answer
  const row = (mark: string, asked: string, expected: string, got: string): string => {
    const cells = [mark, cut(asked, question).padEnd(question), cut(expected, answer).padEnd(answer), cut(got, answer)]
    return `  ${cells.join('  ')}\n`
  }
  return {
    title: (text) =>
      screen.write(`${clear}\n${paint(1, text)}\n${paint(2, row('    ', 'request', 'expected', 'got'))}`),
    progress(text) {
      if (screen.colours) screen.write(`${clear}${paint(2, `  … ${cut(text, screen.columns - 6)}`)}`)
    },
    outcome({ asked, expected, got, ok }) {
      screen.write(clear + row(ok ? paint(32, 'ok  ') : paint(31, 'FAIL'), asked, expected, got))
      if (!ok) screen.write(`${paint(31, `        expected ${expected}\n        got      ${got}`)}\n`)
    },
    summary: (text, good) => screen.write(`${clear}\n${paint(good ? 32 : 31, text)}\n`),
  }
}

function cut(text: string, width: number): string {
  return text.length <= width ? text : `${text.slice(0, width - 1)}…`
}
