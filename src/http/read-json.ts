/** The one strict reader of JSON bodies: for our own routes and for hosts'. */
import { AuthError } from '../errors.ts'
import { trimBlanks } from '../lib/trim-blanks.ts'
import type { AuthRequest, RequestBody } from '../request.ts'
import { isBodySeconds, recheckCallers } from './body-watch.ts'
import { parseJson } from './parse-json.ts'

/** A JSON object as a client sent it: own members only mean something. */
export type JsonObject = Readonly<Record<string, unknown>>

/** The largest body of our own routes, and the default of {@link readJson}. */
export const LIMIT_BYTES = 16_384

/** How much of a body {@link readJson} takes, and how long it waits for it. */
export interface BodyLimits {
  /** The largest body, in bytes. Default 16,384. */
  readonly limitBytes?: number | undefined
  /** How long until it is whole, in seconds: more than 0, at most 3,600. Default: the adapter's, 10. */
  readonly timeoutSeconds?: number | undefined
}

/**
 * Read the body as a JSON object: from the stream while nobody has read it, else what the framework's parser left.
 * It never hangs: neither behind one, nor for a body that does not come. Where the body took over a second, the caller
 * whom a mount has let in is judged once more, by storage too: a session that was ended meanwhile is refused here.
 *
 * @param limits the largest body in bytes, 16 KB unless told; or that and how long to wait
 * @throws AuthError in this order: `unsupported_media_type` (415) unless `application/json` in UTF-8, and for a
 * `Content-Encoding` that nobody has decoded; `payload_too_large` (413); `request_timeout` (408) where it is not whole in
 * time, and the connection ends; then what the pipeline refuses, judged once more; `validation_error` (400, field `body`) for
 * malformed JSON or anything but an object
 * @throws Error where another middleware has consumed the body and left nothing: a mistake of the host's
 * @throws TypeError for limits that are none
 * @example
 * const { name } = await readJson(request)
 * const { image } = await readJson(request, { limitBytes: 1_000_000, timeoutSeconds: 60 })
 */
export async function readJson(request: AuthRequest, limits: number | BodyLimits = {}): Promise<JsonObject> {
  const { limitBytes, timeoutSeconds } = parseLimits(limits)
  if (!isJson(request.lines('content-type'))) {
    throw new AuthError('unsupported_media_type', { reason: 'body_not_json' })
  }
  const body = await request.body(limitBytes, timeoutSeconds)
  if (isTooLarge(body, limitBytes)) {
    throw new AuthError('payload_too_large', { reason: 'body_too_large' })
  }
  // Once more for requests whose body somebody else reads: it costs a look at the clock.
  await recheckCallers(request.source)
  const value = jsonOf(body)
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new AuthError('validation_error', { field: 'body', reason: 'body_not_an_object' })
  }
  return value as JsonObject
}

/**
 * Take one member of a body, checked.
 *
 * @param name the member
 * @param isValid a type guard for its value
 * @throws AuthError `validation_error` naming the field where it is missing or wrong
 * @example
 * const name = readField(body, 'name', (value) => typeof value === 'string' && value !== '')
 */
export function readField<T>(body: JsonObject, name: string, isValid: (value: unknown) => value is T): T {
  const value = Object.hasOwn(body, name) ? body[name] : undefined
  if (!isValid(value)) throw new AuthError('validation_error', { field: name, reason: 'field_invalid' })
  return value
}

/**
 * Ask whether a value is a string that is not blank, at most 255 characters, well-formed and without control characters.
 *
 * @example
 * const name = readField(body, 'name', isText)
 */
export function isText(value: unknown): value is string {
  return typeof value === 'string' && value.length <= 255 && value.trim() !== '' && !/[\p{Cc}\p{Cs}]/u.test(value)
}

function parseLimits(limits: number | BodyLimits): { limitBytes: number; timeoutSeconds: number | undefined } {
  const given = typeof limits === 'number' ? { limitBytes: limits } : limits
  const { limitBytes = LIMIT_BYTES, timeoutSeconds } = given
  if (!(typeof limitBytes === 'number' && limitBytes >= 0)) {
    throw new TypeError('readJson: option "limitBytes" must be a number of bytes')
  }
  if (timeoutSeconds !== undefined && !isBodySeconds(timeoutSeconds)) {
    throw new TypeError('readJson: option "timeoutSeconds" must be a number above 0 and at most 3600')
  }
  return { limitBytes, timeoutSeconds }
}

function isJson(lines: readonly string[]): boolean {
  const [type = '', ...parameters] = (lines[0] ?? '').split(';').map((part) => trimBlanks(part).toLowerCase())
  const charsets = parameters.filter((parameter) => parameter.startsWith('charset='))
  const isUtf8 = charsets.every((charset) => /^charset="?utf-8"?$/.test(charset))
  return lines.length === 1 && type === 'application/json' && isUtf8
}

// A parser with a larger limit may have read it: what it left is measured by what it would take to send.
function isTooLarge(body: RequestBody, limitBytes: number): boolean {
  if (body.kind === 'too_large') return true
  return body.kind === 'bytes' ? body.bytes.length > limitBytes : isLargerThan(limitBytes, body.value)
}

// In bytes of JSON, with a list of its own instead of recursion: a body may be nested deeper than the stack is. It stops as
// soon as there are too many, so that its work is the limit's and not the body's.
function isLargerThan(limitBytes: number, root: unknown): boolean {
  const encoder = new TextEncoder()
  const open: unknown[] = [root]
  let size = 0
  const count = (value: unknown): void => {
    const isLong = typeof value === 'string' && value.length > limitBytes
    size += isLong ? value.length : encoder.encode(JSON.stringify(value) ?? '').length
  }
  while (open.length > 0 && size <= limitBytes) {
    const value = open.pop()
    if (typeof value !== 'object' || value === null) {
      count(value)
      continue
    }
    const names = Array.isArray(value) ? null : Object.keys(value)
    const members = names?.length ?? (value as unknown[]).length
    size += 1 + Math.max(1, members)
    for (let index = 0; index < members && size <= limitBytes; index++) {
      const name = names === null ? index : (names[index] as string)
      if (names !== null) {
        count(name)
        size += 1
      }
      open.push((value as Record<string | number, unknown>)[name])
    }
  }
  return size > limitBytes
}

function jsonOf(body: RequestBody): unknown {
  if (body.kind === 'parsed') return body.value
  return body.kind === 'bytes' ? parseJson(body.bytes) : undefined
}
