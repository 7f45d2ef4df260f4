/**
 * One PostgreSQL for a whole run of the tests: started when the first test asks for it, stopped at the end. Vitest runs
 * this before the tests (`globalSetup`) and hands them the address of a desk that answers with a fresh database's URL,
 * a clone of a migrated template. `TEST_DATABASE_URL` (a role that may create databases) is used instead where it is set.
 */
import pg from 'pg'
import type { TestProject } from 'vitest/node'
import { migrate } from '../src/storage/postgres.ts'
import { openDesk } from './desk.ts'
import { startCluster } from './postgres-cluster.ts'

declare module 'vitest' {
  interface ProvidedContext {
    /** Where a test asks for a database. */
    postgresDesk: string
  }
}

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  let databases: Promise<Databases> | undefined
  const desk = await openDesk(async (kind) => {
    databases ??= openDatabases()
    return (await databases).create(kind)
  })
  project.provide('postgresDesk', desk.url)
  return async () => {
    desk.close()
    await (await databases?.catch(() => undefined))?.close()
  }
}

interface Databases {
  /** Make a database: `migrated` or `empty`; its URL. */
  create(kind: string): Promise<string>
  close(): Promise<void>
}

async function openDatabases(): Promise<Databases> {
  const given = process.env['TEST_DATABASE_URL']
  const cluster = given === undefined ? await startCluster() : { url: given, stop: async () => undefined }
  const prefix = `sallyport_test_${process.pid}`
  const made: string[] = []
  let asked = 0
  const admin = new pg.Pool({ connectionString: cluster.url, max: 1 })
  // The server may be gone before its last connection is.
  admin.on('error', () => undefined)
  // Copied as files, where the server is ours: page by page it would all be in the write-ahead log as well.
  const strategy = given === undefined ? ' STRATEGY file_copy' : ''
  const create = async (name: string, more: string): Promise<string> => {
    await admin.query(`CREATE DATABASE ${name}${more}${strategy}`)
    made.push(name)
    const url = new URL(cluster.url)
    url.pathname = `/${name}`
    return url.href
  }
  const template = `${prefix}_template`
  await migrateAt(await create(template, ''))
  return {
    create: (kind) => create(`${prefix}_${asked++}`, kind === 'empty' ? '' : ` TEMPLATE ${template}`),
    async close() {
      if (given !== undefined) {
        for (const name of made) await admin.query(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`)
        await dropOrphans(admin)
      }
      await admin.end()
      await cluster.stop()
    },
  }
}

// Roles outlive the databases that examples named them after, or tests gave to them.
async function dropOrphans(admin: pg.Pool): Promise<void> {
  const { rows } = await admin.query<{ name: string }>(`SELECT rolname AS name FROM pg_roles r
    WHERE rolname ~ '^sallyport_(tenant_[0-9]+|test_owner_[0-9a-f]+)$' AND NOT EXISTS (
      SELECT FROM pg_database d WHERE r.rolname = 'sallyport_tenant_' || d.oid OR r.oid = d.datdba)`)
  for (const { name } of rows) await admin.query(`DROP ROLE IF EXISTS ${name}`)
}

async function migrateAt(connectionString: string): Promise<void> {
  const pool = new pg.Pool({ connectionString, max: 1 })
  await migrate({ pool })
  await pool.end()
}
