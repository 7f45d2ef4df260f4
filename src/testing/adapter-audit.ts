/**
 * One audit for every adapter: a list of HTTP cases as data, each with the one answer that all frameworks must give, byte
 * for byte. Whoever writes a further adapter mounts the audit's Routes and endpoints and runs the list against it.
 */
import { connect } from 'node:net'
import { Readable } from 'node:stream'
import type { ErrorFormat } from '../errors.ts'
import type { Auth, Route } from '../index.ts'
import { oneOf, optional, parseOptions } from '../lib/parse-options.ts'
import { type AuditAnswer, type AuditCase, type AuditRequest, compareAnswer, joinHeaders } from './audit/audit-case.ts'
import { withVary } from './audit/audit-vary.ts'
import { type AuditEndpoint, auditEndpoints, auditRoutes, createAuditWorld } from './audit/audit-world.ts'
import { bodyCases } from './audit/body-cases.ts'
import { credentialCases } from './audit/credential-cases.ts'
import { orgCases } from './audit/org-cases.ts'

/** Options of {@link createAdapterAudit}. */
export interface AdapterAuditOptions {
  /** The body of refusals. Default `json`. */
  readonly errorFormat?: ErrorFormat | undefined
}

/** What a host mounts, and what is then asked of it. */
export interface AdapterAudit {
  /** Hand it to the adapter's `createAdapter`. */
  readonly auth: Auth
  /** Mount these by the adapter's `mount`. */
  readonly routes: readonly Route[]
  /** Mount these by `middleware` and `protect`, in order. */
  readonly endpoints: readonly AuditEndpoint[]
  /** The requests, each with the answer that it must get. */
  readonly cases: readonly AuditCase[]
}

/** What became of one case. */
export interface AuditResult {
  readonly id: string
  /** What came back; `null` where Fetch can't express the request. */
  readonly answer: AuditAnswer | null
  /** What is wrong, as sentences; none: the case has passed. */
  readonly problems: readonly string[]
}

/**
 * Create an audit: an auth over storage in memory, and the cases about it. One audit may serve any number of adapters at
 * once, as long as they are right: where one goes on to a handler once it has refused, all are told of it.
 *
 * @throws OptionsError for an unknown option
 * @example
 * const audit = await createAdapterAudit()
 * const { middleware, protect, mount } = createAdapter(audit.auth)
 * mount(app, audit.routes)
 * for (const { method, path, mounts, access, answer } of audit.endpoints) {
 *   const guards = mounts.map((each) => middleware(each))
 *   const handler = access === null
 *     ? (req: express.Request, res: express.Response) => writeAuthResponse(res, answer(guards.at(-1)!.getAuth(req)))
 *     : protect(access, (context, req, res) => writeAuthResponse(res, answer(context)))
 *   app[method === 'GET' ? 'get' : 'post'](path, ...guards, handler)
 * }
 * const failed = (await runAdapterAudit(audit, 'http://127.0.0.1:3000')).filter(({ problems }) => problems.length > 0)
 */
export async function createAdapterAudit(options: AdapterAuditOptions = {}): Promise<AdapterAudit> {
  const shape = { errorFormat: optional(oneOf('json', 'problem')) }
  const { errorFormat = 'json' } = parseOptions('createAdapterAudit', shape, options)
  const world = await createAuditWorld(errorFormat)
  const parts = [credentialCases(world), orgCases(world), bodyCases(world)]
  const [routes, endpoints] = [auditRoutes(world.auth), auditEndpoints()]
  const mounted = [
    ...routes.map(({ method, path, access }) => ({ method, path, mounts: [access] })),
    ...endpoints.map(({ access, mounts, ...at }) => ({
      ...at,
      mounts: [...mounts, ...(access ? [access] : [])],
    })),
  ]
  const cases = (await Promise.all(parts)).flat().map((each) => withVary(each, mounted))
  return Object.freeze({ auth: world.auth, routes, endpoints, cases: Object.freeze(cases) })
}

/**
 * Run the cases, one after another. Cost: one request a case, each on a socket of its own.
 *
 * @param target the base URL of a listening server: requests go over sockets as they stand; or a Fetch handler in this
 * process
 * @throws Error where a server gives no complete answer within 10 seconds
 * @example
 * const failed = (await runAdapterAudit(audit, 'http://127.0.0.1:3000')).filter(({ problems }) => problems.length > 0)
 */
export async function runAdapterAudit(
  { cases }: Pick<AdapterAudit, 'cases'>,
  target: string | FetchHandler,
): Promise<readonly AuditResult[]> {
  const results: AuditResult[] = []
  for (const each of cases) {
    const overFetch = typeof target !== 'string'
    const answer = await (overFetch ? sendOverFetch(target, each.request) : sendOverSocket(target, each.request))
    results.push({ id: each.id, answer, problems: answer === null ? [] : compareAnswer(each, answer, overFetch) })
  }
  return results
}

