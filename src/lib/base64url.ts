/**
 * Read base64url (RFC 4648 §5) strictly: one byte string has exactly one spelling. Padding, white space, foreign letters
 * and stray bits in the last letter are all refused (T2). Hands on bytes, or `null`.
 */

const LETTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'

const VALUES: Int8Array = /* @__PURE__ */ (() => {
  const values = new Int8Array(128).fill(-1)
  for (let value = 0; value < 64; value += 1) values[LETTERS.charCodeAt(value)] = value
  return values
})()

/**
 * Decode canonical base64url. Linear in the length, no regular expression.
 *
 * @param text the encoded text, without padding
 * @returns the bytes, or `null` if the text is not the one canonical spelling of any bytes
 */
export function decodeBase64Url(text: string): Uint8Array<ArrayBuffer> | null {
  const { length } = text
  const rest = length % 4
  if (rest === 1) return null
  const bytes = new Uint8Array((length * 3) >> 2)
  const whole = length - rest
  let at = 0
  for (let i = 0; i < whole; i += 4) {
    const a = valueAt(text, i)
    const b = valueAt(text, i + 1)
    const c = valueAt(text, i + 2)
    const d = valueAt(text, i + 3)
    if ((a | b | c | d) < 0) return null
    bytes[at] = (a << 2) | (b >> 4)
    bytes[at + 1] = (b << 4) | (c >> 2)
    bytes[at + 2] = (c << 6) | d
    at += 3
  }
  return rest === 0 || decodeTail(text, whole, rest, bytes, at) ? bytes : null
}

function decodeTail(text: string, from: number, rest: number, bytes: Uint8Array, at: number): boolean {
  const a = valueAt(text, from)
  const b = valueAt(text, from + 1)
  const c = rest === 3 ? valueAt(text, from + 2) : 0
  if ((a | b | c) < 0) return false
  bytes[at] = (a << 2) | (b >> 4)
  if (rest === 3) bytes[at + 1] = (b << 4) | (c >> 2)
  return rest === 3 ? (c & 3) === 0 : (b & 15) === 0
}

function valueAt(text: string, index: number): number {
  return VALUES[text.charCodeAt(index)] ?? -1
}
