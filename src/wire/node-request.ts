/** A Node `IncomingMessage` as the corridor reads it: for Express, Koa, Hono on Node, and raw WebSocket upgrades. */
import { AuthError } from '../errors.ts'
import type { AuthRequest } from '../request.ts'
import { readWatched } from './body-watch.ts'
import { type NodeBodyExtras, type NodeStream, readNodeBody } from './node-body.ts'

/** The part of Node's `IncomingMessage` that is read: any server built on `node:http` has it. */
export interface NodeRequest extends NodeStream {
  readonly method?: string | undefined
  readonly url?: string | undefined
  /** Header lines exactly as they arrived: names and values in turn. */
  readonly rawHeaders: readonly string[]
  readonly socket?:
    | {
        readonly remoteAddress?: string | undefined
        readonly encrypted?: boolean | undefined
        readonly server?: { readonly maxHeadersCount?: number | null | undefined } | undefined
      }
    | null
    | undefined
}

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
 * Read a Node request. No response object is needed, so a WebSocket upgrade can be authenticated too.
 *
 * @example
 * server.on('upgrade', async (message, socket) => {
 *   socket.on('error', () => socket.destroy()) // before anything is awaited: a reset without a listener ends the process
 *   const context = await auth.authenticate(fromNodeRequest(message))
 * })
 */
export function fromNodeRequest(message: NodeRequest, extras: NodeRequestExtras = {}): AuthRequest {
  if (!Array.isArray((message as NodeRequest | undefined)?.rawHeaders)) {
    throw new TypeError('fromNodeRequest: the message must be an IncomingMessage of Node, with its rawHeaders')
  }
  const { source = message, params = null, url = message.url ?? '/' } = extras
  const rawHeaders = (): readonly string[] => requireWhole(message).rawHeaders
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
    upgrade: linesOf(message.rawHeaders, 'upgrade').length > 0,
    body: (limit, timeoutSeconds) =>
      readWatched(source, timeoutSeconds, (seconds) => readNodeBody(message, { limit, seconds }, lines, extras)),
  }
}

/**
 * Whether Node has dropped header lines: it keeps so many and says nothing of the rest, which may hold a second
 * credential, the organization, or a proxy's mark (H1).
 */
export function isCut({ rawHeaders, socket }: Pick<NodeRequest, 'rawHeaders' | 'socket'>): boolean {
  const most = socket?.server?.maxHeadersCount ?? NODES_DEFAULT
  return most > 0 && rawHeaders.length >= most * 2
}

const NODES_DEFAULT = 1000

function requireWhole(message: NodeRequest): NodeRequest {
  if (isCut(message)) throw new AuthError('bad_request', { reason: 'header_lines_dropped' })
  return message
}

function linesOf(rawHeaders: readonly string[], name: string): string[] {
  const lines: string[] = []
  for (let i = 0; i + 1 < rawHeaders.length; i += 2) {
    const key = rawHeaders[i] as string
    if (key.length === name.length && key.toLowerCase() === name) lines.push(rawHeaders[i + 1] as string)
  }
  return lines
}
