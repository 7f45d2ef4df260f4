/** Where Ironflow keeps everything. Hands on ports, and lets nobody know which database is behind them. */
import { mkdirSync } from 'node:fs'
import type { ApiKeyRepository } from 'sallyport'
import type { AccountStorage } from 'sallyport/login'
import { createMemoryAccounts, createMemoryStorage } from 'sallyport/memory'
import type { Settings } from '../start/settings.ts'
import { ENVIRONMENTS } from './environments.ts'

/** A function that was registered in an environment. */
export interface WorkFunction {
  readonly id: string
  readonly name: string
}

/** What an app works with. */
export interface IronflowStorage {
  readonly accounts: AccountStorage
  /** Keys know environments by their ids. */
  readonly apiKeys: ApiKeyRepository
  /** Functions of an environment, in the order they were made. */
  listFunctions(environmentId: string): Promise<readonly WorkFunction[]>
  insertFunction(environmentId: string, name: string): Promise<WorkFunction>
  close(): Promise<void>
}

/** Open what the variables name. */
export async function openStorage(settings: Settings): Promise<IronflowStorage> {
  settings.refuse(['DATABASE_URL'], 'this version keeps everything in memory; leave it unset')
  const storage = createMemoryStorage()
  const rows = new Map<string, WorkFunction[]>()
  const idOf = new Map<string, string>()
  for (const { id } of ENVIRONMENTS) idOf.set(id, (await storage.orgs.insert({ name: id })).id)
  return {
    accounts: createMemoryAccounts(),
    apiKeys: withEnvironments(storage.apiKeys, idOf),
    listFunctions: async (environmentId) => [...(rows.get(environmentId) ?? [])],
    async insertFunction(environmentId, name) {
      const row = { id: crypto.randomUUID(), name }
      rows.set(environmentId, [...(rows.get(environmentId) ?? []), row])
      return row
    },
    close: async () => {},
  }
}

/** The folder for files: the variable's; else the usual one for SQLite, and the working directory for PostgreSQL. */
export function folderOf(settings: Settings): string {
  const given = settings.text('IRONFLOW_DATA_DIR') ?? settings.text('DATA_DIR')
  const folder = given ?? (settings.text('DATABASE_URL') === undefined ? '.data/ironflow' : '.')
  mkdirSync(folder, { recursive: true })
  return folder
}

// The tables' own ids are UUIDs; an environment goes by its name.
function withEnvironments(keys: ApiKeyRepository, idOf: ReadonlyMap<string, string>): ApiKeyRepository {
  const nameOf = new Map([...idOf].map(([name, id]) => [id, name]))
  const shown = <K extends { readonly orgId: string | null }>(key: K): K => ({
    ...key,
    orgId: key.orgId === null ? null : (nameOf.get(key.orgId) ?? key.orgId),
  })
  return {
    ...keys,
    insert: async (key) => shown(await keys.insert({ ...key, orgId: key.orgId && (idOf.get(key.orgId) ?? key.orgId) })),
    async findById(keyId) {
      const key = await keys.findById(keyId)
      return key && shown(key)
    },
    list: async (owner) => (await keys.list(owner)).map(shown),
    async rotate(...change) {
      const key = await keys.rotate(...change)
      return key && shown(key)
    },
  }
}
