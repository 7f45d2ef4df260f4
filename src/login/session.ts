/**
 * The sessions of local login: tokens that this service issues to itself, another one at each login, each as good as its
 * account is now. Disabling, deleting, a new password, a new role, logging out: each ends sessions from the next request on.
 */
import { SignJWT } from 'jose/jwt/sign'
import type { Identity, UserResolver, Verifier } from '../context.ts'
import { refused } from '../errors.ts'
import { encodeBase64UrlBinary, isBase64Url } from '../lib/base64url.ts'
import { describeValue } from '../lib/log-text.ts'
import type { Account, SessionRecord, SessionRepository } from '../storage/account-repositories.ts'
import { checkClaims, STANDARD_PLACES as places } from '../verify/claims.ts'
import { toIdentity } from '../verify/identity.ts'
import { engine } from '../verify/signature.ts'
import { ownOf, requireTokenForm, requireTokenType, type TokenForm } from '../verify/token-form.ts'

/** What sessions are made of. */
export interface SessionSettings {
  /** The bytes of the HS256 key. */
  readonly secret: Uint8Array
  /** `iss` and `aud` of each session. */
  readonly service: string
  readonly sessionSeconds: number
  readonly clock: () => number
  readonly repository: SessionRepository
}

/** What {@link createSessions} makes. */
export interface Sessions {
  /** Issue the token of a new session: never one that came along. */
  issue(account: Pick<Account, 'id' | 'sessionVersion'>): Promise<string>
  /** Verifies sessions of this service, of this secret and of their own type, and nothing else. One HMAC, no storage. */
  readonly verifier: Verifier<'ver'>
  /** Finds the account of a session that is still live, and its role. One query a request, never a cache. */
  readonly users: UserResolver<Account, 'ver'>
  /** End one session. */
  end(session: Identity<'ver'>): Promise<void>
}

// Its own, so that no token of anybody else is taken for one (RFC 8725 §3.11).
const TYPE = 'session+jwt'
const MAX_TOKEN_BYTES = 2048
// 128 bits in base64url.
const ID_LETTERS = 22
// The verifier lets a session in for some seconds beyond its end; a storage forgets a revocation at the end it is told.
const FORGET_AFTER_MS = 300_000

/** Create the sessions of one service. */
export function createSessions({ secret, service, sessionSeconds, clock, repository }: SessionSettings): Sessions {
  const bytes = new Uint8Array(secret)
  let importing: Promise<CryptoKey> | undefined
  const keyOf = (): Promise<CryptoKey> => {
    const algorithm = { name: 'HMAC', hash: 'SHA-256' }
    importing ??= crypto.subtle.importKey('raw', bytes, algorithm, false, ['sign'])
    return importing
  }
  const isSigned = engine.bySecret(bytes, 'HS256')
  const types = new Set([TYPE])
  const times = { clockToleranceSeconds: 5, maxTokenAgeSeconds: null }
  const rules = { ...times, audience: [service], takesBoundTokens: false, places }
  // Whoever has an account is a person.
  const person = { places, emails: 'as-claimed', machine: () => false, machines: [] } as const
  return {
    async issue({ id: subject, sessionVersion }) {
      const issuedAt = Math.floor(clock() / 1000)
      return new SignJWT({ ver: sessionVersion })
        .setProtectedHeader({ alg: 'HS256', typ: TYPE })
        .setIssuer(service)
        .setAudience(service)
        .setSubject(subject)
        .setJti(encodeBase64UrlBinary(String.fromCharCode(...crypto.getRandomValues(new Uint8Array(16)))))
        .setIssuedAt(issuedAt)
        .setExpirationTime(issuedAt + sessionSeconds)
        .sign(await keyOf())
    },
    verifier: Object.freeze({
      async verify(token: string) {
        const form = requireTokenForm(token, MAX_TOKEN_BYTES)
        const { payload } = form
        requireTokenType(form, types, true)
        requireOwn(form, service)
        if (!(await isSigned(form.input, form.signature))) {
          throw refused('unauthorized', { reason: 'session_signature_invalid' })
        }
        requireSessionClaims(payload)
        const checked = checkClaims(payload, rules, clock())
        return toIdentity({ issuer: service, rules: person, names: ['ver'] }, checked, payload)
      },
      bindsScopes: false,
      machines: [],
      isReady: () => true,
    }),
    async users(identity) {
      const account = requireLive(await repository.find(identity.subject, identity.tokenId ?? ''), identity)
      return { user: account, role: account.role }
    },
    async end({ tokenId, expiresAt }) {
      const forgetAt = new Date(expiresAt.getTime() + FORGET_AFTER_MS)
      await repository.revoke({ id: tokenId as string, expiresAt: forgetAt }, new Date(clock()))
    },
  }
}

// Refused by its looks already: another algorithm, another issuer.
function requireOwn({ algorithm, payload }: TokenForm, service: string): void {
  if (algorithm !== 'HS256') {
    throw refused('unauthorized', { reason: 'session_algorithm_other', expected: 'HS256', got: algorithm })
  }
  const iss = ownOf(payload, 'iss')
  if (iss !== service) {
    throw refused('unauthorized', { reason: 'session_issuer_other', expected: service, got: describeValue(iss) })
  }
}

// What only this service can have signed is looked at all the same: a claim that is missing must not mean anything.
function requireSessionClaims(payload: object): void {
  const [id, version] = [ownOf(payload, 'jti'), ownOf(payload, 'ver')]
  const isId = typeof id === 'string' && id.length === ID_LETTERS && isBase64Url(id)
  if (!isId || !Number.isSafeInteger(version) || (version as number) < 0) {
    throw refused('unauthorized', { reason: 'session_claims_malformed' })
  }
}

// Without the hash: a handler, a log, an answer, none of them has a use for it.
function requireLive(found: SessionRecord | null, { claims }: Identity<'ver'>): Account {
  if (found === null) throw refused('unauthorized', { reason: 'account_missing' })
  const { id, email, role, disabled, sessionVersion, createdAt } = found.account
  const principal = { kind: 'user', id } as const
  if (disabled) throw refused('unauthorized', { reason: 'account_disabled', principal })
  if (sessionVersion !== claims.ver) throw refused('unauthorized', { reason: 'session_superseded', principal })
  if (found.revoked) throw refused('unauthorized', { reason: 'session_revoked', principal })
  return Object.freeze({ id, email, role, disabled, sessionVersion, createdAt })
}
