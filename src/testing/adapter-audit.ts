/**
 * One audit for every adapter: a list of HTTP cases as data, each with the one answer that all frameworks must give, byte
 * for byte. Whoever writes a further adapter mounts the audit's Routes and endpoints and runs the list against it.
 */
import * as z from 'zod/mini'
import type { ErrorFormat } from '../errors.ts'
import type { Auth, Route } from '../index.ts'
import { oneOf, parseOptions } from '../lib/parse-options.ts'
import { type AuditAnswer, type AuditCase, compareAnswer } from './audit/audit-case.ts'
import { AUDIT_ENDPOINTS, type AuditEndpoint, auditRoutes, createAuditWorld } from './audit/audit-world.ts'
import { bodyCases } from './audit/body-cases.ts'
import { credentialCases } from './audit/credential-cases.ts'
import { orgCases } from './audit/org-cases.ts'
import { type FetchHandler, sendOverFetch, sendOverSocket } from './audit/send.ts'

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
 * once; nothing in it changes.
 *
 * @throws OptionsError for an unknown option
 * @example
 * const audit = await createAdapterAudit()
 * const { middleware, protect, mount } = createAdapter(audit.auth)
 * mount(app, audit.routes)
 * for (const { method, path, mounts, access, answer } of audit.endpoints) {
 *   const guards = mounts.map((each) => middleware(each))
 *   const write = (context, req, res) => writeAuthResponse(res, answer(context))
 *   const handler = access === null ? (req, res) => write(guards.at(-1).getAuth(req), req, res) : protect(access, write)
 *   app[method.toLowerCase()](path, ...guards, handler)
 * }
 * const failed = (await runAdapterAudit(audit, 'http://127.0.0.1:3000')).filter(({ problems }) => problems.length > 0)
 */
export async function createAdapterAudit(options: AdapterAuditOptions = {}): Promise<AdapterAudit> {
  const shape = { errorFormat: z.optional(oneOf('json', 'problem')) }
  const { errorFormat = 'json' } = parseOptions('createAdapterAudit', shape, options)
  const world = await createAuditWorld(errorFormat)
  const parts = [credentialCases(world), orgCases(world), bodyCases(world)]
  return Object.freeze({
    auth: world.auth,
    routes: auditRoutes(world.auth),
    endpoints: AUDIT_ENDPOINTS,
    cases: Object.freeze((await Promise.all(parts)).flat()),
  })
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
