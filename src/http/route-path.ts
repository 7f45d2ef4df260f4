/** A Route's path: the one grammar all adapters mount, and the matcher for a framework that has no router. */
import { isRoutePath, optionsError } from '../lib/parse-options.ts'

/** Find the route that serves a method and a request target as it arrived, with its percent-decoded parameters. */
export type RouteFinder<R> = (
  method: string,
  target: string,
) => { readonly route: R; readonly params: Readonly<Record<string, string>> } | null

/**
 * Compile the paths of Routes: literal segments and `:name`, each one whole segment that isn't empty. A match is exact and
 * case-sensitive, a slash at the end is a segment more, nothing is normalised, and each costs one pass over the target.
 * A target with a segment of dots (`..`, `%2e`) matches nothing: some servers would make another path of it. HEAD is served
 * by GET. A parameter whose percent-escapes are broken is no match, nor is a target without a path (`*`); of one that names a
 * host (RFC 9112 §3.2.2) the path counts, and a query never does. It never throws. For who writes an adapter.
 *
 * @param routes what may be found; of two that match the first is
 * @throws OptionsError for a path that some framework's router would read otherwise (`*`, `?`, `(`, a `:name` twice, …)
 * @example
 * createRouteFinder([{ method: 'GET', path: '/orgs/:id' }])('GET', '/orgs/7') // { route, params: { id: '7' } }
 */
export function createRouteFinder<R extends { readonly method: string; readonly path: string }>(
  routes: readonly R[],
): RouteFinder<R> {
  const compiled = routes.map((route) => ({ route, wanted: segmentsOf(route.path) }))
  return (method, target) => {
    const given = pathOf(target).split('/')
    if (given.some(isDots)) return null
    for (const { route, wanted } of compiled) {
      const params = route.method === (method === 'HEAD' ? 'GET' : method) ? match(wanted, given) : null
      if (params !== null) return { route, params }
    }
    return null
  }
}

/** The path of a request target or a URL as it was written, without its query; empty for a URL that is none. */
export function pathOf(target: string): string {
  const rest = target.replace(/^[a-z][a-z0-9+.-]*:\/\/[^/?#]*/i, '')
  const path = rest.split(/[?#]/, 1)[0] as string
  if (rest === target) return path
  return URL.canParse(target) ? path || '/' : ''
}

function match(wanted: readonly string[], given: readonly string[]): Record<string, string> | null {
  if (given.length !== wanted.length) return null
  const params: Record<string, string> = {}
  for (const [index, segment] of wanted.entries()) {
    const text = given[index] as string
    if (!segment.startsWith(':')) {
      if (text !== segment) return null
      continue
    }
    const value = decode(text)
    if (value === null) return null
    params[segment.slice(1)] = value
  }
  return params
}

function segmentsOf(path: unknown): readonly string[] {
  if (isRoutePath(path)) return path.split('/')
  throw optionsError('Route', 'path', 'must be "/" and segments that are plain text or one ":name" each')
}

// RFC 3986 §5.2.4, and what the URL Standard takes for the same.
function isDots(segment: string): boolean {
  return /^(?:\.|%2e){1,2}$/i.test(segment)
}

function decode(text: string): string | null {
  if (text === '') return null
  try {
    return decodeURIComponent(text)
  } catch {
    return null
  }
}
