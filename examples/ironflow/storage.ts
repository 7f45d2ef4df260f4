/**
 * Where Ironflow keeps everything: an environment is an organization, by its own id. Hands on ports, and lets nobody know
 * which database is behind them.
 */
import { type AccountStorage, type ApiKeyRepository, isConflictError } from 'sallyport/storage'
import { type Settings, settingsError } from '../start/settings.ts'
import { makeFolder } from '../store/folder.ts'
import type { OrgTable } from '../store/org-table.ts'
import { type AppStorage, openStore } from '../store/store.ts'
import { ENVIRONMENTS } from './environments.ts'

/** What an app works with. */
export interface IronflowStorage {
  readonly accounts: AccountStorage
  readonly apiKeys: ApiKeyRepository
  /** Functions that were registered in environments. */
  readonly functions: OrgTable
  close(): Promise<void>
}

/** Open what the variables name, and make what is missing. */
export async function openStorage(settings: Settings): Promise<IronflowStorage> {
  const { storage, tables, close } = await openStore(settings, {
    app: 'ironflow',
    tables: ['functions'],
    membershipOn: 'rows',
    orgIds: 'host',
    folderVariable: folderVariableOf(settings),
  })
  try {
    await makeEnvironments(storage)
  } catch (error) {
    await close()
    throw error
  }
  return { accounts: storage.accounts, apiKeys: storage.apiKeys, functions: tables.functions, close }
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

// Of several instances that start at once each may find that another one has made them.
async function makeEnvironments({ orgs }: AppStorage): Promise<void> {
  for (const { id, name } of ENVIRONMENTS) {
    await orgs.insert({ id, name }).catch((error: unknown) => {
      if (!isConflictError(error)) throw error
    })
  }
}
