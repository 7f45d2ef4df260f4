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
