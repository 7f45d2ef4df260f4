/** Forms of ids that are texts: what a request may name an organization by, and what tables keep. */

/** Ask whether a value is a UUID in its canonical form: lower case (RFC 9562 §4). */
export function isUuid(value: unknown): value is string {
  return typeof value === 'string' && /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(value)
}

/** Ask whether a value is a name of 1 to 64 characters `A-Z a-z 0-9 _ -`; every UUID is one. */
export function isSlug(value: unknown): value is string {
  return typeof value === 'string' && /^[A-Za-z0-9_-]{1,64}$/.test(value)
}
