/**
 * The last header by which a token was refused because its issuer has no such key: the next token with it is refused by its text
 * alone, and no claim is parsed. Said is only what was said of this header, of the same issuer and the same keys; whatever could
 * be said otherwise takes the long way.
 */
import type { AuthError } from '../errors.ts'
import { decodeBase64UrlBinary, encodeBase64UrlBinary, isBase64Url, toBinary } from '../lib/base64url.ts'
import type { Issuer } from './issuers.ts'
import type { KeySet } from './key-set.ts'
import type { TokenForm } from './token-form.ts'

/** What {@link createUnknownKey} makes. */
export interface UnknownKey {
  /**
   * The refusal of a token that would be refused as the last one was; `null` where that has to be found out. Size and ends have been
   * looked at.
   */
  refusalOf(token: string): AuthError | null
  /** Keep how a token was refused. `asked`: the sets that could have its key, and have not, now that they are complete. */
  keep(token: TokenForm, issuer: Issuer, asked: readonly KeySet[], refuse: () => AuthError): void
}

/**
 * Create a place for one header: until the next one, or a token with it that can't be refused so.
 * @param listed the issuers that a name alone stands for, always
 */
export function createUnknownKey(listed: readonly Issuer[]): UnknownKey {
  let start = '.'
  let probe = 0
  let letter = Number.NaN
  // Takes payload and signature.
  let repeat: (rest: string) => AuthError | null = () => null
  return {
    refusalOf(token) {
      // Good tokens are asked, too, and one letter is soon read.
      if (token.charCodeAt(probe) !== letter || token.slice(0, start.length) !== start) return null
      const refusal = repeat(token.slice(start.length))
      // It may be the header of good tokens, of which none after this one pays for it: the key has come, or is another issuer's.
      if (refusal === null) letter = Number.NaN
      return refusal
    },
    keep({ headerText }, issuer, asked, refuse) {
      if (!listed.includes(issuer)) return
      // Spelt anew: a part of a token holds all of it in memory.
      start = `${encodeBase64UrlBinary(toBinary(headerText))}.`
      // There most headers have their key id, in which they differ.
      probe = Math.floor(start.length * 0.75)
      letter = start.charCodeAt(probe)
      const known = issuer.keySets.map((set) => [set, set.keys()] as const)
      repeat = (rest) => {
        const name = readIssuerName(rest)
        if (name === null || !issuer.names.includes(name) || known.some(([set, keys]) => set.keys() !== keys))
          return null
        // Where a set may be asked now, the key may come.
        return asked.every((set) => set.refresh() === true) ? refuse() : null
      }
    },
  }
}

const FIRST_ISS = /"iss"(?::"([ !#-[\]-~]*)")?/

// Where nothing is escaped and `iss` stands once, a parser finds this name or none, and without one nobody is let in.
function readIssuerName(rest: string): string | null {
  const dot = rest.lastIndexOf('.')
  const claims = isBase64Url(rest.slice(dot + 1)) ? decodeBase64UrlBinary(rest.slice(0, dot)) : null
  const found = claims === null || claims.includes('\\') ? null : FIRST_ISS.exec(claims)
  return found === null || found.input.includes('"iss"', found.index + 1) ? null : (found[1] ?? null)
}
