/** The one strict reader of JSON bodies: for our own routes and for hosts'. */
import { AuthError } from '../errors.ts'
import { optionsError, ownMembers } from '../lib/parse-options.ts'
import { trimBlanks } from '../lib/trim-blanks.ts'
import type { AuthRequest, RequestBody } from '../request.ts'
import { describeBodySeconds, parseJson, recheckCallers } from './request-body.ts'

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
 * A schema of any library that speaks Standard Schema (version 1, https://standardschema.dev): zod, Valibot, ArkType, …
 * Only what is asked of one here.
 */
export interface StandardSchema<Output> {
  readonly '~standard': {
    readonly version: 1
    readonly validate: (value: unknown) => SchemaResult<Output> | Promise<SchemaResult<Output>>
  }
}

type SchemaResult<Output> =
  | { readonly value: Output; readonly issues?: undefined }
  | { readonly issues: readonly SchemaIssue[] }

interface SchemaIssue {
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined
}

/** Reads a JSON body from a request: what {@link createReadJson} makes. */
export interface ReadJson<Q> {
  /** Without a schema: an object, as it came. */
  (request: Q, schema?: undefined, limits?: BodyLimits | undefined): Promise<JsonObject>
  /** With one: what it makes of the body. */
  <Output>(request: Q, schema: StandardSchema<Output>, limits?: BodyLimits | undefined): Promise<Output>
}

/**
 * Make the `readJson` of an adapter.
 *
 * @example
 * const readJson = createReadJson(toAuthRequest)
 */
export function createReadJson<Q>(toAuthRequest: (request: Q) => AuthRequest): ReadJson<Q> {
  return async <Output>(request: Q, schema?: StandardSchema<Output>, limits?: BodyLimits): Promise<Output> =>
    read(toAuthRequest(request), schema, limits)
}

/**
 * Read the body as JSON: from the stream while nobody has read it, else what the framework's parser left.
 * It never hangs: neither behind one, nor for a body that does not come. Where the body took over a second, the caller
 * whom a mount has let in is checked once more, by storage too: a session that was ended meanwhile is refused here.
 *
 * @param schema any Standard Schema: what it makes of the body is handed back, typed. Own members only reach it. Left out:
 * an object, as it came
 * @param limits `limitBytes` (default 16,384) and `timeoutSeconds` (default the adapter's, 10)
 * @throws AuthError in this order: `unsupported_media_type` (415) unless `application/json` in UTF-8, and for a
 * `Content-Encoding` that nobody has decoded; `payload_too_large` (413); `request_timeout` (408) where it is not whole in
 * time, and the connection ends; then what checking the caller once more refuses; `validation_error` (400): `field` is the
 * path of the schema's first issue, joined by dots, and `body` for malformed JSON, for what is no object, or without a path
 * @throws Error where another middleware has consumed the body and left nothing: a mistake of the host's
 * @throws TypeError for what is no schema, OptionsError for limits that are none
 * @example
 * const { name } = await readJson(request, z.object({ name: z.string().min(1) }))
 * const image = await readJson(request, Image, { limitBytes: 1_000_000, timeoutSeconds: 60 })
 */
export const readJson: ReadJson<AuthRequest> = /* @__PURE__ */ createReadJson((request: AuthRequest) => request)

async function read<Output>(
  request: AuthRequest,
  schema: StandardSchema<Output> | undefined,
  limits: BodyLimits = {},
): Promise<Output> {
  if (schema !== undefined) requireSchema(schema)
  const value = await readValue(request, limits)
  if (value === undefined || (schema === undefined && !isObject(value))) {
    const got =
      value === undefined ? 'no JSON' : Array.isArray(value) ? 'array' : value === null ? 'null' : typeof value
    throw new AuthError('validation_error', { field: 'body', reason: 'body_not_an_object', got })
  }
  return schema === undefined ? (value as Output) : parseBody(value, schema)
}

/** Parse what was read by a schema; `validation_error` names the path of the first issue. */
export async function parseBody<Output>(value: unknown, schema: StandardSchema<Output>): Promise<Output> {
  const result = await validate(value, schema)
  if (!result.issues) return result.value
  throw invalidField(fieldOf(result.issues[0]))
}

async function validate<Output>(value: unknown, schema: StandardSchema<Output>): Promise<SchemaResult<Output>> {
  try {
    // A schema looks members up: one that was left out must not be found in `Object.prototype`.
    return await schema['~standard'].validate(isObject(value) ? ownMembers(value) : value)
  } catch (error) {
    // One that holds itself goes as deep as the body, which may be deeper than the stack is: that is the body's fault.
    if (error instanceof RangeError && isDeep(value)) throw invalidField('body')
    throw error
  }
}

const DEEP = 100

function isDeep(root: unknown): boolean {
  let level = [root]
  for (let depth = 0; level.length > 0; depth++) {
    if (depth === DEEP) return true
    level = level.flatMap((value) => (typeof value === 'object' && value !== null ? Object.values(value) : []))
  }
  return false
}

export function invalidField(field: string): AuthError {
  return new AuthError('validation_error', { field, reason: 'field_invalid' })
}

async function readValue(request: AuthRequest, limits: BodyLimits): Promise<unknown> {
  const { limitBytes = LIMIT_BYTES, timeoutSeconds } = ownMembers(limits)
  requireLimits(limitBytes, timeoutSeconds)
  const types = request.lines('content-type')
  if (!isJson(types)) {
    const [expected, got] = ['application/json', types.join(', ') || 'none']
    throw new AuthError('unsupported_media_type', { reason: 'body_not_json', expected, got })
  }
  const body = await request.body(limitBytes, timeoutSeconds)
  if (isTooLarge(body, limitBytes)) {
    throw new AuthError('payload_too_large', { reason: 'body_too_large', expected: `at most ${limitBytes} bytes` })
  }
  // Once more for requests whose body somebody else reads: it costs a look at the clock.
  await recheckCallers(request.source)
  if (body.kind === 'parsed') return body.value
  return body.kind === 'bytes' ? parseJson(body.bytes) : undefined
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function requireSchema(schema: { readonly '~standard'?: StandardSchema<unknown>['~standard'] | undefined }): void {
  const { version, validate } = schema?.['~standard'] ?? {}
  if (version !== 1 || typeof validate !== 'function') {
    throw new TypeError(
      'readJson: the schema (second argument) must be a Standard Schema, version 1; limits come third',
    )
  }
}

function fieldOf(issue: SchemaIssue | undefined): string {
  // Not by the path's own `map`, which makes another list of its kind: of ArkType's an empty one has an entry then.
  const path = Array.from(issue?.path ?? [], (part) => String(typeof part === 'object' ? part.key : part))
  return path.join('.') || 'body'
}

function requireLimits(limitBytes: unknown, timeoutSeconds: unknown): void {
  if (!(typeof limitBytes === 'number' && limitBytes >= 0)) {
    throw optionsError('readJson', 'limitBytes', 'must be a number of bytes')
  }
  const wrong = timeoutSeconds === undefined ? null : describeBodySeconds(timeoutSeconds)
  if (wrong !== null) throw optionsError('readJson', 'timeoutSeconds', wrong)
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
  const sizeOf = (value: unknown): number => {
    if (typeof value === 'string' && value.length > limitBytes) return value.length
    // JSON has no text for what some parsers make of a large number.
    const text = typeof value === 'bigint' ? String(value) : (JSON.stringify(value) ?? '')
    return encoder.encode(text).length
  }
  while (open.length > 0 && size <= limitBytes) {
    const value = open.pop()
    if (typeof value !== 'object' || value === null) {
      size += sizeOf(value)
      continue
    }
    // Two brackets, and a comma or a colon after all but the last; only then are the members looked at.
    size += 1 + Math.max(1, Array.isArray(value) ? value.length : 2 * Object.keys(value).length)
    if (size > limitBytes) return true
    const members: readonly unknown[] = Array.isArray(value) ? value : Object.entries(value).flat()
    for (const member of members) open.push(member)
  }
  return size > limitBytes
}
