/** A password as text: the one form it is counted, judged and hashed in. Nothing is trimmed, cut or folded. */

/** A password in its normal form. */
export interface PasswordText {
  /** NFKC: what different keyboards make of the same characters is the same password. */
  readonly text: string
  readonly codePoints: number
  /** UTF-8. */
  readonly bytes: Uint8Array<ArrayBuffer>
}

const MAX_BYTES = 1024

/** Read a password; `null` where no password can be this: over 1,024 bytes, or not well-formed Unicode. */
export function readPasswordText(given: string): PasswordText | null {
  // Lone surrogates have no UTF-8: two different passwords would be the same bytes.
  if (given.length > MAX_BYTES || /\p{Cs}/u.test(given)) return null
  const text = given.normalize('NFKC')
  const bytes = new TextEncoder().encode(text)
  return bytes.length > MAX_BYTES ? null : { text, codePoints: [...text].length, bytes }
}
