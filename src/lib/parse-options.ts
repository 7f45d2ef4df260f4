/**
 * Read an options object once, strictly: own properties only, every name known, every value of its type.
 * What is wrong is a `TypeError` naming the function and the option, at construction, never at request time.
 */
import * as z from 'zod/mini'

/**
 * Parse `options` by `shape`. A misspelt option throws, a missing one throws, a polluted `Object.prototype` is not seen.
 *
 * @param name the function to name in the error, as the host calls it
 * @param shape the options by name
 * @param options what the host passed
 * @returns a copy that holds every option of `shape` as its own, one that was left out as `undefined`: a default is
 * taken by `undefined`, never by what sits on a prototype
 */
export function parseOptions<S extends z.core.$ZodShape>(
  name: string,
  shape: S,
  options: unknown,
): z.infer<z.ZodMiniObject<S, z.core.$strict>> {
  if (!isGroup(options)) {
    throw new TypeError(`${name}: options must be an object`)
  }
  const result = z.strictObject(shape).safeParse(ownOf(options), { error: sentenceOf })
  if (result.success) return completed(shape, result.data)
  throw new TypeError(`${name}: ${result.error.issues.map((issue) => describe(issue)).join('; ')}`)
}

/** A group of options inside an option, read as strictly as the whole. */
export function aGroup<S extends z.core.$ZodShape>(
  shape: S,
): z.ZodMiniType<z.infer<z.ZodMiniObject<S, z.core.$strict>>> {
  const own = z.transform((value: unknown) => (isGroup(value) ? ownOf(value) : value))
  const complete = z.transform((data: z.infer<z.ZodMiniObject<S, z.core.$strict>>) => completed(shape, data))
  return z.pipe(z.pipe(own, z.strictObject(shape) as never), complete as never) as never
}

function isGroup(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function ownOf(options: object): object {
  return Object.assign(Object.create(null) as object, options)
}

// Whoever destructures the result, or a copy of it, must not fall through to Object.prototype for what was left out.
function completed<T extends object>(shape: object, data: T): T {
  const absent = Object.keys(shape).map((key) => [key, undefined])
  return Object.assign(Object.create(null) as object, Object.fromEntries(absent), data) as T
}

// An error map that never prints the offending value: an option may be a secret.
function sentenceOf(issue: z.core.$ZodRawIssue): string {
  if (issue.code === 'unrecognized_keys') return `unknown option ${issue.keys.map((key) => `"${key}"`).join(', ')}`
  if (issue.code === 'invalid_type')
    return issue.input === undefined ? 'is required' : `must be of type ${issue.expected}`
  if (issue.code === 'invalid_value')
    return `must be one of ${issue.values.map((value) => JSON.stringify(value)).join(', ')}`
  return issue.message ?? 'has a value that is not allowed'
}

function describe({ path, message, code }: z.core.$ZodIssue): string {
  const option = path.map(String).join('.')
  return code === 'unrecognized_keys' && option === '' ? message : `option "${option}" ${message}`
}

/** A function, handed through untouched. */
export function aFunction<F>(): z.ZodMiniCustom<F, F> {
  return z.custom<F>((value) => typeof value === 'function', 'must be a function')
}

/** An object with these methods (a repository, a step), handed through untouched. */
export function anObjectWith<T>(...methods: string[]): z.ZodMiniCustom<T, T> {
  return z.custom<T>(
    (value) =>
      typeof value === 'object' &&
      value !== null &&
      methods.every((method) => typeof (value as Record<string, unknown>)[method] === 'function'),
    methods.length === 0 ? 'must be an object' : `must be an object with ${methods.join(', ')}`,
  )
}

/** A finite number from `min` to `max`; `NaN`, `Infinity` and numeric strings are refused. */
export function aNumber(min: number, max: number): z.ZodMiniCustom<number, number> {
  return z.custom<number>(
    (value) => typeof value === 'number' && value >= min && value <= max,
    `must be a number from ${min} to ${max}`,
  )
}

/** A string that is not empty and not blank. */
export function aName(): z.ZodMiniCustom<string, string> {
  return z.custom<string>(
    (value) => typeof value === 'string' && value.trim() !== '',
    'must be a string that is not blank',
  )
}

/** An HTTP field name (RFC 9110 §5.1). */
export function aHeaderName(): z.ZodMiniCustom<string, string> {
  return z.custom<string>(
    (value) => typeof value === 'string' && /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/.test(value),
    'must be a header name',
  )
}

/** Options with every default filled in: nothing may be missing, nothing `undefined`. */
export type Complete<T> = { readonly [K in keyof T]-?: Exclude<T[K], undefined> }
