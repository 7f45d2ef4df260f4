/** What `--database` or DATABASE_URL names: a PostgreSQL or a SQLite file. Nothing of it is ever printed: there may be a password in it. */

/** A database. */
export type NamedDatabase =
  | { readonly dialect: 'postgres'; readonly url: string }
  | { readonly dialect: 'sqlite'; readonly path: string }

/** Read the name of a database; what is wrong with it, as a sentence. */
export function readDatabaseName(name: string): NamedDatabase | string {
  if (/^postgres(ql)?:/i.test(name)) return readPostgres(name)
  const path = name.replace(/^(sqlite|file):(\/\/+(?=\/))?/i, '')
  // One letter and a colon is a drive.
  if (/^([a-z][a-z0-9+.-]+:(?!memory:)|\/\/)/i.test(path))
    return 'the database must be postgres://… or a path of a SQLite file'
  if (path === '') return 'the database is an empty name'
  if (path.includes('?')) return 'a SQLite file takes no "?…"'
  return { dialect: 'sqlite', path }
}

function readPostgres(url: string): NamedDatabase | string {
  if (!/^\w+:\/\/./.test(url) || !URL.canParse(url)) return 'the database must be a URL postgres://…'
  if (new URL(url).pathname.length < 2) return 'the URL names no database: postgres://host/name'
  return { dialect: 'postgres', url }
}
