/**
 * Base64url (RFC 4648 §5), written without padding and read strictly: one byte string has exactly one spelling. Padding, white
 * space, foreign letters and stray bits in the last letter are all refused. Reading hands on bytes, or `null`.
 */

/** Ask whether a text is the one canonical spelling of some bytes, without decoding it. Linear in the length. */
export function isBase64Url(text: string): boolean {
  const rest = text.length % 4
  if (rest === 1 || /[^\w-]/.test(text)) return false
  // Of the last letter only two bits count (one byte left over) or four (two bytes): these are the letters whose others are zero.
  return rest === 0 || (rest === 2 ? 'AQgw' : 'AEIMQUYcgkosw048').includes(text.charAt(text.length - 1))
}

/** Decode canonical base64url to a binary string: each character one byte. `null` if it is not canonical. */
export function decodeBase64UrlBinary(text: string): string | null {
  return isBase64Url(text) ? toBinary(text) : null
}

/** Decode what is known to be canonical base64url to a binary string. */
export function toBinary(text: string): string {
  return atob(text.replaceAll('-', '+').replaceAll('_', '/'))
}

/** Decode canonical base64url to bytes. `null` if it is not canonical. */
export function decodeBase64Url(text: string): Uint8Array<ArrayBuffer> | null {
  const binary = decodeBase64UrlBinary(text)
  return binary === null ? null : toBytes(binary)
}

/** Turn a binary string into bytes. */
export function toBytes(binary: string): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(binary.length)
  for (let i = 0; i < binary.length; i += 1) bytes[i] = binary.charCodeAt(i)
  return bytes
}

/** Encode a binary string, each character one byte, without padding. */
export function encodeBase64UrlBinary(binary: string): string {
  return btoa(binary).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '')
}
