/**
 * Intello's whole auth: Supabase tokens by its JWK Set alone, users who sync themselves once, the organization from the
 * user's own row, invitations, API keys of organizations, and a platform key for internal routes.
 */
import {
  type Auth,
  createAuth,
  createProvisioner,
  createRoles,
  createServiceVerifier,
  createSyncGate,
  createSyncRoute,
  createUserOrgResolver,
  type HostTypes,
  type Roles,
  type Route,
  supabase,
} from 'sallyport'
import { createApiKeys } from 'sallyport/api-keys'
import { createInvitationRoutes, createInvitations } from 'sallyport/people'
import type { StoredOrganization, StoredUser } from 'sallyport/storage'
import type { Store } from '../store/store.ts'

/** The ladder, lowest first, and the lowest role that each permission asks. */
export const ROLES: Roles<Role, Permission> = createRoles(['viewer', 'member', 'admin'], {
  'dependencies:read': 'viewer',
  'dependencies:write': 'member',
})

type Role = 'viewer' | 'member' | 'admin'
type Permission = 'dependencies:read' | 'dependencies:write'

/** What Intello is configured by. */
export interface IntelloOptions {
  readonly supabaseUrl: string
  readonly jwtIssuer: string | undefined
  /** Whether the Supabase project puts an address into a token only after its owner has confirmed it. */
  readonly confirmsEmails: boolean
  readonly jwtAudience: string
  readonly platformApiKey: string | undefined
  /** Whether organizations may have API keys. */
  readonly apiKeys: boolean
}

/** What Intello's handlers know of a caller. */
export type IntelloTypes = HostTypes<Role, StoredUser, StoredOrganization, never, 'platform', Permission>

/** Intello's own tables. */
export const TABLES = ['dependencies'] as const

/** Intello, without its own routes. */
export interface Intello extends Store<(typeof TABLES)[number]> {
  readonly auth: Auth<IntelloTypes>
  /** Whether a key enters. */
  readonly hasApiKeys: boolean
  /** The sync, invitations, keys. */
  readonly routes: readonly Route[]
}

/** Set everything up. Throws an `OptionsError` where an option is wrong. */
export function createIntello(options: IntelloOptions, store: Store<(typeof TABLES)[number]>): Intello {
  const { storage, tables } = store
  const { memberships: source, users } = storage
  const { supabaseUrl: url, jwtIssuer: issuer, confirmsEmails } = options
  const emails = confirmsEmails ? 'confirmed' : 'as-claimed'

  const apiKeys = createApiKeys({ storage, prefix: 'itk', roles: ROLES, defaultPermissions: ['dependencies:read'] })
  const auth = createAuth({
    roles: ROLES,
    issuers: [supabase({ url, issuer, emails, algorithms: ['ES256'], audience: options.jwtAudience })],
    services: createServiceVerifier({
      services: {
        platform: {
          header: 'X-Platform-Api-Key',
          secrets: options.platformApiKey === undefined ? null : [options.platformApiKey],
        },
      },
    }),
    ...(options.apiKeys && { apiKeys }),
    users: createSyncGate({ users }),
    orgs: createUserOrgResolver({ memberships: source, orgIdOf: (user: StoredUser) => user.orgId }),
  })

  const invitations = createInvitations({
    storage,
    roles: ROLES,
    manage: { role: 'admin' },
    takeEffect: 'on-first-login',
    mayLeave: (org, { handle }) => tables.dependencies.isEmptyWithin(handle, org.id),
  })
  const provision = createProvisioner({ storage, ownerRole: 'admin', invitations })
  return {
    ...store,
    auth,
    hasApiKeys: options.apiKeys,
    routes: [
      createSyncRoute({ provision, memberships: source }),
      ...createInvitationRoutes(invitations, { envelope: 'data' }),
      ...(options.apiKeys ? apiKeys.routes({ role: 'admin' }) : []),
    ],
  }
}
