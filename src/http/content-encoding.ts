/** Bodies that came compressed: nothing here inflates any, so what is read from the stream must have come as it is. */
import { AuthError } from '../errors.ts'
import { trimBlanks } from '../lib/trim-blanks.ts'

/**
 * Refuse a body that is encoded (RFC 9110 §8.4), before a byte of it is read. Of who reads the stream himself: what a
 * parser has decoded counts as it left it.
 *
 * @param lines the `Content-Encoding` lines, joined by commas or not
 * @throws AuthError `unsupported_media_type` for anything but `identity`
 */
export function requireNotEncoded(lines: readonly string[]): void {
  const codings = lines.flatMap((line) => line.split(',')).map((coding) => trimBlanks(coding).toLowerCase())
  if (codings.some((coding) => coding !== '' && coding !== 'identity')) {
    throw new AuthError('unsupported_media_type', { reason: 'body_encoded' })
  }
}
