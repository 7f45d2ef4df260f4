/**
 * What may be shown of a token: names, issuers, audiences, algorithms and times, the claims that name a client, a party or a
 * class of token, and of others that they are there.
 */
import { toSpan } from '../explain/near-misses.ts'
import { toLogText } from '../lib/log-text.ts'

/** The members of a JSON object. */
export type Claims = Readonly<Record<string, unknown>>

/** A token taken apart. Nothing in it is verified. */
export interface ReadToken {
  readonly header: Claims
  readonly payload: Claims
}

/** What may be shown of a token. Nothing in it is verified. */
export interface TokenFacts {
  readonly bytes: number
  readonly algorithm: string | null
  readonly type: string | null
  readonly hasKeyId: boolean
  readonly issuer: string | null
  readonly audience: readonly string[]
  readonly issuedAt: Date | null
  readonly notBefore: Date | null
  readonly expiresAt: Date | null
  /** By their names: those of its claims that say for which client it was made, and of which class it is. */
  readonly kind: Readonly<Record<string, string>>
  /** The names of its claims. */
  readonly claims: readonly string[]
}

/** Make the facts of a token. */
export function factsOf(token: string, { header, payload }: ReadToken): TokenFacts {
  const { aud } = payload
  const text = (value: unknown): string | null => toLogText(value)
  return {
    bytes: token.length,
    algorithm: text(header['alg']),
    type: text(header['typ']),
    hasKeyId: header['kid'] !== undefined,
    issuer: text(payload['iss']),
    audience: (Array.isArray(aud) ? aud : [aud]).map(text).filter((each) => each !== null),
    issuedAt: toInstant(payload['iat']),
    notBefore: toInstant(payload['nbf']),
    expiresAt: toInstant(payload['exp']),
    kind: Object.fromEntries(
      OF_KIND.flatMap((name) => {
        const value = Object.hasOwn(payload, name) ? text(payload[name]) : null
        return value === null ? [] : [[name, value]]
      }),
    ),
    claims: Object.keys(payload).map((name) => toLogText(name) ?? ''),
  }
}

const OF_KIND = ['azp', 'client_id', 'token_use', 'typ', 'sts']

function toInstant(seconds: unknown): Date | null {
  const date = new Date(typeof seconds === 'number' ? seconds * 1000 : Number.NaN)
  return Number.isNaN(date.getTime()) ? null : date
}

/** Say an instant, and how far away it is. */
export function describeWhen(instant: Date, now: number): string {
  const seconds = (instant.getTime() - now) / 1000
  const away = Math.abs(seconds) < 1 ? 'now' : seconds > 0 ? `in ${toSpan(seconds)}` : `${toSpan(-seconds)} ago`
  return `${instant.toISOString().replace('.000Z', 'Z')}, ${away}`
}
