/** The module that `doctor --config` names: what a host's own file exports of its auth. Hands on the parts that can be asked. */
import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { type Auth, type IssuerOptions, OptionsError } from '../index.ts'
import type { AuthStorage } from '../storage/index.ts'
import type { MigrationStatus } from '../storage/migrations.ts'
import { Failure, withoutUser } from './terminal.ts'

/** What is asked of an auth. */
export type AskedAuth = Pick<Auth, 'warmUp' | 'readiness' | 'close'>

/** A PostgreSQL pool, as far as it is asked. */
export interface AskedPool {
  query(text: string): Promise<{ readonly rows: readonly Record<string, unknown>[] }>
  end?(): unknown
}

/** The parts of a config; `null`: it has none. */
export interface DoctorParts {
  readonly auth: AskedAuth | null
  readonly issuers: readonly IssuerOptions[]
  readonly storage: Pick<AuthStorage, 'users'> | null
  readonly pool: AskedPool | null
  /** The state of the migrations of `pool` or `database`; `null`: there is neither. */
  readonly migrations: (() => Promise<readonly MigrationStatus[]>) | null
}

/**
 * Import a config and take its parts: those that it exports by name (`auth`, `issuers`, `storage`, `pool`, `database`), and
 * those of its default export, which is an auth or an object of them.
 * @throws Failure where it can't be loaded, or has none of them
 */
export async function loadConfig(path: string, folder: string): Promise<Readonly<Record<string, unknown>>> {
  const module = await importConfig(path, folder)
  const main = module['default']
  const given = isAuth(main) ? { auth: main } : isObject(main) ? main : {}
  const parts = { ...given, ...module }
  const known = ['auth', 'issuers', 'storage', 'pool', 'database'].filter((name) => parts[name] !== undefined)
  if (known.length > 0) return parts
  throw new Failure(
    'sallyport doctor: the config exports none of auth, issuers, storage, pool and database, by name or in its default export',
    2,
  )
}

async function importConfig(path: string, folder: string): Promise<Readonly<Record<string, unknown>>> {
  try {
    return (await import(pathToFileURL(resolve(folder, path)).href)) as Record<string, unknown>
  } catch (error) {
    const { code, message } = error as { readonly code?: string; readonly message?: string }
    if (error instanceof OptionsError || (error as Error | null)?.name === 'OptionsError') {
      throw new Failure(`sallyport doctor: the config throws: ${message}`, 1)
    }
    if (code === 'ERR_UNKNOWN_FILE_EXTENSION') {
      const command = 'node --import tsx node_modules/sallyport/dist/cli.js doctor'
      throw new Failure(
        `sallyport doctor: this Node does not read TypeScript by itself; run\n  ${command} --config …`,
        3,
      )
    }
    const said = withoutUser(String(message ?? error).split('\n')[0] ?? '')
    throw new Failure(`sallyport doctor: the config can’t be loaded: ${said}`, code === 'ERR_MODULE_NOT_FOUND' ? 2 : 3)
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null
}

function has(value: unknown, ...methods: readonly string[]): boolean {
  return isObject(value) && methods.every((name) => typeof value[name] === 'function')
}

function isAuth(value: unknown): value is AskedAuth {
  return has(value, 'warmUp', 'readiness', 'close')
}

/** Take what can be asked of what a config exports. */
export function toParts(
  given: Readonly<Record<string, unknown>>,
): Omit<DoctorParts, 'migrations'> & { readonly database: unknown } {
  const { auth, issuers, storage, pool, database } = given
  return {
    auth: isAuth(auth) ? auth : null,
    issuers: Array.isArray(issuers) ? (issuers as IssuerOptions[]) : [],
    storage: isObject(storage) && has(storage['users'], 'findByIdentity') ? (storage as never) : null,
    pool: has(pool, 'query') ? (pool as AskedPool) : null,
    database: has(database, 'prepare') ? database : null,
  }
}
