/** The three ways in which a database has scopes: a superuser's pool with a role, an owner who obeys policies, PGlite. */
import { migrate } from '../../src/storage/postgres.ts'
import { openPglite } from '../pglite.ts'
import { createTestDatabase, openPool } from '../postgres.ts'
import { makeTable, type ScopedDatabase } from './scope-interleavings.ts'

/** A database that is closed by whoever opened it. */
export type OpenDatabase = ScopedDatabase & { close(): Promise<void> }

/** A superuser's pool; the statements of a scope run as another role. */
export async function openSuperuser(): Promise<OpenDatabase> {
  const role = `scoped_${crypto.randomUUID().slice(0, 8)}`
  const pool = openPool(await createTestDatabase(), { max: 1 })
  await makeTable(pool, (script) => pool.query(script), role)
  const close = async (): Promise<void> => void (await pool.query(`DROP OWNED BY ${role}; DROP ROLE ${role}`))
  return { pool, admin: pool, scope: { role }, close }
}

/** The tables' owner, who is no superuser, so that its own forced policies bind it. */
export async function openObedientOwner(): Promise<OpenDatabase> {
  const role = `owner_${crypto.randomUUID().slice(0, 8)}`
  const url = new URL(await createTestDatabase())
  const admin = openPool(url.href, { max: 1 })
  await admin.query(`CREATE ROLE ${role} LOGIN PASSWORD 'secret'; CREATE SCHEMA ${role} AUTHORIZATION ${role};
    GRANT ALL ON ALL TABLES IN SCHEMA public TO ${role}`)
  await admin.query(`SET search_path = ${role}`)
  Object.assign(url, { username: role, password: 'secret' })
  const pool = openPool(url.href, { max: 1, options: `-c search_path=${role},public` })
  await makeTable(pool, (script) => pool.query(script))
  const close = async (): Promise<void> => void (await admin.query(`DROP OWNED BY ${role} CASCADE; DROP ROLE ${role}`))
  return { pool, admin, scope: {}, close }
}

/** PostgreSQL in this process, one connection. */
export async function openScopedPglite(): Promise<OpenDatabase> {
  const database = await openPglite()
  await migrate({ pool: database })
  await makeTable(database, (script) => database.exec(script), 'tenant')
  return { pool: database, admin: database, scope: { role: 'tenant' }, close: () => database.close() }
}
