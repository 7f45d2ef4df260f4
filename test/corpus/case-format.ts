/**
 * The format of the corpus: one labelled raw HTTP request a line, and the check that a line says all it must. Labels are
 * written by reading the contract and the requirements, never by running the program; nothing here writes a case.
 */
import { readdirSync, readFileSync } from 'node:fs'
import type { ExpectedAnswer } from '../../examples/demo/expected-answer.ts'
import { type Recipe, recipeMistake } from './token-recipes.ts'

/** Which keys the service has: the HS256 secret, the JWK Set, or both side by side for one issuer. */
export const SERVICES = ['hs256', 'jwks', 'both'] as const
/** One of {@link SERVICES}. */
export type Service = (typeof SERVICES)[number]

/** One case, a line of a `cases/*.jsonl` file: a request, and what must come back. `code: null` also for what Node answers. */
export interface CorpusCase extends ExpectedAnswer {
  readonly id: string
  /** Start line and header lines, as they are sent; `{{…}}` is filled in, characters are bytes (latin1). */
  readonly request: readonly string[]
  /** The body, as it is sent; UTF-8. `Content-Length` is a line of `request`, `{{length}}` its value. */
  readonly send?: string
  /** What `{{token}}` and `{{other}}` stand for. */
  readonly token?: Recipe
  readonly other?: Recipe
  /** Default: all three. */
  readonly services?: readonly Service[]
  /** Where a service answers otherwise: status, code and challenge there. */
  readonly by?: Readonly<Partial<Record<Service, readonly [number, string | null, string | null]>>>
  /** `http`: Node's own parser refuses it. `router`: any of `anyOf`, as the framework's router reads paths. */
  readonly layer?: 'http' | 'router'
  readonly anyOf?: readonly number[]
  /** The reason of the label, in words. */
  readonly why: string
  /** The requirement or the section of the contract it follows from. */
  readonly req: string
}

/** The error table, copied by hand from the contract: what a label may say. */
const TABLE: readonly (readonly [row: string, code: string, status: number, challenge: string | RegExp | null])[] = [
  ['unauthorized, absent', 'unauthorized', 401, 'Bearer'],
  ['unauthorized, invalid', 'unauthorized', 401, 'Bearer error="invalid_token"'],
  ['token_expired', 'token_expired', 401, 'Bearer error="invalid_token", error_description="The access token expired"'],
  ['bad_request', 'bad_request', 400, 'Bearer error="invalid_request"'],
  ['invalid_org_id', 'invalid_org_id', 400, null],
  ['org_selector_conflict', 'org_selector_conflict', 400, null],
  ['org_required', 'org_required', 400, null],
  ['validation_error', 'validation_error', 400, null],
  ['forbidden', 'forbidden', 403, null],
  ['insufficient_scope', 'insufficient_scope', 403, /^Bearer error="insufficient_scope", scope="[^"]+"$/],
  ['not_found', 'not_found', 404, null],
  ['conflict', 'conflict', 409, null],
  ['payload_too_large', 'payload_too_large', 413, null],
  ['request_timeout', 'request_timeout', 408, null],
  ['unsupported_media_type', 'unsupported_media_type', 415, null],
  ['user_not_synced', 'user_not_synced', 428, null],
  ['rate_limit_exceeded', 'rate_limit_exceeded', 429, null],
  ['temporarily_unavailable', 'temporarily_unavailable', 503, null],
  ['keys_unavailable', 'keys_unavailable', 503, null],
]

/** The rows of the error table that this corpus covers: all but the one that takes a body held back. */
export const ROWS: readonly string[] = TABLE.map(([row]) => row).filter((row) => row !== 'request_timeout')

/** The row of the error table a label belongs to; `success`, `http` or `router` beside it; `null` for none. */
export function rowOf({
  status,
  code,
  challenge,
  layer,
}: Pick<CorpusCase, 'status' | 'code' | 'challenge' | 'layer'>): string | null {
  if (layer !== undefined) return layer
  if (code === null) return status >= 200 && status < 300 && challenge === null ? 'success' : null
  const isRows = (expected: string | RegExp | null): boolean =>
    expected instanceof RegExp ? challenge !== null && expected.test(challenge) : expected === challenge
  return TABLE.find((row) => row[1] === code && row[2] === status && isRows(row[3]))?.[0] ?? null
}

