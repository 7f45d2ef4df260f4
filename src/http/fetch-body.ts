/** The body of a Fetch request: from its stream while nobody has read it, else what the framework or platform left. */
import { AuthError } from '../errors.ts'
import type { RequestBody } from '../request.ts'
import { inTime } from './body-watch.ts'
import { requireNotEncoded } from './content-encoding.ts'
import { type AnsweringResponse, endConnection, leftByPlatform, type NodeStream, toBody } from './node-body.ts'

/** What the framework knows of the body beside the Fetch request. */
export interface FetchBodyExtras {
  /** The body as text where a handler has read it already. */
  readonly readText?: (() => Promise<string>) | undefined
  /** Called once after the stream was read here, with its bytes (none, where there were too many): keep them for others. */
  readonly leaveBytes?: ((bytes: Uint8Array) => void) | undefined
  /** The Node response to it: where a body does not come in time, its connection ends after the answer. */
  readonly response?: AnsweringResponse | undefined
}

type Extras = FetchBodyExtras & { readonly incoming?: NodeStream | undefined }

// What was read here, by request: a second reader gets the same bytes.
const READ: WeakMap<Request, Promise<RequestBody>> = new WeakMap()

interface Bounds {
  readonly limit: number
  readonly seconds: number
}

/** Read it, in so many seconds. */
export async function readFetchBody(
  request: Request,
  { limit, seconds }: Bounds,
  extras: Extras,
): Promise<RequestBody> {
  const { readText, leaveBytes } = extras
  const length = request.headers.get('content-length')
  const isOurs = READ.has(request) || !request.bodyUsed
  // By the request's own headers: a middleware that inflates a body makes another request of it.
  if (isOurs && request.body !== null && length !== '0') {
    requireNotEncoded([request.headers.get('content-encoding') ?? ''])
  }
  if (Number(length ?? 0) > limit) return { kind: 'too_large' }
  const read = READ.get(request)
  if (read !== undefined) return read
  if (isOurs) {
    const reading = readStream(request.body, { limit, seconds }, extras)
    READ.set(request, reading)
    const body = await reading
    // Somebody has read it before the framework, and left nothing.
    if (extras.incoming !== undefined && isEmpty(body) && Number(length ?? 0) > 0) throw new Error(CONSUMED)
    if (body.kind !== 'parsed') leaveBytes?.(body.kind === 'bytes' ? body.bytes : new Uint8Array())
    return body
  }
  if (readText === undefined) throw new Error(CONSUMED)
  return toBody(await inTime(seconds, readText(), () => endOf(extras, seconds)))
}

const CONSUMED = 'sallyport: somebody else has read the request body and left nothing of it'

async function readStream(
  stream: ReadableStream<Uint8Array> | null,
  { limit, seconds }: Bounds,
  extras: Extras,
): Promise<RequestBody> {
  if (stream === null) return { kind: 'bytes', bytes: new Uint8Array() }
  const reader = stream.getReader()
  const reading = readAll(reader, limit).finally(() => reader.releaseLock())
  const body = await inTime(seconds, reading, () => {
    // On Node not cancelled: that would cut the connection before the refusal is written.
    if (extras.incoming !== undefined) reader.releaseLock()
    else reader.cancel().catch(() => undefined)
    endOf(extras, seconds)
  })
  const left = extras.incoming === undefined || !isEmpty(body) ? undefined : leftByPlatform(extras.incoming)
  return left === undefined ? body : toBody(left)
}

function isEmpty(body: RequestBody): boolean {
  return body.kind === 'bytes' && body.bytes.length === 0
}

function endOf({ incoming, response }: Extras, seconds: number): void {
  if (incoming !== undefined) endConnection(incoming, response, seconds)
}

async function readAll(reader: ReadableStreamDefaultReader<Uint8Array>, limit: number): Promise<RequestBody> {
  const chunks: Uint8Array[] = []
  let size = 0
  try {
    for (let next = await reader.read(); !next.done; next = await reader.read()) {
      size += next.value.length
      if (size > limit) return { kind: 'too_large' }
      chunks.push(next.value)
    }
  } catch (cause) {
    throw new AuthError('validation_error', { field: 'body', reason: 'body_lost', cause })
  }
  return { kind: 'bytes', bytes: new Uint8Array(await new Blob(chunks as BlobPart[]).arrayBuffer()) }
}
