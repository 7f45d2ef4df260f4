/** A Node `IncomingMessage` as the pipeline reads it: for Express, Koa, Hono on Node, and raw WebSocket upgrades. */
import { AuthError } from '../errors.ts'
import { collectBytes } from '../lib/json-exchange.ts'
import { ownMembers, ownOf } from '../lib/parse-options.ts'
import { startTimer } from '../lib/time.ts'
import { trimBlanks } from '../lib/trim-blanks.ts'
import type { AuthRequest, RequestBody } from '../request.ts'
import { type Bounds, fromBytes, inTime, parseJson, readBody, readWatched, toBody } from './request-body.ts'
import { type NodeResponse, whenHeadIsOut } from './response-headers.ts'

/** The part of Node's `IncomingMessage` that is read: any server built on `node:http` has it. */
export interface NodeRequest {
  readonly method?: string | undefined
  readonly url?: string | undefined
  /** Header lines exactly as they arrived: names and values in turn. Left out or empty: `headers` is read. */
  readonly rawHeaders?: readonly string[] | undefined
  /** Headers by name, as a platform hands them on that makes requests by itself: repeated lines may be joined. */
  readonly headers?: Readonly<Record<string, string | number | readonly string[] | undefined>> | undefined
  readonly socket?:
    | {
        readonly remoteAddress?: string | undefined
        readonly encrypted?: boolean | undefined
        /** Of `node:http` it knows `maxHeadersCount`. */
        readonly server?: object | null | undefined
      }
    | null
    | undefined
  readonly httpVersionMajor?: number | undefined
  readonly readableDidRead?: boolean | undefined
  readonly readableEnded?: boolean | undefined
  readonly destroyed?: boolean | undefined
  /** Node has handed its connection on, as an upgrade. */
  readonly upgrade?: boolean | null | undefined
  on(event: string, listener: (chunk: Uint8Array) => void): unknown
  off(event: string, listener: (chunk: Uint8Array) => void): unknown
}

/** The part of Node's response that ends a connection whose body did not come in time; of HTTP/1 or HTTP/2. */
interface AnsweringResponse {
  readonly headersSent?: boolean | undefined
  shouldKeepAlive?: boolean | undefined
  readonly stream?:
    | { close?(code?: number): unknown; once?(event: string, listener: () => void): unknown }
    | null
    | undefined
  setHeader(name: string, value: string): unknown
  destroy?(): unknown
}

/** What every framework knows beside the request. */
export interface RequestExtras {
  /** The framework's own request object, where it is another one than the message or the request of Fetch. */
  readonly source?: object | undefined
  /** Path parameters of the matched route. */
  readonly params?: Readonly<Record<string, string | undefined>> | undefined
  /** Node's response to it: where a body does not come in time, its connection ends after the answer. */
  readonly response?: AnsweringResponse | undefined
}

/** What the framework knows beside the message. */
export interface NodeRequestExtras extends RequestExtras {
  /** The request target as it arrived, where the framework rewrites `url` for nested apps. */
  readonly url?: string | undefined
  /** What a body parser left, or `undefined`: a parsed value, text or bytes. */
  readonly parsedBody?: (() => unknown) | undefined
  /** Called once after the stream was read here, with the parsed JSON or `null`: leave it where the parser would. */
  readonly leaveBody?: ((value: unknown) => void) | undefined
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
  const arrived = headerLines(message)
  const source = ownOf(given, 'source') ?? message
  const response = ownOf(given, 'response')
  const { rawHeaders, socket } = message
  const isWhole = !isCut({ rawHeaders, socket })
  const lines = (name: string): readonly string[] => linesOf(whole(arrived, isWhole), name.toLowerCase())
  return {
    method: (message.method ?? 'GET').toUpperCase(),
    path: withoutQuery(ownOf(given, 'url') ?? message.url ?? '/'),
    source,
    params: ownOf(given, 'params') ?? null,
    lines,
    headerNames: () => whole(arrived, isWhole).filter((_, index) => index % 2 === 0),
    remoteAddress: socket?.remoteAddress ?? null,
    encrypted: socket?.encrypted === true,
    upgrade: linesOf(arrived, 'upgrade').length > 0,
    // Node makes no response to one that it hands on as an upgrade: on a host's own nothing may ever go out.
    whenAnswered:
      response &&
      ((listener) => (message.upgrade === true ? listener() : whenHeadIsOut(response as NodeResponse, listener))),
    body: (limit, timeoutSeconds) =>
      readWatched(source, timeoutSeconds, (seconds) =>
        readNodeBody(message, lines, ownMembers(given), { limit, seconds }),
      ),
  }
}

function whole(arrived: readonly string[], isWhole: boolean): readonly string[] {
  if (isWhole) return arrived
  throw new AuthError('bad_request', { reason: 'header_lines_dropped' })
}

function withoutQuery(target: string): string {
  const end = target.indexOf('?')
  return end === -1 ? target : target.slice(0, end)
}

/**
 * Whether Node has dropped header lines: it keeps so many and says nothing of the rest, which may hold a second
 * credential, the organization, or a proxy's mark.
 */
export function isCut({ rawHeaders, socket }: Pick<NodeRequest, 'rawHeaders' | 'socket'>): boolean {
  // Node's default.
  const { maxHeadersCount } = (socket?.server ?? {}) as { readonly maxHeadersCount?: number | null }
  const most = maxHeadersCount ?? 1000
  return most > 0 && (rawHeaders?.length ?? 0) >= most * 2
}

