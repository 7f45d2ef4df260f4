/**
 * Where an example keeps everything: `DATABASE_URL` names a PostgreSQL, else it is a SQLite file in `DATA_DIR`. Hands on
 * the storage and the example's own tables, made where they are missing.
 */
import type { ShippedStorage } from 'sallyport/storage'
import { isSettingsError, type Settings, settingsError } from '../start/settings.ts'
import type { OrgTable } from './org-table.ts'

/** The storage, whatever database it is on; the transaction's handle is the database's own. */
export type AppStorage = ShippedStorage

/** An open store. */
export interface Store<T extends string = string> {
  readonly storage: AppStorage
  readonly tables: Readonly<Record<T, OrgTable>>
  close(): Promise<void>
}

/** What an app keeps. */
export interface StoreOptions<T extends string> {
  /** The app: its data folder and file are named after it. */
  readonly app: string
  /** Its own tables. */
  readonly tables: readonly T[]
  readonly membershipOn: 'rows' | 'user-row'
  /** What ids of organizations are: UUIDs by default, or texts that the app chooses. */
  readonly orgIds?: 'uuid' | 'host'
  /** The variable that names the data folder. Default `DATA_DIR`. */
  readonly folderVariable?: string
}

/** Open the store that the variables name. What is wrong with them is one sentence. */
export async function openStore<T extends string>(settings: Settings, options: StoreOptions<T>): Promise<Store<T>> {
  const url = settings.text('DATABASE_URL')
  const { app, folderVariable = 'DATA_DIR' } = options
  const folder = settings.text(folderVariable) ?? `.data/${app}`
  if (url === undefined) {
    const { openSqliteStore } = await import('./sqlite-store.ts')
    return openSqliteStore(folder, options).catch((error: unknown) => failed(folderVariable, error))
  }
  if (!/^postgres(ql)?:\/\/./.test(url) || !URL.canParse(url)) {
    throw settingsError('DATABASE_URL must be a URL postgres://…')
  }
  if (new URL(url).pathname.length < 2) throw settingsError('DATABASE_URL names no database: postgres://host/name')
  const { openPostgresStore } = await import('./postgres-store.ts')
  return openPostgresStore(url, options).catch((error: unknown) => failed('DATABASE_URL', error))
}

// What a driver or the file system complains of is the variable's fault; anything else is ours.
function failed(variable: string, error: unknown): never {
  if (isSettingsError(error)) throw error
  for (let each = error; each instanceof Error; each = each.cause) {
    const { code, message } = each as NodeJS.ErrnoException
    if (/^migration \d+ was run with orgIds/.test(message)) {
      throw settingsError(`${variable}: the tables there were made by an earlier version: name another place`)
    }
    if (code !== undefined) throw settingsError(`${variable}: cannot open the database: ${message || code}`)
    if (/timeout|terminated/.test(message)) throw settingsError(`${variable}: cannot open the database: ${message}`)
  }
  throw error
}

/** Make a value for each table. */
export function forEachTable<T extends string>(
  tables: readonly T[],
  make: (table: T) => OrgTable,
): Readonly<Record<T, OrgTable>> {
  return Object.fromEntries(tables.map((table) => [table, make(table)])) as Record<T, OrgTable>
}
