/**
 * The verifier for bearer tokens: a JWT of a trusted issuer becomes an Identity, or one precise refusal. The order is
 * size, form, issuer, signature, claims, the host's own check. Two take a short way: who was verified a moment ago, and who
 * names the key again that was unknown a moment ago.
 */
import type { Identity, Readiness, Verifier } from '../context.ts'
import { type AuthError, isAuthError, refused } from '../errors.ts'
import { type AtOnce, isPending, later, toStep } from '../lib/at-once.ts'
import { sha256Key } from '../lib/digest.ts'
import { describeHost, orLoopback } from '../lib/http-url.ts'
import { describeValue } from '../lib/log-text.ts'
import {
  aCount,
  aFunction,
  aGroup,
  aListOf,
  aNumber,
  anObjectWith,
  aString,
  checkedBy,
  optional,
  optionsError,
  orNull,
  parseOptions,
  type Shape,
} from '../lib/parse-options.ts'
import { notify } from '../lib/standard-error.ts'
import { createMonotonicClock } from '../lib/time.ts'
import { checkClaims } from './claims.ts'
import { requireAccepted, requireBoolean, toIdentity } from './identity.ts'
import type { IssuerLookUp, LookedUpIssuers } from './issuer-look-up.ts'
import { isNamedBy, isNameOf } from './issuer-name.ts'
import { type IssuerOptions, issuerShape } from './issuer-options.ts'
import { type Issuer, type KeyEvent, type Surroundings, toIssuers } from './issuers.ts'
import { verifySignature } from './key-choice.ts'
import { createKnownHeaders } from './known-headers.ts'
import { createTokenCache, type TokenCache, type VerifiedToken } from './token-cache.ts'
import { checkTokenSize, mayBeKnown, ownOf, readPayload, readTokenForm, requireTokenType } from './token-form.ts'
import { createUnknownKey } from './unknown-key.ts'

/** The cache of verified tokens. */
export interface TokenCacheSettings {
  /** Tokens kept at most; one not used lately makes room. 1–1,000,000, default 10,000. */
  readonly maxEntries?: number | undefined
  /** Seconds a verified token takes the short way at most; never beyond its `exp`. 1–3600, default 300. */
  readonly ttlSeconds?: number | undefined
}

/** Options of {@link createJwtVerifier}. */
export interface JwtVerifierOptions<C extends string = string> {
  /** Who may issue tokens; at least one. The token's `iss` selects one of them, nothing is tried in turn. */
  readonly issuers: readonly IssuerOptions<NoInfer<C>>[]
  /**
   * Who else may issue tokens, looked up when one is first seen: {@link createIssuerLookUp}. With it `issuers` may be empty.
   * Default: nobody.
   */
  readonly lookUp?: IssuerLookUp | undefined
  /** Leeway for `exp`, `nbf` and `iat`, in seconds. 0–300, default 5. */
  readonly clockToleranceSeconds?: number | undefined
  /** Longer tokens are refused unread, in bytes. 64–16384, default 8192. */
  readonly maxTokenBytes?: number | undefined
  /** The greatest age by `iat`, in seconds, whatever `exp` says; `iat` is required then. Default: none. */
  readonly maxTokenAgeSeconds?: number | undefined
  /** Further claims to hand on, by name. */
  readonly claims?: readonly C[] | undefined
  /** The cache of verified tokens, or `null` for none. */
  readonly cache?: TokenCacheSettings | null | undefined
  /**
   * Hosts in a private network that keys may be fetched from by plain http, by their names alone: `['keycloak.internal']`.
   * Whoever can answer in their place signs as their issuer. Default: loopback hosts only.
   */
  readonly insecureHosts?: readonly string[] | undefined
  /** What fetches keys. Default: the global `fetch`. */
  readonly fetch?: typeof fetch | undefined
  /** Milliseconds since 1970. Default `Date.now`. */
  readonly clock?: (() => number) | undefined
  /** Told of key fetches and of stale keys in use; what it throws is printed, and changes nothing. */
  readonly onKeyEvent?: ((event: KeyEvent) => void) | undefined
}

