/** How an adapter puts header lines on a response: its own answer's, and ours on somebody else's answer. */
import { trimBlanks } from '../lib/trim-blanks.ts'

/** The part of Node's response that `keepHeaders` needs: of HTTP/1 or HTTP/2. */
export interface NodeResponse {
  /** The request that it answers. */
  readonly req?: unknown
  getHeader?(name: string): unknown
  getHeaderNames?(): readonly string[]
  setHeader(name: string, value: string | readonly string[]): unknown
  once?(event: 'close', listener: () => void): unknown
  readonly headersSent?: boolean | undefined
  readonly destroyed?: boolean | undefined
  writeHead: unknown
}

// Its `writeHead`, or what stands in its place.
type WriteHead = (this: NodeResponse, ...head: unknown[]) => unknown

// What is done around the head of a response: it goes on by `writeHead`.
type AroundHead = (response: NodeResponse, head: readonly unknown[], writeHead: WriteHead) => unknown

// None of what a handler has said of a body that it then did not send is true of the one in its place. That is sent at once: where
// trailers were announced after it, Node writes no head at all.
const OF_ANOTHER_BODY = [
  'Content-Length',
  'Transfer-Encoding',
  'Trailer',
  'Content-Encoding',
  'Content-Range',
  'Content-Disposition',
  'ETag',
  'Last-Modified',
]

type Lines = readonly (readonly [name: string, value: string])[]

/**
 * Write the header lines of an answer: the first line of a name replaces what an earlier middleware has set (its
 * `Cache-Control` must not stand beside a refusal's), further ones are added. `Set-Cookie` and `Vary` are always added.
 * For who writes an adapter.
 *
 * @param set replaces a header
 * @param append adds a line to one
 * @param remove takes away what was said of a body that is not sent after all (`Content-Encoding`, `ETag`, …), first
 * @example
 * writeHeaders(headers, (name, value) => res.setHeader(name, value), (name, value) => res.appendHeader(name, value))
 */
export function writeHeaders(
  lines: Lines,
  set: (name: string, value: string) => unknown,
  append: (name: string, value: string) => unknown,
  remove: (name: string) => unknown = () => undefined,
): void {
  for (const name of OF_ANOTHER_BODY) remove(name)
  const seen = new Set(['set-cookie', 'vary'])
  for (const [name, value] of lines) {
    const write = seen.has(name.toLowerCase()) ? append : set
    seen.add(name.toLowerCase())
    write(name, value)
  }
}

/**
 * The value a header line of ours takes on a response that has one of this name already: ours, but of `Vary` both,
 * each field once; `*` stands for all (RFC 9110 §12.5.5). For who writes an adapter.
 *
 * @param present what the response has, or `null`
 * @example
 * mergeHeader('Vary', 'Origin, cookie', 'Authorization, Cookie') // 'Origin, cookie, Authorization'
 */
export function mergeHeader(name: string, present: string | null, value: string): string {
  if (name.toLowerCase() !== 'vary' || present === null || present === '') return value
  const named = new Set(fieldsOf(present).map((field) => field.toLowerCase()))
  if (named.has('*')) return present
  return [present, ...fieldsOf(value).filter((field) => !named.has(field.toLowerCase()))].join(', ')
}

function fieldsOf(value: string): string[] {
  return value.split(',').map(trimBlanks)
}

// Over HTTP/2 the stream says whether a response is over, and the response itself does not.
interface OnStream {
  readonly stream?: { readonly destroyed?: boolean | undefined } | null | undefined
}

/** Be told when the head of a Node response is out, or its connection has ended without one. */
export function whenHeadIsOut(response: Partial<NodeResponse> & OnStream, listener: () => void): void {
  // Of what is over already nothing more is to be heard.
  const isOver = response.headersSent === true || response.destroyed === true || response.stream?.destroyed === true
  if (typeof response.writeHead !== 'function' || isOver) {
    listener()
    return
  }
  wrapHead(response as NodeResponse, (own, head, writeHead) => {
    const result = writeHead.apply(own, [...head])
    listener()
    return result
  })
  response.once?.('close', listener)
}

/**
 * Have headers set at the moment the head is written, so that a handler's stream, its own `writeHead` (with headers, in
 * any form that Node takes) and an error page all carry them, with the values of that moment. Ours come last; `Vary` is
 * joined, as {@link mergeHeader} does. For who writes an adapter.
 *
 * @param response Node's own, whose `writeHead` is replaced
 * @param headersOf asked once, when the head is written
 * @example
 * keepHeaders(res, authorized.responseHeaders)
 */
