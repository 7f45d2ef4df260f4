/** A process that starts on a database as an app with local login does: makes the tables, then the first admin. */
import pg from 'pg'
import { createLogin } from '../../src/login/login.ts'
import { createPasswordHasher } from '../../src/login/password-hash.ts'
import type { AccountStorage } from '../../src/storage/account-repositories.ts'
import * as postgres from '../../src/storage/postgres.ts'
import * as sqlite from '../../src/storage/sqlite.ts'
import { sqliteDriver } from './sqlite-drivers.ts'

interface Opened {
  readonly storage: AccountStorage
  close(): Promise<unknown>
}

async function openPostgres(connectionString: string): Promise<Opened> {
  const pool = new pg.Pool({ connectionString })
  await postgres.migrate({ pool })
  return { storage: postgres.createPostgresStorage({ pool }).accounts, close: () => pool.end() }
}

async function openSqlite(driver: string, path: string): Promise<Opened> {
  const database = sqliteDriver(driver).open(path)
  await sqlite.migrate({ database })
  return { storage: sqlite.createSqliteStorage({ database }).accounts, close: async () => database.close() }
}

const [name = '', url = ''] = process.argv.slice(2)
const { storage, close } = await (name === 'pg' ? openPostgres(url) : openSqlite(name, url))
const login = createLogin({
  storage,
  roles: ['admin'],
  service: 'app',
  secret: new Uint8Array(32),
  passwords: createPasswordHasher({ cost: { kind: 'scrypt', ln: 12, r: 8, p: 1 } }),
})
await login.createFirstAdmin({
  email: 'admin@example.com',
  announce: ({ password }) => console.log(`password: ${password}`),
})
await close()
