/**
 * Text that a client may have written, made fit for a line of a log: bounded, and without what breaks a line, looks like a
 * secret or names a person.
 */

const MAX_LENGTH = 200

// Longer than any id, or the beginning of every JWT: a key or a token that somebody has put where it does not belong.
const SECRET = /[\w-]{65,}|\beyJ[\w.-]{5,}/g

// Visible ASCII without an address, no word of it as long as a secret.
const PLAIN = /^[\w-]{0,64}(?:[ -$&-,./:-?[-^`{-~][\w-]{0,64})*$/

/** Say a claim or a header in a log: text as it is, of anything else what it is. */
export function describeValue(value: unknown): string {
  return typeof value === 'string' ? value : value === undefined ? 'none' : typeof value
}

/** Say an instant (milliseconds) in a log. */
export function describeInstant(milliseconds: number): string {
  return new Date(milliseconds).toJSON() ?? 'never'
}

/** Blank out what may be a key or a token. */
export function withoutSecrets(text: string): string {
  return text.replace(SECRET, '…')
}

/**
 * Make a text fit for a log: at most 200 characters, control and other invisible characters replaced, keys, tokens and
 * what stands before an `@` or `%40` (an address, a URL's password) blanked out. `null` for what is no text.
 */
export function toLogText(text: unknown): string | null {
  if (typeof text !== 'string') return null
  // What most refusals say: short words, of which nothing has to go.
  if (text.length <= MAX_LENGTH && PLAIN.test(text) && !text.includes('eyJ')) return text
  // More than is kept, so that what is cut off at the end is still known for what it is.
  const known = withoutSecrets(text.slice(0, MAX_LENGTH * 2)).replace(/[^\s,@]*(?:@|%40)/g, '…@')
  const visible = known.replace(/[\p{C}\p{Zl}\p{Zp}]/gu, '\u{fffd}')
  return visible.length > MAX_LENGTH ? `${visible.slice(0, MAX_LENGTH - 1)}…` : visible
}
