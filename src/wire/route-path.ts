/** A Route's path: the one grammar all adapters mount, and the matcher for a framework that has no router. */

/** Find the route that serves a method and a raw pathname, with its percent-decoded parameters. */
export type RouteFinder<R> = (
  method: string,
  pathname: string,
) => { readonly route: R; readonly params: Readonly<Record<string, string>> } | null

/**
 * Compile the paths of Routes: literal segments and `:name`, each one whole segment that isn't empty. A match is exact and
 * case-sensitive, nothing is normalised, and each costs one pass over the pathname (R4). HEAD is served by GET. A
 * parameter whose percent-escapes are broken is no match. For who writes an adapter: a framework with a router of its own
 * still checks its routes by it.
 *
 * @throws TypeError for a path that some framework's router would read otherwise (`*`, `?`, `(`, a `:name` twice, …)
 * @example
 * createRouteFinder([{ method: 'GET', path: '/orgs/:id' }])('GET', '/orgs/7') // { route, params: { id: '7' } }
 */
export function createRouteFinder<R extends { readonly method: string; readonly path: string }>(
  routes: readonly R[],
): RouteFinder<R> {
  const compiled = routes.map((route) => ({ route, wanted: segmentsOf(route.path) }))
  return (method, pathname) => {
    const given = pathname.split('/')
    for (const { route, wanted } of compiled) {
      const params = route.method === (method === 'HEAD' ? 'GET' : method) ? match(wanted, given) : null
      if (params !== null) return { route, params }
    }
    return null
  }
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
  const segments = typeof path === 'string' ? path.split('/') : []
  const names = segments.filter((segment) => segment.startsWith(':'))
  const isKnown = (segment: string): boolean =>
    /^:[A-Za-z_][A-Za-z0-9_]*$/.test(segment) || /^[A-Za-z0-9._~-]+$/.test(segment)
  const [root, ...rest] = segments
  const known = root === '' && rest.length > 0 && (rest.every(isKnown) || path === '/')
  if (!known || names.includes(':__proto__') || new Set(names).size < names.length) {
    throw new TypeError('Route: option "path" must be "/" and segments that are plain text or one ":name" each')
  }
  return segments
}

function decode(text: string): string | null {
  if (text === '') return null
  try {
    return decodeURIComponent(text)
  } catch {
    return null
  }
}
