/**
 * The issuers a verifier trusts, made of what the host has written: every weakness is an `OptionsError` at construction.
 * Hands on one configuration per issuer, with its secrets and its key sets strictly apart.
 */
import { describeHttpUrl, isLoopbackUrl } from '../lib/http-url.ts'
import { optionsError } from '../lib/parse-options.ts'
import { type ClaimRules, placesOf, STANDARD_PLACES, toClaims } from './claims.ts'
import { toMetadataUrls } from './discovery.ts'
import { type IdentityRules, isMachine } from './identity.ts'
import { type IssuerPattern, overlap, toPattern } from './issuer-name.ts'
import type { DiscoverySource, IssuerOptions, JwksUrlSource, KeySource } from './issuer-options.ts'
import { importKeys, isUnsoundJwk, MAX_CANDIDATES, toUsableJwk, type UsableJwk } from './jwk-import.ts'
import { createFixedKeySet, createKeySet, type KeyNews, type KeySet } from './key-set.ts'
import { type KeyPlace, loadKeys } from './key-source.ts'
import { readRules } from './machine-rules.ts'
import { readSecrets, type SecretSource, type SharedSecrets } from './shared-secrets.ts'
import { type Algorithm, type KeyAlgorithm, toTokenType } from './token-form.ts'

/** An issuer, checked. */
export interface Issuer extends IdentityRules {
  /** What events and readiness call it: the first of its names, or its pattern. */
  readonly issuer: string | null
  /** The exact `iss` claims; none where it is not checked, or by a pattern. */
  readonly names: readonly string[]
  readonly pattern: IssuerPattern | null
  /** Whose identities its tokens name; `null`: its own. */
  readonly identityIssuer: string | null
  readonly algorithms: ReadonlySet<Algorithm>
  readonly secrets: SharedSecrets
  readonly keySets: readonly KeySet[]
  /** Accepted `typ` values, by {@link toTokenType}. */
  readonly types: ReadonlySet<string>
  readonly rules: ClaimRules
  readonly accepts: NonNullable<IssuerOptions['accepts']> | null
  readonly check: NonNullable<IssuerOptions['check']> | null
}

/** What happened to the keys of an issuer: for metrics and the audit log. */
export type KeyEvent = KeyNews & { readonly issuer: string | null; readonly url: string }

/** What all issuers of a verifier have in common. */
export interface Surroundings {
  /** The function to name in errors. */
  readonly name: string
  /** What is asked of the times of every token. */
  readonly times: Pick<ClaimRules, 'clockToleranceSeconds' | 'maxTokenAgeSeconds'>
  readonly fetcher: typeof fetch
  /** Hosts that keys may come from by plain http. */
  readonly mayBeHttp: (hostname: string) => boolean
  /** Milliseconds, never running backwards. */
  readonly time: () => number
  readonly onEvent: (event: KeyEvent) => void
}

/**
 * Make issuers of their options, which have been read by the shape of issuer options.
 * @throws OptionsError
 */
export function toIssuers<C extends string>(
  given: readonly IssuerOptions<C>[],
  outside: Surroundings,
): readonly Issuer[] {
  const names = given.map(({ issuer }) => issuer)
  const wrong = problemWithNames(names)
  if (wrong !== null) throw optionsError(outside.name, 'issuers', wrong)
  for (const [index, { identityIssuer }] of given.entries()) {
    const problem = identityIssuer === undefined ? null : problemWithIdentities(given, index, identityIssuer)
    if (problem !== null) throw optionsError(outside.name, `issuers.${index}.identityIssuer`, problem)
  }
  // Whose identities they name counts, too: whoever knows a secret is everybody of that one.
  const known = [...names, ...given.map(({ identityIssuer }) => identityIssuer ?? [])].flat()
  const isLocal = known.every((name) => name !== null && toPattern(name) === null && isLoopbackUrl(name))
  return given.map((options, index) => toIssuer(options, { path: `issuers.${index}`, isLocal }, outside))
}

