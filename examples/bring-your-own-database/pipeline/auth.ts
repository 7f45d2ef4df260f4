/** The pipeline over one's own tables: nothing in it knows that ids are numbers but the form of the header. */
import { sql } from 'kysely'
import type { Auth, HostTypes, InvitationPolicy, IssuerOptions, Provisioner, User } from 'sallyport'
import { createAuth, createOrgResolver, createProvisioner, header, integerFormat } from 'sallyport'
import type { FleetTransaction } from './database.ts'
import type { Company, FleetStorage } from './storage.ts'

/** The positions that mean something here, lowest first. */
export const POSITIONS = ['driver', 'dispatcher', 'owner'] as const

type Provision = Provisioner<User, Company, FleetTransaction>

/** Who comes for the first time gets a company of their own. */
export function createFleetProvisioner(storage: FleetStorage, invitations?: InvitationPolicy): Provision {
  return createProvisioner({
    storage,
    invitations,
    // In the same transaction, by the query builder's own handle.
    bootstrap: async ({ org, transaction }) => {
      const renaming = sql`UPDATE company SET title = 'Fleet of ' || title WHERE company_no = ${org?.id ?? null}`
      await renaming.execute(transaction.handle)
    },
  })
}

/** Set everything up over the storage. */
export function createFleetAuth(
  storage: FleetStorage,
  issuer: IssuerOptions,
  users: Provision = createFleetProvisioner(storage),
): Auth<HostTypes<(typeof POSITIONS)[number], User, Company, never, never>> {
  return createAuth({
    roles: POSITIONS,
    issuers: [issuer],
    users,
    orgs: createOrgResolver({
      memberships: storage.memberships,
      selectors: [header('X-Company')],
      idFormat: integerFormat,
      whenUnnamed: 'earliest-joined',
    }),
  })
}
