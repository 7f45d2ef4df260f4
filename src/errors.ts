/**
 * The refusals: one table where code, status, challenge and the fixed sentence meet, the error that carries a row of it, and
 * the response that is made of one.
 * Everything a client may learn about a refusal is decided here; the reason behind it stays in the decision record.
 */
import { toLogText } from './lib/log-text.ts'
import { isScope, ownMembers } from './lib/parse-options.ts'
import type { RefusalReason } from './reasons.ts'
import type { AuthResponse } from './request.ts'

/** One row of {@link AUTH_ERRORS}. */
export interface AuthErrorRow {
  /** HTTP status (RFC 9110). */
  readonly status: number
  /** The fixed sentence a client sees: never a value from the request, the token or the storage. */
  readonly message: string
  /** The `WWW-Authenticate` value (RFC 6750 §3), or `null` where the refusal carries none. */
  readonly challenge: string | null
}

/** A code of the error table: what a client may switch on. */
export type AuthErrorCode =
  | 'unauthorized'
  | 'token_expired'
  | 'bad_request'
  | 'invalid_org_id'
  | 'org_selector_conflict'
  | 'org_required'
  | 'validation_error'
  | 'forbidden'
  | 'insufficient_scope'
  | 'not_found'
  | 'request_timeout'
  | 'conflict'
  | 'payload_too_large'
  | 'unsupported_media_type'
  | 'user_not_synced'
  | 'rate_limit_exceeded'
  | 'temporarily_unavailable'
  | 'keys_unavailable'

/**
 * The error table: every refusal the library can write, by code. A code without a row does not compile.
 *
 * `unauthorized` has two challenges: `Bearer` alone where no credential was sent (RFC 6750 §3.1), and the one below
 * where a credential did not verify.
 *
 * @example
 * const { status, message } = AUTH_ERRORS.forbidden
 */
export const AUTH_ERRORS: Readonly<Record<AuthErrorCode, AuthErrorRow>> = Object.freeze({
  unauthorized: row(401, 'A valid credential is required.', 'Bearer error="invalid_token"'),
  token_expired: row(
    401,
    'The access token expired.',
    'Bearer error="invalid_token", error_description="The access token expired"',
  ),
  bad_request: row(400, 'The credentials of the request are malformed or ambiguous.', 'Bearer error="invalid_request"'),
  invalid_org_id: row(400, 'The organization id is malformed.', null),
  org_selector_conflict: row(400, 'The request names two different organizations.', null),
  org_required: row(400, 'The request must name an organization.', null),
  validation_error: row(400, 'The request body is not valid.', null),
  forbidden: row(403, 'The caller may not do this.', null),
  insufficient_scope: row(403, 'The API key lacks the required scope.', 'Bearer error="insufficient_scope"'),
  not_found: row(404, 'There is no such resource.', null),
  request_timeout: row(408, 'The request body did not arrive in time.', null),
  conflict: row(409, 'The change conflicts with what is there.', null),
  payload_too_large: row(413, 'The request body is too large.', null),
  unsupported_media_type: row(415, 'The request body must be application/json.', null),
  user_not_synced: row(428, 'user account not synced, call POST /auth/sync first', null),
  rate_limit_exceeded: row(429, 'Too many attempts, try again later.', null),
  temporarily_unavailable: row(503, 'The service is busy, try again shortly.', null),
  keys_unavailable: row(503, 'The keys to verify the credential are unavailable, try again shortly.', null),
})

/** The status of a code, as a record holds it: one that this version doesn't know is another copy's, none is a fault. */
export function statusOfCode(code: string | null): number {
  return code !== null && Object.hasOwn(AUTH_ERRORS, code) ? AUTH_ERRORS[code as AuthErrorCode].status : 500
}

function row(status: number, message: string, challenge: string | null): AuthErrorRow {
  return Object.freeze({ status, message, challenge })
}

