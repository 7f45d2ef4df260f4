/** What to call somebody on a page. */

const LONGEST = 255

/** Read what an issuer calls somebody: text without control characters, at most 255 characters, without the blanks around it. Anything else is none, `null`. Pure. */
export function toDisplayName(value: unknown): string | null {
  const name = typeof value === 'string' ? value.trim() : ''
  return name === '' || name.length > LONGEST || /[\p{Cc}\p{Cs}]/u.test(name) ? null : name
}
