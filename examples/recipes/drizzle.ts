/** Drizzle within sallyport: on the client that a scope, or the provisioner's transaction, hands out. */
import { eq } from 'drizzle-orm'
import { drizzle } from 'drizzle-orm/node-postgres'
import { pgTable, text, uuid } from 'drizzle-orm/pg-core'
import type pg from 'pg'
import { createProvisioner, type UserResolver } from 'sallyport'
import { type OrgScopeContext, type PostgresStorage, withOrgScope, withSystemScope } from 'sallyport/postgres'
import type { StoredUser } from 'sallyport/storage'

const contacts = pgTable('contacts', {
  id: uuid('id').primaryKey().defaultRandom(),
  orgId: uuid('org_id').notNull(),
  name: text('name').notNull(),
})

/** A contact. */
export interface Contact {
  readonly id: string
  readonly orgId: string
  readonly name: string
}

const SCOPE = { role: 'tenant' }

/** List the acting organization's contacts: the policies say whose they are, the query needn't. */
export function listContacts(pool: pg.Pool, context: OrgScopeContext): Promise<Contact[]> {
  return withOrgScope(pool, context, (client) => drizzle({ client }).select().from(contacts), SCOPE)
}

/** Rename one; `null`: it is not there, or not theirs. */
export function renameContact(
  pool: pg.Pool,
  context: OrgScopeContext,
  id: string,
  name: string,
): Promise<Contact | null> {
  return withOrgScope(
    pool,
    context,
    async (client) => {
      const db = drizzle({ client })
      const [renamed] = await db.update(contacts).set({ name }).where(eq(contacts.id, id)).returning()
      return renamed ?? null
    },
    SCOPE,
  )
}

/** First logins write a first contact, in the transaction that makes the user. */
export function createUsers(storage: PostgresStorage<pg.PoolClient>): UserResolver<StoredUser> {
  return createProvisioner({
    storage,
    async bootstrap({ org, transaction: { handle } }) {
      if (org === null) return
      await withSystemScope(handle, (client) =>
        drizzle({ client }).insert(contacts).values({ orgId: org.id, name: 'Yourself' }),
      )
    },
  })
}
