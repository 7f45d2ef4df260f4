/**
 * Read an options object once, strictly: own properties only, every name known, every value of its type. What is wrong is
 * an {@link OptionsError} naming the function and each option, at construction, never at request time.
 *
 * How to use it: the public interface is the one declaration of the types, with a docstring per option. Beside it stands a
 * {@link Shape} of it: `const shape = <U extends User>(): Shape<SyncGateOptions<U>> => ({ users: anObjectWith('find'), … })`.
 * The compiler holds it to exactly the interface's keys, types and optionality, and infers the type of each check from it.
 * `const { users, syncPath = '/x' } = parseOptions('createSyncGate', shape<U>(), options)` then has the interface's types: no
 * cast, no twin, defaults by destructuring. What only code can judge afterwards throws {@link optionsError}.
 */
import { $constructor, $ZodType, type $ZodTypeDef, type ParsePayload } from 'zod/v4/core'

/** One thing that is wrong with the options of a function. */
export interface OptionProblem {
  /** Which option, as a path: `clock`, `issuers.0.keys.1.url`; empty where it is the options as a whole. */
  readonly option: string
  /** What is wrong with it, to follow its name: `must be …`. Never the value, which may be a secret. */
  readonly message: string
}

/**
 * Wrong options, thrown at construction. The message names the function, every wrong option and what is wrong with it.
 *
 * @example
 * if (error instanceof OptionsError) console.error(error.option, error.problems)
 */
export class OptionsError extends TypeError {
  override readonly name = 'OptionsError'
  /** The path of the first wrong option. */
  readonly option: string
  /** Everything that was found wrong; at least one. */
  readonly problems: readonly OptionProblem[]

  constructor(name: string, problems: readonly OptionProblem[]) {
    super(`${name}: ${problems.map(toSentence).join('; ')}`)
    this.option = problems[0]?.option ?? ''
    this.problems = Object.freeze(problems.map((problem) => Object.freeze({ ...problem })))
  }
}

const UNKNOWN = 'is unknown'

function toSentence({ option, message }: OptionProblem): string {
  if (message === UNKNOWN) return `unknown option "${option}"`
  return option === '' ? message : `option "${option}" ${message}`
}

/** The error for one wrong option of the function `name`; `message` follows the option's name: `must be …`. */
export function optionsError(name: string, option: string, message: string): OptionsError {
  return new OptionsError(name, [{ option, message }])
}

/** How an option is read: a type of zod, of whatever was given. */
export type OptionType<T> = $ZodType<T>

/** How an option that may be left out is read: by {@link optional}. Nothing at all is taken for it, too. */
export type OptionalType<T> = $ZodType<T | undefined, undefined>

/** How the options `T` are checked: each of them, no others, and optional where it is optional. */
export type Shape<T> = {
  readonly [K in keyof T]-?: object extends Pick<T, K> ? OptionalType<Exclude<T[K], undefined>> : OptionType<T[K]>
}

/**
 * Parse `options` by `shape`. A misspelt option throws, a missing one throws, a polluted `Object.prototype` is not seen.
 *
 * @param name the function to name in the error, as the host calls it
 * @returns a copy that holds every option of `shape` as its own, one that was left out as `undefined`: a default is
 * taken by `undefined`, never by what sits on a prototype
 * @throws OptionsError
 */
export function parseOptions<T extends object>(name: string, shape: Shape<NoInfer<T>>, options: T): T {
  if (!isObject(options)) throw optionsError(name, '', 'options must be an object')
  const { data, issues } = readGroup(shape, options)
  if (issues.length === 0) return data as T
  const problems = issues.map(({ path, message }) => ({ option: path.join('.'), message }))
  throw new OptionsError(name, problems)
}

/** A group of options inside an option, read as strictly as the whole. */
export function aGroup<T>(shape: Shape<T>): OptionType<T> {
  return readBy((value) => readGroup(shape, value))
}