/** What an {@link AuthError} may carry beside its code. */
export interface AuthErrorDetails {
  /** Why, for the decision record and the log: a short snake_case word, never sent to the client. One of ours, or your own. */
  readonly reason?: Reason | undefined
  /** What the check wanted, for the decision record and the log, never sent to the client. Never a secret. */
  readonly expected?: string | undefined
  /** What came instead, likewise. Both are kept by their first 200 characters, without what may not stand in a log. */
  readonly got?: string | undefined
  /** `unauthorized` only: no credential was sent, so the challenge is `Bearer` alone (RFC 6750 §3.1). */
  readonly absent?: boolean | undefined
  /** `validation_error` only: the field that is wrong, or `body`. */
  readonly field?: string | undefined
  /**
   * The scopes that the route needs beside those that its mounts ask, for the challenge of `insufficient_scope`; and of a 401
   * where the auth's challenges name what is asked (`challenge.scope` of `createAuth`).
   */
  readonly scopes?: readonly string[] | undefined
  /** `insufficient_scope` only: it is a token that lacks them, and no API key, for the message. */
  readonly token?: boolean | undefined
  /** `user_not_synced` only: the path of the host's sync route, for the message. Default `/auth/sync`. */
  readonly syncPath?: string | undefined
  /** 429 and 503: whole seconds for `Retry-After`. Default 1. */
  readonly retryAfterSeconds?: number | undefined
  /** Who is refused, where that is proved all the same (a revoked key, a disabled user): for the decision record only. */
  readonly principal?: Principal | undefined
  /** What was thrown below; kept for the host's log, never sent. */
  readonly cause?: unknown
}

/** What the challenges of an auth say beside why a request is refused. What is left out, they don't. */
export interface ChallengeOptions {
  /**
   * What is protected here, for people to read (`realm`, RFC 9110 §11.5): printable ASCII without quotes and backslashes.
   * It stands in every challenge.
   */
  readonly realm?: string | undefined
  /**
   * `asked`: a 401 names what the route asks (`scope`, RFC 6750 §3), so that a client knows which token to get.
   * `insufficient_scope` always does.
   */
  readonly scope?: 'asked' | undefined
  /**
   * The URL of the document that says where tokens for this service are to be had (`resource_metadata`, RFC 9728 §5.1):
   * `protectedResourceMetadata(…).url`. It stands in every challenge.
   */
  readonly resourceMetadata?: string | undefined
}

/** Who is calling, by kind and by its id here: a user id, a key id, a machine's, a service's name. What decision records name. */
export interface Principal {
  readonly kind: 'user' | 'apiKey' | 'machine' | 'service'
  /** The id of their row; of a service its name. */
  readonly id: string
  /** What a machine is called. */
  readonly name?: string | undefined
}

/** One of the library's reasons, or a host's own. */
export type Reason = RefusalReason | (string & Record<never, never>)

const BRAND: symbol = Symbol.for('sallyport.AuthError')

/**
 * A refusal: the visitor's fault, or policy. Steps throw it, adapters write it, handlers may throw it too.
 * It carries `status`, `headers`, `expose` and `getResponse()`, so that the error handling of Koa, Hono and most
 * Express hosts renders it correctly by itself. Recognise one by {@link isAuthError}, never by `instanceof`.
 *
 * @example
 * throw new AuthError('not_found')
 * throw new AuthError('validation_error', { field: 'name' })
 */
export class AuthError extends Error {
  override readonly name = 'AuthError'
  readonly code: AuthErrorCode
  readonly status: number
  /** The same as `status`: the name some frameworks read. */
  readonly statusCode: number
  /** The message may be shown to the client (the convention of Koa and of http-errors). */
  readonly expose = true
  /** Whether no credential was sent: then the challenge of `unauthorized` says of no error. */
  readonly absent: boolean
  /** The scopes that the route needs, or `null`. */
  readonly scopes: readonly string[] | null
  /** Whole seconds for `Retry-After`, or `null` for none. */
  readonly retryAfterSeconds: number | null
  /** Why, for the decision record; never on the wire. */
  readonly reason: Reason
  /** What the check wanted, or `null`: safe to log, never on the wire. */
  readonly expected: string | null
  /** What came instead, or `null`: safe to log, never on the wire. */
  readonly got: string | null
  /** The wrong field of a `validation_error`, else `null`. */
  readonly field: string | null
  /** Who is refused, where that is proved all the same, else `null`; for the decision record, never on the wire. */
  readonly principal: Principal | null

