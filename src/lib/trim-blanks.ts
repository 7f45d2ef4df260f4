/** White space as HTTP knows it: space and tab. `String.prototype.trim` takes some twenty characters more for blank. */

/**
 * Cut the optional white space around a header's value or a part of it (RFC 9110 §5.6.3). One pass over the blanks: a regular
 * expression would go through inner ones again and again.
 */
export function trimBlanks(text: string): string {
  let [start, end] = [0, text.length]
  while (start < end && ' \t'.includes(text.charAt(start))) start++
  while (end > start && ' \t'.includes(text.charAt(end - 1))) end--
  return text.slice(start, end)
}
