/**
 * The one place that writes to standard error: what would otherwise leave no trace; and the word by which a line says what was
 * thrown. Never a value, an address of a database or a secret in a line of ours.
 */

const MS = 1000
const MOST_LINES = 100

/** Print what a host's handler threw, as frameworks do by themselves: for one whose own printing we stand in for. */
export function printError(error: unknown): void {
  console.error(error)
}

/** Prints a line. `what` it is about, where lines about one thing may differ: there is one a second of each. */
export type LinePrinter = (line: string, what?: string | null) => void

/** Make a printer of lines, each at most once a second by `clock`, in milliseconds. It never throws. */
export function createLinePrinter(clock: () => number): LinePrinter {
  const printed = new Map<string, number>()
  return (line, what) => {
    const [key, now] = [what ?? line, clock()]
    const last = printed.get(key)
    if (last !== undefined && Math.abs(now - last) < MS) return
    if (printed.size >= MOST_LINES) printed.clear()
    printed.set(key, now)
    try {
      console.error(line)
    } catch {
      // A console that a host has put there may throw: no answer hangs on a line.
    }
  }
}

let printOnce: LinePrinter | undefined

/** Print that something of the host's threw, which decides nothing and must leave a trace: by the name of its option. */
export function printThrown(option: string, error: unknown): void {
  printOnce ??= createLinePrinter(Date.now)
  printOnce(`sallyport: ${option} threw: ${describeCause(error)}`)
}

/**
 * Tell a hook of the host's (audit, metrics) what happened, if there is one. It is not on the way to a verdict: whatever it throws
 * or rejects with is printed, and changes nothing.
 *
 * @param option its name, as the host wrote it
 */
export function notify<E>(option: string, hook: ((event: E) => unknown) | undefined, event: E): void {
  const threw = (error: unknown): void => printThrown(option, error)
  try {
    const told = hook?.(event)
    // Most tell nothing.
    if (told !== undefined) Promise.resolve(told).catch(threw)
  } catch (error) {
    threw(error)
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

// Empty where it is not set. Deno throws where the environment may not be read: then it is as in production, and without colours.
function variableOf(name: 'NODE_ENV' | 'NO_COLOR'): string {
  try {
    const { env } = processOf()
    return env === undefined ? 'production' : (env[name] ?? '')
  } catch {
    return 'production'
  }
}

/** Ask whether standard error is a terminal where colours are wanted (no-color.org). */
export function showsColors(): boolean {
  return processOf().stderr?.isTTY === true && !variableOf('NO_COLOR')
}

/** Ask whether somebody builds a service here: an environment that says neither production nor test. */
export function isDevelopment(): boolean {
  return !/^(?:production|test)$/.test(variableOf('NODE_ENV'))
}

const MOST_CAUSES = 16

/** The error, what it was caused by, and what an `AggregateError` holds, the nearest first; bounded. */
export function causesOf(error: unknown): readonly unknown[] {
  const found: unknown[] = [error]
  for (let index = 0; index < found.length && found.length < MOST_CAUSES; index++) {
    const { cause, errors } = readError(found[index])
    for (const each of [
      prismaCauseOf(found[index]),
      cause,
      ...(Array.isArray(errors) ? errors.slice(0, MOST_CAUSES) : []),
    ]) {
      if (typeof each === 'object' && each !== null && !found.includes(each)) found.push(each)
    }
  }
  return found
}

// Prisma's, which says no more than that; what happened its adapter says, or the engine of its own.
const RAW_QUERY_FAILED = 'P2010'

/** The code that says what happened, of the error or of what caused it, or `null`: a word, never a value. */
export function codeOf(error: unknown): string | null {
  const words = causesOf(error).flatMap((each) => {
    const { code, errorCode, originalCode, errno } = readError(each)
    // A driver may know no name for a number of its server's.
    return [originalCode, code, errorCode, typeof errno === 'number' ? `${errno}` : errno].filter(isCode)
  })
  return words.find((word) => word !== RAW_QUERY_FAILED) ?? words[0] ?? null
}

function isCode(word: unknown): word is string {
  return typeof word === 'string' && /^[A-Z0-9_]{2,40}$/.test(word)
}

/** What marks a `ConflictError`, of whichever copy of this package: a host may have a class of that name. */
export const CONFLICT: symbol = Symbol.for('sallyport.ConflictError')

/** Ask whether it may be a name of a schema (a constraint, columns), and breaks no line. */
export function isOfSchema(name: unknown): name is string {
  return typeof name === 'string' && /^[\w$., ]{1,100}$/.test(name)
}

/**
 * Say what was thrown, in a word: its code, else its name; and of a conflict the constraint, where `toStorageError` found which.
 * A message may name values and addresses.
 */
export function describeCause(error: unknown): string {
  try {
    const { name } = readError(error)
    const what = codeOf(error) ?? (typeof name === 'string' && /^[A-Za-z]{1,40}$/.test(name) ? name : 'no error')
    const { constraint } = readError(causesOf(error).find((each) => CONFLICT in readError(each)))
    return isOfSchema(constraint) ? `${what} ${constraint}` : what
  } catch {
    // What is thrown may be anything, and say so itself by throwing.
    return 'no error'
  }
}

/** What Prisma hands on of its driver adapter's error; of a raw query its engine (before Prisma 7) says it in `meta` itself. */
export function prismaCauseOf(error: unknown): object | undefined {
  const { code, meta } = readError(error)
  const { driverAdapterError = code === RAW_QUERY_FAILED ? meta : undefined } = readError(meta)
  return typeof driverAdapterError === 'object' && driverAdapterError !== null ? driverAdapterError : undefined
}

/** Read the members of what was thrown, whatever it is. */
export function readError(error: unknown): Readonly<Record<string, unknown>> {
  return typeof error === 'object' && error !== null ? (error as Record<string, unknown>) : {}
}
