/**
 * What the SQL tables can hold: the form is checked before a query, so that a hostile id finds nothing and no driver has
 * to say so. PostgreSQL refuses NUL, some SQLite drivers end the text there, and lone surrogates become another text.
 */

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/
const NOT_TEXT = /[\0\p{Surrogate}]/u

/** The longest issuer and subject, e-mail and role, in UTF-16 units: an index entry holds them together (2,704 bytes). */
export const LONGEST: { readonly identity: 255; readonly email: 254; readonly role: 64; readonly name: 1000 } = {
  identity: 255,
  email: 254,
  role: 64,
  name: 1000,
}

/** Ask whether an id is one that the tables can hold: a UUID in canonical form. */
export function isId(id: unknown): id is string {
  return typeof id === 'string' && UUID.test(id)
}

/** Ask whether a text comes back exactly as it was written, and is at most `longest` UTF-16 units. */
export function isText(text: unknown, longest: number): text is string {
  return typeof text === 'string' && text.length <= longest && !NOT_TEXT.test(text)
}

/** A text that is for people to read: what can't be stored of it is replaced, what is too long is cut. */
export function toText(text: string, longest: number): string {
  return text.slice(0, longest).replace(/[\0\p{Surrogate}]/gu, '\ufffd')
}