const DEADLINE_MS = 10_000

/** Send over a fresh connection, byte for byte, and read until the server closes it; throws where no complete answer came. */
async function sendOverSocket(baseUrl: string, request: AuditRequest): Promise<AuditAnswer> {
  const { hostname, port, host } = new URL(baseUrl)
  const chunks: Buffer[] = []
  let problem = 'the connection was closed without a complete answer'
  const socket = connect(Number(port), hostname)
  const timer = setTimeout(() => {
    problem = 'no complete answer within 10 seconds'
    chunks.length = 0
    socket.destroy()
  }, DEADLINE_MS)
  socket.on('data', (chunk) => chunks.push(chunk))
  // A server may cut the rest of a body it has refused; what counts is the answer.
  socket.on('error', () => undefined)
  socket.write(bytesOf(request, host))
  await new Promise((resolve) => socket.once('close', resolve))
  clearTimeout(timer)
  const answer = parseAnswer(Buffer.concat(chunks))
  if (answer === null) throw new Error(`${request.method} ${request.path}: ${problem}`)
  return answer
}

function bytesOf({ method, path, headers, body, chunked }: AuditRequest, host: string): Buffer {
  const bytes = Buffer.from((body ?? '') as string)
  const framing = chunked ? ['Transfer-Encoding: chunked'] : body === null ? [] : [`Content-Length: ${bytes.length}`]
  const lines = headers.map(([name, value]) => `${name}: ${value}`)
  const head = [`${method} ${path} HTTP/1.1`, `Host: ${host}`, 'Connection: close', ...framing, ...lines, '', '']
  const chunks = halvesOf(bytes).flatMap((half) => [Buffer.from(`${half.length.toString(16)}\r\n`), half, CRLF])
  const sent = chunked ? [...chunks, Buffer.from('0\r\n\r\n')] : [bytes]
  return Buffer.concat([Buffer.from(head.join('\r\n'), 'latin1'), ...sent])
}

const CRLF = Buffer.from('\r\n')

function halvesOf(bytes: Buffer): readonly Buffer[] {
  const half = Math.ceil(bytes.length / 2)
  return [bytes.subarray(0, half), bytes.subarray(half)].filter(({ length }) => length > 0)
}

function parseAnswer(bytes: Buffer): AuditAnswer | null {
  const end = bytes.indexOf('\r\n\r\n')
  if (end === -1) return null
  const [statusLine = '', ...lines] = bytes.subarray(0, end).toString('latin1').split('\r\n')
  const headers = joinHeaders(
    lines.map((line) => {
      const colon = line.indexOf(':')
      return [line.slice(0, colon), line.slice(colon + 1).trim()]
    }),
  )
  const rest = bytes.subarray(end + 4)
  const body = headers['transfer-encoding'] === 'chunked' ? unchunk(rest) : rest
  return { status: Number(statusLine.split(' ')[1]), headers, body: body.toString() }
}

function unchunk(bytes: Buffer): Buffer {
  const parts: Buffer[] = []
  for (let at = 0; at < bytes.length; ) {
    const lineEnd = bytes.indexOf(CRLF, at)
    const size = Number.parseInt(bytes.subarray(at, lineEnd).toString('latin1'), 16)
    if (!(size > 0)) break
    parts.push(bytes.subarray(lineEnd + 2, lineEnd + 2 + size))
    at = lineEnd + 4 + size
  }
  return Buffer.concat(parts)
}

/** A server that speaks Fetch. */
export type FetchHandler = (request: Request) => Response | Promise<Response>

/** Send into a Fetch handler in this process; `null` where Fetch can't express the request. */
async function sendOverFetch(handler: FetchHandler, request: AuditRequest): Promise<AuditAnswer | null> {
  const made = toFetchRequest(request)
  if (made === null) return null
  const response = await handler(made)
  return { status: response.status, headers: joinHeaders(response.headers), body: await response.text() }
}

function toFetchRequest({ method, path, headers: lines, body, chunked }: AuditRequest): Request | null {
  const bytes = Buffer.from((body ?? '') as string)
  try {
    const headers = new Headers()
    for (const [name, value] of lines) headers.append(name, value)
    if (body !== null && !chunked) headers.set('content-length', String(bytes.length))
    const stream = chunked ? Readable.toWeb(Readable.from(halvesOf(bytes))) : bytes
    const init = { method, headers, ...(body !== null && { body: stream, duplex: 'half' }) }
    return new Request(`http://127.0.0.1${path}`, init as RequestInit)
  } catch {
    return null
  }
}
