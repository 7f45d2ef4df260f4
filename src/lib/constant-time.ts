/**
 * Compare digests in a time that tells nothing about where they differ. Core is Web-standard, so there is no
 * `timingSafeEqual`: both sides are digests of fixed length, and every letter is looked at.
 */

/**
 * Ask whether two digests are equal, without an early exit.
 * Compare digests (`sha256Hex` of both sides), never raw secrets: the length is not hidden.
 */
export function isEqualConstantTime(a: string, b: string): boolean {
  if (a.length !== b.length) return false
  let difference = 0
  for (let i = 0; i < a.length; i += 1) difference |= a.charCodeAt(i) ^ b.charCodeAt(i)
  return difference === 0
}
