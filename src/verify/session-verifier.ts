/**
 * The verifier for sessions of local login: tokens that this service has issued to itself. The session's format is
 * written down here, and `login/session-token` issues by it. Hands on an Identity with the session's version.
 */
import { compactVerify } from 'jose'
import * as z from 'zod/mini'
import type { Verifier } from '../context.ts'
import { AuthError } from '../errors.ts'
import { isBase64Url } from '../lib/base64url.ts'
import { aFunction, aName, aNumber, parseOptions } from '../lib/parse-options.ts'
import { checkClaims } from './claims.ts'
import { toIdentity } from './identity.ts'
import { ownOf, readTokenForm } from './token-form.ts'

/** The `typ` of a session: its own, so that no token of anybody else is taken for one (RFC 8725 §3.11). */
export const SESSION_TYPE = 'session+jwt'

/** What sessions are signed with, and how they say whose they are. */
export interface SessionFormat {
  /** The bytes of the HS256 key: at least 16, better 32. */
  readonly secret: Uint8Array
  /** The name of the service: `iss` and `aud` of each session. */
  readonly service: string
}

/** Options of {@link createSessionVerifier}. */
export interface SessionVerifierOptions extends SessionFormat {
  /** Leeway for `exp`, `nbf` and `iat`, in seconds. 0–300, default 5. */
  readonly clockToleranceSeconds?: number | undefined
  /** Milliseconds since 1970. Default `Date.now`. */
  readonly clock?: (() => number) | undefined
}

const NAME = 'createSessionVerifier'
const MAX_TOKEN_BYTES = 2048
// 128 bits in base64url.
const ID_LETTERS = 22

/** Ask whether a text has the form of a session's id: 128 bits in canonical base64url. */
function isSessionId(text: unknown): text is string {
  return typeof text === 'string' && text.length === ID_LETTERS && isBase64Url(text)
}

/** The key of a secret. */
export function importSessionKey(secret: Uint8Array, use: 'sign' | 'verify'): Promise<CryptoKey> {
  return crypto.subtle.importKey('raw', new Uint8Array(secret), { name: 'HMAC', hash: 'SHA-256' }, false, [use])
}

/**
 * Create the verifier of sessions (HS256, RFC 7519). It accepts what {@link SESSION_TYPE} says, of this service, with this
 * secret, and nothing else; whether the session still lives is the account gate's to say.
 *
 * Refuses with `unauthorized`, and `token_expired` where only `exp` is amiss. Cost: one HMAC, no storage.
 *
 * @throws TypeError for a missing or unknown option, or a secret under 16 bytes
 * @example
 * const verify = createSessionVerifier({ secret, service: 'ironflow' })
 */
export function createSessionVerifier(options: SessionVerifierOptions): Verifier<'ver'> {
  const { secret, service, clockToleranceSeconds = 5, clock = Date.now } = parseOptions(NAME, SHAPE, options)
  const form = { maxTokenBytes: MAX_TOKEN_BYTES, types: new Set([SESSION_TYPE]), typeRequired: true }
  const rules = { audience: [service], clockToleranceSeconds, maxTokenAgeSeconds: null, takesBoundTokens: false }
  const copy = new Uint8Array(secret)
  let key: Promise<CryptoKey> | undefined

  return Object.freeze({
    async verify(token: string) {
      const { algorithm, payload } = readTokenForm(token, form)
      if (algorithm !== 'HS256') throw new AuthError('unauthorized', { reason: 'session_algorithm_other' })
      if (ownOf(payload, 'iss') !== service) throw new AuthError('unauthorized', { reason: 'session_issuer_other' })
      key ??= importSessionKey(copy, 'verify')
      if (!(await isSignedBy(token, await key))) {
        throw new AuthError('unauthorized', { reason: 'session_signature_invalid' })
      }
      requireSessionClaims(payload)
      return toIdentity({ issuer: service, emails: 'as-claimed' }, checkClaims(payload, rules, clock()), payload, [
        'ver',
      ])
    },
    isReady: () => true,
  })
}

// What only this service can have signed is looked at all the same: a claim that is missing must not mean anything.
function requireSessionClaims(payload: object): void {
  const version = ownOf(payload, 'ver')
  if (!isSessionId(ownOf(payload, 'jti')) || !Number.isSafeInteger(version) || (version as number) < 0) {
    throw new AuthError('unauthorized', { reason: 'session_claims_malformed' })
  }
}

async function isSignedBy(token: string, key: CryptoKey): Promise<boolean> {
  try {
    await compactVerify(token, key)
    return true
  } catch {
    return false
  }
}

const aSecret = z.custom<Uint8Array>(
  (value) => value instanceof Uint8Array && value.length >= 16,
  'must be a Uint8Array of at least 16 bytes',
)

const SHAPE = {
  secret: aSecret,
  service: aName(),
  clockToleranceSeconds: z.optional(aNumber(0, 300)),
  clock: z.optional(aFunction<() => number>()),
}
