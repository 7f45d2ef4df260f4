/**
 * Iron's whole auth: Supabase tokens by both kinds of key, users made on first sight with an organization, a CRM tenant and
 * a pipeline, the acting organization from `X-Org-Id`, members and invitations, and a service seam.
 */
import {
  type Auth,
  createAuth,
  createOrgResolver,
  createProvisioner,
  createServiceVerifier,
  type HostTypes,
  header,
  pathParam,
  type Route,
  supabase,
} from 'sallyport'
import { createInvitationRoutes, createInvitations, createMemberRoutes, createMembers } from 'sallyport/people'
import type { StoredOrganization, StoredUser } from 'sallyport/storage'
import type { Store } from '../store/store.ts'

/** The ladder, lowest first. */
export const ROLES = ['member', 'admin', 'owner'] as const

/** A role of it. */
export type Role = (typeof ROLES)[number]

/** What Iron is configured by. */
export interface IronOptions {
  readonly supabaseUrl: string | undefined
  readonly jwtSecret: string | undefined
  readonly jwtIssuer: string | undefined
  /** Whether the Supabase project puts an address into a token only after its owner has confirmed it. */
  readonly confirmsEmails: boolean
  readonly serviceSecret: string | undefined
}

/** What Iron's handlers know of a caller. */
export type IronTypes = HostTypes<Role, StoredUser, StoredOrganization, never, 'iron-crm'>

/** The CRM's own tables. */
export const TABLES = ['tenants', 'pipelines', 'contacts', 'bookings'] as const

/** Iron, without its routes. */
export interface Iron extends Store<(typeof TABLES)[number]> {
  readonly auth: Auth<IronTypes>
  /** The routes for the people of an organization. */
  readonly peopleRoutes: readonly Route[]
}

/** Set everything up. Throws an `OptionsError` where an option is wrong. */
export function createIron(options: IronOptions, store: Store<(typeof TABLES)[number]>): Iron {
  const { supabaseUrl: url, jwtSecret: secret, jwtIssuer: issuer, serviceSecret } = options
  const { storage, tables } = store
  const emails = options.confirmsEmails ? 'confirmed' : 'as-claimed'

  const manage = { role: 'admin' } as const
  const members = createMembers({ storage, roles: ROLES, manage })
  const invitations = createInvitations({ storage, roles: ROLES, manage, takeEffect: 'on-first-login' })
  const provision = createProvisioner({
    storage,
    invitations,
    async bootstrap({ decision, org, transaction: { handle } }) {
      if (decision !== 'create' || org === null) return
      await tables.tenants.insertWithin(handle, org.id, org.name)
      await tables.pipelines.insertWithin(handle, org.id, 'Sales')
    },
  })

  const auth = createAuth({
    roles: ROLES,
    issuers: [supabase({ url, secret, issuer, emails, algorithms: ['ES256', 'RS256'] })],
    services: createServiceVerifier({
      services: {
        'iron-crm': { header: 'X-Iron-CRM-Secret', secrets: serviceSecret === undefined ? null : [serviceSecret] },
      },
    }),
    users: provision,
    orgs: createOrgResolver({
      memberships: storage.memberships,
      selectors: [header('X-Org-Id')],
      whenUnnamed: 'earliest-joined',
    }),
  })
  const peopleRoutes = [
    ...createMemberRoutes(members, {
      path: '/api/v1/orgs/:id/members',
      selectors: [pathParam('id')],
      present: { member: ({ userId, role }) => ({ member: { id: userId, user_id: userId, role } }) },
    }),
    ...createInvitationRoutes(invitations, { path: '/api/v1/invitations', provision }),
  ]
  return { ...store, auth, peopleRoutes }
}