const NAME = 'createJwtVerifier'

const shape = <C extends string>(): Shape<JwtVerifierOptions<C>> => ({
  issuers: aListOf(aGroup(issuerShape())),
  lookUp: optional(anObjectWith('start')),
  clockToleranceSeconds: optional(aNumber(0, 300)),
  maxTokenBytes: optional(aCount(64, 16_384)),
  maxTokenAgeSeconds: optional(aNumber(1, 31_536_000)),
  claims: optional(aListOf(aString())),
  cache: optional(
    orNull(
      aGroup<TokenCacheSettings>({
        maxEntries: optional(aCount(1, 1_000_000)),
        ttlSeconds: optional(aNumber(1, 3600)),
      }),
    ),
  ),
  insecureHosts: optional(aListOf(checkedBy(describeHost))),
  fetch: optional(aFunction()),
  clock: optional(aFunction()),
  onKeyEvent: optional(aFunction()),
})

/**
 * Create the verifier of bearer tokens (JWT in JWS compact form, RFC 7515, RFC 7519, RFC 8725).
 *
 * Accepts HMACs by a shared secret and ES, RS, PS and EdDSA by public keys, side by side for one issuer and strictly apart;
 * which of them is each source's to say. Costs one signature check, or one SHA-256 for a token verified before; asks the
 * network only for keys that are not cached, twice a minute at most.
 *
 * `verify(token)` refuses with `unauthorized`, with `token_expired` where only `exp` is amiss, with `keys_unavailable`
 * (503, `Retry-After`) where the key wanted is not cached and its server can't be asked, or an issuer can't be looked up, with
 * `forbidden` where its issuer's options refuse tokens of this kind. A machine's token verifies too: `kind` says which it is,
 * and `createAuth` lets no machine in as a person. `warmUp()` loads all keys and never rejects;
 * `isReady()` says whether somebody can be verified and no issuer that answers lacks a key, `readiness()` also which issuers
 * are down; asking begins a fetch where there is no key. `close()` ends fetches.
 *
 * @throws OptionsError at construction, for anything that would weaken the verifier: no issuer, no key source, no audience,
 * a short or public secret, a plain http key URL, an unknown option
 * @example
 * const verifier = createJwtVerifier({ issuers: [supabase({ url: 'https://abc.supabase.co' })], claims: ['aal'] })
 * const { kind, subject, claims } = await verifier.verify(token)
 * if (kind !== 'person') throw new AuthError('forbidden')
 */
