/**
 * Which organization a request acts in: storage says whether the caller may act there and as what. Of users who may belong to
 * several the request names one; of users who belong to exactly one it stands on their own record, so that nothing the client
 * sends can choose another. Membership is read on every request, never from claims.
 */
import type { ActingOrg, Caller, Organization, OrgResolver, OrgSelection, User } from '../context.ts'
import { AuthError } from '../errors.ts'
import { type AtOnce, follow, later, requireAtOnce, toStep } from '../lib/at-once.ts'
import {
  aFunction,
  aHeaderName,
  aListOf,
  anObjectWith,
  type OptionType,
  oneOf,
  optional,
  orNull,
  parseOptions,
  type Shape,
} from '../lib/parse-options.ts'
import type { OrgSelector } from '../request.ts'
import type { ActingOrgSource } from '../storage/repositories.ts'
import { aSelectorForAllRoutes, headerOf, type OrgIdFormat, readSelection, uuidFormat } from './selector.ts'

/**
 * What happens where the request names no organization: the caller's earliest-joined one (join time, then id); the only
 * one they have, else 400 `org_required`; always 400 `org_required`; or none, and the handler gets `org: null`.
 */
export type WhenUnnamed = 'earliest-joined' | 'only-membership' | 'reject' | 'none'

/** Options of {@link createOrgResolver}. */
export interface OrgResolverOptions<U extends User, O extends Organization, M extends WhenUnnamed> {
  /** Where to ask what a caller may act in: usually `storage.memberships`. */
  readonly memberships: ActingOrgSource<U, O>
  /** Headers that name the organization. Path selectors belong to a route's `Access`. */
  readonly selectors: readonly OrgSelector[]
  /** What happens where none is named. Required: there is no safe default. */
  readonly whenUnnamed: M
  /** The form of an id. Default {@link uuidFormat}. */
  readonly idFormat?: OrgIdFormat | undefined
  /** The response header that echoes the serving org; `null`: none. Default: the first header selector. */
  readonly responseHeader?: string | null | undefined
}

/**
 * Create the org resolver over memberships.
 *
 * Refuses with `invalid_org_id`, `org_selector_conflict` and `org_required` (400), and with `forbidden` (403) for not a
 * member, an unknown and a deleted organization alike. An API key and a machine act in their own organization only; those that
 * are bound to none go the way of the selection, as a user does.
 * Cost: one storage query, none where the user resolver's query already found the membership.
 *
 * @throws OptionsError for a missing or unknown option, or a path selector
 * @example
 * const orgs = createOrgResolver({ memberships: storage.memberships, selectors: [header('X-Org-Id')], whenUnnamed: 'earliest-joined' })
 */
export function createOrgResolver<U extends User, O extends Organization, const M extends WhenUnnamed>(
  options: OrgResolverOptions<U, O, M>,
): OrgResolver<U, M extends 'none' ? O | null : O> {
  const {
    memberships,
    selectors,
    whenUnnamed,
    idFormat = uuidFormat,
    responseHeader,
  } = parseOptions('createOrgResolver', shape<U, O, M>(), options)
  const headers = selectors.flatMap((selector) => headerOf(selector) ?? [])
  const expected = headers.join(', ') || 'a selector of the route'
  type Served = M extends 'none' ? O | null : O
  return {
    readSelection(request, ofRoute) {
      return readSelection(request, ofRoute.length === 0 ? selectors : [...selectors, ...ofRoute], idFormat)
    },
    toOrgId: idFormat,
    selectorHeaders: Object.freeze(headers),
    responseHeader: responseHeader === undefined ? (headers[0] ?? null) : responseHeader,
    resolve: toStep((caller: Caller<U>, selection: OrgSelection, known?: ActingOrg<Organization> | null) => {
      // What the users step found comes of the same storage; no organization serves where `whenUnnamed` says so alone.
      const found = actingFor(caller, requireWellFormed(selection), known as ActingOrg<O> | null | undefined)
      const asked = { caller, selection }
      const acting =
        found !== null && 'then' in found ? later(found, requireMember, asked) : requireMember(found, asked)
      return acting as AtOnce<ActingOrg<Served>>
    }),
  }

  // At once where nobody has to be asked.
  function actingFor(
    caller: Caller<U>,
    selection: Selection,
    known: ActingOrg<O> | null | undefined,
  ): AtOnce<Found<O>> {
    const own = boundOrgOf(caller, selection)
    if (own !== null) return findFor(caller, own)
    if (selection.kind === 'named') {
      const { orgId } = selection
      return known === null || known?.org.id === orgId ? (known ?? null) : findFor(caller, orgId)
    }
    if (whenUnnamed === 'none' && caller.kind === 'user') return { org: null, role: null }
    if (whenUnnamed === 'reject' || whenUnnamed === 'none')
      throw new AuthError('org_required', { reason: 'org_not_named', expected })
    if (whenUnnamed === 'earliest-joined') return known === undefined ? earliestOf(caller) : known
    return onlyOneOf(caller)
  }

  async function findFor(caller: Caller<U>, orgId: string): Promise<Found<O>> {
    return await memberships.findActing(caller, orgId)
  }

  async function earliestOf(caller: Caller<U>): Promise<Found<O>> {
    return (await memberships.listActing(caller, 1))[0] ?? null
  }

  async function onlyOneOf(caller: Caller<U>): Promise<Found<O>> {
    const acting = await memberships.listActing(caller, 2)
    if (acting.length > 1) throw new AuthError('org_required', { reason: 'org_not_the_only_one', expected })
    return acting[0] ?? null
  }
}

