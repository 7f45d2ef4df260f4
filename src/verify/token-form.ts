/**
 * The form of a token, before anything is trusted or looked up: size, three canonical base64url parts, a header
 * without surprises, a payload that is an object. Hands on the two, read once; or refuses with `unauthorized`.
 */
import { type AuthError, isAuthError, refused } from '../errors.ts'
import { decodeBase64UrlBinary, isBase64Url, toBinary, toBytes } from '../lib/base64url.ts'
import { describeValue } from '../lib/log-text.ts'
import { describeDamage } from '../lib/token-damage.ts'

/** An HMAC algorithm (RFC 7518 §3.2). */
export type SecretAlgorithm = 'HS256' | 'HS384' | 'HS512'

/** A key pair's algorithm (RFC 7518 §3.3 to §3.5, RFC 8037): what a JWK may be used for. */
export type KeyAlgorithm = `${'ES' | 'RS' | 'PS'}${256 | 384 | 512}` | 'EdDSA'

/** A signature algorithm, by the name it has here; `EdDSA` and `Ed25519` (RFC 9864) are one. */
export type Algorithm = SecretAlgorithm | KeyAlgorithm

/** All of HMAC. */
export const SECRET_ALGORITHMS: readonly SecretAlgorithm[] = ['HS256', 'HS384', 'HS512']

/** All of RSA, by both paddings. */
export const RSA_ALGORITHMS: readonly KeyAlgorithm[] = ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512']

/** The others. */
export const CURVE_ALGORITHMS: readonly KeyAlgorithm[] = ['ES256', 'ES384', 'ES512', 'EdDSA']

const ALL: ReadonlySet<unknown> = /* @__PURE__ */ new Set([
  ...SECRET_ALGORITHMS,
  ...CURVE_ALGORITHMS,
  ...RSA_ALGORITHMS,
])

const ALL_NAMES: string = /* @__PURE__ */ [...ALL, 'Ed25519'].join(', ')

/** What a header says. */
export interface TokenHeader {
  readonly algorithm: Algorithm
  /** The key id, or `null` where the token has none. */
  readonly kid: string | null
  /** The `typ` header by {@link toTokenType}, or `null` where the token has none. */
  readonly type: string | null
}

/** What is asked of headers that were read before: what one of this text says. */
interface ReadHeaders {
  get(text: string): TokenHeader | undefined
}

/** A token taken apart. Nothing in it is verified. */
export interface TokenForm extends TokenHeader {
  /** The header as it came. */
  readonly headerText: string
  /** The claims: read them by {@link ownOf}. */
  readonly payload: object
  /** What is signed: header and payload as they came (RFC 7515 §5.2). */
  readonly input: string
  /** The signature, in canonical base64url: it is decoded where it is checked. */
  readonly signature: string
}

const MAX_KID = 256

// `ignoreBOM` keeps a byte order mark in the text, where JSON.parse refuses it.
const utf8: TextDecoder = /* @__PURE__ */ new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** Read one own member of a parsed JSON object: what sits on a prototype is not there. */
export function ownOf(object: object, name: string): unknown {
  return Object.hasOwn(object, name) ? (object as Record<string, unknown>)[name] : undefined
}

/** Find the algorithm a JOSE `alg` value means here, if any. */
export function toAlgorithm(alg: unknown): Algorithm | undefined {
  const name = alg === 'Ed25519' ? 'EdDSA' : alg
  return ALL.has(name) ? (name as Algorithm) : undefined
}

/** Ask whether an algorithm is an HMAC: what meets secrets only, as the others meet key pairs only. */
export function isSecretAlgorithm(algorithm: Algorithm): algorithm is SecretAlgorithm {
  return algorithm.startsWith('HS')
}

/** Bring a media type of a token to one form: lower case, without `application/` (RFC 7515 §4.1.9). */
export function toTokenType(typ: string): string {
  const lower = typ.toLowerCase()
  return lower.startsWith('application/') ? lower.slice('application/'.length) : lower
}

/** Refuse a token by its size alone: the one check that comes before everything else. */
export function checkTokenSize(token: string, maxTokenBytes: number): void {
  // Only ASCII is accepted further down, so characters are bytes.
  if (typeof token !== 'string' || token.length > maxTokenBytes) {
    const [expected, got] = [`at most ${maxTokenBytes} bytes`, `${token?.length} bytes`]
    throw refused('unauthorized', { reason: 'token_oversize', expected, got })
  }
}

/**
 * Ask whether a token could have been verified before, by its size and its ends alone: a header, `{"` or `{` and a space in
 * base64url, and a signature. One whose header begins with other white space is verified each time.
 */
