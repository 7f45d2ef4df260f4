/**
 * The first step: what the request brought to prove who calls. None → `null`, one → a Credential, two → refused.
 * Read from headers only: never from query, body, trailers or `Proxy-Authorization`.
 */

import type { Credential } from '../context.ts'
import { AuthError, type AuthErrorDetails } from '../errors.ts'
import { requireAtOnce } from '../lib/at-once.ts'
import { ownMembers } from '../lib/parse-options.ts'
import type { AuthRequest } from '../request.ts'
import { describeScheme, hasBearerForm, readBearer, requireBearerSize } from './bearer.ts'
import { hasCookie, readCookie } from './cookie.ts'
import { requireSameOrigin } from './csrf.ts'

/** What the extractor looks for. */
export interface ExtractorOptions {
  /** Headers that carry a service secret. */
  readonly serviceHeaders: readonly string[]
  /** Prefix of API keys, or `null` where there are none. */
  readonly apiKeyPrefix: string | null
  /** The session cookie; left out: there is none. */
  readonly cookie?: AmbientSource | undefined
  /** The header of a gateway, which stands in the place of `Authorization`; left out: there is none. */
  readonly gateway?: AmbientSource | undefined
  /** Dev mode; left out: there is no such mode. */
  readonly dev?: DevAuthenticator | undefined
}

/** A cookie, or a header that a gateway writes: what comes along without the page that sends the request doing anything. */
export interface AmbientSource {
  readonly name: string
  /** Our own origin, or `null` to take it from the socket and the host that the request names. */
  readonly origin: string | null
}

/**
 * Dev mode, `createDevLogin` of `sallyport/login`: looks at a request before anything else is read of it, on public routes
 * too, and hands on what stands in for a credential where it brings none.
 * @throws AuthError `forbidden`
 */
export type DevAuthenticator = (request: AuthRequest) => Credential

/** Step 1. */
export interface Extractor {
  /** Read the one credential of a request, or `null`. */
  extract(request: AuthRequest): Credential | null
  /** Apply the cross-site rule to a route that needs no credential (login, logout): not to what came with a bearer token. */
  checkPublic(request: AuthRequest): void
  /** For the refusal of a request that brought none: where it looks for one, and what there was instead. */
  describeMissing(request: AuthRequest): Pick<AuthErrorDetails, 'expected' | 'got'>
  /** The headers where a token may be. */
  readonly tokenHeaders: readonly string[]
}

const MAX_CREDENTIAL_BYTES = 8192
const AT_MOST = `at most ${MAX_CREDENTIAL_BYTES} bytes`
const NONE: readonly never[] = Object.freeze([])

/** Build step 1: pure, no storage, no network. */
export function createExtractor(options: ExtractorOptions): Extractor {
  const { serviceHeaders, apiKeyPrefix, cookie, gateway, dev } = ownMembers(options)
  const headers = [...new Set(serviceHeaders.map((name) => name.toLowerCase()))]
  const ambient = (gateway && toGateway(gateway)) ?? (cookie && toCookie(cookie))
  const places = [gateway === undefined ? 'Authorization: Bearer' : [], ambient?.place ?? [], headers].flat()
  const authorizationOf = ({ lines }: AuthRequest): readonly string[] =>
    gateway === undefined ? lines('authorization') : []

  const standInOf = (request: AuthRequest): Credential | null =>
    dev === undefined ? null : (requireAtOnce('createAuth: option "dev"', dev(request)) ?? null)

  const fromHeaders = (request: AuthRequest): Credential | null => {
    const authorization = authorizationOf(request)
    requireServiceSizes(request, headers)
    requireBearerSize(authorization, MAX_CREDENTIAL_BYTES)
    const services = headers.length === 0 ? NONE : headers.flatMap((header) => readService(request, header))
    const token = readBearer(authorization)
    const bearer = token === null ? null : toBearer(token, apiKeyPrefix)
    return services.length === 0 ? bearer : requireOne(services, bearer)
  }

  return {
    tokenHeaders: [gateway === undefined ? 'Authorization' : [], ambient?.header ?? []].flat(),
    describeMissing: (request) => ({ expected: places.join(', '), got: describeScheme(authorizationOf(request)) }),
    extract(request) {
      const standIn = standInOf(request)
      const found = fromHeaders(request)
      if (found !== null) return found
      const token = authorizationOf(request).length > 0 ? undefined : ambient?.tokenOf(request)
      if (ambient === undefined || token == null) return standIn
      requireSameOrigin(request, ambient.origin, true)
      return { kind: 'bearer', token, from: ambient.from }
    },
    checkPublic(request) {
      standInOf(request)
      if (ambient === undefined || hasBearerForm(authorizationOf(request))) return
      requireSameOrigin(request, ambient.origin, ambient.isPresent(request))
    },
  }
}

