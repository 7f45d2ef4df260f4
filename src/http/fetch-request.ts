/** A Fetch `Request` as the pipeline reads it: for Hono and any server that speaks Fetch. */
import { AuthError } from '../errors.ts'
import { readBounded } from '../lib/json-exchange.ts'
import { ownMembers, ownOf } from '../lib/parse-options.ts'
import type { AuthRequest, RequestBody } from '../request.ts'
import { findKept, keptBeside } from './beside-messages.ts'
import {
  endConnection,
  fromNodeRequest,
  isCut,
  joinLines,
  leftByPlatform,
  type NodeRequest,
  type RequestExtras,
  splitJoined,
} from './node-request.ts'
import { type Bounds, CONSUMED, fromBytes, inTime, readBody, readWatched, toBody } from './request-body.ts'
import { pathOf } from './route-path.ts'

/** What the framework knows beside the Fetch request. */
export interface FetchRequestExtras extends RequestExtras {
  /** The peer's address, where the platform tells it. */
  readonly remoteAddress?: string | undefined
  /**
   * The Node request that the platform serves, where there is one: its raw lines are read instead, and the pipeline's work is
   * kept under it. Not where both the headers and the target are others: a request that a handler made up by itself and
   * sent to its own app brings what it brings, and nothing of the request it was made during.
   */
  readonly incoming?: NodeRequest | undefined
  /** The body as text where a handler has read it already. */
  readonly readText?: (() => Promise<string>) | undefined
  /** Called once after the stream was read here, with its bytes (none, where there were too many): keep them for others. */
  readonly leaveBytes?: ((bytes: Uint8Array) => void) | undefined
}

/**
 * Read a Fetch request. `Headers` has joined repeated lines by a comma, so a comma separates lines here: what can't
 * be told apart is refused.
 *
 * @example
 * const context = await auth.authenticate(fromFetchRequest(request))
 */
export function fromFetchRequest(request: Request, given: FetchRequestExtras = {}): AuthRequest {
  const incoming = ownOf(given, 'incoming')
  const source = ownOf(given, 'source') ?? request
  const node = incoming === undefined ? null : fromNodeRequest(incoming, { response: ownOf(given, 'response') })
  const isNodes =
    node !== null && (isCut(incoming as NodeRequest) || isServed(source, request, node, incoming as NodeRequest))
  // Of Node's the path is as it came, in absolute form too: as on any other Node server.
  const body = bodyReader(request, isNodes ? node.source : source, isNodes ? incoming : undefined, given)
  const read: Writable<AuthRequest> = isNodes ? node : ownRequest(request, source, body)
  read.method = request.method.toUpperCase()
  read.params = ownOf(given, 'params') ?? null
  read.remoteAddress = node?.remoteAddress ?? ownOf(given, 'remoteAddress') ?? null
  if (node !== null) read.encrypted = node.encrypted
  read.body = body
  return read
}

// Made here: V8 puts a function that is written down where it is assigned to a member into the old generation, where it keeps all
// that the request has made.
function bodyReader(
  request: Request,
  source: object,
  incoming: NodeRequest | undefined,
  given: FetchRequestExtras,
): AuthRequest['body'] {
  return (limit, timeoutSeconds) =>
    readWatched(source, timeoutSeconds, (seconds) =>
      readFetchBody(request, incoming, ownMembers(given), { limit, seconds }),
    )
}

type Writable<T> = { -readonly [K in keyof T]: T[K] }

// What Fetch says of it, but for what others know better.
function ownRequest({ headers, url, method }: Request, source: object, body: AuthRequest['body']): AuthRequest {
  return {
    method,
    path: pathOf(url),
    source,
    params: null,
    lines: (name) => (name.startsWith(':') ? ownFieldOf({ headers, url }, name) : splitJoined(name, headers.get(name))),
    headerNames: () => [...headers.keys()],
    remoteAddress: null,
    encrypted: url.startsWith('https:'),
    upgrade: headers.has('upgrade'),
    whenAnswered: undefined,
    body,
  }
}

