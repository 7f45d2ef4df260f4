/** What one mount does: authenticate by its rule, keep the outcome for later mounts, write the decision down. */
import type { AuthContext } from '../context.ts'
import { AuthError, isAuthError, isPlainError, toFault, withChallenge } from '../errors.ts'
import { keptBeside } from '../http/beside-messages.ts'
import { type AtOnce, later, toStep } from '../lib/at-once.ts'
import type { AuthRequest } from '../request.ts'
import { isTransient, isTransientError } from '../storage/storage-errors.ts'
import { CONTEXT_ORIGINS } from '../users/context-origin.ts'
import type { Rule } from './access.ts'
import type { Steps } from './auth-options.ts'
import { type Attempt, authenticate } from './authenticate.ts'
import { type RecordOptions, SILENT, startRecord } from './decision-record.ts'
import { createQuietRecorder } from './quiet-recorder.ts'
import { recheck } from './recheck.ts'
import { append, findState, RequestState, stateOf } from './request-state.ts'
import { keepShapes } from './shapes.ts'
import { varyOf } from './vary.ts'

/** What an authorizer hands an adapter: the handler's context, and the headers of ours for the response. */
export interface Authorized<C> {
  readonly context: C
  /** Read them when the response is written: a later mount or `actIn` may have changed the serving org. */
  responseHeaders(): Lines
}

type Lines = readonly (readonly [name: string, value: string])[]

/** What mounts and handlers of one auth decide, and what becomes of it. */
export interface Authorization {
  /** Let requests in by one rule, or throw the refusal. */
  authorizer(rule: Rule | 'public'): (request: AuthRequest) => Promise<Authorized<AuthContext | null>>
  /** The same for whoever writes no response. */
  authenticator(rule: Rule | 'public'): (request: AuthRequest) => Promise<AuthContext | null>
  /**
   * Write down what a handler threw.
   * @returns what is to be answered
   */
  recordRefusal(source: object, error: unknown): unknown
}

/** Build the authorization of one auth. */
export function createAuthorization(steps: Steps, clock: () => number, records: RecordOptions | null): Authorization {
  keepShapes()
  const quiet = createQuietRecorder(clock)
  const recheckRecorded = (state: RequestState): Promise<void> =>
    recheck(steps, state, clock).catch((error: unknown) => {
      throw recordThrow({ steps, state }, error)
    })
  const startOrFind = (request: AuthRequest): RequestState => {
    const kept = keptBeside(request.source)
    const known = stateOf(kept.authenticated, steps)
    if (known !== undefined) return known
    const state = new RequestState(request.source, steps, recheckRecorded)
    state.record = records === null ? quiet : startRecord(request, records)
    state.checkedAt = clock()
    kept.authenticated = append(kept.authenticated, state)
    return state
  }
  const mount = <R>(rule: Rule | 'public', answer: (context: AuthContext | null, state: RequestState) => R) => {
    const letIn = (context: AuthContext | null, mounted: Mounted): R => {
      const { state, record } = mounted
      if (isAttempt(mounted)) admit(mounted, context)
      record.allowed(context, rule === 'public')
      record.settled()
      return answer(context, state)
    }
    const letInLater = (found: Promise<AuthContext | null>, mounted: Mounted): Promise<R> =>
      later(found, letIn, mounted).catch((error: unknown) => refuse(error, mounted))
    return (request: AuthRequest): AtOnce<R> => {
      const state = startOrFind(request)
      const mounted: Mounted = { steps, request, rule, state, record: state.record ?? SILENT }
      try {
        const found = isAttempt(mounted) ? authenticate(mounted) : checkPublic(mounted)
        return found !== null && 'then' in found ? letInLater(found, mounted) : letIn(found, mounted)
      } catch (error) {
        return refuse(error, mounted)
      }
    }
  }
  return {
    authorizer(rule) {
      const vary: Lines = rule === 'public' || rule.probe ? [] : [['Vary', varyOf(steps, rule)]]
      return toStep(mount(rule, (context, state) => ({ context, responseHeaders: () => withOrg(vary, state) })))
    },
    authenticator: (rule) => toStep(mount(rule, (context) => context)),
    recordRefusal(source, thrown) {
      const state = findState(source, steps)
      const error = isTransientError(thrown) ? unavailable(thrown) : thrown
      if (state?.recorded === thrown) return error
      if (isAuthError(error)) withChallenge(error, steps.challenge, state && askedIn(state))
      if (state === undefined || !(isAuthError(error) || isPlainError(error))) return error
      state.record?.threw(error, state.passed[0]?.request)
      state.record?.settled()
      state.recorded = error
      return error
    },
  }
}

