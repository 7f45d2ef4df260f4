/**
 * A token, check by check. The verdict is the library's own verifier's; which checks fail beside the first one is found by
 * asking a verifier of the same options again, for a copy of the claims signed by a key of our own in which what failed is
 * mended. Hands on checks; nothing of the token but names, issuers, audiences, algorithms and times.
 */
import { createHmac, randomBytes } from 'node:crypto'
import { describe, type Refusal } from '../explain/explain.ts'
import { reasonTexts } from '../explain/reason-texts.ts'
import { type AuthError, createJwtVerifier, type IssuerOptions, isAuthError } from '../index.ts'
import type { Check } from './checks.ts'
import { CHECKS, type Found, type TokenCheck } from './token-checks.ts'
import { type Claims, factsOf, type ReadToken, type TokenFacts } from './token-facts.ts'

/** What a token is asked by. */
export interface Examiner {
  /** Who may have issued it; none: nobody in particular. */
  readonly issuers: readonly IssuerOptions[]
  /** Whether their keys are known: else nothing is verified. */
  readonly hasKeys: boolean
  /** Whether the issuers are written as a service has them, by a preset or a config. */
  readonly isWritten: boolean
  readonly insecureHosts?: readonly string[] | undefined
  readonly fetch: typeof fetch
  /** The instant to ask for, in milliseconds. */
  readonly now: number
}

/** What became of it. */
export interface Examination {
  readonly checks: readonly Check[]
  /** The first refusal, as the verifier of a service with these options answers it; `null`: it passes, or no keys are known. */
  readonly refusal: AuthError | null
  /** Whether its signature is good by a key that was named. */
  readonly isVerified: boolean
  /** `null`: it could not be read. */
  readonly facts: TokenFacts | null
}

/** Examine a token. Asks the network for keys where the issuers say so, and for nothing else. */
export async function examineToken(token: string, examiner: Examiner): Promise<Examination> {
  const ownKey = randomBytes(64)
  const issuers = examiner.hasKeys ? examiner.issuers : examiner.issuers.map((options) => signedBy(ownKey, options))
  const trusted = issuers.length > 0 ? issuers : [signedBy(ownKey, { issuer: null, keys: [], audience: null })]
  const first = await refusalOf(token, trusted, examiner)
  const failures = new Map<string, Refusal>()
  if (first !== null && (examiner.hasKeys || !isOfKeys(first))) failures.set(String(first.reason), first)
  const read = first !== null && isOfForm(first) ? null : readToken(token)
  const issuer = read === null ? null : chooseIssuer(read, trusted)
  const asked = read === null || issuer === null ? null : { read, issuer }
  for (const refusal of asked === null ? [] : await claimRefusals(asked, ownKey, examiner)) add(failures, refusal)
  const signature = first === null || asked === null ? first : await signatureRefusal(token, asked, examiner)
  if (examiner.hasKeys && signature != null) add(failures, signature)
  const isVerified = examiner.hasKeys && signature === null
  const facts = read === null ? null : factsOf(token, read)
  const { hasKeys, isWritten } = examiner
  const found: Found = { failures, facts, issuer, isVerified, hasKeys, isWritten, isGood: first === null }
  return {
    checks: CHECKS.map((check) => toCheck(check, found, examiner.now)),
    refusal: examiner.hasKeys || failures.has(String(first?.reason)) ? first : null,
    isVerified,
    facts,
  }
}

function add(failures: Map<string, Refusal>, refusal: AuthError): void {
  const reason = String(refusal.reason)
  if (!failures.has(reason)) failures.set(reason, refusal)
}

/** The refusal of a verifier of these issuers; `null`: it passes. What is no refusal is thrown. */
async function refusalOf(
  token: string,
  issuers: readonly IssuerOptions[],
  { fetch, now, insecureHosts }: Pick<Examiner, 'fetch' | 'now' | 'insecureHosts'>,
  maxTokenBytes?: number,
): Promise<AuthError | null> {
  const verifier = createJwtVerifier({
    ...{ issuers, cache: null, fetch, clock: () => now, insecureHosts, maxTokenBytes },
  })
  try {
    await verifier.verify(token)
    return null
  } catch (error) {
    if (isAuthError(error)) return error
    throw error
  } finally {
    verifier.close?.()
  }
}

