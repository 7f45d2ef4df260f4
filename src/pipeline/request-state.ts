/**
 * What one auth has already done for one request, kept beside the framework's own request object and found by that very
 * object alone: a copy, a wrapper or an heir of a request is another request. A second mount re-uses the work.
 */
import type { AuthContext, Credential, OrgSelection, Verified } from '../context.ts'
import { type Authenticated, findKept } from '../http/beside-messages.ts'
import { type AtOnce, requireAtOnce } from '../lib/at-once.ts'
import type { AuthRequest } from '../request.ts'
import type { Rule } from './access.ts'
import type { Steps } from './auth-options.ts'
import type { Recorder } from './decision-record.ts'
import type { KeptMachine } from './machine.ts'
import type { Acted, KeptUser } from './own-copies.ts'

// Not frozen, as no list of a request is: V8 goes through frozen ones step by step.
const NONE: readonly never[] = []

/**
 * The work of one auth for one request. A promise is kept as it is, refusals too. Every member is its own: what is not known
 * yet must not be looked up in `Object.prototype`, into which other code of the process may have written.
 */
export class RequestState implements Authenticated {
  credential: Credential | null | undefined = undefined
  verified: AtOnce<Verified> | undefined = undefined
  resolvedUser: { readonly selection: OrgSelection; readonly result: AtOnce<KeptUser> } | undefined = undefined
  machine: Promise<KeptMachine> | undefined = undefined
  asked: readonly AskedOrg[] = NONE
  /** What the mounts so far have named: a request has one org, so later ones that name none act in it. */
  selection: OrgSelection = UNNAMED
  /** The mounts that let the request in: their rules hold for whatever comes later. */
  passed: readonly Passed[] = NONE
  /** The org that serves the request, for the response header. */
  servingOrgId: string | null = null
  /** Where the caller acts, as it was resolved. */
  acted: Acted | undefined = undefined
  /** When the oldest of this work was begun, in milliseconds. */
  checkedAt: number | undefined = undefined
  /** The record of the request, and the throw that was written down last: several mounts may see the same one. */
  record: Recorder | undefined = undefined
  recorded: unknown = undefined
  readonly source: object
  /** Whose work it is. */
  readonly steps: Steps
  readonly #recheck: Recheck

  /** @param recheck how its callers are checked once more */
  constructor(source: object, steps: Steps, recheck: Recheck) {
    this.source = source
    this.steps = steps
    this.#recheck = recheck
  }

  /** The token of its credential, for a step that asks the issuer for more. */
  get token(): string | undefined {
    return this.credential?.kind === 'bearer' ? this.credential.token : undefined
  }

  async recheck(): Promise<void> {
    // Of a request that nobody has let in there is nothing to check.
    if (this.passed.some(({ context }) => context !== null)) await this.#recheck(this)
  }
}

/** A list with one more: most have none before. */
export function append<T>(list: readonly T[], item: T): readonly T[] {
  return list.length === 0 ? [item] : [...list, item]
}

/** Where a caller acts that names an organization so. */
export interface AskedOrg {
  readonly selection: OrgSelection
  readonly result: AtOnce<Acted>
  /** Which that is, once it serves the request. */
  orgId: string | null
}

type Recheck = (state: RequestState) => Promise<void>

/** A mount that let the request in. */
export interface Passed {
  readonly rule: Rule
  readonly request: AuthRequest
  readonly context: AuthContext | null
}

/** A request that names no organization. */
export const UNNAMED: OrgSelection = Object.freeze({ kind: 'unnamed' })

/** A mount that names another organization than those before it. */
export const NAMES_ANOTHER: OrgSelection = Object.freeze({ kind: 'conflict' })

/** Find the state of an auth for a request, or `undefined` where none of its authorizers has seen it. */
export function findState(source: object, steps: Steps): RequestState | undefined {
  return stateOf(findKept(source)?.authenticated ?? NONE, steps)
}

/** The one of an auth among those of several. */
export function stateOf(all: readonly Authenticated[], steps: Steps): RequestState | undefined {
  for (const state of all) if (state instanceof RequestState && state.steps === steps) return state
  return undefined
}

/**
 * What a mount's own selection means beside those of earlier mounts, and keep it for later ones. A selection that was
 * refused once stays refused; {@link NAMES_ANOTHER} where it names another org than the one named or served so far.
 */
export function selectTogether(state: RequestState, given: OrgSelection): OrgSelection {
  const { selection, servingOrgId } = state
  if (given.kind === 'unnamed') return selection
  const own = requireAtOnce('createAuth: readSelection of option "orgs"', given)
  if (selection.kind === 'malformed' || selection.kind === 'conflict') return selection
  const taken = selection.kind === 'named' ? selection.orgId : servingOrgId
  if (own.kind === 'named' && taken !== null && taken !== own.orgId) return NAMES_ANOTHER
  state.selection = own
  return own
}

/**
 * The context that one mount has made of a request.
 * @throws Error where it has let no such request in
 */
export function contextFor(source: object, steps: Steps, rule: Rule | 'public'): AuthContext | null {
  if (rule === 'public') return null
  // `getAuth()` is called by programs without types, too, with what is no object at all.
  const state = Object(source) === source ? findState(source, steps) : undefined
  const mount = state?.passed.find((each) => each.rule === rule)
  if (mount === undefined) {
    throw new Error('sallyport: getAuth() found no context: its own middleware must have let this very request in')
  }
  return mount.context
}