/** A request at one mount, whatever that asks. */
interface Mounted extends Omit<Attempt, 'rule'> {
  readonly rule: Rule | 'public'
}

function isAttempt(mounted: Mounted): mounted is Attempt {
  return mounted.rule !== 'public'
}

function refuse(error: unknown, mounted: Mounted): never {
  const thrown = recordThrow(mounted, error)
  mounted.record.settled()
  throw thrown
}

/** Where something was thrown: in the pipeline of an auth, for a request; by a rule, or after all that let the request in. */
interface Thrower {
  readonly steps: Steps
  readonly state: RequestState
  readonly rule?: Rule | 'public'
  /** The request, where the mount has one. */
  readonly request?: AuthRequest | undefined
}

/** Write down how a request ended in a throw; what leaves the pipeline is handed back. */
export function recordThrow({ steps, state, rule, request }: Thrower, thrown: unknown): unknown {
  const error = isTransient(thrown, 'statement') ? unavailable(thrown) : thrown
  state.record?.threw(error, request ?? state.passed[0]?.request)
  const fault = toFault(error)
  if (isAuthError(fault)) withChallenge(fault, steps.challenge, askedIn(state, rule))
  state.recorded = fault
  return fault
}

// All that a token must carry for this request: what the mounts before have asked, it must carry too.
function askedIn({ passed }: RequestState, rule: Rule | 'public' = 'public'): readonly string[] {
  const rules = passed.map((mount) => mount.rule)
  return (rule === 'public' ? rules : [...rules, rule]).flatMap(({ permissions }) => permissions)
}

// Whatever asked the storage, and whoever's storage it is.
function unavailable(cause: unknown): AuthError {
  return new AuthError('temporarily_unavailable', { reason: 'storage_unavailable', retryAfterSeconds: 1, cause })
}

// A mount lets the request in: what comes later is told so.
function admit({ steps, request, rule, state, record }: Attempt, context: AuthContext | null): void {
  if (context?.kind === 'user') {
    CONTEXT_ORIGINS.set(context, { roles: steps.knownRoles, token: state.token, provisioned: record.provisioned })
  }
  if (context?.kind === 'service') SERVICE_REQUESTS.set(context, { steps, request, rule, state })
  if (!state.passed.some((mount) => mount.rule === rule))
    state.passed = append(state.passed, { request, rule, context })
}

/** The requests that ended in a service, for `actIn`. */
export const SERVICE_REQUESTS: WeakMap<AuthContext, ServiceRequest> = new WeakMap()

/** A request that ended in a service: whose it was, and where its work is kept. */
export interface ServiceRequest {
  readonly steps: Steps
  readonly request: AuthRequest
  readonly rule: Rule
  readonly state: RequestState
}

function checkPublic({ steps, request }: Mounted): null {
  steps.extractor.checkPublic(request)
  return null
}

// An id that no header can carry is not sent back: what storage holds must not break the response.
function withOrg(vary: Lines, { steps, servingOrgId }: RequestState): Lines {
  const { responseHeader } = steps.orgs
  const isSent = typeof responseHeader === 'string' && servingOrgId !== null && /^[\x21-\x7e]+$/.test(servingOrgId)
  if (!isSent) return vary
  const org = [responseHeader, servingOrgId] as const
  // There is one at most; a spread makes a list with room for sixteen more.
  return vary[0] === undefined ? [org] : [org, vary[0]]
}
