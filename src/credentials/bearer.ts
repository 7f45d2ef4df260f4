/** The Authorization header as a bearer token (RFC 6750 §2.1): one line, one scheme, one token, or nothing. */
import { AuthError } from '../errors.ts'
import { describeDamage } from '../lib/token-damage.ts'

/**
 * Refuse a token over `maxBytes`, whatever else is wrong with the header: size comes before form.
 * @throws AuthError `unauthorized`
 */
export function requireBearerSize(lines: readonly string[], maxBytes: number): void {
  for (const line of lines) {
    if (line.length <= maxBytes || !isBearer(line) || tokenOf(line).length <= maxBytes) continue
    throw new AuthError('unauthorized', { reason: 'bearer_token_too_long', expected: `at most ${maxBytes} bytes` })
  }
}

/**
 * Read the token of an `Authorization: Bearer` header.
 *
 * @param lines the header's raw lines
 * @returns the token, or `null` where there is no header or another scheme (as no credential)
 * @throws AuthError `bad_request` for a repeated header, no token, white space or a comma inside
 */
export function readBearer(lines: readonly string[]): string | null {
  if (lines.length > 1) {
    const got = `${lines.length} lines`
    throw new AuthError('bad_request', { reason: 'authorization_repeated', expected: '1 line', got })
  }
  const line = lines[0]
  if (line === undefined || !isBearer(line)) return null
  const token = tokenOf(line)
  if (token === '') throw new AuthError('bad_request', { reason: 'bearer_token_missing' })
  for (const character of FORBIDDEN) {
    if (!token.includes(character)) continue
    throw new AuthError('bad_request', { reason: 'bearer_token_malformed', got: describeDamage(token) })
  }
  return token
}

// Looked for one by one, which is far faster in a long text than a class of them.
const FORBIDDEN = ['\t', ' ', ','] as const

/** Ask whether the header has the form of a bearer credential: what no browser adds by itself, as it does a cached `Basic`. */
export function hasBearerForm(lines: readonly string[]): boolean {
  const [line] = lines
  return lines.length === 1 && line !== undefined && isBearer(line) && /^[^\t ,]+$/.test(tokenOf(line))
}

// A tab or a comma after the scheme stays in the token, where it is refused: only spaces may separate the two.
function isBearer(line: string): boolean {
  return /^bearer(?:[ \t,]|$)/i.test(line)
}

/** Name the scheme of the header for a log, where it has a known one: another word may be a token that lacks its scheme. */
export function describeScheme([line]: readonly string[]): string {
  if (line === undefined) return 'none'
  if (/^[ \t]*$/.test(line)) return 'an empty Authorization'
  return `Authorization: ${SCHEME.exec(line)?.[0] ?? (/^eyJ/.test(line) ? 'a token without a scheme' : 'another scheme')}`
}

const SCHEME = /^(?:basic|digest|dpop|negotiate|ntlm|token|jwt|api-?key)(?= |$)/i

function tokenOf(line: string): string {
  let start = 'bearer'.length
  while (line[start] === ' ') start += 1
  return line.slice(start)
}
