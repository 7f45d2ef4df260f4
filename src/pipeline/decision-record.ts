/** The decision record of one request: filled step by step, told to `onDecision` once. Never a secret in it. */

import type { AuthContext, Credential, Decision, Identity, OrgSelection, Provisioned } from '../context.ts'
import { type AuthError, isAuthError, type Principal } from '../errors.ts'
import { isPending } from '../lib/at-once.ts'
import { withoutSecrets } from '../lib/log-text.ts'
import { ownOf } from '../lib/parse-options.ts'
import { notify, printThrown } from '../lib/standard-error.ts'
import type { AuthRequest } from '../request.ts'

/** A step whose work takes time. */
export type Step = 'verify' | 'users' | 'orgs'

/** Writes down what becomes of one request, whichever mounts it passes. */
export interface Recorder {
  credential(credential: Credential | null): void
  principal(principal: Principal): void
  /** Whom the caller's token names, who signed it, and who acts for the caller. */
  identity(identity: Identity): void
  selection(selection: OrgSelection): void
  acting(orgId: string | null, role: string | null): void
  /** What a first login did. */
  provisioned(provisioned: Provisioned): void
  /** A step's work begins. Call what is returned when it has ended: how long it took is added. `null`: nobody wants to know. */
  begin(step: Step): (() => void) | null
  /** A mount has let the request in. */
  allowed(context: AuthContext | null, isPublic: boolean): void
  /** A mount, or what came after it, ended in a throw. */
  threw(error: unknown, request?: Asked): void
  /** A mount is through with it: told now where the answer is under way, or where nothing says when it is. */
  settled(): void
}

/** What a line on standard error says of a request. */
export type Asked = Pick<AuthRequest, 'method' | 'path'>

/** How records are made: the clock, who listens, and how a request is called. */
export interface RecordOptions {
  readonly clock: () => number
  /** Milliseconds, for how long each step takes. */
  readonly timer: () => number
  readonly onDecision: (decision: Decision) => unknown
  readonly requestId?: ((request: AuthRequest) => unknown) | undefined
}

/** How a request ended, and why. */
export type Ending = Pick<Decision, 'outcome' | 'code' | 'reason' | 'expected' | 'got' | 'cause'>

const NOTHING_TO_SAY = { code: null, reason: null, expected: null, got: null }

/** Begin the record of a request. `onDecision` never changes an answer: what it throws or rejects with is printed, and no more. */
export function startRecord(request: AuthRequest, { clock, timer, onDecision, requestId }: RecordOptions): Recorder {
  const { method, whenAnswered } = request
  const path = withoutSecrets(request.path)
  const base = { requestId: toRequestId(requestId, request), at: new Date(clock()), method, path }
  const seen = {
    credential: null,
    principal: null,
    issuer: null,
    actor: null,
    provisioned: null,
    selection: null,
    orgId: null,
    role: null,
  }
  const timings: Partial<Record<Step, number>> = {}
  let ending: Ending | null = null
  let isAnswered = whenAnswered === undefined

  // Of a client that hung up while it was let in every mount to come says so, too: told is the first.
  let isToldOnce = false

  const report = (): void => {
    if (ending === null) return
    const isLetIn = ending.outcome === 'allowed' || ending.outcome === 'anonymous'
    if (isLetIn && isToldOnce) return
    isToldOnce ||= isLetIn && whenAnswered !== undefined
    const decision = Object.freeze({ ...base, ...ending, ...seen, timings: { ...timings } })
    notify('createAuth: onDecision', onDecision, decision)
  }
  whenAnswered?.(() => {
    if (!isAnswered) report()
    isAnswered = true
  })
  return {
    credential: (credential) => void Object.assign(seen, { credential: credential?.kind ?? null }),
    principal: (principal) => void Object.assign(seen, { principal }),
    identity: ({ issuer, tokenIssuer = issuer, actor }) => void Object.assign(seen, { issuer: tokenIssuer, actor }),
    selection: ({ kind }) => void Object.assign(seen, { selection: kind }),
    acting: (orgId, role) => void Object.assign(seen, { orgId, role }),
    provisioned: (provisioned) => void Object.assign(seen, { provisioned }),
    begin(step) {
      const started = timer()
      return () => {
        // To the microsecond: what is behind that is noise, and long in a log.
        timings[step] = Math.round(((timings[step] ?? 0) + timer() - started) * 1000) / 1000
      }
    },
    allowed(context, isPublic) {
      ending = { ...NOTHING_TO_SAY, outcome: context === null && !isPublic ? 'anonymous' : 'allowed' }
    },
    threw(error) {
      ending = endingOf(error)
      // Another copy of this package may have made it, an older one.
      const { principal = null } = isAuthError(error) ? error : {}
      if (principal === null) return
      const [{ kind, id }, name] = [principal, ownOf(principal, 'name')]
      Object.assign(seen, { principal: name === undefined ? { kind, id } : { kind, id, name } })
    },
    settled() {
      if (isAnswered) report()
    },
  }
}

/** How a request ended that ended in this throw. */
export function endingOf(error: unknown): Ending {
  if (!isAuthError(error)) return { ...NOTHING_TO_SAY, outcome: 'failed', reason: 'internal_error', cause: error }
  // One of an older copy of this package has neither `expected` nor `got`.
  const { code, reason, expected = null, got = null, cause } = error
  const refusal = { code, reason, expected, got }
  return isFault(error) ? { ...refusal, outcome: 'failed', cause } : { ...refusal, outcome: 'refused' }
}

const REQUEST_ID = 'createAuth: requestId'

// It stands in the host's log: nothing that a client sends may break a line of it, and a name that can't be had is no failure.
function toRequestId(nameOf: RecordOptions['requestId'], request: AuthRequest): string {
  try {
    const given = nameOf?.(request)
    if (typeof given === 'string' && /^[\w.:/+=-]{1,128}$/.test(given)) return given
    // One that comes later comes too late; what it rejects with is heard all the same.
    if (isPending(given)) Promise.resolve(given).catch((error) => printThrown(REQUEST_ID, error))
  } catch (error) {
    printThrown(REQUEST_ID, error)
  }
  return crypto.randomUUID()
}

// A 503 for which something below is to blame; a full queue is none.
function isFault(error: AuthError): boolean {
  return error.code === 'temporarily_unavailable' && ownOf(error, 'cause') !== undefined
}

/** A recorder for work that is written down by somebody else, or not at all. */
export const SILENT: Recorder = {
  credential: () => undefined,
  principal: () => undefined,
  identity: () => undefined,
  selection: () => undefined,
  acting: () => undefined,
  provisioned: () => undefined,
  begin: () => null,
  allowed: () => undefined,
  threw: () => undefined,
  settled: () => undefined,
}
