/** One mount's way in: authenticate by its rule, keep the outcome for later mounts, write the decision down. */
import type { AuthContext, Decision } from '../context.ts'
import { AuthError, isAuthError, isPlainError, toFault } from '../errors.ts'
import { recheckWithBody } from '../http/request-body.ts'
import { rememberRoles } from '../lib/context-roles.ts'
import type { AuthRequest } from '../request.ts'
import { isTransient, isTransientError } from '../storage/storage-errors.ts'
import type { Rule } from './access.ts'
import { authenticate } from './authenticate.ts'
import { createQuietRecorder, type Recorder, startRecord } from './decision-record.ts'
import { recheck } from './recheck.ts'
import { findState, type RequestState, stateOf } from './request-state.ts'
import type { Steps } from './steps.ts'
import { varyOf } from './vary.ts'

/** What a door hands an adapter: the handler's context, and the headers of ours for the response. */
export interface Authorized<C> {
  readonly context: C
  /** Read them when the response is written: a later mount or `actIn` may have changed the serving org. */
  responseHeaders(): readonly (readonly [name: string, value: string])[]
}

/** The way in of one auth, and what it is told afterwards. */
export interface Authorization {
  /** Enter with a request by one rule. */
  enter(request: AuthRequest, rule: Rule | 'public'): Promise<Authorized<AuthContext | null>>
  /**
   * Write down how what was let in ended in a throw: one record more, by the same caller.
   * @returns what is to be answered
   */
  recordRefusal(source: object, error: unknown): unknown
}

/** Build the authorization of one auth. */
export function createAuthorization(
  steps: Steps,
  clock: () => number,
  onDecision: ((decision: Decision) => unknown) | undefined,
): Authorization {
  const quiet = createQuietRecorder(clock)
  const again = (state: RequestState): Promise<void> =>
    recheck(steps, state, clock).catch((error: unknown) => {
      throw recordThrow(state, state.record, error)
    })
  return {
    async enter(request, rule) {
      const state = stateOf(request.source, steps)
      const begin = (): Recorder => (onDecision === undefined ? quiet : startRecord(request, clock, onDecision))
      const record = begin()
      state.record = record
      state.judgedAt ??= clock()
      try {
        const context =
          rule === 'public' ? enterPublic(steps, request) : await enter(steps, request, rule, state, record)
        if (context?.kind === 'service' && rule !== 'public') {
          SERVICE_REQUESTS.set(context, { steps, request, rule, state, begin })
        }
        if (context !== null) recheckWithBody(request.source, steps, () => again(state))
        record.allowed(context, rule === 'public')
        const vary = rule === 'public' || rule.probe ? [] : [['Vary', varyOf(steps, rule)] as const]
        return { context, responseHeaders: () => [...echoOf(steps, state), ...vary] }
      } catch (error) {
        throw recordThrow(state, record, error)
      }
    },
    recordRefusal(source, thrown) {
      const state = findState(source, steps)
      const error = isTransientError(thrown) ? unavailable(thrown) : thrown
      if (state === undefined || state.recorded === thrown || !(isAuthError(error) || isPlainError(error))) return error
      state.record?.threw(error)
      state.recorded = error
      return error
    },
  }
}

/** Write down how a request ended in a throw, once; what leaves the pipeline is handed back. */
export function recordThrow(state: RequestState, record: Recorder | undefined, thrown: unknown): unknown {
  const isPassing = isTransient(thrown, 'statement')
  const error = isPassing ? unavailable(thrown) : thrown
  record?.threw(error)
  const told = toFault(error)
  state.recorded = told
  return told
}

// Whatever asked the storage, and whoever's storage it is.
function unavailable(cause: unknown): AuthError {
  return new AuthError('temporarily_unavailable', { reason: 'storage_unavailable', retryAfterSeconds: 1, cause })
}

async function enter(
  steps: Steps,
  request: AuthRequest,
  rule: Rule,
  state: RequestState,
  record: Recorder,
): Promise<AuthContext | null> {
  const context = await authenticate(steps, { request, rule, state, record })
  if (context !== null) rememberRoles(context, steps.ladder.roles)
  if (!state.passed.some((mount) => mount.rule === rule)) state.passed.push({ request, rule, context })
  return context
}

/** The requests that ended in a service, for `actIn`. */
export const SERVICE_REQUESTS: WeakMap<AuthContext, ServiceRequest> = new WeakMap()

/** A request that ended in a service: whose it was, and where its work is kept. */
export interface ServiceRequest {
  readonly steps: Steps
  readonly request: AuthRequest
  readonly rule: Rule
  readonly state: RequestState
  /** Begin a record of what it does next. */
  readonly begin: () => Recorder
}

function enterPublic({ extractor }: Steps, request: AuthRequest): null {
  extractor.checkPublic(request)
  return null
}

// An id that no header can carry is not echoed: what storage holds must not break the response.
function echoOf({ orgs }: Steps, { servingOrgId }: RequestState): readonly (readonly [string, string])[] {
  return typeof orgs.responseHeader === 'string' && servingOrgId !== null && /^[\x21-\x7e]+$/.test(servingOrgId)
    ? [[orgs.responseHeader, servingOrgId]]
    : []
}