function problemWithNames(issuers: readonly IssuerOptions['issuer'][]): string | null {
  const names = issuers.flat()
  const patterns = names.flatMap((name) => toPattern(name ?? '') ?? [])
  if (new Set(names).size < names.length) return 'has an issuer that is named twice'
  if (names.includes(null) && issuers.length > 1) return 'has more than issuer null alone'
  return patterns.some((one, index) => patterns.slice(0, index).some((other) => overlap(one, other)))
    ? 'has two patterns that one token could fit'
    : null
}

// One that is listed says itself whose its identities are, under its first name.
function problemWithIdentities(
  given: readonly Pick<IssuerOptions, 'issuer' | 'identityIssuer'>[],
  index: number,
  named: string,
): string | null {
  const own = nameOf(given[index]?.issuer)
  if (own === null || toPattern(own) !== null) return 'needs an issuer with exact names'
  if (own === named) return 'must be another name than the issuer has anyway'
  const other = given.findIndex(({ issuer }) => [issuer].flat().includes(named))
  if (other < 0) {
    const names = given
      .toSpliced(index, 1)
      .flatMap(({ issuer, identityIssuer = null }) => [issuer, identityIssuer].flat())
    // Everybody of that one would be somebody else.
    const isMeant = names.some((name) => name !== named && foldName(name) === foldName(named))
    return isMeant ? 'must be, to the letter, what another issuer is called' : null
  }
  if (other === index) return null
  if (given[other]?.identityIssuer !== undefined) return 'names an issuer whose identities are those of another one'
  return nameOf(given[other]?.issuer) === named ? null : 'must be the first name of that issuer'
}

// By what nobody means another issuer: the case, and slashes at the end.
function foldName(name: string | null): string | undefined {
  return name?.replace(/\/+$/, '').toLowerCase()
}

/** Where the options of an issuer stand, and what comes with them. */
interface Standing {
  readonly path: string
  /** Whether they are for this very machine alone. */
  readonly isLocal: boolean
  /** The key sets of earlier options with the same sources of keys. */
  readonly keySets?: readonly KeySet[] | undefined
}

/**
 * Make one issuer of its options.
 * @throws OptionsError
 */
export function toIssuer<C extends string>(
  options: IssuerOptions<C>,
  { path, isLocal, keySets: earlier }: Standing,
  outside: Surroundings,
): Issuer {
  const wrong = problemIn(options, isLocal, outside)
  if (wrong !== null) throw optionsError(outside.name, `${path}.${wrong[0]}`, wrong[1])
  const { keys, audience, types = ['JWT', 'at+jwt'], emails = 'as-claimed', boundTokens = 'refuse' } = options
  const { identityIssuer = null, accepts = null, check = null, machine } = options
  const issuer = nameOf(options.issuer)
  const pattern = toPattern(issuer ?? '')
  const secrets = readSecrets(keys.filter(isSecretSource))
  const hasSecret = secrets.algorithms.length > 0
  const keySets =
    earlier ??
    keys.flatMap((source) => (isSecretSource(source) ? [] : [toKeySet(source, { issuer, hasSecret }, outside)]))
  const places = placesOf(STANDARD_PLACES, options.claims)
  const audiences = audience === null ? null : [audience].flat()
  return {
    issuer,
    identityIssuer,
    pattern,
    names: pattern === null ? [options.issuer ?? []].flat() : [],
    algorithms: new Set([...secrets.algorithms, ...keySets.flatMap((set) => [...set.algorithms])]),
    secrets,
    keySets,
    types: new Set(types.map(toTokenType)),
    rules: {
      ...outside.times,
      places,
      audience: audiences,
      audienceLists: new Map(audiences?.map((name) => [name, Object.freeze([name])])),
      takesBoundTokens: boundTokens === 'as-bearer',
    },
    places,
    emails,
    machine: machine === undefined ? isMachine : (payload) => machine(toClaims(payload)),
    machines: readRules(options.machines),
    accepts,
    // What it takes of the identity are claims that the verifier hands on.
    check: check as Issuer['check'],
  }
}

// What is wrong between options that are right, each by itself.
function problemIn<C extends string>(
  { issuer, keys }: IssuerOptions<C>,
  isLocal: boolean,
  { mayBeHttp }: Surroundings,
): readonly [string, string] | null {
  if (readSecrets(keys.filter(isSecretSource)).hasTwins) return ['keys', 'has a secret that is given twice']
  for (const [index, source] of keys.entries()) {
    const wrong = isSecretSource(source) ? problemInSecret(source, isLocal) : problemInKeys(source, issuer, mayBeHttp)
    if (wrong !== null) return [`keys.${index}.${wrong[0]}`, wrong[1]]
  }
  return null
}