// Node's own messages have raw lines wherever they have headers, which Node makes of them when they are asked for.
function headerLines(message: NodeRequest): readonly string[] {
  const { rawHeaders } = message ?? {}
  if (Array.isArray(rawHeaders) && rawHeaders.length > 0) return rawHeaders
  const { headers } = message ?? {}
  if (!Array.isArray(rawHeaders) && (typeof headers !== 'object' || headers === null)) {
    throw new TypeError(
      'fromNodeRequest: the message must be an IncomingMessage of Node, with its rawHeaders or headers',
    )
  }
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
  const joined = new Map<string, string>()
  for (let i = 0; i + 1 < lines.length; i += 2) {
    const name = (lines[i] as string).toLowerCase()
    const before = joined.get(name)
    const joint = name === 'cookie' ? '; ' : ', '
    joined.set(name, before === undefined ? (lines[i + 1] as string) : `${before}${joint}${lines[i + 1]}`)
  }
  return joined
}

function linesOf(rawHeaders: readonly string[], name: string): readonly string[] {
  let lines: string[] | null = null
  for (let i = 0; i + 1 < rawHeaders.length; i += 2) {
    const key = rawHeaders[i] as string
    if (key.length !== name.length || key.toLowerCase() !== name) continue
    const line = rawHeaders[i + 1] as string
    if (lines === null) lines = [line]
    else lines.push(line)
  }
  return lines ?? NONE
}

const NONE: readonly never[] = Object.freeze([])

function readNodeBody(
  message: NodeRequest,
  lines: AuthRequest['lines'],
  { parsedBody, leaveBody, response }: NodeRequestExtras,
  bounds: Bounds,
): Promise<RequestBody> {
  const [length] = lines('content-length')
  const left = (): unknown => parsedBody?.() ?? leftByPlatform(message)
  if (isBodyless(message, length, lines)) {
    return Promise.resolve(length === undefined && isSomething(left()) ? toBody(left()) : EMPTY)
  }
  const isTaken = message.readableDidRead === true || message.readableEnded === true
  const read = ({ limit, seconds }: Bounds): Promise<RequestBody> => {
    const { whole, stop } = listen(message, limit)
    return inTime(seconds, whole, () => {
      stop()
      endConnection(message, response, seconds)
    })
  }
  const leave = (body: RequestBody): void => leaveBody?.(body.kind === 'bytes' ? (parseJson(body.bytes) ?? null) : null)
  return readBody({ message, length, codings: lines('content-encoding'), isTaken, read, leave, left }, bounds)
}

const EMPTY: RequestBody = Object.freeze(fromBytes(new Uint8Array()))

/** What a platform left on the message that has read it before the framework: the bytes, or what it made of them. */
export function leftByPlatform(message: NodeRequest): unknown {
  const { rawBody, body } = message as { readonly rawBody?: unknown; readonly body?: unknown }
  return rawBody instanceof Uint8Array || typeof rawBody === 'string' ? rawBody : body
}

// By the framing of HTTP/1 (RFC 9112 §6.3): a parser may have left an empty object for it, which no client has sent.
function isBodyless(message: NodeRequest, length: string | undefined, lines: AuthRequest['lines']): boolean {
  if (length !== undefined) return Number(length) === 0
  return (message.httpVersionMajor ?? 1) < 2 && lines('transfer-encoding').length === 0
}

// A platform may drop the framing of what it has read, and hand on what there was.
function isSomething(value: unknown): boolean {
  if (typeof value === 'string') return value !== ''
  if (value instanceof Uint8Array) return value.length > 0
  return typeof value === 'object' && value !== null && Object.keys(value).length > 0
}

function listen(message: NodeRequest, limit: number): { readonly whole: Promise<RequestBody>; stop(): void } {
  const chunks = collectBytes(limit)
  const listeners = new Map<string, (chunk: Uint8Array) => void>()
  const stop = (): void => {
    for (const [event, listener] of listeners) message.off(event, listener)
  }
  const whole = new Promise<RequestBody>((resolve, reject) => {
    // The client is gone: nobody reads this answer, but it must be an answer and not an unhandled rejection.
    const onLost = (): void => reject(new AuthError('validation_error', { field: 'body', reason: 'body_aborted' }))
    if (message.destroyed === true) return onLost()
    listeners.set('end', () => resolve(fromBytes(chunks.join())))
    listeners.set('close', onLost)
    listeners.set('error', onLost)
    listeners.set('data', (chunk) => {
      if (!chunks.add(chunk)) resolve(fromBytes(null))
    })
    for (const [event, listener] of listeners) message.on(event, listener)
  })
  return { whole: whole.finally(stop), stop }
}

/**
 * End the connection of a body that did not come: after the answer, and at once where its head is out. Over HTTP/2 it is
 * the stream that ends (RFC 9113 §8.1). Where nobody answers for as long again, it ends all the same.
 */
export function endConnection(message: NodeRequest, response: AnsweringResponse | undefined, seconds: number): void {
  if (response === undefined) return
  const { stream } = response
  if ((message.httpVersionMajor ?? 1) >= 2) {
    if (response.headersSent === true) stream?.close?.(CANCEL)
    else stream?.once?.('finish', () => stream.close?.(NO_ERROR))
    return
  }
  if (response.headersSent === true) return void response.destroy?.()
  // Not by the header where there is another way: an error page drops the headers there were.
  if (typeof response.shouldKeepAlive === 'boolean') response.shouldKeepAlive = false
  else response.setHeader('Connection', 'close')
  // Express's own error page waits for the rest of the body.
  startTimer(() => response.headersSent !== true && response.destroy?.(), seconds * 1000)
}

const NO_ERROR = 0
const CANCEL = 8
