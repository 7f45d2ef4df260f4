/** Look for secrets where a thief would: in files, in every row of a database, in what processes said. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { openPool } from '../postgres.ts'
import { formsOf } from '../search-leavings.ts'

/** Those of the secrets that a text holds, as they are or in an encoding; a token also by its signature alone. */
export function found(bytes: string | Buffer, secrets: Iterable<string>): string[] {
  const text = bytes.toString('latin1').toLowerCase()
  const parts = [...secrets].flatMap((secret) => [
    secret,
    ...(secret.startsWith('eyJ') ? secret.split('.').slice(2) : []),
  ])
  return parts.filter((part) => formsOf(part).some((form) => text.includes(form)))
}

/** All the bytes of all the files below a folder, but for those named. */
export function filesUnder(folder: string, ...but: readonly string[]): Buffer {
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true }).filter(
    (entry) => entry.isFile() && !but.includes(entry.name),
  )
  return Buffer.concat(entries.map(({ parentPath, name }) => readFileSync(join(parentPath, name))))
}

/** Every row of every table of a database as text. */
export async function dump(url: string): Promise<string> {
  const pool = openPool(url)
  const { rows } = await pool.query<{ name: string }>(
    `SELECT quote_ident(table_schema) || '.' || quote_ident(table_name) AS name FROM information_schema.tables
    WHERE table_type = 'BASE TABLE' AND table_schema NOT IN ('pg_catalog', 'information_schema')`,
  )
  const texts: string[] = []
  for (const { name } of rows) {
    const table = await pool.query<{ row: string }>(`SELECT t::text AS row FROM ${name} t`)
    texts.push(name, ...table.rows.map(({ row }) => row))
  }
  return texts.join('\n')
}
