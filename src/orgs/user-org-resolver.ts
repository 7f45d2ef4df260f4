/**
 * The org resolver for users who belong to exactly one organization: it stands on the user's own record, so that nothing
 * the client sends can choose another one.
 */
import * as z from 'zod/mini'
import type { ActingOrg, Organization, OrgResolver, User } from '../context.ts'
import { AuthError } from '../errors.ts'
import { aFunction, aHeaderName, anObjectWith, orNull, parseOptions, type Shape } from '../lib/parse-options.ts'
import type { ActingOrgSource } from '../storage/repositories.ts'
import { requireKeysOrg, requireWellFormed } from './org-resolver.ts'
import { type OrgIdFormat, readSelection, uuidFormat } from './selector.ts'

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
 * orgs: createUserOrgResolver({ memberships: storage.memberships, orgIdOf: (user) => user.orgId })
 */
export function createUserOrgResolver<U extends User, O extends Organization>(
  options: UserOrgResolverOptions<U, O>,
): OrgResolver<U, O> {
  const {
    memberships,
    orgIdOf,
    idFormat = uuidFormat,
    responseHeader = null,
  } = parseOptions('createUserOrgResolver', shape<U, O>(), options)
  return {
    readSelection: (request, routeSelectors) => readSelection(request, routeSelectors, idFormat),
    toOrgId: idFormat,
    responseHeader,
    async resolve(caller, selection, known) {
      const wanted = requireWellFormed(selection)
      const own = ownOrgId()
      if (wanted.kind === 'named' && caller.kind === 'user' && wanted.orgId !== own) {
        throw new AuthError('forbidden', { reason: 'not_the_users_org' })
      }
      const acting = own === null ? null : await actingIn(own)
      if (acting === null) throw new AuthError('forbidden', { reason: 'user_without_org' })
      return acting

      function ownOrgId(): string | null {
        if (caller.kind === 'user') return orgIdOf(caller.user)
        if (caller.kind === 'apiKey' && caller.key.orgId !== null) return requireKeysOrg(caller.key.orgId, wanted)
        return wanted.kind === 'named' ? wanted.orgId : null
      }
      // What the users step found comes of the same storage.
      async function actingIn(orgId: string): Promise<ActingOrg<O> | null> {
        return known?.org.id === orgId ? (known as ActingOrg<O>) : memberships.findActing(caller, orgId)
      }
    },
  }
}

// A function: what a host does not use must not stay in its bundle.
const shape = <U extends User, O extends Organization>(): Shape<UserOrgResolverOptions<U, O>> => ({
  memberships: anObjectWith('findActing', 'listActing'),
  orgIdOf: aFunction(),
  idFormat: z.optional(aFunction()),
  responseHeader: z.optional(orNull(aHeaderName())),
})
