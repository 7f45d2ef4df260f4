/** The route that makes the user where a sync gate guards the others: idempotent, and it reads no body. */
import * as z from 'zod/mini'
import type { ActingOrg, AuthTypes, IdentityContext, Organization, User, UserResolver } from '../context.ts'
import { jsonResponse } from '../http/json-response.ts'
import { rolesOf } from '../lib/context-roles.ts'
import { aFunction, anObjectWith, aRoutePath, parseOptions, type Shape } from '../lib/parse-options.ts'
import type { Route } from '../route.ts'
import type { ActingOrgSource } from '../storage/repositories.ts'
import { withStorageErrors } from '../storage/storage-errors.ts'

/** Options of {@link createSyncRoute}. */
export interface SyncRouteOptions<U extends User, O extends Organization> {
  /** The provisioner that makes the user. */
  readonly provision: UserResolver<U>
  /** Where to ask for the user's organization and role, for the answer. */
  readonly memberships: ActingOrgSource<U, O>
  /** Where the route is. Default `/auth/sync`. */
  readonly path?: string | undefined
  /** The answer's body. Default `{"data":{"user":{"id","email","org_id","role"}}}`. */
  readonly present?: ((user: U, acting: ActingOrg<O> | null) => unknown) | undefined
}

/**
 * Create the sync route: `POST /auth/sync` with a valid token makes the user, or finds the one that is there.
 * It answers 201 exactly once and 200 after, with the same body, also under parallel calls. Mount it outside the
 * middleware that has the sync gate.
 *
 * Refuses as the provisioner does. Cost: what the provisioner costs, and one query.
 *
 * @throws OptionsError for a missing or unknown option
 * @example
 * mount(app, [createSyncRoute({ provision: createProvisioner({ storage }), memberships: storage.memberships })])
 */
export function createSyncRoute<U extends User, O extends Organization>(options: SyncRouteOptions<U, O>): Route {
  const parsed = parseOptions('createSyncRoute', shape<U, O>(), options)
  const { provision, path = '/auth/sync', present = toBody } = parsed
  const memberships = withStorageErrors(parsed.memberships)
  const route: Route<AuthTypes, { readonly needs: 'identity' }> = {
    method: 'POST',
    path,
    access: { needs: 'identity' },
    async handle(context: IdentityContext) {
      const { user, created, membership } = await provision(context.identity, { kind: 'unnamed' }, rolesOf(context))
      const acting = membership ?? (await memberships.listActing({ kind: 'user', user }, 1))[0] ?? null
      return jsonResponse(created === true ? 201 : 200, present(user, acting as ActingOrg<O> | null))
    },
  }
  return Object.freeze(route) as Route
}

function toBody(user: User, acting: ActingOrg<Organization> | null): unknown {
  return {
    data: { user: { id: user.id, email: user.email, org_id: acting?.org.id ?? null, role: acting?.role ?? null } },
  }
}

// A function: what a host does not use must not stay in its bundle.
const shape = <U extends User, O extends Organization>(): Shape<SyncRouteOptions<U, O>> => ({
  provision: aFunction(),
  memberships: anObjectWith('findActing', 'listActing'),
  path: z.optional(aRoutePath()),
  present: z.optional(aFunction()),
})