/** The services a case is sent to. */
export function servicesOf({ services = SERVICES }: CorpusCase): readonly Service[] {
  return services
}

/** The label of a case for one service. */
export function labelFor(given: CorpusCase, service: Service): CorpusCase {
  const other = given.by?.[service]
  if (other === undefined) return given
  const { members: _members, headers: _headers, field: _field, ...rest } = given
  return { ...rest, status: other[0], code: other[1], challenge: other[2] }
}

/** Read every case of the corpus, in the order of files and lines. */
export function readCorpus(): readonly CorpusCase[] {
  const folder = new URL('./cases/', import.meta.url)
  return readdirSync(folder)
    .filter((name) => name.endsWith('.jsonl'))
    .sort()
    .flatMap((name) => {
      const lines = readFileSync(new URL(name, folder), 'utf8').split('\n')
      return lines.flatMap((line, index) => (line.trim() === '' ? [] : [parseLine(name, index + 1, line)]))
    })
}

function parseLine(file: string, line: number, text: string): CorpusCase {
  try {
    return JSON.parse(text) as CorpusCase
  } catch (cause) {
    throw new Error(`${file}:${line} is no JSON`, { cause })
  }
}

const MEMBERS: readonly string[] = [
  ...['id', 'request', 'send', 'token', 'other', 'services', 'by', 'layer', 'anyOf'],
  ...['status', 'code', 'challenge', 'field', 'members', 'headers', 'why', 'req'],
]

/** Say what is missing or wrong in a case, or `null`. */
export function caseMistake(given: CorpusCase): string | null {
  const unknown = Object.keys(given).find((name) => !MEMBERS.includes(name))
  if (unknown !== undefined) return `unknown member ${unknown}`
  if (!/^[a-z0-9][a-z0-9.-]+$/.test(given.id)) return 'id: lower case, digits, dots and hyphens'
  if (!Array.isArray(given.request) || given.request.some((line) => typeof line !== 'string')) return 'request: lines'
  if (typeof given.why !== 'string' || given.why.length < 12) return 'why: a reason in words'
  if (!/^(?:[A-Z]\d{1,2}|§\d(?: [\w-]+)*|RFC \d+(?: §[\d.]+)?)$/.test(given.req)) return 'req: a requirement id'
  if (new Set(servicesOf(given)).size !== servicesOf(given).length || servicesOf(given).length === 0) return 'services'
  if (servicesOf(given).some((name) => !SERVICES.includes(name))) return 'services: an unknown one'
  return labelMistake(given) ?? tokenMistake(given)
}

function labelMistake(given: CorpusCase): string | null {
  if (given.layer === 'router') return given.anyOf?.every((status) => status >= 400 && status < 500) ? null : 'anyOf'
  if (given.layer === 'http')
    return given.status === 400 && given.code === null ? null : 'http: status 400 without code'
  for (const service of servicesOf(given)) {
    const label = labelFor(given, service)
    const row = rowOf(label)
    if (row === null) return `label for ${service} is no row of the error table`
    if ((label.field !== undefined) !== (row === 'validation_error')) return 'field belongs to validation_error'
    if (row !== 'success' && (label.members !== undefined || label.headers !== undefined)) return 'members of a refusal'
  }
  return null
}

function tokenMistake(given: CorpusCase): string | null {
  const text = [...given.request, given.send ?? ''].join('\n')
  for (const name of ['token', 'other'] as const) {
    const recipe = given[name]
    if ((recipe !== undefined) !== text.includes(`{{${name}`)) return `${name} and {{${name}}} go together`
    const mistake = recipe === undefined ? null : recipeMistake(recipe)
    if (mistake !== null) return `${name}: ${mistake}`
  }
  return null
}
