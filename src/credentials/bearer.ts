/** The Authorization header as a bearer token (RFC 6750 §2.1): one line, one scheme, one token, or nothing. */
import { AuthError } from '../errors.ts'

/**
 * Read the token of an `Authorization: Bearer` header.
 *
 * @param lines the header's raw lines
 * @param maxBytes the longest token let through
 * @returns the token, or `null` where there is no header or another scheme (as no credential, H2)
 * @throws AuthError `unauthorized` for a token over `maxBytes`; `bad_request` for a repeated header (H1), no token,
 * white space or a comma inside
 */
export function readBearer(lines: readonly string[], maxBytes: number): string | null {
  if (lines.some((line) => isBearer(line) && tokenOf(line).length > maxBytes)) {
    throw new AuthError('unauthorized', { reason: 'bearer_token_too_long' })
  }
  if (lines.length > 1) throw new AuthError('bad_request', { reason: 'authorization_repeated' })
  const [line] = lines
  if (line === undefined || !isBearer(line)) return null
  const token = tokenOf(line)
  if (token === '') throw new AuthError('bad_request', { reason: 'bearer_token_missing' })
  if (/[\t ,]/.test(token)) throw new AuthError('bad_request', { reason: 'bearer_token_malformed' })
  return token
}

// A tab after the scheme stays in the token, where it is refused: only spaces may separate the two.
function isBearer(line: string): boolean {
  return /^bearer(?:[ \t]|$)/i.test(line)
}

function tokenOf(line: string): string {
  return line.slice('bearer'.length).replace(/^ +/, '')
}