export function createJwtVerifier<const C extends string = never>(options: JwtVerifierOptions<C>): Verifier<C> {
  const { issuers, lookedUp, cache, clock, maxTokenBytes, claims: names, hasOwnPeopleAlone } = readSettings<C>(options)
  const issuerOf = createIssuerFinder(issuers, lookedUp)
  const headers = createKnownHeaders()
  const unknownKey = createUnknownKey(issuers)

  // At once where the token is known, holds for sure, and nobody else has to be asked. No digest for what is surely not.
  function verify(token: string): AtOnce<Identity<C>> {
    if (!mayBeKnown(token, maxTokenBytes)) return verifyAnew(token, null)
    const refusal = unknownKey.refusalOf(token)
    if (refusal !== null) return refuse(refusal)
    const digested = cache === null ? null : sha256Key(token)
    return isPending(digested) ? later(digested, verifyBy, token) : verifyBy(digested, token)
  }

  function verifyBy(digest: string | null, token: string): AtOnce<Identity<C>> {
    const known = digest === null ? undefined : cache?.get(digest)
    if (known === undefined) return verifyAnew(token, digest)
    return known.issuer.check === null && known.holdsAt(clock()) ? known.identity : verifyAgain(token, known)
  }

  // What was signed stays so: of a token that has expired since, or may have, the claims alone are looked at.
  async function verifyAgain(token: string, known: VerifiedToken<C>): Promise<Identity<C>> {
    await LET_GO
    if (!known.holdsAt(clock())) checkClaims(readPayload(token), known.issuer.rules, clock())
    if (known.issuer.check !== null) await runCheck(known.identity, known.issuer.check)
    return known.identity
  }

  async function verifyAnew(token: string, digest: string | null): Promise<Identity<C>> {
    await LET_GO
    checkTokenSize(token, maxTokenBytes)
    const form = readTokenForm(token, headers)
    if (isAuthError(form)) throw form
    const { payload } = form
    const found = issuerOf(payload)
    const issuer = isPending(found) ? await found : found
    requireTokenType(form, issuer.types)
    const key = await verifySignature(form, issuer, unknownKey)
    if (isAuthError(key)) throw key
    const checked = checkClaims(payload, issuer.rules, clock())
    const identity = toIdentity(whoseOf(issuer, payload, names), checked, payload)
    if (issuer.check !== null) await runCheck(identity, issuer.check)
    requireAccepted(payload, issuer.accepts)
    headers.keep(form)
    if (digest !== null) cache?.set(digest, { identity, issuer, key, checked })
    return identity
  }

  return Object.freeze({
    // What an issuer that is looked up will say is not known.
    bindsScopes: lookedUp === undefined ? issuers.some(({ places }) => places.scopes !== null) : undefined,
    machines: issuers.flatMap(({ machines }) => machines.map(({ machine }) => machine)),
    namesOtherMachines: lookedUp !== undefined,
    hasOwnPeopleAlone,
    verify: toStep(verify),
    async warmUp() {
      await Promise.all(issuers.flatMap(({ keySets }) => keySets.map((set) => set.refresh())))
    },
    isReady: () => readinessOf(issuers).isReady,
    readiness: () => readinessOf(issuers),
    close() {
      for (const { keySets } of issuers) for (const set of keySets) set.close()
      lookedUp?.close()
      cache?.clear()
    },
  })
}

// A promise that is rejected before its maker has let go of it is an unhandled rejection for a moment, which costs as much as half
// of a refusal.
const LET_GO = undefined

async function refuse(refusal: AuthError): Promise<never> {
  await LET_GO
  throw refusal
}

// Whose identity it is, and who has issued the token: where names are checked, the first of them.
function whoseOf<C extends string>(rules: Issuer, payload: object, names: readonly C[]) {
  const iss = rules.names[0] ?? ownOf(payload, 'iss')
  const tokenIssuer = typeof iss === 'string' ? iss : ''
  return { issuer: rules.identityIssuer ?? tokenIssuer, tokenIssuer, rules, names }
}

// The token's own word selects its issuer, exact names first; no other one is tried after it. A promise only where it is looked
// up.
function createIssuerFinder(
  issuers: readonly Issuer[],
  lookedUp: LookedUpIssuers | undefined,
): (payload: object) => AtOnce<Issuer> {
  const byName: ReadonlyMap<unknown, Issuer> = new Map(
    issuers.flatMap((issuer) => issuer.names.map((name) => [name, issuer] as const)),
  )
  const only = issuers.find(({ issuer }) => issuer === null)
  // A name that is a pattern's is nobody else's, also where the token's own claim does not fill it.
  const isTaken = (iss: string): boolean => issuers.some(({ issuer }) => issuer !== null && isNameOf(issuer, iss))
  const expected = issuers.flatMap(({ issuer, names }) => (names.length > 0 ? names : (issuer ?? []))).join(', ')
  const requireFound = (found: Issuer | null, payload: object): Issuer => {
    if (found !== null) return found
    // Of an API key of Supabase its name: what a key may do differs, who has signed it does not.
    const role = ownOf(payload, 'role')
    const which = role === 'anon' || role === 'service_role' ? ` (${role})` : ''
    const got = describeValue(ownOf(payload, 'iss')) + which
    throw refused('unauthorized', { reason: 'token_issuer_unknown', expected, got })
  }
  return (payload) => {
    const iss = ownOf(payload, 'iss')
    const named =
      only ?? byName.get(iss) ?? issuers.find(({ pattern }) => pattern !== null && isNamedBy(pattern, payload))
    if (named !== undefined || lookedUp === undefined || typeof iss !== 'string' || isTaken(iss)) {
      return requireFound(named ?? null, payload)
    }
    return lookedUp.find(iss).then((found) => requireFound(found, payload))
  }
}