// By source, decided at the first look: what a middleware makes of the request later changes nothing.
function isServed(source: object, request: Request, node: AuthRequest, message: NodeRequest): boolean {
  const ofMessage = keptBeside(message)
  if (ofMessage.served === source) return true
  const known = findKept(source)?.isServed
  if (known !== undefined) return known
  const isServed = hasSameTarget(request, node, message) || hasSameHeaders(request, message)
  // Nearly always there is one, kept where the pipeline's work will be.
  if (isServed && ofMessage.served === null) ofMessage.served = source
  else keptBeside(source).isServed = isServed
  return isServed
}

function hasSameTarget({ method, url }: Request, node: AuthRequest, { url: target = '/' }: NodeRequest): boolean {
  if (method !== node.method) return false
  // As most are: a server has put scheme and host before it, and nothing else.
  if (url.slice(url.indexOf('/', 'https://'.length)) === target) return true
  return pathOf(url) === node.path || pathOf(url) === pathOf(toUrl(node.path))
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
function ownFieldOf({ headers, url }: Pick<Request, 'headers' | 'url'>, name: string): string[] {
  const host = /^[a-z][a-z0-9+.-]*:\/\/([^/?#]+)/i.exec(url)?.[1]
  return name !== ':authority' || headers.has('host') || host === undefined ? [] : [host]
}

function readFetchBody(
  request: Request,
  incoming: NodeRequest | undefined,
  { readText, leaveBytes, response }: FetchRequestExtras,
  bounds: Bounds,
): Promise<RequestBody> {
  const { method, headers, body: stream, bodyUsed: isTaken } = request
  const length = headers.get('content-length')
  const endOf = (seconds: number): void => {
    if (incoming !== undefined) endConnection(incoming, response, seconds)
  }
  return readBody(
    {
      message: request,
      length,
      // By the request's own headers: a middleware that inflates a body makes another request of it.
      codings: stream === null || length === '0' ? [] : [headers.get('content-encoding') ?? ''],
      isTaken,
      async read({ limit, seconds }) {
        const body = await readWhole(stream, { limit, seconds }, incoming === undefined, () => endOf(seconds))
        if (incoming === undefined || !isEmpty(body)) return body
        // A platform may have read it before the framework.
        const left = leftByPlatform(incoming)
        const whole = left === undefined ? body : toBody(left)
        // Of a GET Fetch has no body, whatever came.
        const mayHaveOne = method !== 'GET' && method !== 'HEAD'
        if (mayHaveOne && isEmpty(whole) && Number(length ?? 0) > 0) throw new Error(CONSUMED)
        return whole
      },
      leave(body) {
        if (body.kind !== 'parsed') leaveBytes?.(body.kind === 'bytes' ? ofItsOwn(body.bytes) : new Uint8Array())
      },
      left: (seconds) => readText && inTime(seconds, readText().catch(leftOf), () => endOf(seconds)),
    },
    bounds,
  )
}

// What is left of a body whose text can't be had again.
function leftOf(error: unknown): string | undefined {
  const name = (error as Error | null)?.name
  // Somebody has parsed it in vain by Hono's own reader, of which older versions keep nothing but that failure.
  if (name === 'SyntaxError') return ''
  // What a platform says of one that was read past the framework, which keeps what is read by its own methods.
  if (name === 'TypeError') return undefined
  throw error
}

function isEmpty(body: RequestBody): boolean {
  return body.kind === 'bytes' && body.bytes.length === 0
}

// A platform's bytes may be a view of a larger buffer: whoever takes the buffer would take more than the body.
function ofItsOwn(bytes: Uint8Array): Uint8Array {
  return bytes.byteLength === bytes.buffer.byteLength ? bytes : new Uint8Array(bytes)
}

async function readWhole(
  stream: ReadableStream<Uint8Array> | null,
  { limit, seconds }: Bounds,
  mayCancel: boolean,
  endConnection: () => void,
): Promise<RequestBody> {
  if (stream === null) return fromBytes(new Uint8Array())
  const reader = stream.getReader()
  const reading = readBounded(reader, limit).catch((cause: unknown) => {
    throw new AuthError('validation_error', { field: 'body', reason: 'body_lost', cause })
  })
  const giveUp = (): void => {
    // On Node not cancelled: that would cut the connection before the refusal is written.
    if (mayCancel) reader.cancel().catch(() => undefined)
    else reader.releaseLock()
    endConnection()
  }
  return fromBytes(
    await inTime(
      seconds,
      reading.finally(() => reader.releaseLock()),
      giveUp,
    ),
  )
}
