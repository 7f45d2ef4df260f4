/** The decision record of one request: filled step by step, handed to `onDecision` at the end. Never a secret in it. */
import type { AuthContext, Credential, Decision, OrgSelection } from '../context.ts'
import { type AuthError, isAuthError, type Principal } from '../errors.ts'
import { notify } from '../lib/notify.ts'
import { createLinePrinter } from '../lib/standard-error.ts'
import type { AuthRequest } from '../request.ts'
import { codeOf } from '../storage/storage-errors.ts'

type Room = 'verify' | 'users' | 'orgs'

// Longer than any id: a key or a token that somebody has put into a path.
const SECRET = /[\w-]{65,}/g

/** Writes one request down. */
export interface Recorder {
  credential(credential: Credential | null): void
  principal(kind: Principal['kind'], id: string): void
  selection(selection: OrgSelection): void
  acting(orgId: string | null, role: string | null): void
  /** Run a step's work and keep how long it took. */
  timed<T>(step: Room, work: () => Promise<T>): Promise<T>
  /** The pipeline let the request in. */
  allowed(context: AuthContext | null, isPublic: boolean): void
  /** The pipeline ended in a throw, or what came after it did: then there are two records. */
  threw(error: unknown): void
}

/** Begin a record. `onDecision` never changes an answer: what it throws or rejects with is dropped. */
export function startRecord(
  request: AuthRequest,
  clock: () => number,
  onDecision: (decision: Decision) => unknown,
): Recorder {
  const timings: Partial<Record<Room, number>> = {}
  const seen: Partial<Pick<Decision, 'credential' | 'principal' | 'selection' | 'orgId' | 'role'>> & object = {}
  const at = new Date(clock())
  const { method } = request
  const path = request.path.replace(SECRET, '…')
  const finish = (
    outcome: Decision['outcome'],
    code: string | null,
    reason: string | null,
    more: object = {},
  ): void => {
    const base = { credential: null, principal: null, selection: null, orgId: null, role: null }
    notify(onDecision, Object.freeze({ at, method, path, outcome, code, reason, ...more, ...base, ...seen, timings }))
  }
  return {
    credential: (credential) => void Object.assign(seen, { credential: credential?.kind ?? null }),
    principal: (kind, id) => void Object.assign(seen, { principal: { kind, id } }),
    selection: ({ kind }) => void Object.assign(seen, { selection: kind }),
    acting: (orgId, role) => void Object.assign(seen, { orgId, role }),
    async timed(step, work) {
      const started = clock()
      try {
        return await work()
      } finally {
        timings[step] = clock() - started
      }
    },
    allowed: (context, isPublic) => finish(context === null && !isPublic ? 'anonymous' : 'allowed', null, null),
    threw(error) {
      if (!isAuthError(error)) return finish('failed', null, 'internal_error', { cause: error })
      // Another copy of this package may have made it, an older one.
      const { kind, id } = error.principal ?? {}
      if (kind !== undefined && id !== undefined) Object.assign(seen, { principal: { kind, id } })
      if (isFault(error)) return finish('failed', error.code, error.reason, { cause: error.cause })
      finish('refused', error.code, error.reason)
    },
  }
}

/** A recorder for a host that wants no records: it says of faults alone that there were any, in a line on standard error. */
export function createQuietRecorder(clock: () => number): Recorder {
  const print = createLinePrinter(clock)
  return {
    ...SILENT,
    threw(error) {
      if (!isAuthError(error)) print(`sallyport: answered 500: ${nameOf(error)}; onDecision is told the cause`)
      else if (isFault(error))
        print(`sallyport: answered 503, ${error.reason}: ${nameOf(error.cause)}; onDecision is told the cause`)
    },
  }
}

// A 503 for which something below is to blame; a full queue is none.
function isFault(error: AuthError): boolean {
  return error.code === 'temporarily_unavailable' && error.cause !== undefined
}

// A message may name values and addresses, a code can't.
function nameOf(error: unknown): string {
  const { name } = (error ?? {}) as { readonly name?: unknown }
  return codeOf(error) ?? (typeof name === 'string' && /^[A-Za-z]{1,40}$/.test(name) ? name : 'no error')
}

/** A recorder for work that is written down by somebody else, or not at all. */
export const SILENT: Recorder = {
  credential: () => undefined,
  principal: () => undefined,
  selection: () => undefined,
  acting: () => undefined,
  timed: (_room, work) => work(),
  allowed: () => undefined,
  threw: () => undefined,
}
