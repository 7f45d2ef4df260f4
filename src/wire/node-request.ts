/** A Node `IncomingMessage` as the corridor reads it: for Express, Koa, Hono on Node, and raw WebSocket upgrades. */
import { AuthError } from '../errors.ts'
import type { AuthRequest, RequestBody } from '../request.ts'
import { requireNotEncoded } from './content-encoding.ts'
import { parseJson } from './parse-json.ts'

/** The part of Node's `IncomingMessage` that is read: any server built on `node:http` has it. */
export interface NodeRequest {
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
  readonly httpVersionMajor?: number | undefined
  readonly readableDidRead?: boolean | undefined
  readonly destroyed?: boolean | undefined
  on(event: string, listener: (chunk: Uint8Array) => void): unknown
  off(event: string, listener: (chunk: Uint8Array) => void): unknown
}

/** What the framework knows beside the message. */
export interface NodeRequestExtras {
  /** The framework's own request object, where it is another one than the message. */
  readonly source?: object | undefined
  /** Path parameters of the matched route. */
  readonly params?: Readonly<Record<string, string | undefined>> | undefined
  /** The request target as it arrived, where the framework rewrites `url` for nested apps. */
  readonly url?: string | undefined
  /** What a body parser left, or `undefined`: a parsed value, text or bytes. */
  readonly parsedBody?: (() => unknown) | undefined
  /** Called once after the stream was read here, with the parsed JSON or `null`: leave it where the parser would. */
  readonly leaveBody?: ((value: unknown) => void) | undefined
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
    body: (limit) => bodyOf(message, limit, lines, extras),
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

// What was read here, by message: a second reader gets the same bytes.
const READ: WeakMap<object, Promise<RequestBody>> = new WeakMap()

async function bodyOf(
  message: NodeRequest,
  limit: number,
  lines: AuthRequest['lines'],
  { parsedBody, leaveBody }: NodeRequestExtras,
): Promise<RequestBody> {
  const [length] = lines('content-length')
  if (isBodyless(message, length, lines)) return { kind: 'bytes', bytes: new Uint8Array() }
  const isOurs = READ.has(message) || message.readableDidRead !== true
  if (isOurs) requireNotEncoded(lines('content-encoding'))
  if (Number(length ?? 0) > limit) return { kind: 'too_large' }
  const read = READ.get(message)
  if (read !== undefined) return within(await read, limit)
  if (isOurs) {
    const reading = readStream(message, limit)
    READ.set(message, reading)
    const body = await reading
    leaveBody?.(body.kind === 'bytes' ? (parseJson(body.bytes) ?? null) : null)
    return body
  }
  const value = parsedBody?.()
  if (value !== undefined) return toBody(value)
  throw new Error('sallyport: another middleware has read the request body and left nothing of it')
}

// By the framing of HTTP/1 (RFC 9112 §6.3): a parser may have left an empty object for it, which no client has sent.
function isBodyless(message: NodeRequest, length: string | undefined, lines: AuthRequest['lines']): boolean {
  if (length !== undefined) return Number(length) === 0
  return (message.httpVersionMajor ?? 1) < 2 && lines('transfer-encoding').length === 0
}

function toBody(value: unknown): RequestBody {
  if (value instanceof Uint8Array) return { kind: 'bytes', bytes: value }
  return typeof value === 'string'
    ? { kind: 'bytes', bytes: new TextEncoder().encode(value) }
    : { kind: 'parsed', value }
}

function within(body: RequestBody, limit: number): RequestBody {
  return body.kind === 'bytes' && body.bytes.length > limit ? { kind: 'too_large' } : body
}

function readStream(message: NodeRequest, limit: number): Promise<RequestBody> {
  return new Promise((resolve, reject) => {
    const chunks: Uint8Array[] = []
    let size = 0
    const settle = (finish: () => void): void => {
      message.off('data', onData)
      message.off('end', onEnd)
      message.off('close', onLost)
      message.off('error', onLost)
      finish()
    }
    const onData = (chunk: Uint8Array): void => {
      size += chunk.length
      if (size > limit) settle(() => resolve({ kind: 'too_large' }))
      else chunks.push(chunk)
    }
    const onEnd = (): void => settle(() => resolve({ kind: 'bytes', bytes: join(chunks, size) }))
    const onLost = (): void => settle(() => reject(aborted()))
    if (message.destroyed === true) return reject(aborted())
    message.on('end', onEnd)
    message.on('close', onLost)
    message.on('error', onLost)
    message.on('data', onData)
  })
}

// The client is gone (E3): nobody reads this answer, but it must be an answer and not an unhandled rejection.
function aborted(): AuthError {
  return new AuthError('validation_error', { field: 'body', reason: 'body_aborted' })
}

function join(chunks: readonly Uint8Array[], size: number): Uint8Array {
  const bytes = new Uint8Array(size)
  let offset = 0
  for (const chunk of chunks) {
    bytes.set(chunk, offset)
    offset += chunk.length
  }
  return bytes
}
