/**
 * How tokens of an issuer name it (`iss`, RFC 7519 §4.1.1): exactly, by one of several names, or by a pattern over one claim
 * of theirs. Compared to the letter; a pattern is filled by what the token says itself, and no URL is made of it.
 */
import { describeText } from '../lib/secret-check.ts'
import { ownOf } from './token-form.ts'

/** A name with the value of a claim in it: `https://login.example.com/{tid}/v2.0`. */
export interface IssuerPattern {
  readonly before: string
  /** The claim whose value stands between. */
  readonly claim: string
  readonly after: string
}

const VALUE = /^[A-Za-z0-9._-]{1,64}$/

/** Say what is wrong with the name of an issuer as options have it, or `null`. */
export function describeIssuer(value: unknown): string | null {
  if (!Array.isArray(value)) return describeText(value) ?? describePattern(value as string)
  if (value.length === 0) return 'must not be empty'
  const names: readonly unknown[] = value
  const wrong = names.map(describeText).find((each) => each !== null) ?? null
  return wrong ?? (names.some((name) => /[{}]/.test(name as string)) ? 'must be exact names, where it is a list' : null)
}

function describePattern(name: string): string | null {
  return /[{}]/.test(name) && toPattern(name) === null ? 'must have one {claim} at most' : null
}

/** Read a name as a pattern, if it is one. */
export function toPattern(name: string): IssuerPattern | null {
  const [, before, claim, after] = /^([^{}]*)\{([^{}]+)\}([^{}]*)$/.exec(name) ?? []
  return before === undefined || claim === undefined || after === undefined ? null : { before, claim, after }
}

/** Ask whether a token of these claims is named by the pattern: by the value of the claim, which is a plain word. */
export function isNamedBy({ before, claim, after }: IssuerPattern, payload: object): boolean {
  const value = ownOf(payload, claim)
  return typeof value === 'string' && VALUE.test(value) && ownOf(payload, 'iss') === before + value + after
}

/** Ask whether some token could be named by both patterns. */
export function overlap(one: IssuerPattern, other: IssuerPattern): boolean {
  const [long, short] = one.before.length >= other.before.length ? [one, other] : [other, one]
  const [later, sooner] = one.after.length >= other.after.length ? [one, other] : [other, one]
  return (
    long.before.startsWith(short.before) &&
    isWord(long.before.slice(short.before.length)) &&
    later.after.endsWith(sooner.after) &&
    isWord(later.after.slice(0, later.after.length - sooner.after.length))
  )
}

// What a value could hold, too.
function isWord(text: string): boolean {
  return /^[A-Za-z0-9._-]*$/.test(text)
}

/** Ask whether a name, or a pattern whatever its claim, is `iss`. */
export function isNameOf(name: string, iss: unknown): boolean {
  const pattern = toPattern(name)
  if (pattern === null || typeof iss !== 'string') return name === iss
  const { before, after } = pattern
  const value = iss.slice(before.length, iss.length - after.length)
  return VALUE.test(value) && iss === before + value + after
}