/** A group of one of several kinds, which its own member `kind` names; `shapes` holds for each kind how it is read. */
export function aGroupOfKind<T extends { readonly kind: string }>(
  shapes: {
    readonly [K in T['kind']]: (group: object) => Shape<Extract<T, { readonly kind: K }>>
  },
): OptionType<T> {
  const kinds = new Map(Object.entries<(group: object) => object>(shapes))
  const message = mustBeOneOf([...kinds.keys()])
  return readBy((value) => {
    const group: { readonly kind?: unknown } = isObject(value) ? ownMembers(value) : {}
    const shape = typeof group.kind === 'string' ? kinds.get(group.kind) : undefined
    return shape === undefined ? wrong(message, ['kind']) : readGroup(shape(group), group)
  })
}

/** What was read of a value. */
interface Reading {
  readonly data: unknown
  /** What is wrong; empty where all is well. */
  readonly issues: readonly Issue[]
}

interface Issue {
  readonly path: PropertyKey[]
  readonly message: string
}

// Of zod this is in a host's bundle: a type that reads by a function. Lists, groups and choices are such functions, here below.
const Reader = /* @__PURE__ */ $constructor<$ZodType, $ZodTypeDef & { read(value: unknown): Reading }>(
  'Reader',
  (type, def) => {
    $ZodType.init(type, def)
    type._zod.parse = (payload) => {
      const { data, issues } = def.read(payload.value)
      payload.value = data
      for (const issue of issues) payload.issues.push({ code: 'custom', input: undefined, ...issue })
      return payload
    }
  },
)

function readBy<T>(read: (value: unknown) => Reading): OptionType<T> {
  return new Reader({ type: 'custom', read }) as OptionType<T>
}

function readAs(type: OptionType<unknown>, value: unknown): Reading {
  const call = typeof value === 'function' ? (value as { readonly [MAKER]?: unknown })[MAKER] : undefined
  // A stand-in of a test has whatever it is asked for.
  if (typeof call === 'string') return wrong(`must be called: ${call}`)
  // None of ours waits for anything. Run without the error for people that zod would else make of what is wrong.
  const { value: data, issues } = type._zod.run({ value, issues: [] }, {}) as ParsePayload
  return { data, issues: issues as readonly Issue[] }
}

function good(data: unknown): Reading {
  return { data, issues: [] }
}

function wrong(message: string, path: PropertyKey[] = []): Reading {
  return { data: undefined, issues: [{ path, message }] }
}

function readGroup(shape: object, value: unknown): Reading {
  if (!isObject(value)) return wrong(mustBe('object', value))
  const own = ownMembers<Record<string, unknown>>(value as never)
  // Whoever destructures the result, or a copy of it, must not fall through to Object.prototype for what was left out.
  const data = Object.create(null) as Record<string, unknown>
  const issues = Object.entries<OptionType<unknown>>(shape as never).flatMap(([key, type]) => {
    const read = readAs(type, own[key])
    data[key] = read.data
    return below(key, own[key] === undefined ? read.issues.map(missing(Object.hasOwn(own, key))) : read.issues)
  })
  const unknown = Object.keys(own).filter((key) => !Object.hasOwn(shape, key))
  return { data, issues: [...issues, ...unknown.map((key) => ({ path: [key], message: UNKNOWN }))] }
}

const REQUIRED = 'is required'

// A variable that is not set is what most often is behind it.
function missing(isGiven: boolean): (issue: Issue) => Issue {
  const says = `${REQUIRED}${unsetWhere(isGiven)}`
  return ({ path, message }) => ({ path, message: message === REQUIRED ? says : `${says}: ${message}` })
}

/** What to add where an option was given as `undefined`, and a value is required. */
export function unsetWhere(isGiven: boolean): string {
  return isGiven ? ' (got undefined: is the variable set?)' : ''
}

function mustBe(type: string, value: unknown): string {
  return value === undefined ? REQUIRED : `must be of type ${type}`
}

function below(key: string | number, issues: readonly Issue[]): readonly Issue[] {
  return issues.map(({ path, message }) => ({ path: [key, ...path], message }))
}

/** Ask whether a value is an object, and no list. */
export function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/**
 * Copy the own members of an object into one without a prototype: where other code of the process has written into
 * `Object.prototype`, a part that was left out stays left out.
 */
export function ownMembers<T extends object>(given: T): T {
  return Object.assign(Object.create(null) as T, given)
}

