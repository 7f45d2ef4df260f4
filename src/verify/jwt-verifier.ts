/**
 * The verifier for bearer tokens: a JWT of a trusted issuer becomes an Identity, or one precise refusal. The order is
 * size, form, issuer, signature, claims, the host's own check; what was verified a moment ago takes the short way.
 */
import * as z from 'zod/mini'
import type { Identity, Readiness, Verifier } from '../context.ts'
import { AuthError } from '../errors.ts'
import { sha256Hex } from '../lib/digest.ts'
import { notify } from '../lib/notify.ts'
import { aFunction, aNumber, parseOptions } from '../lib/parse-options.ts'
import { describeEdges } from '../lib/secret-check.ts'
import { createMonotonicClock } from '../lib/time.ts'
import { requirePerson } from './caller-kind.ts'
import { type ClaimRules, checkClaims } from './claims.ts'
import { toIdentity } from './identity.ts'
import { type Issuer, type IssuerOptions, type KeyEvent, toIssuers } from './issuers.ts'
import { verifySignature } from './key-choice.ts'
import { passesCheck } from './own-check.ts'
import { createTokenCache, type TokenCache } from './token-cache.ts'
import { checkTokenSize, type FormRules, ownOf, readTokenForm, toTokenType } from './token-form.ts'

/** The cache of verified tokens. */
export interface TokenCacheSettings {
  /** Tokens kept at most; the least recently used makes room. 1–1,000,000, default 10,000. */
  readonly maxEntries?: number | undefined
  /** Seconds a verified token takes the short way at most; never beyond its `exp`. 1–3600, default 300. */
  readonly ttlSeconds?: number | undefined
}

/** Options of {@link createJwtVerifier}. */
export interface JwtVerifierOptions<C extends string = string> {
  /** Who may issue tokens; at least one. The token's `iss` selects one of them, nothing is tried in turn. */
  readonly issuers: readonly IssuerOptions[]
  /** Audiences of which a token must name one. `null` switches the check off, and must be written. */
  readonly audience: string | readonly string[] | null
  /** Leeway for `exp`, `nbf` and `iat`, in seconds. 0–300, default 5. */
  readonly clockToleranceSeconds?: number | undefined
  /** Longer tokens are refused unread, in bytes. 64–16384, default 8192. */
  readonly maxTokenBytes?: number | undefined
  /** The greatest age by `iat`, in seconds, whatever `exp` says; `iat` is required then. Default: none. */
  readonly maxTokenAgeSeconds?: number | undefined
  /** Further claims to hand on, by name. */
  readonly claims?: readonly C[] | undefined
  /** Accepted `typ` headers; none at all is accepted too. Default `['JWT', 'at+jwt']`. */
  readonly types?: readonly string[] | undefined
  /**
   * A check of the host's own, awaited, after all claims and on cache hits too. `true` lets the token pass, `false` is
   * refused with `unauthorized`, like a token that does not verify; refuse by policy with `AuthError('forbidden')`. Anything
   * else that it answers or throws is a fault of the host (500), never a pass.
   */
  readonly check?: ((identity: Identity<C>) => boolean | Promise<boolean>) | undefined
  /** The cache of verified tokens, or `null` for none. */
  readonly cache?: TokenCacheSettings | null | undefined
  /** What fetches keys. Default: the global `fetch`. */
  readonly fetch?: typeof fetch | undefined
  /** Milliseconds since 1970. Default `Date.now`. */
  readonly clock?: (() => number) | undefined
  /** Told of key fetches and of stale keys in use; what it throws is dropped. */
  readonly onKeyEvent?: ((event: KeyEvent) => void) | undefined
}

const NAME = 'createJwtVerifier'
const ABSENT: readonly never[] = []

const shape = {
  issuers: z.array(z.unknown()),
  audience: z.custom<string | readonly string[] | null>(
    (value) =>
      value === null ||
      isFilledString(value) ||
      (Array.isArray(value) && value.length > 0 && value.every(isFilledString)),
    'must be a string, a list of strings, or null to switch the check off; none blank, or with white space or quotes around it',
  ),
  clockToleranceSeconds: z._default(aNumber(0, 300), 5),
  maxTokenBytes: z._default(aNumber(64, 16_384), 8192),
  maxTokenAgeSeconds: z.optional(aNumber(1, 31_536_000)),
  claims: z.optional(z.array(z.string())),
  types: z._default(z.array(z.string()).check(z.minLength(1, 'must not be empty')), ['JWT', 'at+jwt']),
  check: z.optional(aFunction<(identity: Identity) => boolean | Promise<boolean>>()),
  cache: z.optional(z.nullable(z.unknown())),
  fetch: z.optional(aFunction<typeof fetch>()),
  clock: z.optional(aFunction<() => number>()),
  onKeyEvent: z.optional(aFunction<(event: KeyEvent) => unknown>()),
}

const cacheShape = {
  maxEntries: z._default(aNumber(1, 1_000_000), 10_000),
  ttlSeconds: z._default(aNumber(1, 3600), 300),
}

function isFilledString(value: unknown): boolean {
  return typeof value === 'string' && value.trim() !== '' && describeEdges(value) === null
}