export function mayBeKnown(token: string, maxTokenBytes: number): boolean {
  return typeof token === 'string' && token.length <= maxTokenBytes && token.startsWith('ey') && !token.endsWith('.')
}

/** Take a token apart, or refuse it; one over `maxTokenBytes` isn't even decoded. */
export function requireTokenForm(token: string, maxTokenBytes: number): TokenForm {
  checkTokenSize(token, maxTokenBytes)
  const form = readTokenForm(token)
  if (isAuthError(form)) throw form
  return form
}

/**
 * Take a token apart whose size is right. The refusal is handed on: a throw costs by how many functions it passes through.
 * @param known headers that were read before, by their texts
 */
export function readTokenForm(token: string, known?: ReadHeaders): TokenForm | AuthError {
  const first = token.indexOf('.')
  if (first < 0) {
    // What JavaScript makes of a variable without a value; what keys of providers begin with. Nobody's secret.
    const [got] =
      /^(?:undefined|null|NaN|\[object [A-Z]\w+\])$|^[ps][bk]_(?:secret|publishable|live|test)_/.exec(token) ?? []
    return refused('unauthorized', { reason: 'token_not_a_jwt', got })
  }
  const second = token.indexOf('.', first + 1)
  const last = token.slice(second + 1)
  if (first === 0 || second <= first + 1 || last === '' || last.includes('.')) {
    const got = `${token.split('.').length} parts`
    return refused('unauthorized', { reason: 'token_part_count', expected: '3 parts, none empty', got })
  }
  const headerText = token.slice(0, first)
  const header = known?.get(headerText) ?? readHeader(headerText)
  if (isAuthError(header)) return header
  const payloadText = decodeBase64UrlBinary(token.slice(first + 1, second))
  if (payloadText === null) return misspelt(token)
  const payload = parseObject(payloadText)
  if (payload === null) return refused('unauthorized', { reason: 'token_payload_not_object' })
  if (!isBase64Url(last)) return misspelt(token)
  const { algorithm, kid, type } = header
  return { algorithm, kid, type, headerText, payload, input: token.slice(0, second), signature: last }
}

/** Read the claims of a token that {@link readTokenForm} took before. */
export function readPayload(token: string): object {
  const payload = token.slice(token.indexOf('.') + 1, token.lastIndexOf('.'))
  return parseObject(toBinary(payload)) ?? {}
}

function misspelt(token: string): AuthError {
  return refused('unauthorized', { reason: 'token_part_encoding', got: describeDamage(token) })
}

/** Refuse a token whose type is not among `types`; without one it passes unless `isRequired`. */
export function requireTokenType({ type }: TokenForm, types: ReadonlySet<string>, isRequired = false): void {
  if (type === null ? isRequired : !types.has(type)) {
    const [expected, got] = [[...types].join(', '), type ?? 'none']
    throw refused('unauthorized', { reason: 'token_type_refused', expected, got })
  }
}

const EXTENSIONS: readonly string[] = ['crit', 'b64', 'zip']

function readHeader(text: string): TokenHeader | AuthError {
  const binary = decodeBase64UrlBinary(text)
  if (binary === null) return misspelt(text)
  const header = parseObject(binary)
  if (header === null) return refused('unauthorized', { reason: 'token_header_not_object' })
  const extension = EXTENSIONS.find((name) => Object.hasOwn(header, name))
  if (extension !== undefined) {
    return refused('unauthorized', { reason: 'token_header_extension', got: extension })
  }
  const alg = ownOf(header, 'alg')
  const algorithm = toAlgorithm(alg)
  if (algorithm === undefined) {
    return refused('unauthorized', { reason: 'token_algorithm_unknown', expected: ALL_NAMES, got: describeValue(alg) })
  }
  const kid = ownOf(header, 'kid')
  if (kid !== undefined && (typeof kid !== 'string' || kid.length > MAX_KID)) {
    const expected = `text of at most ${MAX_KID} characters`
    return refused('unauthorized', { reason: 'token_kid_malformed', expected, got: typeof kid })
  }
  const typ = ownOf(header, 'typ')
  if (typ !== undefined && typeof typ !== 'string') {
    return refused('unauthorized', { reason: 'token_type_malformed', expected: 'text', got: typeof typ })
  }
  return { algorithm, kid: kid ?? null, type: typ === undefined ? null : toTokenType(typ) }
}

function parseObject(binary: string): object | null {
  // What is no object is not parsed: a failure of the parser costs more than all the rest of a refusal.
  if (!binary.trimStart().startsWith('{')) return null
  try {
    // Visible ASCII is its own UTF-8, and nearly every token is nothing else.
    return JSON.parse(/[^ -~]/.test(binary) ? utf8.decode(toBytes(binary)) : binary) as object
  } catch {
    return null
  }
}