interface Settings<C extends string> {
  readonly issuers: readonly Issuer[]
  readonly lookedUp: LookedUpIssuers | undefined
  readonly cache: TokenCache<C> | null
  readonly clock: () => number
  readonly maxTokenBytes: number
  readonly claims: readonly C[]
  readonly hasOwnPeopleAlone: boolean
}

function readSettings<C extends string>(options: JwtVerifierOptions<C>): Settings<C> {
  const parsed = parseOptions(NAME, shape<C>(), options)
  const { clock = Date.now, clockToleranceSeconds = 5, maxTokenAgeSeconds = null, insecureHosts, onKeyEvent } = parsed
  const { maxEntries = 10_000, ttlSeconds = 300 } = parsed.cache ?? {}
  const time = createMonotonicClock(clock)
  const outside: Surroundings = {
    name: NAME,
    times: { clockToleranceSeconds, maxTokenAgeSeconds },
    fetcher: parsed.fetch ?? ((input, init) => fetch(input, init)),
    mayBeHttp: orLoopback(insecureHosts),
    time,
    onEvent: (event) => notify(`${NAME}: onKeyEvent`, onKeyEvent, event),
  }
  const issuers = toIssuers(parsed.issuers, outside)
  if (issuers.length === 0 && parsed.lookUp === undefined) {
    throw optionsError(NAME, 'issuers', 'must name at least one issuer')
  }
  if (parsed.lookUp !== undefined && issuers.some(({ issuer }) => issuer === null)) {
    throw optionsError(NAME, 'lookUp', 'has nothing to look up beside issuer null')
  }
  // What is known of it in declarations names nothing of the inside.
  const lookedUp = parsed.lookUp?.start(outside) as LookedUpIssuers | undefined
  const isTrusted = (issuer: Issuer): boolean => issuers.includes(issuer) || lookedUp?.isCurrent(issuer) === true
  return {
    issuers,
    lookedUp,
    cache: parsed.cache === null ? null : createTokenCache({ maxEntries, ttlSeconds, time, isTrusted }),
    clock,
    maxTokenBytes: parsed.maxTokenBytes ?? 8192,
    claims: parsed.claims ?? [],
    hasOwnPeopleAlone: lookedUp === undefined && parsed.issuers.every(({ people }) => people === 'own'),
  }
}

/** Ask whether {@link createJwtVerifier} has an option of that name. */
export function isVerifierOption(name: string): boolean {
  return Object.hasOwn(shape(), name)
}

async function runCheck(identity: Identity, check: NonNullable<Issuer['check']>): Promise<void> {
  if (requireBoolean(`${NAME}: option "check"`, await check(identity))) return
  throw refused('unauthorized', { reason: 'identity_check_refused' })
}

// An issuer with several sources has a key as soon as one of them has; one whose server is down takes only its own along.
function readinessOf(issuers: readonly Issuer[]): Readiness {
  const known = issuers.map(({ issuer, secrets, keySets }) => {
    const states = keySets.map((set) => set.state())
    return { issuer, states, hasKey: secrets.algorithms.length > 0 || states.includes('ready') }
  })
  const isSettled = known.every(
    ({ states, hasKey }) => !states.includes('unasked') && (hasKey || states.includes('down')),
  )
  return Object.freeze({
    // Where all issuers are looked up, nothing has to be there before.
    isReady: isSettled && (known.length === 0 || known.some(({ hasKey }) => hasKey)),
    down: Object.freeze(known.filter(({ states }) => states.includes('down')).map(({ issuer }) => issuer)),
  })
}