  // Once for all: to define it of each one is a fifth of what a refusal costs to make.
  static {
    Object.defineProperty(AuthError.prototype, BRAND, { value: true })
  }

  /** @throws TypeError for a code that is not in the table (from JavaScript), and for a scope that is no scope token */
  constructor(code: AuthErrorCode, given: AuthErrorDetails = {}) {
    const details = ownMembers(given)
    super(messageOf(code, details), details.cause === undefined ? undefined : { cause: details.cause })
    const { status } = AUTH_ERRORS[code]
    this.code = code
    this.status = status
    this.statusCode = status
    this.reason = details.reason ?? code
    this.expected = toLogText(details.expected)
    this.got = toLogText(details.got)
    this.field = details.field ?? null
    this.principal = details.principal ?? null
    this.absent = details.absent ?? false
    this.scopes = toScopes(details.scopes)
    this.retryAfterSeconds = toRetryAfter(status, details)
  }

  /**
   * Headers of the refusal: the challenge and `Retry-After`, where they apply, and `Cache-Control: no-store`. Once an auth has
   * refused by it, the challenge is the one that this auth makes.
   */
  get headers(): Readonly<Record<string, string>> {
    const headers: Record<string, string> = { 'Cache-Control': 'no-store' }
    const challenge = challengeOf(this)
    if (challenge !== null) headers['WWW-Authenticate'] = challenge
    if (this.retryAfterSeconds !== null) headers['Retry-After'] = String(this.retryAfterSeconds)
    return Object.freeze(headers)
  }

  /** Render as a Fetch `Response` with the library's default body (what Hono's error handling asks for). */
  getResponse(): Response {
    const { status, headers, body } = toAuthResponse(this)
    return new Response(body, { status, headers: Object.fromEntries(headers) })
  }
}

/**
 * Make a refusal on the way of a request, without a stack trace: anybody can have one made as often as they like, and the trace
 * would be most of what it costs; its `reason` says where it comes from.
 */
export function refused(code: AuthErrorCode, details: AuthErrorDetails): AuthError {
  const { stackTraceLimit: usual } = Error
  limitStackTraces(0)
  try {
    return new AuthError(code, details)
  } finally {
    limitStackTraces(usual)
  }
}

function limitStackTraces(limit: number): void {
  try {
    Error.stackTraceLimit = limit
  } catch {
    // Where nobody may write it, there is a trace.
  }
}

function messageOf(code: AuthErrorCode, { syncPath, token }: AuthErrorDetails): string {
  if (!Object.hasOwn(AUTH_ERRORS, code)) throw new TypeError(`AuthError: ${String(code)} is not a code of AUTH_ERRORS`)
  const { message } = AUTH_ERRORS[code]
  if (code === 'insufficient_scope' && token === true) return message.replace('API key', 'access token')
  return code === 'user_not_synced' && syncPath !== undefined ? message.replace('/auth/sync', () => syncPath) : message
}

// They stand between the quotes of a header: one of anything else would end it, or the line.
function toScopes(given: readonly string[] | undefined): readonly string[] | null {
  if (given === undefined) return null
  const scopes = Object.freeze([...given])
  if (scopes.every(isScope)) return scopes
  throw new TypeError('AuthError: scopes must be scope tokens (RFC 6749 §3.3)')
}

// What is worth trying again always says when.
function toRetryAfter(status: number, { retryAfterSeconds }: AuthErrorDetails): number | null {
  if (retryAfterSeconds !== undefined) return Math.max(1, Math.ceil(retryAfterSeconds))
  return status === 429 || status === 503 ? 1 : null
}

// Shared by all copies of the package, as the brand is: whichever makes a response of a refusal makes the same.
const REFUSED_BY: symbol = Symbol.for('sallyport.AuthError.refusedBy')

interface Refuser {
  readonly challenge: ChallengeOptions
  readonly asked: readonly string[]
}

/**
 * Have a refusal carry the challenge of the auth that refuses by it now, whoever makes a response of it.
 * @param asked what the route asks; left out: as it was
 */
export function withChallenge(
  error: AuthError,
  challenge: ChallengeOptions,
  asked: readonly string[] = refuserOf(error).asked,
): AuthError {
  const value: Refuser = { challenge, asked }
  // A host may throw one and the same error again, and may have frozen it: then it says no more than by itself.
  Reflect.defineProperty(error, REFUSED_BY, { value, configurable: true })
  return error
}

