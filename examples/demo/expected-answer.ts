/**
 * What must come back, as data, and what is wrong with an answer: status, body, headers; of a refusal every byte. The tour
 * says so of its steps, the corpus of the tests of its cases.
 */
import { AUTH_ERRORS, type AuthErrorCode } from 'sallyport'
import type { WireAnswer } from './send.ts'

/** What must come back. */
export interface ExpectedAnswer {
  readonly status: number
  /** The public code of a refusal; `null` for a success. */
  readonly code: string | null
  /** The exact `WWW-Authenticate`, or `null` for none. */
  readonly challenge: string | null
  /** The field a `validation_error` names. */
  readonly field?: string
  /** The whole body of a success: these members in this order; `*` is any text that is not empty. */
  readonly body?: unknown
  /** Members that it has among others. */
  readonly members?: unknown
  /** A refusal that is a problem document (RFC 9457). */
  readonly problem?: boolean
  /** Headers that it has, or (`null`) has not. */
  readonly headers?: Readonly<Record<string, string | null>>
}

type Fill = (text: string) => string

/** What is wrong with an answer; empty: nothing. `fill` fills in what the expectation leaves open. */
export function faultsOf(expected: ExpectedAnswer, answer: WireAnswer, fill: Fill): string[] {
  const { status, code, challenge, headers = {} } = expected
  const got = headerOf(answer, 'www-authenticate')
  const faults = [
    ...(answer.status === status ? [] : [String(answer.status), answer.text.slice(0, 200)]),
    ...(got === (challenge ?? undefined) ? [] : [`challenge ${got ?? 'missing'}`]),
    ...(code === null ? faultsOfSuccess(expected, answer, fill) : faultsOfRefusal(expected, answer)),
  ]
  for (const [name, wanted] of Object.entries(headers)) {
    const value = headerOf(answer, name.toLowerCase())
    if (value !== (wanted === null ? undefined : fill(wanted))) faults.push(`${name}: ${value ?? 'none'}`)
  }
  return faults
}

function headerOf({ headers }: WireAnswer, name: string): string | undefined {
  const value = headers[name]
  return value === undefined ? undefined : [value].flat().join(' | ')
}

function faultsOfSuccess({ body, members }: ExpectedAnswer, { status, text }: WireAnswer, fill: Fill): string[] {
  if (status === 204) return text === '' ? [] : ['a body']
  const isGood =
    (body === undefined || matches(parse(text), body, fill, true)) &&
    (members === undefined || matches(parse(text), members, fill, false))
  return isGood ? [] : [text.slice(0, 300)]
}

// The fixed sentences come from the table the library exports; what is proved here is who gets which, to the byte.
function faultsOfRefusal({ code, field, problem = false }: ExpectedAnswer, answer: WireAnswer): string[] {
  const { status, message } = AUTH_ERRORS[code as AuthErrorCode]
  const more = field === undefined ? {} : { field }
  const body = problem
    ? { type: `urn:sallyport:${code}`, title: message, status, code, ...more }
    : { error: { code, message, ...more } }
  const retryAfter = headerOf(answer, 'retry-after')
  const mayTryAgain = status === 503 || status === 429
  const headers: readonly (readonly [string, string])[] = [
    ['content-type', problem ? 'application/problem+json' : 'application/json; charset=utf-8'],
    ['cache-control', 'no-store'],
    ['content-length', String(new TextEncoder().encode(answer.text).length)],
  ]
  return [
    ...(answer.text === JSON.stringify(body) ? [] : [answer.text.slice(0, 200)]),
    ...headers.flatMap(([name, wanted]) => {
      const value = headerOf(answer, name)
      return value === wanted ? [] : [`${name}: ${value ?? 'none'}`]
    }),
    ...((mayTryAgain ? /^[1-9]\d*$/.test(retryAfter ?? '') : retryAfter === undefined) ? [] : ['Retry-After']),
  ]
}

/** The expectation of a refusal by its code and, behind the first colon, its detail: a field, a scope, or `absent`. */
export function toExpectedRefusal(no: string): ExpectedAnswer & { readonly detail: string | undefined } {
  const [code = '', ...rest] = no.split(':')
  const detail = rest.length === 0 ? undefined : rest.join(':')
  const { status, challenge } = AUTH_ERRORS[code as AuthErrorCode]
  const expected = { status, code, challenge, detail }
  if (code === 'validation_error' && detail !== undefined) return { ...expected, field: detail }
  if (code === 'unauthorized' && detail === 'absent') return { ...expected, challenge: 'Bearer' }
  return code === 'insufficient_scope' ? { ...expected, challenge: `${challenge}, scope="${detail}"` } : expected
}

/** Parse a JSON text; `undefined` for anything else. */
export function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** Follow a path such as `data.user.id` into a value. */
export function at(value: unknown, path: string): unknown {
  return path
    .split('.')
    .reduce<unknown>((inner, key) => (inner as Record<string, unknown> | null | undefined)?.[key], value)
}

// `*` stands for any text. `whole`: exactly these members, in this order; else an object may have more of them.
function matches(value: unknown, wanted: unknown, fill: Fill, whole: boolean): boolean {
  if (wanted === '*') return typeof value === 'string' && value !== ''
  if (typeof wanted === 'string') return value === fill(wanted)
  if (typeof wanted !== 'object' || wanted === null) return value === wanted
  if (typeof value !== 'object' || value === null || Array.isArray(value) !== Array.isArray(wanted)) return false
  const promised = Object.entries(wanted)
  const names = Object.keys(value)
  const isComplete = whole || Array.isArray(wanted)
  if (isComplete && JSON.stringify(names) !== JSON.stringify(promised.map(([name]) => name))) return false
  return promised.every(
    ([name, member]) =>
      Object.hasOwn(value, name) && matches((value as Record<string, unknown>)[name], member, fill, whole),
  )
}
