/** The pipeline over one's own tables: nothing in it knows that ids are numbers but the form of the header. */
import { sql } from 'kysely'
import {
  type Auth,
  createAuth,
  createOrgResolver,
  createProvisioner,
  type HostTypes,
  header,
  type IssuerOptions,
  integerFormat,
  type User,
} from 'sallyport'
import type { Company, FleetStorage } from './storage.ts'

/** The positions that mean something here, lowest first. */
export const POSITIONS = ['driver', 'dispatcher', 'owner'] as const

/** Set everything up over the storage. */
export function createFleetAuth(
  storage: FleetStorage,
  issuer: IssuerOptions,
): Auth<HostTypes<(typeof POSITIONS)[number], User, Company, never, never>> {
  return createAuth({
    roles: POSITIONS,
    issuers: [issuer],
    users: createProvisioner({
      storage,
      // In the same transaction, by the query builder’s own handle.
      bootstrap: async ({ org, transaction }) => {
        if (org === null) return
        const title = `Fleet of ${org.title}`
        await sql`UPDATE company SET title = ${title} WHERE company_no = ${org.id}`.execute(transaction.handle)
      },
    }),
    orgs: createOrgResolver({
      memberships: storage.memberships,
      selectors: [header('X-Company')],
      idFormat: integerFormat,
      whenUnnamed: 'earliest-joined',
    }),
  })
}
