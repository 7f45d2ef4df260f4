/** One mount's way in: walk by its rule, keep the outcome for later mounts, write the decision down. */
import type { AuthContext, Decision } from '../context.ts'
import { AuthError, isAuthError, isPlainError, toFault } from '../errors.ts'
import { rememberRoles } from '../lib/context-roles.ts'
import type { AuthRequest } from '../request.ts'
import { isTransientError } from '../storage/storage-errors.ts'
import { isTransient } from '../storage/transient.ts'
import { judgeWithBody } from '../wire/body-watch.ts'
import type { Rule } from './access.ts'
import { walk } from './corridor.ts'
import { judgeAgain } from './judge-again.ts'
import { createQuietRecorder, type Recorder, startRecord } from './recorder.ts'
import type { Rooms } from './rooms.ts'
import { varyOf } from './vary.ts'
import { findState, stateOf, type WalkState } from './walk-state.ts'

/** What a door hands an adapter: the handler's context, and the headers of ours for the response. */
export interface Passage<C> {
  readonly context: C
  /** Read them when the response is written: a later mount or `actAs` may have changed the serving org. */
  responseHeaders(): readonly (readonly [name: string, value: string])[]
}

/** The way in of one auth, and what it is told afterwards. */
export interface Entrance {
  /** Enter with a request by one rule. */
  enter(request: AuthRequest, rule: Rule | 'public'): Promise<Passage<AuthContext | null>>
  /**
   * Write down how what the walk had let in ended in a throw: one record more, by the same caller.
   * @returns what is to be answered
   */
  recordRefusal(source: object, error: unknown): unknown
}

/** Build the entrance of one auth. */
export function createEntrance(
  rooms: Rooms,
  clock: () => number,
  onDecision: ((decision: Decision) => unknown) | undefined,
): Entrance {
  const quiet = createQuietRecorder(clock)
  const again = (state: WalkState): Promise<void> =>
    judgeAgain(rooms, state, clock).catch((error: unknown) => {
      throw recordThrow(state, state.record, error)
    })
  return {
    async enter(request, rule) {
      const state = stateOf(request.source, rooms)
      const begin = (): Recorder => (onDecision === undefined ? quiet : startRecord(request, clock, onDecision))
      const record = begin()
      state.record = record
      state.judgedAt ??= clock()
      try {
        const context =
          rule === 'public' ? enterPublic(rooms, request) : await enter(rooms, request, rule, state, record)
        if (context?.kind === 'service' && rule !== 'public') {
          SERVICE_WALKS.set(context, { rooms, request, rule, state, begin })
        }
        if (context !== null) judgeWithBody(request.source, rooms, () => again(state))
        record.allowed(context, rule === 'public')
        const vary = rule === 'public' ? [] : [['Vary', varyOf(rooms, rule)] as const]
        return { context, responseHeaders: () => [...echoOf(rooms, state), ...vary] }
      } catch (error) {
        throw recordThrow(state, record, error)
      }
    },
    recordRefusal(source, thrown) {
      const state = findState(source, rooms)
      const error = isTransientError(thrown) ? unavailable(thrown) : thrown
      if (state === undefined || state.recorded === thrown || !(isAuthError(error) || isPlainError(error))) return error
      state.record?.threw(error)
      state.recorded = error
      return error
    },
  }
}

/** Write down how a walk ended in a throw, once; what leaves the corridor is handed back. */
export function recordThrow(state: WalkState, record: Recorder | undefined, thrown: unknown): unknown {
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
  rooms: Rooms,
  request: AuthRequest,
  rule: Rule,
  state: WalkState,
  record: Recorder,
): Promise<AuthContext | null> {
  const context = await walk(rooms, { request, rule, state, record })
  if (context !== null) rememberRoles(context, rooms.ladder.roles)
  if (!state.passed.some((mount) => mount.rule === rule)) state.passed.push({ request, rule })
  state.context = context
  return context
}

/** The walks that ended in a service, for `actAs`. */
export const SERVICE_WALKS: WeakMap<AuthContext, ServiceWalk> = new WeakMap()

/** A walk that ended in a service: whose it was, and where its work is kept. */
export interface ServiceWalk {
  readonly rooms: Rooms
  readonly request: AuthRequest
  readonly rule: Rule
  readonly state: WalkState
  /** Begin a record of what it does next. */
  readonly begin: () => Recorder
}

function enterPublic({ extractor }: Rooms, request: AuthRequest): null {
  extractor.checkPublic(request)
  return null
}

// An id that no header can carry is not echoed: what storage holds must not break the response.
function echoOf({ orgs }: Rooms, { servingOrgId }: WalkState): readonly (readonly [string, string])[] {
  return typeof orgs.echo === 'string' && servingOrgId !== null && /^[\x21-\x7e]+$/.test(servingOrgId)
    ? [[orgs.echo, servingOrgId]]
    : []
}
