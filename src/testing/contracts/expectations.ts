/** The assertions of the contract suites, imported as `expect`: errors of one sentence, which any runner can show; hostile ids. */
import { codeOf } from '../../lib/standard-error.ts'
import { isConflictError } from '../../storage/storage-errors.ts'

export function that(holds: boolean, expected: string, got: unknown): asserts holds {
  if (!holds) throw new Error(`expected ${expected}, got ${show(got)}`)
}

/** Two values are the same as data: members, instants and all. */
export function same(got: unknown, wanted: unknown, what: string): void {
  that(textOf(got) === textOf(wanted), `${what}: ${show(wanted)}`, got)
}

export function absent(got: unknown, what: string): asserts got is null {
  that(got === null, `${what}: null`, got)
}

/** The value is there; hand it on without the `null`. */
export function found<T>(got: T | null | undefined, what: string): T {
  that(got !== null && got !== undefined, what, got)
  return got
}

/** The call rejects; hand the error on. */
export async function rejected(call: Promise<unknown>, what: string): Promise<unknown> {
  const result = await settled(call)
  that(result.status === 'rejected', `${what} to be rejected`, `the value ${show(fulfilledValue(result))}`)
  return result.reason
}

/** The call rejects with a `ConflictError`, recognised by its brand. */
export async function conflict(call: Promise<unknown>, what: string): Promise<void> {
  const error = await rejected(call, what)
  that(isConflictError(error), `${what} to be rejected with a ConflictError`, error)
}

/** Of calls at once exactly one is fulfilled, every other is rejected with a `ConflictError`; hand its value on. */
export function oneWinner<T>(results: readonly PromiseSettledResult<T>[], what: string): T {
  const won = results.filter((result) => result.status === 'fulfilled')
  that(won.length === 1, `one ${what} to win`, won.length)
  const odd = results.find((result) => result.status === 'rejected' && !isConflictError(result.reason))
  that(odd === undefined, `every other ${what} to be rejected with a ConflictError`, odd)
  return (won[0] as PromiseFulfilledResult<T>).value
}

/** Of calls at once none is rejected; hand their values on. */
export function allFulfilled<T>(results: readonly PromiseSettledResult<T>[], what: string): readonly T[] {
  const failed = results.find(({ status }) => status === 'rejected')
  that(failed === undefined, `no ${what} to be rejected`, failed)
  return results.map((result) => (result as PromiseFulfilledResult<T>).value)
}

/** Wait for a call, however it ends. */
export async function settled<T>(call: Promise<T>): Promise<PromiseSettledResult<T>> {
  const [result] = await Promise.allSettled([call])
  return result
}

/** The value of a settled call; `undefined` where it was rejected. */
export function fulfilledValue<T>(result: PromiseSettledResult<T>): T | undefined {
  return result.status === 'fulfilled' ? result.value : undefined
}

/** A value as text in which equal data is equal, whatever the order of its members; an instant is a `Date`, and no text of one. */
export function textOf(value: unknown): string {
  return JSON.stringify(markDate(value), (_, member: unknown) => {
    if (typeof member === 'bigint') return `${member}n`
    if (typeof member !== 'object' || member === null) return member
    if (Array.isArray(member)) return member.map(markDate)
    const sorted = Object.entries(member).sort(([a], [b]) => (a < b ? -1 : 1))
    return Object.fromEntries(sorted.map(([key, each]) => [key, markDate(each)]))
  }) as string
}

// Before JSON writes it as the very text that a driver without types hands out. By its tag: runners have Dates of another realm.
function markDate(value: unknown): unknown {
  return Object.prototype.toString.call(value) === '[object Date]' ? `Date ${(value as Date).toJSON()}` : value
}

/** A value for a sentence: at most 200 characters; an error with the code of what caused it. */
export function show(value: unknown): string {
  const text = value instanceof Error ? sayError(value) : (textOf(value) ?? String(value))
  return text.length > 200 ? `${text.slice(0, 200)}… (${text.length} characters)` : text
}

function sayError(error: Error): string {
  const code = codeOf(error)
  return `${error.name}: ${error.message}${code === null ? '' : ` [${code}]`}`
}

const HOSTILE: readonly string[] = [
  ...['', ' ', '\0', 'a\0b', '\n', 'x'.repeat(10_240), '9'.repeat(40), '-1', '1e309', 'NaN'],
  // Beyond ASCII, and halves of a surrogate pair.
  ...['🦊', '\ud83e', 'a\udd8a'],
  // What a query, a pattern, a path or a document could be broken by.
  ...["'", '"', '`', '\\', '%', '_', '$1', "' OR '1'='1", "'; DROP TABLE users; --"],
  ...['../../etc/passwd', '{"$ne":null}'],
  // What an object has without being asked.
  ...['__proto__', 'constructor', 'toString', 'hasOwnProperty', 'null', 'undefined'],
  ...['not-a-uuid', '00000000-0000-0000-0000-00000000000g'],
]

/** Hostile ids; with `near`, an id that exists, also ones that a careless storage takes for it. */
export function hostileIds(near?: string): readonly string[] {
  if (near === undefined) return HOSTILE
  return [...HOSTILE, `${near}\0`, `${near}\0x`, `${near} `, ` ${near}`, `${near}\n`, `${near}'--`, `${near}x`]
}

/** A look-up answers `nothing` for each of the ids, and never throws. */
export async function none(
  what: string,
  ids: readonly string[],
  find: (id: string) => Promise<unknown>,
  nothing: unknown = null,
): Promise<void> {
  for (const id of ids) {
    const result = await settled(find(id))
    const sentence = `${what} to find nothing for the id ${show(id)}`
    that(result.status === 'fulfilled', sentence, result.status === 'rejected' ? result.reason : undefined)
    that(textOf(result.value) === textOf(nothing), sentence, result.value)
  }
}
