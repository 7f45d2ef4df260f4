/**
 * A server process on a database, for the proofs: Express, the provisioner with a hook that writes the host's own rows.
 * Says its port to the parent; whatever goes wrong goes to stderr, which must stay empty.
 */
import type { AddressInfo } from 'node:net'
import express, { type ErrorRequestHandler } from 'express'
import pg from 'pg'
import { createAdapter } from '../../adapters/express.ts'
import { createPostgresStorage } from '../../src/storage/postgres.ts'
import type { AuthStorage } from '../../src/storage/repositories.ts'
import type { StoredOrganization, StoredUser } from '../../src/storage/shipped-storage.ts'
import type { PgQueryable } from '../../src/storage/sql-executor.ts'
import { createSqliteStorage } from '../../src/storage/sqlite.ts'
import { createTestAuth, trusting } from '../support/world.ts'
import { writeHostRows } from './host-rows.ts'
import { sqliteDriver } from './sqlite-drivers.ts'

const { DATABASE_URL = '', SQLITE_DRIVER = '', ISSUER = '', AUDIENCE = '', SECRET = '' } = process.env

function openStorage(): AuthStorage<StoredUser, StoredOrganization, unknown> {
  if (SQLITE_DRIVER !== '') return createSqliteStorage({ database: sqliteDriver(SQLITE_DRIVER).open(DATABASE_URL) })
  const pool = new pg.Pool({ connectionString: DATABASE_URL, max: 5 })
  pool.on('error', (error) => console.error(error))
  return createPostgresStorage({ pool })
}

const storage = openStorage()
const auth = createTestAuth(storage, {
  verifier: trusting({ issuer: ISSUER, audience: AUDIENCE, secret: SECRET }),
  bootstrap: async ({ org, transaction }) => {
    if (org !== null) await writeHostRows(transaction.handle as PgQueryable, org.id)
  },
})
const { middleware } = createAdapter(auth)
const signedIn = middleware()
const complain: ErrorRequestHandler = (error, _request, response, _next) => {
  console.error(error)
  response.status(500).end()
}
const app = express()
app.use(signedIn)
app.get('/me', (request, response) => {
  const { user, org, role } = signedIn.getAuth(request)
  response.json({ user: user.id, org: org.id, role })
})
app.use(complain)
const server = app.listen(0, '127.0.0.1', () => process.send?.((server.address() as AddressInfo).port))
process.on('disconnect', () => process.exit())
