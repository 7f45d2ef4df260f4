/**
 * Tokens that were verified a moment ago: positive results only, by SHA-256 of the whole token, per verifier, bounded. No
 * token text is kept. Hands on what was found, as long as the signature behind it can be relied on; whether the claims still
 * hold, what was found says.
 */
import type { Identity } from '../context.ts'
import { createBoundedMap, type Used } from '../lib/bounded-map.ts'
import type { CheckedClaims } from './claims.ts'
import type { Issuer } from './issuers.ts'
import type { VerifiedBy } from './key-choice.ts'

/** What was found of a token. */
export interface Finding<C extends string> {
  readonly identity: Identity<C>
  readonly issuer: Issuer
  /** What verified its signature. */
  readonly key: VerifiedBy
  readonly checked: Pick<CheckedClaims, 'validFrom' | 'validUntil'>
}

/** A token that was verified. Of one shape, and small: there may be a million. */
export class VerifiedToken<C extends string> implements Used {
  readonly identity: Identity<C>
  readonly issuer: Issuer
  readonly key: VerifiedBy
  // In whole seconds, which need no objects of their own as greater numbers do.
  readonly #from: number
  readonly #to: number
  readonly #until: number
  used = false

  constructor({ identity, issuer, key, checked }: Finding<C>, untilMs: number) {
    this.identity = identity
    this.issuer = issuer
    this.key = key
    this.#from = Math.max(0, Math.ceil(checked.validFrom / 1000))
    this.#to = Math.floor(checked.validUntil / 1000)
    this.#until = Math.floor(untilMs / 1000)
  }

  /** Whether its claims hold for sure, at an instant in milliseconds of the wall clock. */
  holdsAt(now: number): boolean {
    return now >= this.#from * 1000 && now < this.#to * 1000
  }

  /** Whether its signature can be relied on still; `time`: milliseconds that never run backwards. */
  isReliable(time: number): boolean {
    return time < this.#until * 1000 && this.key.isUsable()
  }
}

/** What {@link createTokenCache} makes. */
export interface TokenCache<C extends string> {
  get(digest: string): VerifiedToken<C> | undefined
  set(digest: string, found: Finding<C>): void
  clear(): void
}

/** What a token cache needs. */
export interface TokenCacheOptions {
  readonly maxEntries: number
  readonly ttlSeconds: number
  /** Milliseconds that never run backwards, for the time to live. */
  readonly time: () => number
  /** Whether the issuer that a token was verified for is still trusted. */
  readonly isTrusted: (issuer: Issuer) => boolean
}

/** Create a token cache. Reading drops what can be relied on no more; the long way then says why. */
export function createTokenCache<C extends string>(options: TokenCacheOptions): TokenCache<C> {
  const { maxEntries, ttlSeconds, time, isTrusted } = options
  const entries = createBoundedMap<string, VerifiedToken<C>>(maxEntries)
  return {
    get(digest) {
      const entry = entries.get(digest)
      if (entry === undefined || (entry.isReliable(time()) && isTrusted(entry.issuer))) return entry
      entries.delete(digest)
      return undefined
    },
    set: (digest, found) => void entries.set(digest, new VerifiedToken(found, time() + ttlSeconds * 1000)),
    clear: () => entries.clear(),
  }
}
