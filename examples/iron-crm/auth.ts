/**
 * Iron's whole auth: Supabase tokens by both kinds of key, users made on first sight with an organization, a CRM tenant and
 * a pipeline, the acting organization from `X-Org-Id`, and a service seam.
 */
import {
  type Auth,
  createAuth,
  createJwtVerifier,
  createOrgResolver,
  createProvisioner,
  createServiceVerifier,
  type HostTypes,
  header,
  supabase,
} from 'sallyport'
import { createMemoryStorage, type StoredOrganization, type StoredUser } from 'sallyport/memory'
import { createOrgTable, type OrgTable, orgRow, type StorageWithTables, withTables } from '../tables/org-table.ts'

/** The ladder, lowest first. */
export const ROLES = ['member', 'admin', 'owner'] as const

/** A role of it. */
export type Role = (typeof ROLES)[number]

/** What Iron is configured by. */
export interface IronOptions {
  readonly supabaseUrl: string | undefined
  readonly jwtSecret: string | undefined
  readonly jwtIssuer: string | undefined
  readonly serviceSecret: string | undefined
}

/** What Iron's handlers know of a caller. */
export type IronTypes = HostTypes<Role, StoredUser, StoredOrganization, never, 'iron-crm'>

/** The CRM's own tables. */
export interface IronTables {
  readonly tenants: OrgTable
  readonly pipelines: OrgTable
  readonly contacts: OrgTable
  readonly bookings: OrgTable
}

/** Iron, without its routes. */
export interface Iron {
  readonly auth: Auth<IronTypes>
  readonly storage: StorageWithTables
  readonly tables: IronTables
}

/** Set everything up. Throws a `TypeError` where an option is wrong. */
export function createIron(options: IronOptions): Iron {
  const { supabaseUrl: url, jwtSecret: secret, jwtIssuer: issuer, serviceSecret } = options
  const storage = withTables(createMemoryStorage())
  const tables: IronTables = {
    tenants: createOrgTable(),
    pipelines: createOrgTable(),
    contacts: createOrgTable(),
    bookings: createOrgTable(),
  }

  const auth = createAuth({
    roles: ROLES,
    verify: createJwtVerifier({
      issuers: [supabase({ url, secret, issuer, algorithms: ['ES256', 'RS256'] })],
      audience: 'authenticated',
      clockToleranceSeconds: 5,
    }),
    services: createServiceVerifier({
      services: {
        'iron-crm': { header: 'X-Iron-CRM-Secret', secrets: serviceSecret === undefined ? null : [serviceSecret] },
      },
    }),
    users: createProvisioner({
      storage,
      // The Supabase project confirms addresses; its tokens carry no top-level claim unless an address is unconfirmed.
      invitations: { emailIsVerified: ({ emailVerified }) => emailVerified !== false },
      bootstrap({ decision, org, transaction }) {
        if (decision !== 'create' || org === null) return
        transaction.handle.insert(tables.tenants, orgRow(org.id, org.name))
        transaction.handle.insert(tables.pipelines, orgRow(org.id, 'Sales'))
      },
    }),
    orgs: createOrgResolver({
      source: storage.memberships,
      selectors: [header('X-Org-Id')],
      unnamed: 'earliest-joined',
    }),
  })
  return { auth, storage, tables }
}