const reasonsOf = (...names: readonly string[]): ReadonlySet<string> =>
  new Set(CHECKS.filter(({ name }) => names.includes(name)).flatMap(({ reasons }) => reasons))

const isOfForm = ({ reason }: Refusal): boolean => reasonsOf('form').has(String(reason))
const isOfKeys = ({ reason }: Refusal): boolean => reasonsOf('key', 'signature').has(String(reason))

// Own claims only, as far as JSON has them; what JSON.stringify can't write again is no claim that anybody reads.
function readToken(token: string): ReadToken {
  const [header, payload] = token
    .split('.', 2)
    .map((part) => JSON.parse(Buffer.from(part, 'base64url').toString()) as Claims)
  return { header: header ?? {}, payload: payload ?? {} }
}

// The host's own functions are asked of what was verified alone: what is left here are rules that are plain data.
function signedBy(key: Uint8Array, options: IssuerOptions): IssuerOptions {
  const { check: _check, accepts: _accepts, identityIssuer: _identityIssuer, machines: _machines, ...rest } = options
  return { ...rest, keys: [{ kind: 'secret', secret: key }] }
}

type Mend = (given: Mendable, refusal: AuthError) => Mendable
interface Mendable {
  readonly read: ReadToken
  readonly options: IssuerOptions
}

const without = (name: string): Mend => withClaim(name, undefined)

function withClaim(name: string, value: unknown): Mend {
  return ({ read, options }) => ({ options, read: { ...read, payload: { ...read.payload, [name]: value } } })
}

function withOptions(more: (options: IssuerOptions) => Partial<IssuerOptions>): Mend {
  return ({ read, options }) => ({ read, options: { ...options, ...more(options) } })
}

const FAR = 4_102_444_800

/** How each failure is mended, so that the next one shows. */
const MENDS: Readonly<Record<string, Mend>> = {
  token_issuer_unknown: withOptions(() => ({ issuer: null })),
  token_type_refused: ({ read, options }) => ({
    options,
    read: { ...read, header: { ...read.header, typ: undefined } },
  }),
  token_subject_malformed: withOptions(({ claims }) => ({ claims: { ...claims, subject: () => 'somebody' } })),
  token_audience_malformed: without('aud'),
  token_audience_missing: withOptions(() => ({ audience: null })),
  token_audience_other: withOptions(() => ({ audience: null })),
  token_bound_to_key: withOptions(() => ({ boundTokens: 'as-bearer' })),
  token_scopes_malformed: withOptions(({ claims }) => ({ claims: { ...claims, scopes: undefined } })),
  token_actor_malformed: without('act'),
  token_time_malformed: (given, { expected }) => {
    const name = expected?.split(' ')[0] ?? ''
    return withClaim(name, name === 'exp' ? FAR : undefined)(given, undefined as never)
  },
  token_not_yet_valid: without('nbf'),
  token_issued_in_future: without('iat'),
  token_without_expiry: withClaim('exp', FAR),
  token_expiry_passed: withClaim('exp', FAR),
}

/** A token, and the one issuer that it is asked by. */
interface Asked {
  readonly read: ReadToken
  readonly issuer: IssuerOptions
}

// As the verifier does: by the token's own word; where there is one issuer alone, by that, so that the rest can be told.
function chooseIssuer({ payload }: ReadToken, issuers: readonly IssuerOptions[]): IssuerOptions | null {
  const [only, ...more] = issuers
  if (more.length === 0) return only ?? null
  const isNamed = (name: string): boolean =>
    name.replace(/\{([^{}]+)\}/, (_, claim: string) => String(payload[claim])) === payload['iss']
  return issuers.find((options) => namesOf(options).some(isNamed)) ?? null
}