/** Read what an object says itself: where other code has written into `Object.prototype`, what was left out stays left out. */
export function ownOf<T extends object, K extends keyof T>(given: T, name: K): T[K] | undefined {
  return Object.hasOwn(given, name) ? given[name] : undefined
}

/** Ask whether an object says something itself, as `in` asks it of whatever has written into `Object.prototype` too. */
export function hasOwn<T extends object, K extends string>(
  given: T,
  name: K,
): given is Extract<T, { readonly [P in K]?: unknown }> {
  return Object.hasOwn(given, name)
}

/** A value of which `describe` says what is wrong (`must be …`), or `null`. */
export function checkedBy<T>(describe: (value: unknown) => string | null): OptionType<T> {
  return readBy((value) => {
    const message = describe(value)
    return message === null ? good(value) : wrong(message)
  })
}

/** A value of which `isGood` holds; else the `message` (`must be …`), which never shows it: it may be a secret. Without both: any. */
export function aValue<T>(isGood: (value: unknown) => boolean = () => true, message = ''): OptionType<T> {
  return checkedBy((value) => (isGood(value) ? null : message))
}

/** What `type` takes and `isGood` holds of; else the `message`. */
export function also<T>(type: OptionType<T>, isGood: (value: T) => boolean, message: string): OptionType<T> {
  return readBy((value) => {
    const read = readAs(type, value)
    return read.issues.length > 0 || isGood(read.data as T) ? read : wrong(message)
  })
}

/** An option that may be left out, or `undefined`. */
export function optional<T>(type: OptionType<T>): OptionalType<T> {
  return orElse(undefined, type) as OptionalType<T>
}

export function orNull<T>(type: OptionType<T>): OptionType<T | null> {
  return orElse(null, type)
}

function orElse<T, E>(other: E, type: OptionType<T>): OptionType<T | E> {
  return readBy((value) => (value === other ? good(value) : readAs(type, value)))
}

export function aFunction<F>(): OptionType<F> {
  return aValue<F>((value) => typeof value === 'function', 'must be a function')
}

// Another copy of this package may have made it.
const MAKER: unique symbol = Symbol.for('sallyport.maker') as never

/**
 * Mark a function that makes what an option takes: handed over uncalled it would be called by somebody else, to no effect, so every
 * option refuses it. Of its call it says what is left to write.
 */
export function maker<F extends object>(call: string, make: F): F {
  return Object.defineProperty(make, MAKER, { value: call })
}

/** An object with these methods (a repository, a step): handed through untouched, as a function is. */
export function anObjectWith<T>(...methods: string[]): OptionType<T> {
  return aValue<T>(
    (value) =>
      typeof value === 'object' &&
      value !== null &&
      methods.every((method) => typeof (value as Record<string, unknown>)[method] === 'function'),
    methods.length === 0 ? 'must be an object' : `must be an object with ${methods.join(', ')}`,
  )
}

export function aListOf<T>(entry: OptionType<T>): OptionType<readonly T[]> {
  return readBy((value) =>
    Array.isArray(value) ? readEntries(entry, [...value.entries()]) : wrong(mustBe('array', value)),
  )
}

export function aFilledListOf<T>(entry: OptionType<T>): OptionType<readonly T[]> {
  return also(aListOf(entry), ({ length }) => length > 0, 'must not be empty')
}

/** A plain object of any names, each entry checked. */
export function aRecordOf<T>(entry: OptionType<T>): OptionType<Readonly<Record<string, T>>> {
  return readBy((value) => {
    if (!isPlain(value)) return wrong(mustBe('record', value))
    const { data, issues } = readEntries(entry, Object.entries(value))
    return { data: Object.fromEntries(Object.keys(value).map((key, index) => [key, data[index]])), issues }
  })
}

function readEntries(entry: OptionType<unknown>, entries: readonly (readonly [number | string, unknown])[]) {
  const read = entries.map(([key, value]) => ({ key, ...readAs(entry, value) }))
  return {
    data: read.map(({ data }) => data),
    issues: read.flatMap(({ key, issues }) => below(key, issues)),
  }
}

/** Ask whether a value is an object as `{…}` writes one, of any realm. */
export function isPlain(value: unknown): value is object {
  if (!isObject(value)) return false
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === null || Object.getPrototypeOf(prototype) === null
}

