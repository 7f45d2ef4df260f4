/** Holds an answer against its label: status, challenge, the exact bytes of a refusal, its headers. Hands on what is wrong. */
import { expect } from 'vitest'
import { AUTH_ERRORS, type AuthErrorCode } from '../../src/errors.ts'
import type { CorpusCase } from './case-format.ts'
import { type RawAnswer, valuesOf } from './raw-http.ts'
import type { World } from './world.ts'

/** Fill in the placeholders of a text: ids of the world, `{{ORG.name}}` in upper case, `{{n x text}}`, and `more`. */
export function fill(
  text: string,
  { ids }: World,
  more: (name: string) => string | undefined = () => undefined,
): string {
  return text.replace(/\{\{([^{}]+)\}\}/g, (whole, name: string) => {
    const [, times, unit] = /^(\d+) x (.+)$/s.exec(name) ?? []
    if (times !== undefined && unit !== undefined) return unit.repeat(Number(times))
    const upper = name.startsWith('ORG.') ? ids.get(`org.${name.slice(4)}`)?.toUpperCase() : undefined
    const value = upper ?? ids.get(name) ?? more(name)
    if (value === undefined) throw new Error(`nothing stands for ${whole}`)
    return value
  })
}

/** Say how an answer departs from its label, or `null`. */
export function compare(label: CorpusCase, answer: RawAnswer, world: World): string | null {
  const { status, body } = answer
  if (label.layer === 'router') return label.anyOf?.includes(status) ? null : `one of ${label.anyOf}, got ${status}`
  const got = `got ${status} ${valuesOf(answer, 'www-authenticate').join(' | ')} ${body.slice(0, 200)}`
  if (status !== label.status) return `expected ${label.status} ${label.code ?? ''}, ${got}`
  if (label.layer === 'http') return body === '' ? null : `a body, ${got}`
  const challenges = valuesOf(answer, 'www-authenticate')
  const expected = label.challenge === null ? [] : [label.challenge]
  if (JSON.stringify(challenges) !== JSON.stringify(expected)) return `expected challenge ${expected}, ${got}`
  return label.code === null ? compareSuccess(label, answer, world) : compareRefusal(label, answer)
}

function compareRefusal(label: CorpusCase, answer: RawAnswer): string | null {
  const code = label.code as AuthErrorCode
  const { status, message } = AUTH_ERRORS[code]
  const field = label.field === undefined ? {} : { field: label.field }
  const problem = label.request[0]?.includes(' /problem/') === true
  const expected = problem
    ? { type: `urn:sallyport:${code}`, title: message, status, code, ...field }
    : { error: { code, message, ...field } }
  if (answer.body !== JSON.stringify(expected)) return `expected ${JSON.stringify(expected)}, got ${answer.body}`
  const type = problem ? 'application/problem+json' : 'application/json; charset=utf-8'
  const headers: readonly (readonly [string, string])[] = [
    ['content-type', type],
    ['cache-control', 'no-store'],
    ['content-length', String(Buffer.byteLength(answer.body))],
  ]
  const wrong = headers.find(([name, value]) => valuesOf(answer, name).join(' | ') !== value)
  if (wrong !== undefined) return `${wrong[0]}: ${valuesOf(answer, wrong[0]).join(' | ')}`
  const retry = valuesOf(answer, 'retry-after')
  const wanted = status === 503 || status === 429 ? 1 : 0
  if (retry.length !== wanted || !retry.every((value) => /^[1-9]\d*$/.test(value))) return `retry-after: ${retry}`
  return null
}

function compareSuccess(label: CorpusCase, answer: RawAnswer, world: World): string | null {
  if (label.echo !== undefined && valuesOf(answer, 'x-org-id').join(' | ') !== fill(label.echo, world)) {
    return `x-org-id: ${valuesOf(answer, 'x-org-id').join(' | ')}`
  }
  if (label.body === undefined) return null
  try {
    expect(JSON.parse(answer.body)).toMatchObject(JSON.parse(fill(JSON.stringify(label.body), world)))
    return null
  } catch {
    return `expected ${fill(JSON.stringify(label.body), world)}, got ${answer.body}`
  }
}

// What the connection says of itself, and the time.
const OF_THE_SERVER = new Set(['date', 'connection', 'keep-alive', 'transfer-encoding'])

/** What must be equal on all frameworks. Ids are random per server: known ones get their names back, others one word. */
export function normalize(answer: RawAnswer, { ids }: World): string {
  const headers = answer.headers.filter(([name]) => !OF_THE_SERVER.has(name)).map((line) => line.join(': '))
  headers.sort()
  const known = [...ids].reduce(
    (text, [name, id]) => text.replaceAll(id, name),
    JSON.stringify([answer.status, headers, answer.body]),
  )
  return known.replace(/[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/g, 'id')
}
