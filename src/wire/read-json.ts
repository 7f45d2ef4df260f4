/** The one strict reader of JSON bodies: for our own routes and for hosts'. */
import { AuthError } from '../errors.ts'
import { trimBlanks } from '../lib/trim-blanks.ts'
import type { AuthRequest, RequestBody } from '../request.ts'
import { parseJson } from './parse-json.ts'

/** A JSON object as a client sent it: own members only mean something. */
export type JsonObject = Readonly<Record<string, unknown>>

/** The largest body of our own routes, and the default of {@link readJson} (R2). */
export const LIMIT_BYTES = 16_384

/**
 * Read the body as a JSON object: from the stream while nobody has read it, else what the framework's parser left.
 * It never hangs behind one.
 *
 * @param limitBytes largest body, 16 KB unless told (R2)
 * @throws AuthError in this order: `unsupported_media_type` (415) unless `application/json` in UTF-8, and for a
 * `Content-Encoding` that nobody has decoded; `payload_too_large` (413); `validation_error` (400, field `body`) for malformed JSON or anything but an object
 * @throws Error where another middleware has consumed the body and left nothing: a mistake of the host's
 * @example
 * const { name } = await readJson(request)
 */
export async function readJson(request: AuthRequest, limitBytes: number = LIMIT_BYTES): Promise<JsonObject> {
  if (!isJson(request.lines('content-type'))) {
    throw new AuthError('unsupported_media_type', { reason: 'body_not_json' })
  }
  const body = await request.body(limitBytes)
  if (isTooLarge(body, limitBytes)) {
    throw new AuthError('payload_too_large', { reason: 'body_too_large' })
  }
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

function isJson(lines: readonly string[]): boolean {
  const [type = '', ...parameters] = (lines[0] ?? '').split(';').map((part) => trimBlanks(part).toLowerCase())
  const charset = parameters.find((parameter) => parameter.startsWith('charset='))
  return lines.length === 1 && type === 'application/json' && /^(?:charset="?utf-8"?)?$/.test(charset ?? '')
}

// A parser with a larger limit may have read it: what it left is measured by what it would take to send.
function isTooLarge(body: RequestBody, limitBytes: number): boolean {
  if (body.kind === 'too_large') return true
  return (body.kind === 'bytes' ? body.bytes.length : sizeOf(body.value)) > limitBytes
}

// In bytes of JSON, with a list of its own instead of recursion: a body may be nested deeper than the stack is.
function sizeOf(root: unknown): number {
  const encoder = new TextEncoder()
  const bytesOf = (value: unknown): number => encoder.encode(JSON.stringify(value) ?? '').length
  const open: unknown[] = [root]
  let size = 0
  while (open.length > 0) {
    const value = open.pop()
    if (typeof value !== 'object' || value === null) {
      size += bytesOf(value)
      continue
    }
    const members = Object.values(value)
    size += 1 + Math.max(1, members.length)
    if (!Array.isArray(value)) for (const name of Object.keys(value)) size += bytesOf(name) + 1
    for (const member of members) open.push(member)
  }
  return size
}

function jsonOf(body: RequestBody): unknown {
  if (body.kind === 'parsed') return body.value
  return body.kind === 'bytes' ? parseJson(body.bytes) : undefined
}
