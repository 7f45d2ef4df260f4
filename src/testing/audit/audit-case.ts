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
  /** Header values by lower-case name, several lines joined by `, `. */
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
  'www-authenticate',
  'x-audit',
  'x-org-id',
])

/** A case as it is written down: `GET /path`, its header lines, what is expected, and what else is sent or differs. */
export type CaseRow = readonly [
  id: string,
  target: string,
  headers: readonly Line[],
  expected: AuthResponse,
  more?: Partial<Pick<AuditCase, 'expectedOnFetch'> & Pick<AuditRequest, 'body' | 'chunked'>>,
]

/** The cases of a group. */
export function casesOf(group: string, rows: readonly CaseRow[]): readonly AuditCase[] {
  return rows.map(([id, target, headers, expected, { body = null, chunked = false, ...more } = {}]) => {
    const [method = '', path = ''] = target.split(' ')
    return Object.freeze({ id: `${group}/${id}`, ...more, request: { method, path, headers, body, chunked }, expected })
  })
}

/** An `Authorization: Bearer` line. */
export const bearer = (token: string): Line => ['Authorization', `Bearer ${token}`]
/** An `X-Org-Id` line. */
export const orgLine = (value: string): Line => ['X-Org-Id', value]
/** A `Content-Type` line. */
export const typeLine = (value: string): Line => ['Content-Type', value]

/** A framework's own answer: only the status counts, and that no handler has run. */
export function ownAnswer(status: number): AuthResponse {
  return { status, headers: [], body: null }
}

/**
 * Compare an answer with what is expected.
 *
 * @param overFetch whether it came from a Fetch handler, which has no framing of its own
 * @returns what is wrong, as sentences; none: it is as expected
 */
export function compareAnswer(wanted: AuditCase, answer: AuditAnswer, overFetch = false): readonly string[] {
  const expected = overFetch ? (wanted.expectedOnFetch ?? wanted.expected) : wanted.expected
  const isHead = wanted.request.method === 'HEAD'
  const found: string[] = []
  const compare = (what: string, want: unknown, got: unknown): void => {
    if (want !== got) found.push(`expected ${what} ${JSON.stringify(want)}, got ${JSON.stringify(got)}`)
  }
  compare('status', expected.status, answer.status)
  if (expected.body === null && expected.status >= 400) {
    compare('no handler to run: header x-audit', undefined, answer.headers['x-audit'])
    compare('no challenge', undefined, answer.headers['www-authenticate'])
    return found
  }
  const headers = headersOf(expected)
  for (const name of AUDITED_HEADERS) {
    if (name !== 'content-length' || !overFetch || isHead)
      compare(`header ${name}`, headers[name], answer.headers[name])
  }
  compare('body', isHead ? '' : (expected.body ?? ''), answer.body)
  return found
}

function headersOf({ headers, body }: AuthResponse): Readonly<Record<string, string>> {
  const all: Record<string, string> = {}
  for (const [name, value] of headers) {
    const key = name.toLowerCase()
    all[key] = all[key] === undefined ? value : `${all[key]}, ${value}`
  }
  return body === null ? all : { ...all, 'content-length': String(Buffer.byteLength(body)) }
}
