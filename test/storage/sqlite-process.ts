/** A process that starts on a SQLite file as an app does: migrates it, then lets 20 people log in for the first time. */
import { createSqliteStorage, migrate } from '../../src/storage/sqlite.ts'
import { testIdentity } from '../../src/testing/principals.ts'
import { createProvisioner } from '../../src/users/provisioner.ts'
import { sqliteDriver } from './sqlite-drivers.ts'

const [name = '', path = ''] = process.argv.slice(2)
const database = sqliteDriver(name).open(path)
await migrate({ database })
const provision = createProvisioner({ storage: createSqliteStorage({ database }) })
const people = Array.from({ length: 20 }, (_, index) => testIdentity({ subject: `person-${index}` }))
await Promise.all(people.map((identity) => provision(identity, { kind: 'unnamed' })))
database.close()
