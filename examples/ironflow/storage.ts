/**
 * Where Ironflow keeps everything. The tables know organizations by UUIDs; here they become environments by name. Hands on
 * ports, and lets nobody know which database is behind them.
 */
import type { AccountStorage, ApiKeyRepository } from 'sallyport/storage'
import { type Settings, settingsError } from '../start/settings.ts'
import { makeFolder } from '../store/folder.ts'
import { type ActingContext, type OrgRow, present } from '../store/org-table.ts'
import { openStore } from '../store/store.ts'
import { ENVIRONMENTS } from './environments.ts'

/** What an app works with. */
export interface IronflowStorage {
  readonly accounts: AccountStorage
  /** Keys know environments by their names. */
  readonly apiKeys: ApiKeyRepository
  /** Functions of the environment a caller acts in, in the order they were made. */
  listFunctions(context: ActingContext): Promise<readonly WorkFunction[]>
  insertFunction(context: ActingContext, name: string): Promise<WorkFunction>
  /** Throws `not_found` for what is not there, or another environment's. */
  removeFunction(context: ActingContext, id: string): Promise<void>
  close(): Promise<void>
}

/** A function that was registered in an environment. */
export type WorkFunction = Pick<OrgRow, 'id' | 'name'>

/** Open what the variables name, and make what is missing. */
export async function openStorage(settings: Settings): Promise<IronflowStorage> {
  const { storage, tables, close } = await openStore(settings, {
    app: 'ironflow',
    tables: ['functions'],
    membershipOn: 'rows',
    folderVariable: folderVariableOf(settings),
  })
  try {
    await storage.transaction(({ handle }) => makeEnvironments(handle as Handle))
  } catch (error) {
    await close()
    throw error
  }
  const of = (context: ActingContext) => {
    const { org } = context
    return tables.functions.of({ ...context, org: { id: (org && ORG_IDS.get(org.id)) ?? '' } })
  }
  return {
    accounts: storage.accounts,
    apiKeys: withEnvironments(storage.apiKeys),
    listFunctions: async (context) => (await of(context).list()).map(present),
    insertFunction: async (context, name) => present(await of(context).insert(name)),
    removeFunction: async (context, id) => void (await of(context).remove(id)),
    close,
  }
}

/** The folder of the secret: the data folder, but for PostgreSQL without one the working directory. */
export function secretFolderOf(settings: Settings): string {
  const variable = folderVariableOf(settings)
  const folder = settings.text(variable) ?? (settings.text('DATABASE_URL') === undefined ? '.data/ironflow' : '.')
  try {
    makeFolder(folder)
  } catch (error) {
    throw settingsError(`${variable}: the folder can't be made (${(error as NodeJS.ErrnoException).code})`)
  }
  return folder
}

function folderVariableOf(settings: Settings): string {
  return settings.text('IRONFLOW_DATA_DIR') === undefined ? 'DATA_DIR' : 'IRONFLOW_DATA_DIR'
}

const ORG_IDS: ReadonlyMap<string, string> = new Map(ENVIRONMENTS.map(({ id, orgId }) => [id, orgId]))
const NAMES: ReadonlyMap<string, string> = new Map(ENVIRONMENTS.map(({ id, orgId }) => [orgId, id]))

// A transaction's handle: the one of SQLite runs a text by `exec`, the one of PostgreSQL by `query`.
interface Handle {
  exec?(text: string): unknown
  query?(text: string): Promise<unknown>
}

async function makeEnvironments(handle: Handle): Promise<void> {
  for (const [name, orgId] of ORG_IDS) {
    const text = `INSERT INTO organizations (id, name) VALUES ('${orgId}', '${name}') ON CONFLICT DO NOTHING`
    await (handle.query?.(text) ?? handle.exec?.(text))
  }
}

function withEnvironments(keys: ApiKeyRepository): ApiKeyRepository {
  const shown = <K extends { readonly orgId: string | null }>(key: K): K => ({
    ...key,
    orgId: key.orgId && (NAMES.get(key.orgId) ?? key.orgId),
  })
  return {
    ...keys,
    insert: async (key) => shown(await keys.insert({ ...key, orgId: key.orgId && (ORG_IDS.get(key.orgId) ?? '') })),
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
