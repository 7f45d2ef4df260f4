/**
 * The org resolver for users who may belong to several organizations: the request names one, storage says whether the
 * caller may act there and as what. Membership is read on every request, never from claims.
 */
import * as z from 'zod/mini'
import type { ActingOrg, Caller, Organization, OrgResolver, OrgSelection, User } from '../context.ts'
import { AuthError } from '../errors.ts'
import {
  aFunction,
  aHeaderName,
  aListOf,
  anObjectWith,
  type OptionType,
  oneOf,
  orNull,
  parseOptions,
  type Shape,
} from '../lib/parse-options.ts'
import type { OrgSelector } from '../request.ts'
import type { ActingOrgSource } from '../storage/repositories.ts'
import { aSelectorForAllRoutes, headerOf, type OrgIdFormat, readSelection, uuidFormat } from './selector.ts'

/**
 * What happens where the request names no organization: the caller's earliest-joined one (join time, then id);
 * the only one they have, else 400 `org_required`; always 400 `org_required`; or none, and the handler gets
 * `org: null`.
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
 * member, an unknown and a deleted organization alike. An API key acts in its own organization only; one that
 * is bound to none goes the way of the selection, as a user does.
 * Cost: one storage query, none where the user resolver's query already found the membership.
 *
 * @throws OptionsError for a missing or unknown option, or a path selector
 * @example
 * orgs: createOrgResolver({ memberships: storage.memberships, selectors: [header('X-Org-Id')], whenUnnamed: 'earliest-joined' })
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
    readSelection: (request, routeSelectors) => readSelection(request, [...selectors, ...routeSelectors], idFormat),
    toOrgId: idFormat,
    selectorHeaders: Object.freeze(headers),
    responseHeader: responseHeader === undefined ? (headers[0] ?? null) : responseHeader,
    async resolve(caller, selection, known) {
      // What the users step found comes of the same storage; no organization serves where `whenUnnamed` says so alone.
      const acting = await actingFor(caller, requireWellFormed(selection), known as ActingOrg<O> | null | undefined)
      if (acting === null) throw new AuthError('forbidden', { reason: 'not_a_member' })
      return acting as ActingOrg<Served>
    },
  }

  async function actingFor(
    caller: Caller<U>,
    selection: Selection,
    known: ActingOrg<O> | null | undefined,
  ): Promise<ActingOrg<O | null> | null> {
    if (caller.kind === 'apiKey' && caller.key.orgId !== null) {
      return memberships.findActing(caller, requireKeysOrg(caller.key.orgId, selection))
    }
    if (selection.kind === 'named') {
      const { orgId } = selection
      return known === null || known?.org.id === orgId ? (known ?? null) : memberships.findActing(caller, orgId)
    }
    if (whenUnnamed === 'none' && caller.kind === 'user') return { org: null, role: null }
    if (whenUnnamed === 'reject' || whenUnnamed === 'none')
      throw new AuthError('org_required', { reason: 'org_not_named', expected })
    if (whenUnnamed === 'earliest-joined')
      return known ?? (known === null ? null : ((await memberships.listActing(caller, 1))[0] ?? null))
    const acting = await memberships.listActing(caller, 2)
    if (acting.length > 1) {
      throw new AuthError('org_required', { reason: 'org_not_the_only_one', expected })
    }
    return acting[0] ?? null
  }
}

type Selection = Extract<OrgSelection, { kind: 'named' | 'unnamed' }>

/** Judge the form of a selection. */
export function requireWellFormed(selection: OrgSelection): Selection {
  if (selection.kind === 'malformed') throw new AuthError('invalid_org_id', { reason: 'org_id_malformed' })
  if (selection.kind === 'conflict') throw new AuthError('org_selector_conflict', { reason: 'org_selectors_differ' })
  return selection
}

/** The org an API key acts in: its own, and no other that the request names. */
export function requireKeysOrg(orgId: string, selection: Selection): string {
  if (selection.kind === 'named' && selection.orgId !== orgId) {
    throw new AuthError('forbidden', { reason: 'key_of_another_org' })
  }
  return orgId
}

const shape = <U extends User, O extends Organization, M extends WhenUnnamed>(): Shape<
  OrgResolverOptions<U, O, M>
> => ({
  memberships: anObjectWith('findActing', 'listActing'),
  selectors: aListOf<OrgSelector>(aSelectorForAllRoutes()),
  whenUnnamed: oneOf('earliest-joined', 'only-membership', 'reject', 'none') as OptionType<M>,
  idFormat: z.optional(aFunction()),
  responseHeader: z.optional(orNull(aHeaderName())),
})
