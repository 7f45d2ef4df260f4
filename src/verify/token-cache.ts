/**
 * Tokens that were verified a moment ago: positive results only, by SHA-256 of the whole
 * token, per verifier, bounded. No token text is kept. Hands on the same frozen identity while everything still holds.
 */
import { createBoundedMap } from '../lib/bounded-map.ts'

/** What was verified, and as long as what it stays so. */
interface VerifiedToken<V> {
  readonly value: V
  /** From when to when its claims hold, in milliseconds of the wall clock; the end itself is outside. */
  readonly validFrom: number
  readonly validUntil: number
  /** Whether the key that verified it may still be used. */
  isKeyUsable(): boolean
}

/** What {@link createTokenCache} makes. */
export interface TokenCache<V> {
  get(digest: string): V | undefined
  set(digest: string, token: VerifiedToken<V>): void
  clear(): void
}

/** What a token cache needs. */
export interface TokenCacheOptions {
  readonly maxEntries: number
  readonly ttlSeconds: number
  /** The wall clock, for the claims. */
  readonly clock: () => number
  /** Milliseconds that never run backwards, for the time to live. */
  readonly time: () => number
}

/** Create a token cache. Reading drops what no longer holds; the long way then says why. */
export function createTokenCache<V>(options: TokenCacheOptions): TokenCache<V> {
  const { maxEntries, ttlSeconds, clock, time } = options
  const entries = createBoundedMap<string, { readonly token: VerifiedToken<V>; readonly until: number }>(maxEntries)
  return {
    get(digest) {
      const entry = entries.get(digest)
      if (entry === undefined) return undefined
      const { token, until } = entry
      const now = clock()
      if (time() < until && now >= token.validFrom && now < token.validUntil && token.isKeyUsable()) return token.value
      entries.delete(digest)
      return undefined
    },
    set(digest, token) {
      entries.set(digest, { token, until: time() + ttlSeconds * 1000 })
    },
    clear: () => entries.clear(),
  }
}
