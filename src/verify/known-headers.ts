/**
 * Headers of tokens that verified: all tokens of one key have the same text for one, which is read once. What stands in a header
 * depends on its text alone; whether algorithm, type and key are those of the issuer is asked of each token anew.
 */
import { encodeBase64UrlBinary, toBinary } from '../lib/base64url.ts'
import { createBoundedMap, type Used } from '../lib/bounded-map.ts'
import type { TokenForm, TokenHeader } from './token-form.ts'

/** What {@link createKnownHeaders} makes. */
export interface KnownHeaders {
  /** What a header of this text says, if a token had it that verified. */
  get(text: string): TokenHeader | undefined
  /** Keep the header of a token that verified. */
  keep(form: TokenForm): void
}

const MOST = 100

/** Create a place for headers: one hundred, of those used lately. */
export function createKnownHeaders(): KnownHeaders {
  const headers = createBoundedMap<string, TokenHeader & Used>(MOST)
  return {
    // `{"`, or `{` and a space, in base64url: what begins otherwise is garbage, hardly ever a header, and refused sooner unasked.
    get: (text) => (text.startsWith('ey') ? headers.get(text) : undefined),
    keep({ headerText, algorithm, kid, type }) {
      if (headers.has(headerText)) return
      // Spelt anew: a part of a token holds all of it in memory.
      headers.set(encodeBase64UrlBinary(toBinary(headerText)), { algorithm, kid, type, used: false })
    },
  }
}