function isSecretSource(source: KeySource): source is SecretSource {
  return source.kind === 'secret'
}

function problemInSecret(source: SecretSource, isLocal: boolean): readonly [string, string] | null {
  return !isLocal && readSecrets([source]).hasSample
    ? ['secret', 'is a sample that everybody knows; it is for loopback issuers only']
    : null
}

type PublicSource = Exclude<KeySource, SecretSource>

function problemInKeys(
  source: PublicSource,
  issuer: IssuerOptions['issuer'],
  mayBeHttp: Surroundings['mayBeHttp'],
): readonly [string, string] | null {
  if ('keys' in source) {
    const unsound = source.keys.findIndex(isUnsoundJwk)
    if (unsound >= 0) return ['keys', `has a weak key, or no key of its type: keys[${unsound}]`]
    const algorithms = toAlgorithms(source)
    const usable = source.keys.flatMap((jwk) => toUsableJwk(jwk) ?? [])
    const isOfUse = ({ algorithms: own }: UsableJwk): boolean => own.some((name) => algorithms.has(name))
    if (!usable.some(isOfUse)) return ['keys', 'holds no public key of use']
    return [...algorithms].some((name) => isAmbiguous(usable, name))
      ? ['keys', `has more than ${MAX_CANDIDATES} keys of one algorithm without kid, of which no token says which`]
      : null
  }
  const name = nameOf(issuer)
  if (source.kind === 'discovery') {
    if (name === null) return ['kind', 'is discovery, which needs an issuer']
    if (toPattern(name) !== null)
      return ['kind', 'is discovery, which needs an exact issuer: write the URL of its keys']
  }
  const wrong = describeHttpUrl(urlOf(source, name), mayBeHttp)
  return wrong === null ? null : ['url', wrong]
}

// A token of such an algorithm could be of any of them, and be refused for it always.
function isAmbiguous(keys: readonly UsableJwk[], algorithm: KeyAlgorithm): boolean {
  const open = keys.filter(({ kid, issuer, algorithms }) => (kid ?? issuer) === null && algorithms.includes(algorithm))
  return new Set(open.map(({ members }) => JSON.stringify(members))).size > MAX_CANDIDATES
}

function toAlgorithms({ algorithms = ['ES256', 'RS256', 'EdDSA'] }: PublicSource): ReadonlySet<KeyAlgorithm> {
  return new Set(algorithms.map((name) => (name === 'Ed25519' ? 'EdDSA' : name)))
}

// What events, readiness and discovery call it.
function nameOf(issuer: IssuerOptions['issuer'] | undefined): string | null {
  return [issuer].flat()[0] ?? null
}

function urlOf({ url }: JwksUrlSource | DiscoverySource, name: string | null): string {
  return url ?? toMetadataUrls(name ?? '')[0]
}

// `owner`: whose keys the set holds.
function toKeySet(
  source: PublicSource,
  { issuer, hasSecret }: { readonly issuer: string | null; readonly hasSecret: boolean },
  { fetcher, time, onEvent, mayBeHttp }: Surroundings,
): KeySet {
  const algorithms = toAlgorithms(source)
  if ('keys' in source) {
    const keys: readonly unknown[] = structuredClone(source.keys)
    return createFixedKeySet(algorithms, () => importKeys(keys, algorithms))
  }
  const { maxAgeSeconds = 600, maxStaleSeconds = 3600 } = source
  const url = new URL(urlOf(source, issuer)).href
  const place: KeyPlace = source.kind === 'jwks' ? url : { issuer: issuer ?? '', metadataUrl: source.url, mayBeHttp }
  return createKeySet({
    ...{ algorithms, url, maxAgeSeconds, maxStaleSeconds, time },
    load: (signal) => loadKeys(fetcher, place, algorithms, signal),
    mayBeEmpty: hasSecret,
    onNews: (news) => onEvent({ ...news, issuer, url }),
  })
}
