/**
 * What one auth has already done for one request, kept on the framework's request object under a registered symbol, so
 * that a second mount re-uses the work and two auths on one request stay apart.
 */
import type { ActingOrg, Admission, AuthContext, Credential, OrgSelection, Verified } from '../context.ts'
import { accepts, type Rule } from './access.ts'
import type { Recorder } from './recorder.ts'
import type { Rooms } from './rooms.ts'

/** The work of the walks of one auth for one request. A promise is kept as it is, refusals too. */
export interface WalkState {
  credential?: Credential | null | undefined
  verified?: Promise<Verified> | undefined
  admission?: { readonly selection: OrgSelection; readonly result: Promise<Admission> } | undefined
  readonly acting: Map<string, Promise<ActingOrg>>
  /** The rules passed so far: the org-scoped ones hold for whatever org a later mount chooses. */
  readonly passed: Rule[]
  /** The context of the latest mount that let the request in, and its rule; left out before that. */
  context?: AuthContext | null | undefined
  rule?: Rule | undefined
  /** The org that serves the request, for the echo. */
  servingOrgId: string | null
  /** The record of the latest walk, and the throw that was written down last: several mounts may see the same one. */
  record?: Recorder | undefined
  recorded?: unknown
}

const STATE: unique symbol = Symbol.for('sallyport.state') as never

/** Find the state of `auth` for a request, or `undefined` where none of its doors was entered. */
export function findState(source: object, auth: object): WalkState | undefined {
  return (source as { [STATE]?: Map<object, WalkState> | undefined })[STATE]?.get(auth)
}

/** The state of `auth` for a request, made on first use. */
export function stateOf(source: object, auth: object): WalkState {
  const found = findState(source, auth)
  if (found !== undefined) return found
  const holder = source as { [STATE]?: Map<object, WalkState> | undefined }
  if (holder[STATE] === undefined) Object.defineProperty(source, STATE, { value: new Map() })
  const state: WalkState = { acting: new Map(), passed: [], servingOrgId: null }
  holder[STATE]?.set(auth, state)
  return state
}

/**
 * The context an earlier mount has made, where it holds what `rule` promises its reader.
 * @throws Error where no mount let the request in, or it asked for less
 */
export function contextFor(source: object, rooms: Rooms, rule: Rule | 'public'): AuthContext | null {
  if (rule === 'public') return null
  const state = findState(source, rooms)
  const context = state?.context
  if (state === undefined || context === undefined) {
    throw new Error('sallyport: getAuth() found no context: mount middleware() or protect() of the same auth before it')
  }
  const isPromised = holds(rule, context) && isSelected(rule, state.rule)
  if (!isPromised || !isAsked(rule, context, state.passed, rooms.ladder.roles)) {
    throw new Error('sallyport: the mounted Access promises less than getAuth() reads: hand getAuth() the same Access')
  }
  return context
}

function holds(rule: Rule, context: AuthContext | null): boolean {
  if (context === null) return rule.optional
  if (!accepts(rule, context.principal)) return false
  if (context.kind !== 'user' || rule.stage === 'identity') return true
  return rule.stage === 'org' ? 'org' in context : 'user' in context
}

// A path that names an organization means nothing to a context that was made without looking at it.
function isSelected({ selectors }: Rule, made: Rule | undefined): boolean {
  return selectors.every(({ kind, name }) => made?.selectors.some((each) => each.kind === kind && each.name === name))
}

// A role or a scope that no mount asked for was not checked, whatever the caller happens to have.
function isAsked(rule: Rule, context: AuthContext | null, passed: readonly Rule[], roles: readonly string[]): boolean {
  if (context === null || context.kind === 'service') return true
  const alike = passed.filter(({ stage }) => stage === rule.stage)
  const rank = (role: string | null): number => (role === null ? -1 : roles.indexOf(role))
  const hasRole = rule.role === null || alike.some(({ role }) => rank(role) >= rank(rule.role))
  const scopes = new Set(alike.flatMap((each) => each.scopes))
  return hasRole && (context.kind !== 'apiKey' || rule.scopes.every((scope) => scopes.has(scope)))
}
