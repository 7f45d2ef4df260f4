/** The body of a Node request: from its stream while nobody has read it, else what a parser or the platform left. */
import { AuthError } from '../errors.ts'
import { startTimer } from '../lib/time.ts'
import type { AuthRequest, RequestBody } from '../request.ts'
import { inTime } from './body-watch.ts'
import { requireNotEncoded } from './content-encoding.ts'
import { parseJson } from './parse-json.ts'

/** The part of Node's `IncomingMessage` that a body is read from. */
export interface NodeStream {
  readonly httpVersionMajor?: number | undefined
  readonly readableDidRead?: boolean | undefined
  readonly readableEnded?: boolean | undefined
  readonly destroyed?: boolean | undefined
  on(event: string, listener: (chunk: Uint8Array) => void): unknown
  off(event: string, listener: (chunk: Uint8Array) => void): unknown
}

/** What the framework knows of the body beside the message. */
export interface NodeBodyExtras {
  /** What a body parser left, or `undefined`: a parsed value, text or bytes. */
  readonly parsedBody?: (() => unknown) | undefined
  /** Called once after the stream was read here, with the parsed JSON or `null`: leave it where the parser would. */
  readonly leaveBody?: ((value: unknown) => void) | undefined
  /** The response to this request: where a body does not come in time, its connection ends after the answer. */
  readonly response?: AnsweringResponse | undefined
}

interface Http2Stream {
  close?(code?: number): unknown
  once?(event: string, listener: () => void): unknown
}

/** The part of Node's response that ends a connection whose body did not come in time; of HTTP/1 or HTTP/2. */
export interface AnsweringResponse {
  readonly headersSent?: boolean | undefined
  shouldKeepAlive?: boolean | undefined
  readonly stream?: Http2Stream | null | undefined
  setHeader(name: string, value: string): unknown
  destroy?(): unknown
}

// What was read here, by message: a second reader gets the same bytes.
const READ: WeakMap<object, Promise<RequestBody>> = new WeakMap()

/** Read it, in so many seconds. */
export async function readNodeBody(
  message: NodeStream,
  { limit, seconds }: { readonly limit: number; readonly seconds: number },
  lines: AuthRequest['lines'],
  { parsedBody, leaveBody, response }: NodeBodyExtras,
): Promise<RequestBody> {
  const [length] = lines('content-length')
  const left = (): unknown => parsedBody?.() ?? leftByPlatform(message)
  if (isBodyless(message, length, lines)) return length === undefined && isSomething(left()) ? toBody(left()) : EMPTY
  const isOurs = READ.has(message) || !isTaken(message)
  if (isOurs) requireNotEncoded(lines('content-encoding'))
  if (Number(length ?? 0) > limit) return { kind: 'too_large' }
  const read = READ.get(message)
  if (read !== undefined) return within(await read, limit)
  if (isOurs) {
    const reading = readStream(message, limit, seconds, response)
    READ.set(message, reading)
    const body = await reading
    leaveBody?.(body.kind === 'bytes' ? (parseJson(body.bytes) ?? null) : null)
    return body
  }
  const value = left()
  if (value !== undefined) return toBody(value)
  throw new Error('sallyport: another middleware has read the request body and left nothing of it')
}

const EMPTY: RequestBody = Object.freeze({ kind: 'bytes', bytes: new Uint8Array() })

function isTaken({ readableDidRead, readableEnded }: NodeStream): boolean {
  return readableDidRead === true || readableEnded === true
}

/** What a platform left on the message that has read it before the framework: the bytes, or what it made of them. */
export function leftByPlatform(message: NodeStream): unknown {
  const { rawBody, body } = message as { readonly rawBody?: unknown; readonly body?: unknown }
  return rawBody instanceof Uint8Array || typeof rawBody === 'string' ? rawBody : body
}

// By the framing of HTTP/1 (RFC 9112 §6.3): a parser may have left an empty object for it, which no client has sent.
function isBodyless(message: NodeStream, length: string | undefined, lines: AuthRequest['lines']): boolean {
  if (length !== undefined) return Number(length) === 0
  return (message.httpVersionMajor ?? 1) < 2 && lines('transfer-encoding').length === 0
}

// A platform may drop the framing of what it has read, and hand on what there was.
function isSomething(value: unknown): boolean {
  if (typeof value === 'string') return value !== ''
  if (value instanceof Uint8Array) return value.length > 0
  return typeof value === 'object' && value !== null && Object.keys(value).length > 0
}

/** What somebody else has read, as a body: text, bytes or a value. */
export function toBody(value: unknown): RequestBody {
  if (value instanceof Uint8Array) return { kind: 'bytes', bytes: value }
  return typeof value === 'string'
    ? { kind: 'bytes', bytes: new TextEncoder().encode(value) }
    : { kind: 'parsed', value }
}

function within(body: RequestBody, limit: number): RequestBody {
  return body.kind === 'bytes' && body.bytes.length > limit ? { kind: 'too_large' } : body
}

function readStream(
  message: NodeStream,
  limit: number,
  seconds: number,
  response: AnsweringResponse | undefined,
): Promise<RequestBody> {
  let stop = (): void => undefined
  const reading = new Promise<RequestBody>((resolve, reject) => {
    const chunks: Uint8Array[] = []
    let size = 0
    const settle = (finish: () => void): void => {
      stop()
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
    const listeners = [
      ['end', onEnd],
      ['close', onLost],
      ['error', onLost],
      ['data', onData],
    ] as const
    stop = () => {
      for (const [event, listener] of listeners) message.off(event, listener)
    }
    for (const [event, listener] of listeners) message.on(event, listener)
  })
  return inTime(seconds, reading, () => {
    stop()
    endConnection(message, response, seconds)
  })
}

/**
 * End the connection of a body that did not come: after the answer, and at once where its head is out. Over HTTP/2 it is
 * the stream that ends (RFC 9113 §8.1). Where nobody answers for as long again, it ends all the same.
 */
export function endConnection(message: NodeStream, response: AnsweringResponse | undefined, seconds: number): void {
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

// The client is gone: nobody reads this answer, but it must be an answer and not an unhandled rejection.
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
