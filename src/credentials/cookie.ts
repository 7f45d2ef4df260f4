/** The session cookie as a credential: read from the Cookie header, one value or none. */
import { AuthError } from '../errors.ts'
import { trimBlanks } from '../lib/trim-blanks.ts'

/**
 * Read the value of the cookie `name`. An empty value is none; the same value twice is one.
 *
 * @throws AuthError `unauthorized` for two different values (cookie tossing) or one over `maxBytes`
 */
export function readCookie(lines: readonly string[], name: string, maxBytes: number): string | null {
  const values = new Set(valuesOf(lines, name).filter((value) => value !== ''))
  if (values.size > 1) {
    const got = `${values.size} values`
    throw new AuthError('unauthorized', { reason: 'cookie_ambiguous', expected: '1 value', got })
  }
  const [value] = values
  if (value === undefined) return null
  if (value.length > maxBytes) {
    const [expected, got] = [`at most ${maxBytes} bytes`, `${value.length} bytes`]
    throw new AuthError('unauthorized', { reason: 'cookie_too_long', expected, got })
  }
  return value
}

/** Ask whether a cookie of this very name came along, an empty one too. */
export function hasCookie(lines: readonly string[], name: string): boolean {
  return valuesOf(lines, name).length > 0
}

// A name with any other character around it is another name: a sibling domain may set that one, `__Host-` or not.
function valuesOf(lines: readonly string[], name: string): string[] {
  return lines
    .flatMap((line) => line.split(';'))
    .map(trimBlanks)
    .filter((pair) => pair.startsWith(`${name}=`))
    .map((pair) => pair.slice(name.length + 1))
}
