/**
 * The cross-site rule for cookies: a browser sends them along by itself, so an unsafe request that relies on one must
 * come from our own pages. Decided by what browsers say of a request and scripts can't forge.
 */
import { AuthError } from '../errors.ts'
import type { AuthRequest } from '../request.ts'

const SAFE_METHODS: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS'])

/**
 * Refuse an unsafe request (a WebSocket upgrade counts) that another site may have caused.
 *
 * @param origin our own origin, or `null` to take it from the socket and the host that the request names
 * @param cookiePresent whether the session cookie came along: without both headers only then is it refused
 * @throws AuthError `forbidden`
 */
export function requireSameOrigin(request: AuthRequest, origin: string | null, cookiePresent: boolean): void {
  if (SAFE_METHODS.has(request.method) && !request.upgrade) return
  if (isSameOrigin(request, origin, cookiePresent)) return
  throw new AuthError('forbidden', { reason: 'cross_site_request', ...describe(request, origin) })
}

// For the log: the words of one header, and of the other whatever has the form of an origin.
function describe(request: AuthRequest, own: string | null): { readonly expected: string; readonly got: string } {
  const site = request.lines('sec-fetch-site')
  const origins = request.lines('origin')
  const sites = site.map((word) => (/^(?:cross-site|same-(?:site|origin)|none)$/.test(word) ? word : 'another word'))
  const got = origins.map((origin) =>
    /^(?:[a-z][a-z\d+.-]*:\/\/[\w.:[\]-]+|null)$/i.test(origin) ? origin : 'another form',
  )
  if (site.length > 0) return { expected: 'Sec-Fetch-Site: same-origin or none', got: [...sites, ...got].join(', ') }
  if (origins.length === 0) return { expected: 'Sec-Fetch-Site or Origin', got: 'neither' }
  return { expected: `Origin: ${own ?? ownOrigin(request) ?? 'that of Host'}`, got: got.join(', ') }
}

function isSameOrigin(request: AuthRequest, own: string | null, cookiePresent: boolean): boolean {
  const site = request.lines('sec-fetch-site')
  if (site.length > 0) return site.length === 1 && (site[0] === 'same-origin' || site[0] === 'none')
  const origin = request.lines('origin')
  if (origin.length > 0) return origin.length === 1 && origin[0] === (own ?? ownOrigin(request))
  return !cookiePresent
}

// X-Forwarded-Proto means nothing here: behind a proxy the host names its public URL.
function ownOrigin(request: AuthRequest): string | null {
  const host = ownHost(request)
  return host === null ? null : `${request.encrypted ? 'https' : 'http'}://${host}`
}

/**
 * The host that a request names, in lower case and with its port: `Host`, and on HTTP/2 `:authority` (RFC 9113 §8.3.1).
 * `null` where it names none, or two that differ.
 */
function ownHost({ lines }: Pick<AuthRequest, 'lines'>): string | null {
  const hosts = new Set([...lines(':authority'), ...lines('host')].map((host) => host.toLowerCase()))
  const [host = ''] = hosts
  return hosts.size === 1 && host !== '' ? host : null
}