/**
 * Create the verifier of bearer tokens (JWT in JWS compact form, RFC 7515, RFC 7519, RFC 8725).
 *
 * Accepts `HS256` by a shared secret and `ES256`, `RS256`, `EdDSA` by public keys, side by side for one issuer and strictly
 * apart. Costs one signature check, or one SHA-256 for a token verified before; asks the network only for keys that are
 * not cached, twice a minute at most.
 *
 * `verify(token)` refuses with `unauthorized`, with `token_expired` where only `exp` is amiss, with `keys_unavailable`
 * (503, `Retry-After`) where the key wanted is not cached and its server can't be asked, with `forbidden` where nobody, or
 * somebody of a kind that its issuer's options refuse, stands behind the token. `warmUp()` loads all keys and never rejects;
 * `isReady()` says whether somebody can be verified and no issuer that answers lacks a key, `readiness()` also which issuers
 * are down; asking begins a fetch where there is no key. `close()` ends fetches.
 *
 * @throws TypeError at construction, for anything that would weaken the verifier: no issuer, no key source, no audience,
 * a short or public secret, a plain http key URL, an unknown option
 * @example
 * const verifier = createJwtVerifier({
 *   issuers: [supabase({ url: 'https://abc.supabase.co' })],
 *   audience: 'authenticated',
 *   claims: ['aal'],
 * })
 * const { subject, claims } = await verifier.verify(token)
 */
export function createJwtVerifier<const C extends string = never>(options: JwtVerifierOptions<C>): Verifier<C> {
  const settings = readSettings<C>(options)
  const { issuers, cache, clock, form, rules, claims, check } = settings
  const byName: ReadonlyMap<unknown, Issuer> = new Map(issuers.map((issuer) => [issuer.issuer, issuer]))
  const only = byName.get(null)

  async function verifyAnew(token: string, digest: string | null): Promise<Identity<C>> {
    const parts = readTokenForm(token, form)
    const iss = ownOf(parts.payload, 'iss')
    const issuer = only ?? (typeof iss === 'string' ? byName.get(iss) : undefined)
    if (issuer === undefined) throw new AuthError('unauthorized', { reason: 'token_issuer_unknown' })
    const key = await verifySignature(token, parts, issuer)
    const { takesBoundTokens, emails } = issuer
    const checked = checkClaims(parts.payload, { ...rules, takesBoundTokens }, clock())
    const name = typeof iss === 'string' ? iss : ''
    const identity = toIdentity({ issuer: name, emails }, checked, parts.payload, claims)
    if (check !== undefined) await runCheck(identity, check)
    requirePerson(parts.payload, issuer)
    if (cache !== null && digest !== null) {
      const { validFrom, validUntil } = checked
      cache.set(digest, { identity, validFrom, validUntil, isKeyUsable: key.isUsable })
    }
    return identity
  }

  return Object.freeze({
    async verify(token: string) {
      checkTokenSize(token, form.maxTokenBytes)
      const digested = cache === null ? null : sha256Hex(token)
      const digest = typeof digested === 'object' ? await digested : digested
      const known = digest === null ? undefined : cache?.get(digest)
      if (known === undefined) return verifyAnew(token, digest)
      if (check !== undefined) await runCheck(known, check)
      return known
    },
    async warmUp() {
      await Promise.all(issuers.flatMap(({ secrets, keySets }) => [secrets(), ...keySets.map((set) => set.refresh())]))
    },
    isReady: () => readinessOf(issuers).isReady,
    readiness: () => readinessOf(issuers),
    close() {
      for (const { keySets } of issuers) for (const set of keySets) set.close()
      cache?.clear()
    },
  })
}

interface Settings<C extends string> {
  readonly issuers: readonly Issuer[]
  readonly cache: TokenCache<Identity<C>> | null
  readonly clock: () => number
  readonly form: FormRules
  readonly rules: Omit<ClaimRules, 'takesBoundTokens'>
  readonly claims: readonly C[]
  readonly check: JwtVerifierOptions<C>['check']
}

function readSettings<C extends string>(options: JwtVerifierOptions<C>): Settings<C> {
  const parsed = parseOptions(NAME, shape, options)
  const {
    clock = Date.now,
    audience,
    clockToleranceSeconds,
    maxTokenAgeSeconds = null,
    maxTokenBytes,
    onKeyEvent,
  } = parsed
  const time = createMonotonicClock(clock)
  const cached = parsed.cache === null ? null : parseOptions(`${NAME}: option "cache"`, cacheShape, parsed.cache ?? {})
  return {
    issuers: toIssuers(NAME, parsed.issuers, {
      fetcher: parsed.fetch ?? ((input, init) => fetch(input, init)),
      time,
      onEvent: (event) => notify(onKeyEvent, event),
    }),
    cache: cached === null ? null : createTokenCache({ ...cached, clock, time }),
    clock,
    form: { maxTokenBytes, types: new Set(parsed.types.map(toTokenType)) },
    rules: {
      audience: typeof audience === 'string' ? [audience] : audience,
      clockToleranceSeconds,
      maxTokenAgeSeconds,
    },
    claims: (parsed.claims ?? ABSENT) as readonly C[],
    check: parsed.check as JwtVerifierOptions<C>['check'],
  }
}

async function runCheck<I>(identity: I, check: (identity: I) => unknown): Promise<void> {
  if (await passesCheck(NAME, check, identity)) return
  throw new AuthError('unauthorized', { reason: 'identity_check_refused' })
}

// An issuer with several sources has a key as soon as one of them has; one whose server is down takes only its own along.
function readinessOf(issuers: readonly Issuer[]): Readiness {
  const known = issuers.map(({ issuer, hasSecret, keySets }) => {
    const states = keySets.map((set) => set.state())
    return { issuer, states, hasKey: hasSecret || states.includes('ready') }
  })
  const isSettled = known.every(
    ({ states, hasKey }) => !states.includes('unasked') && (hasKey || states.includes('down')),
  )
  return Object.freeze({
    isReady: isSettled && known.some(({ hasKey }) => hasKey),
    down: Object.freeze(known.filter(({ states }) => states.includes('down')).map(({ issuer }) => issuer)),
  })
}
