/**
 * The assertions of the contract suites, plain errors with one sentence, so that any runner can show them; and ids that no
 * storage holds: of the wrong form, too long, made to break queries or look-ups by name.
 */
import { isConflictError } from '../../storage/storage-errors.ts'

/** Throw `expected …, got …` unless `holds`. */
export function expectThat(holds: boolean, expected: string, got: unknown): asserts holds {
  if (!holds) throw new Error(`expected ${expected}, got ${show(got)}`)
}

/** Two values are the same as data: members, instants and all. */
export function expectSame(got: unknown, wanted: unknown, what: string): void {
  expectThat(textOf(got) === textOf(wanted), `${what}: ${show(wanted)}`, got)
}

/** The value is exactly `null`. */
export function expectNull(got: unknown, what: string): asserts got is null {
  expectThat(got === null, `${what}: null`, got)
}

/** The value is there; hand it on without the `null`. */
export function expectFound<T>(got: T | null | undefined, what: string): T {
  expectThat(got !== null && got !== undefined, what, got)
  return got
}

/** The call rejects; hand the error on. */
export async function expectRejected(call: Promise<unknown>, what: string): Promise<unknown> {
  const result = await settled(call)
  expectThat(result.status === 'rejected', `${what} to be rejected`, `the value ${show(fulfilledValue(result))}`)
  return result.reason
}

/** The call rejects with a `ConflictError`, recognised by its brand. */
export async function expectConflict(call: Promise<unknown>, what: string): Promise<void> {
  const error = await expectRejected(call, what)
  expectThat(isConflictError(error), `${what} to be rejected with a ConflictError`, error)
}

/** Of calls at once exactly one is fulfilled, every other is rejected with a `ConflictError`; hand its value on. */
export function expectOneWinner<T>(results: readonly PromiseSettledResult<T>[], what: string): T {
  const won = results.filter((result) => result.status === 'fulfilled')
  expectThat(won.length === 1, `one ${what} to win`, won.length)
  const odd = results.find((result) => result.status === 'rejected' && !isConflictError(result.reason))
  expectThat(odd === undefined, `every other ${what} to be rejected with a ConflictError`, odd)
  return (won[0] as PromiseFulfilledResult<T>).value
}

/** Of calls at once none is rejected; hand their values on. */
export function expectAllFulfilled<T>(results: readonly PromiseSettledResult<T>[], what: string): readonly T[] {
  const failed = results.find(({ status }) => status === 'rejected')
  expectThat(failed === undefined, `no ${what} to be rejected`, failed)
  return results.map((result) => (result as PromiseFulfilledResult<T>).value)
}

/** Records are these, by their ids, in this order. */
export function expectIds(got: readonly WithId[], wanted: readonly WithId[], what: string): void {
  const idsOf = (records: readonly WithId[]): readonly string[] => records.map(({ id }) => id)
  expectSame(idsOf(got), idsOf(wanted), what)
}

interface WithId {
  readonly id: string
}

/** A list without anything in it. */
export function isEmpty(got: unknown): boolean {
  return Array.isArray(got) && got.length === 0
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

/** A value as text in which equal data is equal, whatever the order of its members. */
export function textOf(value: unknown): string {
  return JSON.stringify(value, (_, member: unknown) => {
    if (typeof member === 'bigint') return `${member}n`
    if (typeof member !== 'object' || member === null || Array.isArray(member)) return member
    return Object.fromEntries(Object.entries(member).sort(([a], [b]) => (a < b ? -1 : 1)))
  }) as string
}

/** A value for a sentence: at most 200 characters. */
export function show(value: unknown): string {
  const text = value instanceof Error ? `${value.name}: ${value.message}` : (textOf(value) ?? String(value))
  return text.length > 200 ? `${text.slice(0, 200)}… (${text.length} characters)` : text
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

/** Call a look-up with each hostile id: each must answer `nothing`, none may throw. */
export async function expectNothing(
  what: string,
  ids: readonly string[],
  find: (id: string) => Promise<unknown>,
  nothing: (got: unknown) => boolean = (got) => got === null,
): Promise<void> {
  for (const id of ids) {
    const result = await settled(find(id))
    const sentence = `${what} to find nothing for the id ${show(id)}`
    expectThat(result.status === 'fulfilled', sentence, result.status === 'rejected' ? result.reason : undefined)
    expectThat(nothing(result.value), sentence, result.value)
  }
}
