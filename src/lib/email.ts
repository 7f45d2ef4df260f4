/** E-mail addresses: what is one at all, and the normal form that decides anything: an invitation, a local account. */

const TEXT = /^[^@\s\p{Cc}\p{Cf}\p{Cs}\p{Z}]+@[^@\s\p{Cc}\p{Cf}\p{Cs}\p{Z}]+$/u
const LONGEST = 254

/**
 * Read what an issuer or a host calls an e-mail: text with one `@` and something on both sides, no white space, control or
 * invisible character within, at most 254 characters, without the blanks around it. Anything else is none, `null`.
 */
export function toEmail(value: unknown): string | null {
  if (typeof value !== 'string' || value.length > 4 * LONGEST) return null
  const email = value.trim()
  return email.length <= LONGEST && TEXT.test(email) ? email : null
}

const ADDRESS = /^[a-z0-9!#$%&'*+/=?^_`{|}~.-]{1,64}@(?=.{1,253}$)[a-z0-9-]{1,63}(?:\.[a-z0-9-]{1,63})*$/

/**
 * Normalize an address: trim ASCII white space, lower-case. `null` if it is not a plain ASCII addr-spec of at most 254
 * characters: quoted local parts, full-width or homoglyph characters never collide with another account. Pure.
 *
 * @param text an address as somebody typed it
 * @example
 * normalizeEmail(' Ada@Example.test ') // 'ada@example.test'
 */
export function normalizeEmail(text: string): string | null {
  if (text.length > 320) return null
  const email = text.replace(/^[ \t\r\n]+|[ \t\r\n]+$/g, '')
  if (!/^[\x21-\x7e]+$/.test(email) || email.length > 254) return null
  const lower = email.toLowerCase()
  return ADDRESS.test(lower) && !lower.startsWith('.') && !lower.includes('..') && !lower.includes('.@') ? lower : null
}