export function oneOf<const T extends string>(...values: readonly T[]): OptionType<T> {
  return aValue<T>((value) => values.includes(value as T), mustBeOneOf(values))
}

function mustBeOneOf(values: readonly unknown[]): string {
  return `must be one of ${values.map((value) => JSON.stringify(value)).join(', ')}`
}

export function aBoolean(): OptionType<boolean> {
  return aValue<boolean>((value) => typeof value === 'boolean', 'must be of type boolean')
}

/** A finite number from `min` to `max`; `NaN`, `Infinity` and numeric strings are refused. */
export function aNumber(min: number, max: number): OptionType<number> {
  return aValue<number>(
    (value) => typeof value === 'number' && value >= min && value <= max,
    `must be a number from ${min} to ${max}`,
  )
}

/** A whole number from `min` to `max`, for what is counted: a list that is cut to a fraction never gets as long as that. */
export function aCount(min: number, max: number): OptionType<number> {
  return also(aNumber(min, max), Number.isInteger, 'must be a whole number')
}

/** A string, an empty one too. */
export function aString<T extends string = string>(): OptionType<T> {
  return aValue<T>((value) => typeof value === 'string', 'must be of type string')
}

export function aName<T extends string = string>(): OptionType<T> {
  return aValue<T>((value) => typeof value === 'string' && value.trim() !== '', 'must be a string that is not blank')
}

/** A string that `pattern` matches; else the `message` (`must be …`). */
export function aMatch(pattern: RegExp, message: string): OptionType<string> {
  return aValue<string>((value) => typeof value === 'string' && pattern.test(value), message)
}

/** A path of an HTTP request, without white space. */
export function aPath(): OptionType<string> {
  return aMatch(/^\/[\x21-\x7e]*$/, 'must be a path')
}

const SEGMENT = /^(?::[A-Za-z_][A-Za-z0-9_]*|[A-Za-z0-9._~-]+)$/

/** Ask whether a value is the path of a Route: "/" and segments that are plain text or one `:name` each, no name twice. */
export function isRoutePath(path: unknown): path is string {
  if (typeof path !== 'string' || !path.startsWith('/')) return false
  const segments = path.slice(1).split('/')
  const names = segments.filter((segment) => segment.startsWith(':'))
  // A server would make another path of dots (RFC 3986 §5.2.4).
  const areKnown = segments.every((segment) => SEGMENT.test(segment) && segment !== '.' && segment !== '..')
  return path === '/' || (areKnown && !names.includes(':__proto__') && new Set(names).size === names.length)
}

/** The path of a Route. */
export function aRoutePath(): OptionType<string> {
  return aValue<string>(isRoutePath, 'must be a path')
}

/** The path of a Route below which others lie, which have a parameter of the name `param`: not "/", and no such one of its own. */
export function aRoutePathAbove(param = ''): OptionType<string> {
  const isTaken = (path: string): boolean => path.split('/').includes(`:${param}`)
  return checkedBy((path) => {
    if (!isRoutePath(path) || path === '/') return 'must be a path, and not "/"'
    return isTaken(path) ? `must call its parameter otherwise than ":${param}", which stands below it` : null
  })
}

export function aHeaderName(): OptionType<string> {
  return aValue<string>(isHttpToken, 'must be a header name')
}

/** Ask whether a value is a token as HTTP has it (RFC 9110 §5.6.2): the name of a header, of a cookie. */
export function isHttpToken(value: unknown): value is string {
  return typeof value === 'string' && /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/.test(value)
}

/** Ask whether a value is a scope token (RFC 6749 §3.3): it stands in a challenge, so a quote or a line break must not. */
export function isScope(value: unknown): value is string {
  return typeof value === 'string' && /^[\x21\x23-\x5b\x5d-\x7e]+$/.test(value)
}

/** A permission: a scope token. */
export function aScope<T extends string = string>(): OptionType<T> {
  return aValue<T>(isScope, 'must be a scope token (RFC 6749 §3.3)')
}

/** Options with every default filled in: nothing may be missing, nothing `undefined`. */
export type Complete<T> = { readonly [K in keyof T]-?: Exclude<T[K], undefined> }
