/** The one normal form of an e-mail address that decides anything: an invitation, a local account. */

const ADDRESS = /^[a-z0-9!#$%&'*+/=?^_`{|}~.-]{1,64}@(?=.{1,253}$)[a-z0-9-]{1,63}(?:\.[a-z0-9-]{1,63})*$/

/**
 * Normalize an address: trim ASCII white space, lower-case. `null` if it is not a plain ASCII addr-spec of at most 254
 * characters: quoted local parts, full-width or homoglyph characters never collide with another account (L6). Pure.
 *
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
