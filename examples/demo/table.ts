/** Print the tour: an aligned row a step, wrapped and never cut; colours only on a terminal. */
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
    columns: Math.max(80, Math.min(stdout.columns || 140, 170)),
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
  /** What a system says by itself meanwhile. */
  note(text: string): void
  summary(text: string, good: boolean): void
}

/** Create the printer. */
export function createPrinter(screen: Screen): TourPrinter {
  const paint = (code: number, text: string): string => (screen.colours ? `\x1b[${code}m${text}\x1b[0m` : text)
  const clear = screen.colours ? '\r\x1b[K' : ''
  const width = screen.columns - MARGINS
  const answer = Math.min(44, Math.floor(width * 0.44))
  const question = width - answer
  const row = (mark: string, asked: string, expected: string, got: string): string => {
    const [left, right] = [wrap(asked, question), wrap(expected, answer)]
    return Array.from({ length: Math.max(left.length, right.length) }, (_, line) => {
      const cells = [(left[line] ?? '').padEnd(question), (right[line] ?? '').padEnd(answer)]
      return `  ${(line === 0 ? [mark, ...cells, got] : ['    ', ...cells]).join('  ').trimEnd()}\n`
    }).join('')
  }
  const below = (code: number, text: string): void => {
    for (const line of wrap(text, screen.columns - INDENT.length)) screen.write(`${paint(code, INDENT + line)}\n`)
  }
  return {
    title: (text) =>
      screen.write(`${clear}\n${paint(1, text)}\n${paint(2, row('    ', 'request', 'expected', 'got'))}`),
    progress(text) {
      if (screen.colours) screen.write(`${clear}${paint(2, `  … ${cut(text, screen.columns - 6)}`)}`)
    },
    outcome({ asked, expected, got, ok }) {
      // What came in the very words of the promise need not be read twice.
      const same = got === expected
      screen.write(clear + row(ok ? paint(32, 'ok  ') : paint(31, 'FAIL'), asked, expected, same ? 'same' : 'below'))
      if (!same) below(ok ? 2 : 31, `got ${got}`)
    },
    note(text) {
      screen.write(clear)
      below(2, text)
    },
    summary: (text, good) => screen.write(`${clear}\n${paint(good ? 32 : 31, text)}\n`),
  }
}

const INDENT = ' '.repeat(8)
// The margin, the mark, the last column, and two blanks between each.
const MARGINS = 2 + 4 + 2 + 2 + 2 + 'below'.length

// At blanks where there are some, else within the word.
function wrap(text: string, width: number): string[] {
  if (text.length <= width) return [text]
  const blank = text.lastIndexOf(' ', width)
  const end = blank > width / 2 ? blank : width
  return [text.slice(0, end).trimEnd(), ...wrap(text.slice(end).trimStart(), width)]
}

function cut(text: string, width: number): string {
  return text.length <= width ? text : `${text.slice(0, width - 1)}…`
}