function requireOne(services: readonly Credential[], bearer: Credential | null): Credential {
  const found = bearer === null ? services : [...services, bearer]
  if (found.length === 1) return found[0] as Credential
  const got = found.map((each) => (each.kind === 'service' ? each.header : each.kind)).join(', ')
  throw new AuthError('bad_request', { reason: 'credential_ambiguous', expected: '1 credential', got })
}

/** How a token is read that comes along by itself: the cross-site rule holds for it. */
interface Ambient {
  readonly from: 'cookie' | 'gateway'
  /** Where it is looked for, for a log, and by which header. */
  readonly place: string
  readonly header: string
  readonly origin: string | null
  tokenOf(request: AuthRequest): string | null
  isPresent(request: AuthRequest): boolean
}

function toCookie({ name, origin }: AmbientSource): Ambient {
  const linesOf = ({ lines }: AuthRequest): readonly string[] => lines('cookie')
  return {
    ...{ from: 'cookie', place: `Cookie: ${name}`, header: 'Cookie', origin },
    tokenOf: (request) => readCookie(linesOf(request), name, MAX_CREDENTIAL_BYTES),
    isPresent: (request) => hasCookie(linesOf(request), name),
  }
}

function toGateway({ name, origin }: AmbientSource): Ambient {
  const linesOf = ({ lines }: AuthRequest): readonly string[] => lines(name)
  return {
    ...{ from: 'gateway', place: name, header: name, origin },
    tokenOf: (request) => readGateway(name, linesOf(request)),
    isPresent: (request) => linesOf(request).length > 0,
  }
}

// The token alone, without a scheme.
function readGateway(header: string, lines: readonly string[]): string | null {
  if (lines.some((line) => line.length > MAX_CREDENTIAL_BYTES)) {
    throw new AuthError('unauthorized', { reason: 'gateway_token_too_long', expected: AT_MOST })
  }
  const [token] = lines
  if (token !== undefined && (lines.length > 1 || !/^[^\t ,]+$/.test(token))) {
    const [expected, got] = [`1 line of ${header}, a token alone`, `${lines.length} lines`]
    throw new AuthError('bad_request', { reason: 'gateway_header_malformed', expected, got })
  }
  return token ?? null
}

function toBearer(token: string, apiKeyPrefix: string | null): Credential {
  return apiKeyPrefix !== null && token.startsWith(`${apiKeyPrefix}_`)
    ? { kind: 'apiKey', token }
    : { kind: 'bearer', token, from: 'header' }
}

function requireServiceSizes(request: AuthRequest, headers: readonly string[]): void {
  for (const header of headers) {
    for (const line of request.lines(header)) {
      if (line.length <= MAX_CREDENTIAL_BYTES) continue
      throw new AuthError('unauthorized', { reason: 'service_secret_too_long', expected: AT_MOST })
    }
  }
}

// An empty header still counts: it says "a service calls", and no secret is empty.
function readService(request: AuthRequest, header: string): Credential[] {
  const lines = request.lines(header)
  const [secret] = lines
  if (secret === undefined) return []
  if (lines.length > 1 || secret.includes(',')) {
    const expected = `1 line of ${header}, without a comma`
    throw new AuthError('bad_request', { reason: 'service_header_repeated', expected, got: `${lines.length} lines` })
  }
  return [{ kind: 'service', header, secret }]
}
