/**
 * What a token client throws. Every word in it is one of ours: what an issuer, a network or a fetch function says may hold
 * the very secret that was sent, so nothing of it is kept, as `cause` neither.
 */

/** The code of a {@link TokenClientError}: what a caller may switch on. */
export type TokenClientErrorCode = 'token_unavailable' | 'token_refused' | 'client_closed' | 'origin_not_allowed'

const MESSAGES: Readonly<Record<TokenClientErrorCode, string>> = {
  token_unavailable: 'No token: its issuer cannot be reached or gives no usable answer',
  token_refused: 'No token: its issuer refused the credentials of the machine account',
  client_closed: 'The token client is closed',
  origin_not_allowed: 'The token client sends requests only to the origins it was given',
}

const BRAND: symbol = Symbol.for('sallyport.TokenClientError')

/**
 * No token, or none for that origin. Recognise one by {@link isTokenClientError}, never by `instanceof`.
 *
 * - `token_unavailable`: the issuer is down, slow or talks nonsense, and the last token has ended; try again after
 *   `retryAfterSeconds`.
 * - `token_refused`: the issuer said no; somebody must look at the account.
 * - `client_closed`: after `close()`.
 * - `origin_not_allowed`: `fetch` was called for an origin that `origins` does not name.
 *
 * @example
 * if (isTokenClientError(error) && error.code === 'token_unavailable') retryIn(error.retryAfterSeconds)
 */
export class TokenClientError extends Error {
  override readonly name = 'TokenClientError'
  readonly code: TokenClientErrorCode
  /** Why, as a short snake_case word of a fixed list: `timeout`, `network`, `status`, `invalid_client` … */
  readonly reason: string
  /** The HTTP status of the issuer, where it answered. */
  readonly status: number | null
  /** What the system said of the connection (`ECONNREFUSED`), where it did. */
  readonly systemCode: string | null
  /** Whole seconds until the issuer is asked again; a call before that fails without a request. */
  readonly retryAfterSeconds: number | null

  constructor({ code, reason, status, systemCode, retryAfterSeconds }: TokenFailure) {
    super(`${MESSAGES[code]} (${[reason, status, systemCode].filter((word) => word !== null).join(', ')}).`)
    this.code = code
    this.reason = reason
    this.status = status
    this.systemCode = systemCode
    this.retryAfterSeconds = retryAfterSeconds
    Object.defineProperty(this, BRAND, { value: true })
  }
}

/**
 * Ask whether a thrown value is a {@link TokenClientError}, also one made by another copy of this package. Pure.
 *
 * @example
 * if (isTokenClientError(error) && error.code === 'token_unavailable') retryIn(error.retryAfterSeconds)
 */
export function isTokenClientError(error: unknown): error is TokenClientError {
  return typeof error === 'object' && error !== null && BRAND in error
}

/** Why there is no token, as a value. */
export type TokenFailure = Omit<TokenClientError, keyof Error>

/** Make a failure; what is not said is unknown. */
export function toTokenFailure(
  code: TokenClientErrorCode,
  reason: string,
  more: Partial<Omit<TokenFailure, 'code' | 'reason'>> = {},
): TokenFailure {
  return { code, reason, status: null, systemCode: null, retryAfterSeconds: null, ...more }
}
