/** Our headers on what a Hono handler answers: on its own Response, on the context's, and on Node's. */
import type { Context } from 'hono'
import { keepHeaders, mergeHeader, type NodeRequest, type NodeResponse, withHeaders } from '../src/http/index.ts'
import type { AuthRequest } from '../src/request.ts'

/** Reads our headers at the moment they are written. */
export type HeadersOf = Parameters<typeof keepHeaders>[1]

/** Node's own request and response, where Hono runs on Node. */
export interface Node {
  readonly incoming: NodeRequest
  readonly outgoing: NodeResponse | undefined
}

/** Find what the server says of Node, by its own word, never by one of `Object.prototype`. */
export function nodeOf({ env }: Context): Node | null {
  if (typeof env !== 'object' || env === null) return null
  const incoming = ownOf(env, 'incoming') as Partial<NodeRequest> | undefined
  if (typeof incoming !== 'object' || incoming === null) return null
  // A message that a platform has made has `headers` alone; so has a Request of Fetch, which is none of Node's.
  const isNode =
    Array.isArray(incoming.rawHeaders) || (typeof incoming.headers === 'object' && typeof incoming.on === 'function')
  return isNode
    ? { incoming: incoming as NodeRequest, outgoing: ownOf(env, 'outgoing') as NodeResponse | undefined }
    : null
}

function ownOf(env: object, name: string): unknown {
  return Object.hasOwn(env, name) ? (env as Readonly<Record<string, unknown>>)[name] : undefined
}

/**
 * Have our headers on the answer, before the handler runs. On Node its own response carries them, to a stream, a plain Response
 * and an error page, too: nothing is asked of Hono's then, for its server would make a Response of Fetch, which costs more
 * than all that is done here. Elsewhere they are set on the context; `Vary` only once the answer is there: until then others
 * may still set theirs.
 *
 * @param source what the request was authenticated as: Node's, unless a handler has made it up
 * @returns whether Node carries them; else they must be put on the answer, too
 */
export function announce(c: Context, node: Node | null, source: object, headersOf: HeadersOf): boolean {
  if (node?.outgoing !== undefined && source === node.incoming) {
    keepHeaders(node.outgoing, headersOf)
    if (isAsSent(c, node)) return true
  }
  for (const [name, value] of headersOf()) if (name !== 'Vary') c.header(name, value)
  return false
}

// Else a middleware or a handler has made a request of Node's, and may look at the answer to it.
function isAsSent({ req: { url } }: Context, { incoming, outgoing }: Node): boolean {
  return outgoing?.req === incoming && url.slice(url.indexOf('/', 'https://'.length)) === incoming.url
}

/** A request of which no response of Node's says when its head is out. */
export interface Unheard {
  readonly request: AuthRequest
  /** Tell that the answer is there. */
  end(): void
}

/** Tell whoever listens for its head when the outermost mount has the answer: then it is out, as good as. */
export function createUnheard(read: AuthRequest): Unheard {
  const listeners: (() => void)[] = []
  const whenAnswered = (listener: () => void): unknown => listeners.push(listener)
  return {
    request: { ...read, whenAnswered },
    end() {
      for (const listener of listeners) listener()
    },
  }
}

/**
 * Put our headers on an answer, and hand it back; on the context's own where the handler gave none. Asking for `c.res`
 * makes it, and whatever replaces it (an error page, say) inherits its headers.
 */
export function stamp(c: Context, headersOf: HeadersOf, answer?: Response): Response | undefined {
  if (answer !== undefined) {
    if (isTakenOver(answer)) return answer
    const response = withHeaders(answer, headersOf())
    keepVary(c, response.headers.get('Vary'))
    return response
  }
  const { headers } = c.res
  for (const [name, value] of isTakenOver(c.res) ? [] : headersOf()) {
    const wanted = mergeHeader(name, headers.get(name), value)
    if (headers.get(name) !== wanted) c.header(name, wanted)
  }
  return undefined
}

// What an earlier middleware has set on `c.res` is put over the answer's own headers by Hono: its `Vary` must say ours too.
function keepVary(c: Context, value: string | null): void {
  const present = c.newResponse(null).headers.get('Vary')
  if (present !== null && value !== null) c.header('Vary', mergeHeader('Vary', present, value))
}

// Another protocol has the connection, or the handler has written to Node's response by itself: a copy would not say so.
function isTakenOver({ status, headers }: Response): boolean {
  return status === 101 || headers.has('x-hono-already-sent')
}
