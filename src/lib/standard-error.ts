/**
 * The one place that writes to standard error: what would otherwise leave no trace. Never a value, an address of a database
 * or a secret in a line of ours.
 */

const MS = 1000
const MOST_LINES = 100

/** Print what a host's handler threw, as frameworks do by themselves: for one whose own printing we stand in for. */
export function printError(error: unknown): void {
  console.error(error)
}

/** Make a printer of lines, each at most once a second by `clock`, in milliseconds. */
export function createLinePrinter(clock: () => number): (line: string) => void {
  const printed = new Map<string, number>()
  return (line) => {
    const now = clock()
    const last = printed.get(line)
    if (last !== undefined && Math.abs(now - last) < MS) return
    if (printed.size >= MOST_LINES) printed.clear()
    printed.set(line, now)
    console.error(line)
  }
}

/** Print a line that somebody has asked for. */
export function printLine(line: string): void {
  console.error(line)
}

interface ProcessLike {
  readonly env?: Readonly<Record<string, string | undefined>>
  readonly stderr?: { readonly isTTY?: boolean }
}

function processOf(): ProcessLike {
  return (globalThis as { readonly process?: ProcessLike }).process ?? {}
}

/** Ask whether standard error is a terminal where colours are wanted (no-color.org). */
export function showsColors(): boolean {
  const { env, stderr } = processOf()
  return stderr?.isTTY === true && !env?.['NO_COLOR']
}

/** Ask whether somebody builds a service here: an environment that says neither production nor test. */
export function isDevelopment(): boolean {
  const { env } = processOf()
  return env !== undefined && !/^(?:production|test)$/.test(env['NODE_ENV'] ?? '')
}

const said = new Set<string>()
const MOST_SAID = 200

/** Ask whether something is to be said for the first time in this process; after 200 things nothing is. */
export function isNewlySaid(text: string): boolean {
  if (said.has(text) || said.size >= MOST_SAID) return false
  return said.add(text).size > 0
}
