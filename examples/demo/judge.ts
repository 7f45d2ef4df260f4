/** Compare an answer with what a step promises: status, body, headers; of a refusal every byte. */
import { AUTH_ERRORS, type AuthErrorCode } from 'sallyport'
import type { WireAnswer } from './send.ts'
import type { RequestStep } from './step.ts'

/** What is wrong with an answer; empty: nothing. `fill` puts in what earlier steps kept. */
export function faultsOf(step: RequestStep, answer: WireAnswer, fill: (text: string) => string): string[] {
  const faults = step.no === undefined ? faultsOfSuccess(step, answer, fill) : faultsOfRefusal(step.no, answer)
  for (const [name, wanted] of Object.entries(step.headers ?? {})) {
    const value = answer.headers[name.toLowerCase()]
    if (value !== (wanted === null ? undefined : fill(wanted))) faults.push(`${name}: ${value ?? 'none'}`)
  }
  return faults
}

function faultsOfSuccess(
  { ok, once, body, headers }: RequestStep,
  answer: WireAnswer,
  fill: (text: string) => string,
): string[] {
  const faults =
    answer.status === ok || answer.status === once ? [] : [String(answer.status), answer.text.slice(0, 200)]
  if (ok === 204 && answer.text !== '') faults.push('a body')
  const type = headers?.['Content-Type'] ?? 'application/json; charset=utf-8'
  if (ok !== 204 && answer.headers['content-type'] !== type) faults.push(`type ${answer.headers['content-type']}`)
  if (body !== undefined && !matches(parse(answer.text), body, fill)) faults.push(answer.text.slice(0, 300))
  return faults
}

// The fixed sentences come from the table the library exports; what is proved here is who gets which, to the byte.
function faultsOfRefusal(no: string, { status, headers, text }: WireAnswer): string[] {
  const [code, detail] = splitRefusal(no)
  const row = AUTH_ERRORS[code]
  const field = code === 'validation_error' ? { field: detail } : {}
  const body = JSON.stringify({ error: { code, message: row.message, ...field } })
  const challenge = challengeOf(code, detail)
  return [
    ...(status === row.status ? [] : [String(status)]),
    ...(text === body ? [] : [text.slice(0, 200)]),
    ...(headers['content-type'] === 'application/json; charset=utf-8' ? [] : [`type ${headers['content-type']}`]),
    ...(headers['cache-control'] === 'no-store' ? [] : ['may be stored']),
    ...(headers['www-authenticate'] === challenge ? [] : [`challenge ${headers['www-authenticate'] ?? 'missing'}`]),
    ...((row.status === 503 || row.status === 429) === (headers['retry-after'] !== undefined) ? [] : ['Retry-After']),
  ]
}

function challengeOf(code: AuthErrorCode, detail: string | undefined): string | undefined {
  if (code === 'unauthorized' && detail === 'absent') return 'Bearer'
  const { challenge } = AUTH_ERRORS[code]
  return code === 'insufficient_scope' ? `${challenge}, scope="${detail}"` : (challenge ?? undefined)
}

/** The code of a refusal and, behind the first colon, its detail. */
export function splitRefusal(no: string): [code: AuthErrorCode, detail: string | undefined] {
  const [code = '', ...rest] = no.split(':')
  return [code as AuthErrorCode, rest.length === 0 ? undefined : rest.join(':')]
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

// Exactly these members, in this order; `*` stands for any text.
function matches(value: unknown, wanted: unknown, fill: (text: string) => string): boolean {
  if (wanted === '*') return typeof value === 'string' && value !== ''
  if (typeof wanted === 'string') return value === fill(wanted)
  if (typeof wanted !== 'object' || wanted === null) return value === wanted
  if (typeof value !== 'object' || value === null || Array.isArray(value) !== Array.isArray(wanted)) return false
  const [own, promised] = [Object.entries(value), Object.entries(wanted)]
  return (
    own.length === promised.length &&
    own.every(([key, member], index) => key === promised[index]?.[0] && matches(member, promised[index]?.[1], fill))
  )
}
