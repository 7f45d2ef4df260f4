/** Our headers on what a Hono handler answers: on its own Response, on the context's, and on Node's. */
import type { Context } from 'hono'
import { keepHeaders, mergeHeader, type NodeRequest, type NodeResponse, withHeaders } from '../src/http/index.ts'

/** Reads our headers at the moment they are written. */
export type HeadersOf = Parameters<typeof keepHeaders>[1]

/** Node's own request and response, where Hono runs on Node. */
export function nodeOf(
  c: Context,
): { readonly incoming: NodeRequest; readonly outgoing?: NodeResponse | undefined } | null {
  // The server's own word, never one of `Object.prototype`.
  const env = Object.assign(Object.create(null), c.env) as { readonly incoming?: Partial<NodeRequest> | undefined }
  const { rawHeaders, headers, on } = env.incoming ?? {}
  // A message that a platform has made has `headers` alone; so has a Request of Fetch, which is none of Node's.
  const isNode = Array.isArray(rawHeaders) || (typeof headers === 'object' && typeof on === 'function')
  return isNode ? (env as { readonly incoming: NodeRequest }) : null
}

/**
 * Set our headers on the context before the handler runs. `Vary` only once the answer is there: until then others may
 * still set theirs. On Node also at the last moment: an error page that is a plain Response of `app.onError` has none.
 *
 * @param source what the request was authenticated as: Node's, unless a handler has made it up
 */
export function announce(c: Context, source: object, headersOf: HeadersOf): HeadersOf {
  for (const [name, value] of headersOf()) if (name !== 'Vary') c.header(name, value)
  const node = nodeOf(c)
  if (node?.outgoing !== undefined && source === node.incoming) keepHeaders(node.outgoing, headersOf)
  return headersOf
}

/**
 * Put our headers on an answer, and hand it back; on the context's own where the handler gave none. Whatever its type
 * says, Hono's `next()` ends in the context itself: that is no answer of the handler's. Asking for `c.res` makes it, and
 * whatever replaces it (an error page, say) inherits its headers.
 */
export function stamp(c: Context, headersOf: HeadersOf, answer?: unknown): Response | undefined {
  if (answer !== undefined && answer !== c) {
    if (isTakenOver(answer as Response)) return answer as Response
    const response = withHeaders(answer as Response, headersOf())
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
