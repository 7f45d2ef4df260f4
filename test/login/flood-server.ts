/** A server process with a local login on a database, for the proof of what a flood of logins does to others. */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import express from 'express'
import pg from 'pg'
import { createAdapter } from '../../adapters/express.ts'
import { createAuth } from '../../src/auth.ts'
import { createLogin } from '../../src/login/login.ts'
import { createUserOrgResolver } from '../../src/orgs/org-resolver.ts'
import type { AccountStorage } from '../../src/storage/account-repositories.ts'
import { createMemoryStorage } from '../../src/storage/memory.ts'
import * as postgres from '../../src/storage/postgres.ts'
import * as sqlite from '../../src/storage/sqlite.ts'
import { sqliteDriver } from '../storage/sqlite-drivers.ts'
import { ROLES, SECRET } from './login-world.ts'

const [kind = '', where = ''] = process.argv.slice(2)

async function open(): Promise<AccountStorage> {
  if (kind === 'pg') {
    const pool = new pg.Pool({ connectionString: where, max: 10 })
    await postgres.migrate({ pool })
    return postgres.createPostgresStorage({ pool }).accounts
  }
  const database = sqliteDriver(kind).open(where)
  await sqlite.migrate({ database })
  return sqlite.createSqliteStorage({ database }).accounts
}

const login = createLogin({
  storage: await open(),
  ...{ secret: SECRET, service: 'ironflow', roles: ROLES, cookieName: 'session' },
  // The flood comes from one machine: which of its addresses it would be is said by a header.
  publicUrl: 'http://localhost',
  clientAddress: ({ lines }) => lines('x-client')[0] ?? null,
})
const orgs = createUserOrgResolver({ memberships: createMemoryStorage().memberships as never, orgIdOf: () => null })
const app = express()
const { mount, onError } = createAdapter(createAuth({ ...login.auth, orgs }) as never)
mount(app, login.routes)
app.use(onError)
const server = createServer(app as never)
server.listen(0, '127.0.0.1', () => process.send?.((server.address() as AddressInfo).port))
process.on('disconnect', () => process.exit())
