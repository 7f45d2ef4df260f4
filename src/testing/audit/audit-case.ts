/**
 * What an adapter audit is made of: requests as raw lines, the one answer they must get on every framework, and the
 * comparison of the two. Data and pure functions only.
 */
import type { AuthResponse } from '../../request.ts'

/** A header line. */
export type Line = readonly [name: string, value: string]

/** A request as it goes over the wire. */
export interface AuditRequest {
  readonly method: string
  /** The request target, sent as it stands. */
  readonly path: string
  /** Header lines in order, sent as they stand; `Host`, `Connection` and the framing are added. */
  readonly headers: readonly Line[]
  readonly body: string | Uint8Array | null
  /** Send the body chunked, without `Content-Length`. */
  readonly chunked: boolean
}

/** An answer, as far as the audit looks at it. */
export interface AuditAnswer {
  readonly status: number
  /** Header values by lower-case name, several lines joined by `, `; those of `Set-Cookie`, which no comma joins, by a line break. */
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

/** One case: a request, and what must come back. */
export interface AuditCase {
  /** `group/what`: stable, says in short what is asked. */
  readonly id: string
  readonly request: AuditRequest
  /**
   * Status, audited headers and body, byte for byte; a body of `null`: the framework's own answer (a 404, a 500), of
   * which the status counts and that no handler has run.
   */
  readonly expected: AuthResponse
  /**
   * Set where a server that speaks Fetch must answer otherwise, because `Headers` has joined what a socket keeps apart:
   * what can't be told apart is refused.
   */
  readonly expectedOnFetch?: AuthResponse | undefined
}

/** The headers that are compared: the ones the library writes, and the mark of the audit's own handlers. */
export const AUDITED_HEADERS: readonly string[] = Object.freeze([
  'cache-control',
  'content-length',
  'content-type',
  'retry-after',
  'set-cookie',
  'vary',
  'www-authenticate',
  'x-audit',
  'x-org-id',
])

/** Cases as they are written down: `GET /path`, what is expected, by id the header lines, and what else is sent or differs. */
export type CaseRow = readonly [
  target: string,
  expected: AuthResponse,
  cases: Readonly<Record<string, readonly Line[]>>,
  more?: Partial<Pick<AuditCase, 'expectedOnFetch'> & Pick<AuditRequest, 'body' | 'chunked'>>,
]

/** The cases of a group. */
export function casesOf(group: string, rows: readonly CaseRow[]): readonly AuditCase[] {
  return rows.flatMap(([target, expected, cases, { body = null, chunked = false, ...more } = {}]) => {
    const [method = '', path = ''] = target.split(' ')
    return Object.entries(cases).map(([id, headers]) =>
      Object.freeze({ id: `${group}/${id}`, ...more, request: { method, path, headers, body, chunked }, expected }),
    )
  })
}

export const bearer = (token: string): Line => ['Authorization', `Bearer ${token}`]
export const orgLine = (value: string): Line => ['X-Org-Id', value]
export const typeLine = (value: string): Line => ['Content-Type', value]
/** A framework's own answer: only the status counts, and that no handler has run. */
export const ownAnswer = (status: number): AuthResponse => ({ status, headers: [], body: null })

/** Header values by lower-case name, several lines joined by `, `; two cookies in one line are one (RFC 9110 §5.3), so not theirs. */
export function joinHeaders(lines: Iterable<Line>): Record<string, string> {
  const joined: Record<string, string> = {}
  for (const [name, value] of lines) {
    const key = name.toLowerCase()
    const joint = key === 'set-cookie' ? '\n' : ', '
    joined[key] = joined[key] === undefined ? value : `${joined[key]}${joint}${value}`
  }
  return joined
}

/** Say what is wrong with an answer; `overFetch`: it came from a Fetch handler, which has no framing of its own. */
export function compareAnswer(wanted: AuditCase, answer: AuditAnswer, overFetch: boolean): readonly string[] {
  const { status, headers: lines, body } = (overFetch ? wanted.expectedOnFetch : undefined) ?? wanted.expected
  const isHead = wanted.request.method === 'HEAD'
  const found: string[] = []
  const compare = (what: string, want: unknown, got: unknown): void => {
    if (want !== got) found.push(`expected ${what} ${JSON.stringify(want)}, got ${JSON.stringify(got)}`)
  }
  compare('status', status, answer.status)
  if (body === null && status >= 400) {
    compare('no handler to run: header x-audit', undefined, answer.headers['x-audit'])
    compare('no challenge', undefined, answer.headers['www-authenticate'])
    return found
  }
  const headers = joinHeaders(lines)
  if (body !== null) headers['content-length'] = String(Buffer.byteLength(body))
  for (const name of AUDITED_HEADERS) {
    if (name !== 'content-length' || !overFetch || isHead)
      compare(`header ${name}`, headers[name], answer.headers[name])
  }
  compare('body', isHead ? '' : (body ?? ''), answer.body)
  return found
}
