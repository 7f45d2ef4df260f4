/** A Fetch `Request` as the pipeline reads it: for Hono and any server that speaks Fetch. */
import { ownMembers } from '../lib/own-members.ts'
import type { AuthRequest } from '../request.ts'
import { readWatched } from './body-watch.ts'
import { type FetchBodyExtras, readFetchBody } from './fetch-body.ts'
import { fromNodeRequest, isCut, joinLines, type NodeRequest, splitJoined } from './node-request.ts'
import { pathOf } from './route-path.ts'

/** What the framework knows beside the Fetch request. */
export interface FetchRequestExtras extends FetchBodyExtras {
  /** The framework's own request object, where it is another one than the request. */
  readonly source?: object | undefined
  /** Path parameters of the matched route. */
  readonly params?: Readonly<Record<string, string | undefined>> | undefined
  /** The peer's address, where the platform tells it. */
  readonly remoteAddress?: string | undefined
  /**
   * The Node request that the platform serves, where there is one: its raw lines are read instead, and the pipeline's work is
   * kept under it. Not where both the headers and the target are others: a request that a handler made up by itself and
   * sent to its own app brings what it brings, and nothing of the request it was made during.
   */
  readonly incoming?: NodeRequest | undefined
}

/**
 * Read a Fetch request. `Headers` has joined repeated lines by a comma, so a comma separates lines here: what can't
 * be told apart is refused.
 *
 * @example
 * const context = await auth.authenticate(fromFetchRequest(request))
 */
export function fromFetchRequest(request: Request, given: FetchRequestExtras = {}): AuthRequest {
  const extras = ownMembers(given)
  const { source = request, params = null, remoteAddress = null, incoming } = extras
  const { headers } = request
  const node = incoming === undefined ? null : fromNodeRequest(incoming)
  const own = {
    source,
    path: pathOf(request.url),
    lines: (name: string) => (name.startsWith(':') ? ownFieldOf(request, name) : splitJoined(name, headers.get(name))),
    headerNames: () => [...headers.keys()],
    upgrade: headers.has('upgrade'),
  }
  const isNodes =
    node !== null && (isCut(incoming as NodeRequest) || isServed(source, request, node, incoming as NodeRequest))
  const { path, lines, headerNames, upgrade, ...kept } = isNodes ? node : own
  return {
    method: request.method.toUpperCase(),
    // As it came, in absolute form too: as on any other Node server.
    path,
    source: kept.source,
    params,
    lines,
    headerNames: headerNames as () => readonly string[],
    remoteAddress: node?.remoteAddress ?? remoteAddress,
    encrypted: node?.encrypted ?? request.url.startsWith('https:'),
    upgrade,
    body: (limit, timeoutSeconds) =>
      readWatched(kept.source, timeoutSeconds, (seconds) =>
        readFetchBody(request, { limit, seconds }, isNodes ? extras : ownMembers({ ...extras, incoming: undefined })),
      ),
  }
}

// By source, judged at the first look: what a middleware makes of the request later changes nothing.
const SERVED: WeakMap<object, boolean> = new WeakMap()

function isServed(source: object, request: Request, node: AuthRequest, message: NodeRequest): boolean {
  const known = SERVED.get(source) ?? (hasSameTarget(request, node) || hasSameHeaders(request, message))
  SERVED.set(source, known)
  return known
}

function hasSameTarget({ method, url }: Request, node: AuthRequest): boolean {
  return method === node.method && (pathOf(url) === node.path || pathOf(url) === pathOf(toUrl(node.path)))
}

// Servers tidy a path up when they make a URL of it.
function toUrl(path: string): string {
  return URL.canParse(path, 'http://localhost') ? new URL(path, 'http://localhost').href : path
}

function hasSameHeaders({ headers }: Request, message: NodeRequest): boolean {
  // HTTP/2 has names that are no headers.
  const joined = [...joinLines(message)].filter(([name]) => !name.startsWith(':'))
  return joined.length === [...headers.keys()].length && joined.every(([name, value]) => headers.get(name) === value)
}

// HTTP/2's own fields: `Headers` throws for their names, and a server without a `Host` to hand on makes the URL of one.
function ownFieldOf({ headers, url }: Request, name: string): string[] {
  const host = /^[a-z][a-z0-9+.-]*:\/\/([^/?#]+)/i.exec(url)?.[1]
  return name !== ':authority' || headers.has('host') || host === undefined ? [] : [host]
}
