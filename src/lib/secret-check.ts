/**
 * Say what is wrong with a shared secret before anything trusts it: unset variables, short ones, public keys in
 * the place of a secret, the samples every tutorial prints. Hands on a sentence, never the secret.
 */

/**
 * Say what a text brings along at its edges that nobody meant, or `null`: the newline of `echo`, the carriage return of a
 * Windows file, a blank, the quotes of an env file.
 */
export function describeEdges(text: string): string | null {
  if (/^[\s\p{Cc}]|[\s\p{Cc}]$/u.test(text)) return 'must not begin or end with white space'
  return /^(["'`]).*\1$/s.test(text) ? 'must not stand in quotes' : null
}

/** Say what is wrong with a text option, or `null`: not a string, blank, with edges ({@link describeEdges}). */
export function describeText(value: unknown): string | null {
  if (typeof value !== 'string') return 'must be of type string'
  return value.trim() === '' ? 'must not be blank' : describeEdges(value)
}

/**
 * Say what is wrong with a secret, or `null`: what is wrong with it as a text ({@link describeText}), the text of an unset
 * variable, or under 32 bytes of UTF-8 (RFC 7518 §3.2 for HS256).
 */
export function describeWeakSecret(secret: unknown): string | null {
  const wrong = describeText(secret)
  if (wrong !== null) return wrong
  const text = secret as string
  if (/^(?:undefined|null|nan|\[object object\])$/i.test(text)) return 'is the text of an unset variable'
  return new TextEncoder().encode(text).length < 32 ? 'must be at least 32 bytes long' : null
}

// What public keys look like, wherever it stands in the text: PEM, JWK and JWK Set, and DER by the object identifiers of
// RSA, EC and Ed25519 keys: base64 in its three alignments, hexadecimal, raw.
const KEY_MATERIAL: readonly (readonly [what: string, pattern: RegExp])[] = [
  ['a PEM block', /---\s*(?:BEGIN|END)\b/i],
  ['an SSH key', /\b(?:ssh-(?:rsa|ed25519)|ecdsa-sha2-nistp\d{3}) AAAA/],
  ['a JWK', /\bkty\\?["']?\s*:/],
  ['a JWK Set', /\bkeys\\?["']?\s*:\s*\[/],
  ['a DER key', /KoZIhvcNAQEB|qhkiG9w0BAQ|SqGSIb3DQEB/],
  ['a DER key', /KoZIzj0CAQ|qhkjOPQIB|SqGSM49AgE/],
  ['a DER key', /MCowBQYDK2Vw|MC4CAQAwBQYDK2Vw|MII[A-J][\w+/-]{2}(?:IBAA)?KCA/],
  ['a DER key', /2a864886f70d0101|2a8648ce3d0201|300506032b6570/i],
  // biome-ignore lint/suspicious/noControlCharactersInRegex: raw DER is made of them
  ['a DER key', /\*\x86H\x86\xf7\r\x01\x01|\*\x86H\xce=\x02\x01|0\x05\x06\x03\+ep|\*\ufffdH\ufffd/],
  ['a JWT', /^eyJ[\w-]+\.eyJ[\w-]+\.[\w-]*$/],
]

/**
 * Say which kind of public material a secret looks like (`a PEM block`, `a JWK`, …), or `null`. A public key as the HMAC
 * secret lets everybody sign. Looks anywhere in the text, and in what it is the base64 of: prefixes and white space hide nothing.
 */
export function describeKeyMaterial(secret: string): string | null {
  const text = secret.trim()
  const found = KEY_MATERIAL.find(([, pattern]) => pattern.test(text))?.[0] ?? null
  const decoded = found === null ? fromBase64(text) : ''
  return decoded === '' ? found : describeKeyMaterial(decoded)
}

// Of either alphabet, in lines, padded or not; of anything else nothing.
function fromBase64(text: string): string {
  try {
    return atob(text.replaceAll('-', '+').replaceAll('_', '/'))
  } catch {
    return ''
  }
}

/** Say what is wrong with a secret that tokens are signed with, or `null`: weak, or public material of some kind. */
export function describeSigningSecret(secret: unknown): string | null {
  // A PEM ends in a line feed: what it is helps more than that it must be cut.
  const material = typeof secret === 'string' ? describeKeyMaterial(secret) : null
  return material === null ? describeWeakSecret(secret) : `looks like ${material}, not like a secret`
}

// Reduced to letters and digits, so that `Super_Secret…` is found as well.
const SAMPLES: readonly string[] = [
  'supersecretjwttokenwithatleast32characterslong',
  'your256bitsecret',
  'your384bitsecret',
  'your512bitsecret',
  'stringsecretatleast256bitslong',
  'stringsecretthatisatleast384bitslong',
  'stringsecretthatisatleast512bitslong',
  'yoursecretkey',
  'yourjwtsecret',
  'changeme',
  'changethis',
]

/** Ask whether a secret is one of the samples that documentation prints and everybody therefore knows. */
export function isSampleSecret(secret: string): boolean {
  const text = secret.toLowerCase().replace(/[^a-z0-9]/g, '')
  return SAMPLES.some((sample) => text.includes(sample))
}