function requireMember<A>(
  acting: A | null,
  { caller, selection }: { readonly caller: Caller; readonly selection: OrgSelection },
): A {
  if (acting !== null) return acting
  const none = caller.kind === 'machine' ? 'none of a machine' : 'none'
  const got = boundTo(caller) ?? (selection.kind === 'named' ? selection.orgId : none)
  throw new AuthError('forbidden', { reason: 'not_a_member', got })
}

type Found<O> = ActingOrg<(O & Organization) | null> | null

/** Options of {@link createUserOrgResolver}. */
export interface UserOrgResolverOptions<U extends User, O extends Organization> {
  /** Where to ask for that organization and the caller's role in it. */
  readonly memberships: ActingOrgSource<U, O>
  /** The organization on the user's record, or `null` for none. */
  readonly orgIdOf: (user: U) => string | null
  /** The form of an id, for route selectors and `actIn`. Default {@link uuidFormat}. */
  readonly idFormat?: OrgIdFormat | undefined
  /** A response header that echoes the serving org. Default `null`: none. */
  readonly responseHeader?: string | null | undefined
}

/**
 * Create the org resolver over the user's own record. No header is read; where a route has a selector of its own, it must
 * name that very organization.
 *
 * Refuses with `forbidden` (403) where the user has no organization, it is deleted, or a route names another one.
 * Cost: one storage query, none where the user resolver's query already found it.
 *
 * @throws OptionsError for a missing or unknown option
 * @example
 * const orgs = createUserOrgResolver({ memberships: storage.memberships, orgIdOf: (user) => user.orgId })
 */
export function createUserOrgResolver<U extends User, O extends Organization>(
  options: UserOrgResolverOptions<U, O>,
): OrgResolver<U, O> {
  const {
    memberships,
    orgIdOf,
    idFormat = uuidFormat,
    responseHeader = null,
  } = parseOptions('createUserOrgResolver', userShape<U, O>(), options)
  return {
    readSelection: (request, routeSelectors) => readSelection(request, routeSelectors, idFormat),
    toOrgId: idFormat,
    responseHeader,
    resolve: toStep((caller: Caller<U>, selection: OrgSelection, known?: ActingOrg<Organization> | null) => {
      const wanted = requireWellFormed(selection)
      const own = ownOrgId(caller, wanted)
      if (wanted.kind === 'named' && caller.kind === 'user' && wanted.orgId !== own) {
        throw new AuthError('forbidden', { reason: 'not_the_users_org' })
      }
      // What the users step found comes of the same storage.
      const found = known?.org.id === own ? (known as ActingOrg<O>) : null
      return follow(found ?? (own === null ? null : memberships.findActing(caller, own)), requireOrg)
    }),
  }

  function ownOrgId(caller: Caller<U>, wanted: Selection): string | null {
    if (caller.kind === 'user') return requireAtOnce('createUserOrgResolver: option "orgIdOf"', orgIdOf(caller.user))
    return boundOrgOf(caller, wanted) ?? (wanted.kind === 'named' ? wanted.orgId : null)
  }

  function requireOrg(acting: ActingOrg<O> | null): ActingOrg<O> {
    if (acting === null) throw new AuthError('forbidden', { reason: 'user_without_org' })
    return acting
  }
}

type Selection = Extract<OrgSelection, { kind: 'named' | 'unnamed' }>

function requireWellFormed(selection: OrgSelection): Selection {
  if (selection.kind === 'malformed') throw new AuthError('invalid_org_id', { reason: 'org_id_malformed' })
  if (selection.kind === 'conflict') throw new AuthError('org_selector_conflict', { reason: 'org_selectors_differ' })
  return selection
}

/** The org an API key or a machine is bound to, and no other that the request names; `null`: it is bound to none. */
function boundOrgOf(caller: Caller, selection: Selection): string | null {
  const [own, other] = [boundTo(caller), selection.kind === 'named' ? selection.orgId : null]
  if (own === null || other === null || other === own) return own
  if (caller.kind === 'machine') throw new AuthError('forbidden', { reason: 'machine_of_another_org' })
  throw new AuthError('forbidden', { reason: 'key_of_another_org' })
}

function boundTo(caller: Caller): string | null {
  if (caller.kind === 'apiKey') return caller.key.orgId
  return caller.kind === 'machine' ? caller.machine.orgId : null
}

// Functions: what a host does not use must not stay in its bundle.
const shape = <U extends User, O extends Organization, M extends WhenUnnamed>(): Shape<
  OrgResolverOptions<U, O, M>
> => ({
  memberships: anObjectWith('findActing', 'listActing'),
  selectors: aListOf<OrgSelector>(aSelectorForAllRoutes()),
  whenUnnamed: oneOf('earliest-joined', 'only-membership', 'reject', 'none') as OptionType<M>,
  idFormat: optional(aFunction()),
  responseHeader: optional(orNull(aHeaderName())),
})

const userShape = <U extends User, O extends Organization>(): Shape<UserOrgResolverOptions<U, O>> => ({
  memberships: anObjectWith('findActing', 'listActing'),
  orgIdOf: aFunction(),
  idFormat: optional(aFunction()),
  responseHeader: optional(orNull(aHeaderName())),
})
