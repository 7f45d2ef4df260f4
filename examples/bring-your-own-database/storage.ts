/**
 * A storage over somebody's own tables, by the query builder they have: an hour's work, proved by the contract suites
 * of `sallyport/testing`. The driver's errors get their meaning in one place.
 */
import { type Kysely, sql, type Transaction } from 'kysely'
import { normalizeEmail, type User } from 'sallyport'
import { type AdminStorage, type Invitation, toStorageError } from 'sallyport/storage'
import { type Company, people } from './people.ts'
import { isNumber, isStorable, type Schema } from './schema.ts'
import { companies, staff } from './staff.ts'

/** The storage; a bootstrap hook gets Kysely's own transaction. */
export type FleetStorage = AdminStorage<User, Company, Transaction<Schema>>

/** Create the storage over a connected Kysely. */
export function createFleetStorage(db: Kysely<Schema>): FleetStorage {
  return {
    ...repositories(db),
    transaction: (work) =>
      translated(
        db.transaction().execute(async (handle) => {
          const result = await work({ ...repositories(handle), handle })
          // After a failed statement that the work swallowed, a COMMIT would silently be a ROLLBACK: this fails then.
          await sql`select 1`.execute(handle)
          return result
        }),
      ),
  }
}

function repositories(db: Kysely<Schema>): Omit<FleetStorage, 'transaction'> {
  return {
    users: withErrors(people(db)),
    orgs: withErrors(companies(db)),
    memberships: withErrors(staff(db)),
    invitations: withErrors(invites(db)),
  }
}

// Unique violations are a ConflictError, serialization failures, deadlocks and lost connections a TransientError.
function withErrors<R extends object>(repository: R): R {
  const wrapped = Object.entries(repository).map(([name, ask]) => [
    name,
    (...given: unknown[]) => translated((ask as (...given: unknown[]) => Promise<unknown>).apply(repository, given)),
  ])
  return Object.fromEntries(wrapped) as R
}

async function translated<T>(asked: Promise<T>): Promise<T> {
  try {
    return await asked
  } catch (error) {
    throw toStorageError(error)
  }
}

function invites(db: Kysely<Schema>): FleetStorage['invitations'] {
  const open = db.selectFrom('company').where('closed_at', 'is', null).select('company_no')
  return {
    async insert({ orgId, email, role }) {
      const mail = normalizeEmail(email)
      if (mail === null || !isStorable(role)) throw new TypeError('an invitation needs a valid address and a role')
      const company = isNumber(orgId) ? await open.where('company_no', '=', orgId).executeTakeFirst() : undefined
      if (company === undefined) throw new Error('an invitation needs a company that exists')
      const row = await db
        .insertInto('invite')
        .values({ company_no: orgId, mail, position: role, sent_at: new Date() })
        .returningAll()
        .executeTakeFirstOrThrow()
      return toInvitation(row)
    },
    async findPending(email) {
      if (!isStorable(email)) return null
      const row = await db
        .selectFrom('invite')
        .where('mail', '=', email)
        .where('accepted_at', 'is', null)
        .where('company_no', 'in', open)
        .selectAll()
        .orderBy('sent_at')
        .orderBy('invite_no')
        .limit(1)
        .executeTakeFirst()
      return row === undefined ? null : toInvitation(row)
    },
    async consume(id) {
      if (!isNumber(id)) return null
      const row = await db
        .updateTable('invite')
        .set({ accepted_at: new Date() })
        .where('invite_no', '=', id)
        .where('accepted_at', 'is', null)
        .where('company_no', 'in', open)
        .returningAll()
        .executeTakeFirst()
      return row === undefined ? null : toInvitation(row)
    },
  }
}

function toInvitation(row: Omit<Schema['invite'], 'invite_no'> & { readonly invite_no: string }): Invitation {
  return { id: row.invite_no, orgId: row.company_no, email: row.mail, role: row.position, createdAt: row.sent_at }
}