export function keepHeaders(response: NodeResponse, headersOf: () => Lines): void {
  wrapHead(response, (own, head, writeHead) => writeWith(own, headersOf(), head, writeHead))
}

// One of the response's own is gone on to as it was found, an inherited one as it is then: a mounted app of Express gives a response
// its own prototype. What a wrapper shows for it may come back to ours.
function wrapHead(response: NodeResponse, around: AroundHead): void {
  const own = Object.getOwnPropertyDescriptor(response, 'writeHead')
  response.writeHead = aroundHead(response, around, own && ((own.value ?? response.writeHead) as WriteHead))
}

// V8 puts a function that is written down where it is assigned to a member (`response.writeHead = function …`) into the old
// generation, where it keeps all that the request has made until the next major collection, which costs more than the request.
// So it is made here.
function aroundHead(response: NodeResponse, around: AroundHead, own: WriteHead | undefined): WriteHead {
  return function writeHead(...head) {
    return around(this, head, own ?? (Object.getPrototypeOf(response) as { readonly writeHead: WriteHead }).writeHead)
  }
}

function writeWith(response: NodeResponse, ours: Lines, head: readonly unknown[], writeHead: WriteHead): unknown {
  const [status, reason, headers] = head
  const theirs = typeof reason === 'string' ? headers : (headers ?? reason)
  if (isApart(response, theirs, ours)) {
    // Far cheaper than a spread, which would take `__proto__` for a name, too.
    const all: Record<string, unknown> = {}
    Object.assign(all, theirs)
    for (const [name, value] of ours) all[name] = value
    return typeof reason === 'string'
      ? writeHead.call(response, status, reason, all)
      : writeHead.call(response, status, all)
  }
  if (theirs != null) setAll(response, theirs)
  for (const [name, value] of ours) {
    const present = isSame(name, 'Vary') ? response.getHeader?.(name) : undefined
    response.setHeader(name, present === undefined ? value : mergeHeader(name, [present].flat().join(', '), value))
  }
  return typeof reason === 'string' ? writeHead.call(response, status, reason) : writeHead.call(response, status)
}

// Most heads of Hono's server: nothing was set before, and none of the names is ours. Then Node writes them as it would anyhow.
function isApart(response: NodeResponse, theirs: unknown, ours: Lines): theirs is object {
  if (typeof theirs !== 'object' || theirs === null || Array.isArray(theirs)) return false
  if (response.getHeaderNames?.().length !== 0) return false
  for (const name of Object.keys(theirs)) {
    if (name === '__proto__') return false
    for (const line of ours) if (isSame(line[0], name)) return false
  }
  return true
}

function isSame(a: string, b: string): boolean {
  return a.length === b.length && a.toLowerCase() === b.toLowerCase()
}

function setAll(response: NodeResponse, headers: object): void {
  for (const [name, values] of namedIn(headers)) {
    response.setHeader(name, values.length === 1 ? (values[0] as string) : values)
  }
}

// An object, `[name, value, …]` or `[[name, value], …]`; set as Node would set them, but all lines of a name at once: some
// versions keep the last one only where another header was set before.
function namedIn(headers: object): Iterable<readonly [name: string, values: readonly string[]]> {
  const byName = new Map<string, [name: string, values: string[]]>()
  for (const [name, value] of pairsOf(headers)) {
    if (name === '') continue
    const known = byName.get(name.toLowerCase())
    if (known === undefined) byName.set(name.toLowerCase(), [name, [value].flat()])
    else known[1].push(...[value].flat())
  }
  return byName.values()
}

function pairsOf(headers: object): readonly (readonly [name: string, value: string | string[]])[] {
  if (!Array.isArray(headers)) return Object.entries(headers)
  if (Array.isArray(headers[0])) return headers
  return Array.from({ length: Math.ceil(headers.length / 2) }, (_, at) => [headers[2 * at], headers[2 * at + 1]])
}

/**
 * Put headers on a Fetch response that a handler made: the same object where it has them already, else a copy, because
 * the handler's may be immutable or kept for other requests. A 101 stays as it is. For who writes an adapter.
 *
 * @param lines name and value of each header
 * @example
 * return withHeaders(await handler(request), authorized.responseHeaders())
 */
export function withHeaders(response: Response, lines: Lines): Response {
  const wanted = (name: string, value: string): string => mergeHeader(name, response.headers.get(name), value)
  const missing = lines.filter(([name, value]) => response.headers.get(name) !== wanted(name, value))
  if (missing.length === 0 || response.status === 101) return response
  const copy = new Response(response.body, response)
  for (const [name, value] of missing) copy.headers.set(name, wanted(name, value))
  return copy
}