/** Every refusal of the claims and of the type, one after another. */
async function claimRefusals(
  { read, issuer }: Asked,
  key: Uint8Array,
  examiner: Examiner,
): Promise<readonly AuthError[]> {
  const refusals: AuthError[] = []
  let given: Mendable | null = { read, options: signedBy(key, issuer) }
  while (given !== null && refusals.length < 2 * Object.keys(MENDS).length) {
    const refusal: AuthError | null = await refusalOf(signAnew(given.read, key), [given.options], examiner, 16_384)
    if (refusal === null) break
    refusals.push(refusal)
    given = MENDS[String(refusal.reason)]?.(given, refusal) ?? null
  }
  return refusals
}

// By hand, because no library signs claims that are malformed.
function signAnew({ header, payload }: ReadToken, key: Uint8Array): string {
  const parts = [{ alg: 'HS256', typ: header['typ'] }, payload].map((part) =>
    Buffer.from(JSON.stringify(part)).toString('base64url'),
  )
  const signed = parts.join('.')
  return `${signed}.${createHmac('sha256', key).update(signed).digest('base64url')}`
}

/**
 * What is wrong with the key or the signature, whatever the claims say: the same keys, no rule of claims. `undefined`: it
 * can't be told apart from the claims.
 */
async function signatureRefusal(
  token: string,
  { read: { header, payload }, issuer: options }: Asked,
  examiner: Examiner,
): Promise<AuthError | null | undefined> {
  const { check: _check, accepts: _accepts, identityIssuer: _of, machines: _machines, types, ...rest } = options
  const { iss } = payload
  const isOpen = options.issuer === null || namesOf(options).some((name) => name.includes('{'))
  const issuer = isOpen || typeof iss !== 'string' ? options.issuer : [...new Set([...namesOf(options), iss])]
  const typ = typeof header['typ'] === 'string' ? header['typ'] : 'JWT'
  const claims = { ...rest.claims, subject: () => 'somebody', scopes: undefined }
  const more = { issuer, claims, audience: null, boundTokens: 'as-bearer', types: [...(types ?? []), typ] } as const
  const relaxed: readonly IssuerOptions[] = [{ ...rest, ...more }]
  try {
    const refusal = await refusalOf(token, relaxed, { ...examiner, now: instantWithin(payload, examiner.now) })
    return refusal === null || isOfKeys(refusal) ? refusal : undefined
  } catch {
    // A name of an issuer that can't be one.
    return undefined
  }
}

function namesOf({ issuer }: IssuerOptions): readonly string[] {
  return issuer === null ? [] : typeof issuer === 'string' ? [issuer] : issuer
}

// An instant at which the token is valid, if there is one.
function instantWithin({ nbf, iat, exp }: Claims, now: number): number {
  const from = Math.max(...[nbf, iat].filter((each) => typeof each === 'number'), Number.NEGATIVE_INFINITY) * 1000
  const until = (typeof exp === 'number' ? exp : Number.POSITIVE_INFINITY) * 1000
  return now >= from && now < until ? now : Number.isFinite(from) ? from : until - 1000
}

function toCheck({ name, reasons, isMinor, passes }: TokenCheck, found: Found, now: number): Check {
  const failed = [...found.failures.values()].find(({ reason }) => isReasonOf(String(reason), name, reasons))
  // What could not be read has nothing that would be worth a line.
  if (failed === undefined) return { name, isMinor: isMinor === true || found.facts === null, ...passes(found, now) }
  const { what, next } = describe(failed, reasonTexts())
  // The issuer's server says nothing of the token.
  const state = /^keys_unavailable/.test((failed as Partial<AuthError>).code ?? '') ? 'unknown' : 'refused'
  return { name, state, says: what, reason: String(failed.reason), try: next }
}

// What no check knows is a rule of the host's own.
function isReasonOf(reason: string, name: string, reasons: readonly string[]): boolean {
  return reasons.includes(reason) || (name === 'rules' && CHECKS.every((check) => !check.reasons.includes(reason)))
}