/** The challenge of an auth that says no more than why: without a prototype, in which others may have written. */
export const NO_CHALLENGE: ChallengeOptions = Object.freeze(Object.create(null))

function refuserOf(error: AuthError): Refuser {
  return (Reflect.get(error, REFUSED_BY) as Refuser | undefined) ?? { challenge: NO_CHALLENGE, asked: [] }
}

// RFC 6750 §3: the scheme, then what is known of the place, of the error, of what would do.
function challengeOf(error: AuthError): string | null {
  const row = AUTH_ERRORS[error.code].challenge
  if (row === null) return null
  const { challenge, asked } = refuserOf(error)
  const why = error.code === 'unauthorized' && error.absent ? '' : row.slice('Bearer '.length)
  const params = [
    quoted('realm', challenge.realm),
    why,
    quoted('scope', scopesOf(error, challenge, asked).join(' ')),
    quoted('resource_metadata', challenge.resourceMetadata),
  ].filter((param) => param !== '')
  return params.length === 0 ? 'Bearer' : `Bearer ${params.join(', ')}`
}

function scopesOf(
  { status, scopes, code }: AuthError,
  { scope }: ChallengeOptions,
  asked: readonly string[],
): readonly string[] {
  // A token for less than all of it would be refused by another mount.
  const needed = [...new Set([...asked, ...(scopes ?? [])])]
  if (code === 'insufficient_scope') return scopes === null ? [] : needed
  return status === 401 && scope === 'asked' ? needed : []
}

function quoted(name: string, value: string | undefined): string {
  return value === undefined || value === '' ? '' : `${name}="${value}"`
}

/**
 * Ask whether a thrown value is an {@link AuthError}, also one made by another copy of this package. Pure.
 *
 * @example
 * if (isAuthError(error)) log.info(error.code, error.reason)
 */
export function isAuthError(error: unknown): error is AuthError {
  return typeof error === 'object' && error !== null && BRAND in error
}

/**
 * What leaves a step for its throw. What a framework would answer by (a status, a response of its own), or take for no
 * failure at all, becomes the cause of an error that means nothing but 500; a plain error and a refusal stay the same object.
 */
export function toFault(thrown: unknown): unknown {
  if (isAuthError(thrown) || isPlainError(thrown)) return thrown
  return new Error('sallyport: a step threw what is not a plain error', { cause: thrown })
}

/**
 * Ask whether a framework can only take a throw for a failure. Koa writes `status: 500` on the errors it has seen, answers
 * `ENOENT` with 404, sends the headers of an error, and shows what is exposed and prints it nowhere.
 */
export function isPlainError(thrown: unknown): thrown is Error {
  const error = (thrown ?? {}) as Readonly<Record<string, unknown>>
  const { status = 500, statusCode = 500, getResponse, expose, headers, code } = error
  const isBare = getResponse === undefined && expose !== true && headers === undefined && code !== 'ENOENT'
  return thrown instanceof Error && status === 500 && statusCode === 500 && isBare
}

/** The body of a refusal: `json` is `{"error":{…}}`, `problem` is RFC 9457 `application/problem+json`. */
export type ErrorFormat = 'json' | 'problem'

/**
 * Convert a refusal to the response that all adapters write, byte for byte; its challenge is that of the auth that refused
 * by it, if one has. Pure.
 *
 * @param error the refusal
 * @param format the body: `json` (default) or `problem` (RFC 9457)
 * @example
 * const { status, headers, body } = toAuthResponse(new AuthError('not_found'))
 */
export function toAuthResponse(error: AuthError, format: ErrorFormat = 'json'): AuthResponse {
  const { code, message, status } = error
  const field = error.field ?? undefined
  const body =
    format === 'problem'
      ? { type: `urn:sallyport:${code}`, title: message, status, code, field }
      : { error: { code, message, field } }
  const type = format === 'problem' ? 'application/problem+json' : 'application/json; charset=utf-8'
  return { status, headers: [['Content-Type', type], ...Object.entries(error.headers)], body: JSON.stringify(body) }
}
