/**
 * The first step: what the request brought to prove who calls. None → `null`, one → a Credential, two → refused.
 * Read from headers only: never from query, body, trailers or `Proxy-Authorization`.
 */
import type { Credential } from '../context.ts'
import { AuthError, type AuthErrorDetails } from '../errors.ts'
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
  /** The session cookie, or `null` where there is none. */
  readonly cookie: { readonly name: string; readonly origin: string | null } | null
  /** Dev mode; left out: there is no such mode. */
  readonly dev?: DevAuthenticator | undefined
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
  /** Whether a cookie may be a credential. */
  readonly readsCookie: boolean
}

const MAX_CREDENTIAL_BYTES = 8192

/** Build step 1: pure, no storage, no network. */
export function createExtractor({ serviceHeaders, apiKeyPrefix, cookie, dev }: ExtractorOptions): Extractor {
  const headers = [...new Set(serviceHeaders.map((name) => name.toLowerCase()))]
  const places = ['Authorization: Bearer', ...(cookie === null ? [] : [`Cookie: ${cookie.name}`]), ...headers].join(
    ', ',
  )

  const fromHeaders = (request: AuthRequest): Credential[] => {
    const authorization = request.lines('authorization')
    requireServiceSizes(request, headers)
    requireBearerSize(authorization, MAX_CREDENTIAL_BYTES)
    const found: Credential[] = headers.flatMap((header) => readService(request, header))
    const token = readBearer(authorization)
    if (token !== null) found.push(toBearer(token, apiKeyPrefix))
    return found
  }
  const cookieOf = (request: AuthRequest): string | null =>
    cookie === null ? null : readCookie(request.lines('cookie'), cookie.name, MAX_CREDENTIAL_BYTES)

  return {
    readsCookie: cookie !== null,
    describeMissing: (request) => ({ expected: places, got: describeScheme(request.lines('authorization')) }),
    extract(request) {
      const standIn = dev?.(request) ?? null
      const found = fromHeaders(request)
      if (found.length > 1) {
        const got = found.map((each) => (each.kind === 'service' ? each.header : each.kind)).join(', ')
        throw new AuthError('bad_request', { reason: 'credential_ambiguous', expected: '1 credential', got })
      }
      if (found[0] !== undefined) return found[0]
      if (cookie === null || request.lines('authorization').length > 0) return standIn
      const token = cookieOf(request)
      if (token === null) return standIn
      requireSameOrigin(request, cookie.origin, true)
      return { kind: 'bearer', token, from: 'cookie' }
    },
    checkPublic(request) {
      dev?.(request)
      if (cookie === null || hasBearerForm(request.lines('authorization'))) return
      requireSameOrigin(request, cookie.origin, hasCookie(request.lines('cookie'), cookie.name))
    },
  }
}

function toBearer(token: string, apiKeyPrefix: string | null): Credential {
  return apiKeyPrefix !== null && token.startsWith(`${apiKeyPrefix}_`)
    ? { kind: 'apiKey', token }
    : { kind: 'bearer', token, from: 'header' }
}

function requireServiceSizes(request: AuthRequest, headers: readonly string[]): void {
  if (headers.some((header) => request.lines(header).some((line) => line.length > MAX_CREDENTIAL_BYTES))) {
    const expected = `at most ${MAX_CREDENTIAL_BYTES} bytes`
    throw new AuthError('unauthorized', { reason: 'service_secret_too_long', expected })
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
