/**
 * The one reader of request bodies: from the stream while nobody has read it, else what a parser or the platform left;
 * bounded in bytes and in time, and handed on only once the caller was checked once more. Node and Fetch say where a body lies.
 */
import { AuthError } from '../errors.ts'
import { startTimer } from '../lib/time.ts'
import { trimBlanks } from '../lib/trim-blanks.ts'
import type { RequestBody } from '../request.ts'
import { findKept } from './beside-messages.ts'

const DEFAULT_SECONDS = 10

/** Say what is wrong with a time to wait for a body, in seconds, or `null`. */
export function describeBodySeconds(value: unknown): string | null {
  const isGood = typeof value === 'number' && value > 0 && value <= 3600
  return isGood ? null : 'must be a number above 0 and at most 3600'
}

/** Check the callers of a request whose body is whole once more. */
export async function recheckCallers(source: object): Promise<void> {
  for (const authenticated of findKept(source)?.authenticated ?? []) await authenticated.recheck()
}

export interface Bounds {
  readonly limit: number
  readonly seconds: number
}

/**
 * Read a body and have its caller checked once more before it is handed on; one that is too large is refused as it is. What
 * the reader says of the time comes before what the adapter says.
 */
export async function readWatched(
  source: object,
  timeoutSeconds: number | undefined,
  read: (seconds: number) => Promise<RequestBody>,
): Promise<RequestBody> {
  const body = await read(timeoutSeconds ?? findKept(source)?.bodySeconds ?? DEFAULT_SECONDS)
  if (body.kind !== 'too_large') await recheckCallers(source)
  return body
}

/** Where a body lies. */
export interface BodySource {
  /** Whose body it is: a second reader gets what the first one has read. */
  readonly message: object
  /** `Content-Length` as it was sent, if it was. */
  readonly length: string | null | undefined
  /** The `Content-Encoding` lines of what is on the stream. */
  readonly codings: readonly string[]
  /** Whether somebody else has read the stream. */
  readonly isTaken: boolean
  /** Read the stream. */
  read(bounds: Bounds): Promise<RequestBody>
  /** Keep for others what was read, once. */
  leave(body: RequestBody): void
  /** What somebody else has made of it: text, bytes, a value; `undefined` for nothing. */
  left(seconds: number): unknown
}

const READ: WeakMap<object, Promise<RequestBody>> = new WeakMap()

/**
 * @throws AuthError `unsupported_media_type` for an encoded one, before a byte is read; `request_timeout`; `validation_error`
 * where it breaks off; Error where somebody else has read it and left nothing
 */
export async function readBody(source: BodySource, bounds: Bounds): Promise<RequestBody> {
  const { message, length, codings, isTaken } = source
  const isOurs = READ.has(message) || !isTaken
  if (isOurs) requireNotEncoded(codings)
  if (Number(length ?? 0) > bounds.limit) return TOO_LARGE
  const known = READ.get(message)
  if (known !== undefined) {
    const body = await known
    return body.kind === 'bytes' && body.bytes.length > bounds.limit ? TOO_LARGE : body
  }
  if (isOurs) {
    const reading = source.read(bounds)
    READ.set(message, reading)
    const body = await reading
    source.leave(body)
    return body
  }
  const left = await source.left(bounds.seconds)
  if (left === undefined) throw new Error(CONSUMED)
  return toBody(left)
}

/** What a host is told that has let others read the body and keeps nothing of it. */
export const CONSUMED =
  'sallyport: somebody else has read the request body and left nothing of it: a middleware before this must set req.body (on Hono read by c.req), or not read'

const TOO_LARGE: RequestBody = Object.freeze({ kind: 'too_large' })

/** What was read, as a body; `null` for too much of it. */
export function fromBytes(bytes: Uint8Array | null): RequestBody {
  return bytes === null ? TOO_LARGE : { kind: 'bytes', bytes }
}

/** What somebody else has read, as a body: text, bytes or a value. */
export function toBody(value: unknown): RequestBody {
  if (value instanceof Uint8Array) return fromBytes(value)
  return typeof value === 'string' ? fromBytes(new TextEncoder().encode(value)) : { kind: 'parsed', value }
}

// Nothing here inflates (RFC 9110 §8.4): what is on the stream must have come as it is. What a parser has decoded counts as
// it left it.
function requireNotEncoded(lines: readonly string[]): void {
  const codings = lines.flatMap((line) => line.split(',')).map((coding) => trimBlanks(coding).toLowerCase())
  if (codings.some((coding) => coding !== '' && coding !== 'identity')) {
    throw new AuthError('unsupported_media_type', { reason: 'body_encoded', got: codings.join(', ') })
  }
}

/** Wait for a body, but not longer than this: then it is `request_timeout` (RFC 9110 §15.5.9), and `giveUp` ends the reading. */
export function inTime<T>(seconds: number, reading: Promise<T>, giveUp: () => void): Promise<T> {
  return new Promise((resolve, reject) => {
    const stop = startTimer(() => {
      reject(new AuthError('request_timeout', { reason: 'body_late', expected: `within ${seconds} s` }))
      giveUp()
    }, seconds * 1000)
    reading.then(resolve, reject).finally(stop)
  })
}

/** Parse UTF-8 JSON (RFC 8259 §8.1); `undefined` for malformed bytes, a byte order mark or malformed JSON. */
export function parseJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes))
  } catch {
    return undefined
  }
}
