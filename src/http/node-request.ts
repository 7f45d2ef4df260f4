/** A Node `IncomingMessage` as the pipeline reads it: for Express, Koa, Hono on Node, and raw WebSocket upgrades. */
import { AuthError } from '../errors.ts'
import { ownMembers } from '../lib/own-members.ts'
import { trimBlanks } from '../lib/trim-blanks.ts'
import type { AuthRequest } from '../request.ts'
import { readWatched } from './body-watch.ts'
import { type NodeBodyExtras, type NodeStream, readNodeBody } from './node-body.ts'

/** The part of Node's `IncomingMessage` that is read: any server built on `node:http` has it. */
export interface NodeRequest extends NodeStream {
  readonly method?: string | undefined
  readonly url?: string | undefined
  /** Header lines exactly as they arrived: names and values in turn. Left out or empty: `headers` is read. */
  readonly rawHeaders?: readonly string[] | undefined
  /** Headers by name, as a platform hands them on that makes requests by itself: repeated lines may be joined. */
  readonly headers?: NodeHeaders | undefined
  readonly socket?:
    | {
        readonly remoteAddress?: string | undefined
        readonly encrypted?: boolean | undefined
        readonly server?: { readonly maxHeadersCount?: number | null | undefined } | undefined
      }
    | null
    | undefined
}

type NodeHeaders = Readonly<Record<string, string | number | readonly string[] | undefined>>

/** What the framework knows beside the message. */
export interface NodeRequestExtras extends NodeBodyExtras {
  /** The framework's own request object, where it is another one than the message. */
  readonly source?: object | undefined
  /** Path parameters of the matched route. */
  readonly params?: Readonly<Record<string, string | undefined>> | undefined
  /** The request target as it arrived, where the framework rewrites `url` for nested apps. */
  readonly url?: string | undefined
}

/**
 * Read a Node request. No response object is needed, so a WebSocket upgrade can be authenticated too. Where a platform has
 * made the message and left `rawHeaders` empty, `headers` counts, by the rules of Fetch: a comma means a repeated header.
 *
 * @throws TypeError for a message that has neither
 * @example
 * server.on('upgrade', async (message, socket) => {
 *   socket.on('error', () => socket.destroy()) // before anything is awaited: a reset without a listener ends the process
 *   const context = await auth.authenticate(fromNodeRequest(message))
 * })
 */
export function fromNodeRequest(message: NodeRequest, given: NodeRequestExtras = {}): AuthRequest {
  if (!hasHeaders(message)) {
    throw new TypeError(
      'fromNodeRequest: the message must be an IncomingMessage of Node, with its rawHeaders or headers',
    )
  }
  const extras = ownMembers(given)
  const { source = message, params = null, url = message.url ?? '/' } = extras
  const arrived = headerLines(message)
  const rawHeaders = (): readonly string[] => requireWhole(message, arrived)
  const lines = (name: string): string[] => linesOf(rawHeaders(), name.toLowerCase())
  return {
    method: (message.method ?? 'GET').toUpperCase(),
    path: url.split('?', 1)[0] as string,
    source,
    params,
    lines,
    headerNames: () => rawHeaders().filter((_, index) => index % 2 === 0),
    remoteAddress: message.socket?.remoteAddress ?? null,
    encrypted: message.socket?.encrypted === true,
    upgrade: linesOf(arrived, 'upgrade').length > 0,
    body: (limit, timeoutSeconds) =>
      readWatched(source, timeoutSeconds, (seconds) => readNodeBody(message, { limit, seconds }, lines, extras)),
  }
}

/**
 * Whether Node has dropped header lines: it keeps so many and says nothing of the rest, which may hold a second
 * credential, the organization, or a proxy's mark.
 */
export function isCut({ rawHeaders, socket }: Pick<NodeRequest, 'rawHeaders' | 'socket'>): boolean {
  const most = socket?.server?.maxHeadersCount ?? NODES_DEFAULT
  return most > 0 && (rawHeaders?.length ?? 0) >= most * 2
}

const NODES_DEFAULT = 1000

function requireWhole(message: NodeRequest, lines: readonly string[]): readonly string[] {
  if (isCut(message)) throw new AuthError('bad_request', { reason: 'header_lines_dropped' })
  return lines
}

function hasHeaders(message: Partial<NodeRequest> | null | undefined): boolean {
  const headers = message?.headers
  return Array.isArray(message?.rawHeaders) || (typeof headers === 'object' && headers !== null)
}

// Node's own messages have raw lines wherever they have headers.
function headerLines({ rawHeaders, headers }: NodeRequest): readonly string[] {
  if (Array.isArray(rawHeaders) && rawHeaders.length > 0) return rawHeaders
  return Object.entries(headers ?? {}).flatMap(([name, value = []]) =>
    [value].flat().flatMap((each) => splitJoined(name, trimBlanks(String(each))).flatMap((line) => [name, line])),
  )
}

/**
 * The lines of a header that a platform has joined: a comma may separate two, so it does. Of cookies only a
 * semicolon does (RFC 9113 §8.2.3): their values may hold commas.
 */
export function splitJoined(name: string, value: string | null): string[] {
  if (value === null) return []
  return name.toLowerCase() === 'cookie' ? [value] : value.split(/, ?/)
}

/** Every header of a request by its name in lower case, its lines joined as `Headers` would. One pass over them. */
export function joinLines(message: NodeRequest): ReadonlyMap<string, string> {
  const lines = headerLines(message)
  const joined = new Map<string, string[]>()
  for (let i = 0; i + 1 < lines.length; i += 2) {
    const name = (lines[i] as string).toLowerCase()
    const values = joined.get(name)
    if (values === undefined) joined.set(name, [lines[i + 1] as string])
    else values.push(lines[i + 1] as string)
  }
  return new Map([...joined].map(([name, values]) => [name, values.join(name === 'cookie' ? '; ' : ', ')]))
}

function linesOf(rawHeaders: readonly string[], name: string): string[] {
  const lines: string[] = []
  for (let i = 0; i + 1 < rawHeaders.length; i += 2) {
    const key = rawHeaders[i] as string
    if (key.length === name.length && key.toLowerCase() === name) lines.push(rawHeaders[i + 1] as string)
  }
  return lines
}
