/** The session's cookie as header lines: set and cleared with the same attributes, `Secure` wherever there is TLS. */
import type { AuthRequest } from '../request.ts'

/** What {@link createSessionCookie} makes. */
export interface SessionCookieWriter {
  /** The `Set-Cookie` line that carries a session. */
  set(token: string, request: AuthRequest): readonly [name: string, value: string]
  /** The line that takes it away. */
  clear(request: AuthRequest): readonly [name: string, value: string]
}

/**
 * Create the writer.
 *
 * @param name the cookie's name
 * @param publicUrl where this service is reached, or `null`: then the socket says whether there is TLS
 * @param seconds how long a session lives
 */
export function createSessionCookie(name: string, publicUrl: string | null, seconds: number): SessionCookieWriter {
  const line = (value: string, maxAge: number, { encrypted }: AuthRequest): readonly [string, string] => {
    const isSecure = hasPrefix(name) || (publicUrl === null ? encrypted : publicUrl.startsWith('https:'))
    const attributes = `Path=/; Max-Age=${maxAge}; HttpOnly; SameSite=Lax${isSecure ? '; Secure' : ''}`
    return ['Set-Cookie', `${name}=${value}; ${attributes}`]
  }
  return {
    set: (token, request) => line(token, seconds, request),
    clear: (request) => line('', 0, request),
  }
}

/** Ask whether a cookie's name is one that browsers accept with `Secure` only (RFC 6265bis §4.1.3). */
export function hasPrefix(name: string): boolean {
  return /^__(?:host|secure)-/i.test(name)
}
