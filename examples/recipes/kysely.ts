/** Kysely within sallyport: on the client that a scope, or the provisioner's transaction, hands out. */
import { type Generated, Kysely, PostgresDialect, type PostgresPoolClient } from 'kysely'
import type pg from 'pg'
import { createProvisioner, type UserResolver } from 'sallyport'
import { type OrgScopeContext, type PostgresStorage, withOrgScope, withSystemScope } from 'sallyport/postgres'
import type { StoredUser } from 'sallyport/storage'

/** The tables. */
interface Tables {
  contacts: { id: Generated<string>; org_id: string; name: string }
}

/** A contact. */
export interface Contact {
  readonly id: string
  readonly org_id: string
  readonly name: string
}

const SCOPE = { role: 'tenant' }

// A Kysely that knows one connection, and leaves it to whoever has lent it.
function kyselyOn(client: pg.PoolClient): Kysely<Tables> {
  const query = client.query.bind(client) as PostgresPoolClient['query']
  const pool = { connect: async () => ({ query, release() {} }), end: async () => {} }
  return new Kysely({ dialect: new PostgresDialect({ pool }) })
}

/** List the acting organization's contacts: the policies say whose they are, the query needn't. */
export function listContacts(pool: pg.Pool, context: OrgScopeContext): Promise<Contact[]> {
  return withOrgScope(pool, context, (client) => kyselyOn(client).selectFrom('contacts').selectAll().execute(), SCOPE)
}

/** Rename one; `null`: it is not there, or not theirs. */
export function renameContact(
  pool: pg.Pool,
  context: OrgScopeContext,
  id: string,
  name: string,
): Promise<Contact | null> {
  const renamed = withOrgScope(
    pool,
    context,
    (client) =>
      kyselyOn(client).updateTable('contacts').set({ name }).where('id', '=', id).returningAll().executeTakeFirst(),
    SCOPE,
  )
  return renamed.then((contact) => contact ?? null)
}

/** First logins write a first contact, in the transaction that makes the user. */
export function createUsers(storage: PostgresStorage<pg.PoolClient>): UserResolver<StoredUser> {
  return createProvisioner({
    storage,
    async bootstrap({ org, transaction: { handle } }) {
      if (org === null) return
      await withSystemScope(handle, (client) =>
        kyselyOn(client).insertInto('contacts').values({ org_id: org.id, name: 'Yourself' }).execute(),
      )
    },
  })
}
