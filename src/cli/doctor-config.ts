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

/** A SQLite file, as far as it is asked. */
export interface AskedFile {
  prepare(text: string): { all(): readonly unknown[] }
}

/** How many memberships have a role. */
export interface StoredRole {
  readonly role: string
  readonly count: number
}

/** The parts of a config; `null`: it has none. */
export interface DoctorParts {
  readonly auth: AskedAuth | null
  readonly issuers: readonly IssuerOptions[]
  readonly storage: Pick<AuthStorage, 'users'> | null
  readonly pool: AskedPool | null
  /** The state of the migrations of `pool` or `database`; `null`: there is neither. */
  readonly migrations: (() => Promise<readonly MigrationStatus[]>) | null
  /** The names of the roles that there are. */
  readonly roles: readonly string[] | null
  /** Whether organizations make roles at run time, which are not known here. */
  readonly hasCustomRoles: boolean
  /** The roles that memberships have. */
  readonly storedRoles: (() => Promise<readonly StoredRole[]>) | null
}

/** A command that reads a config. */
export interface GivenCommand {
  /** As `sallyport doctor`. */
  readonly name: string
  /** What was given to it, as `wordsOf` has it. */
  readonly words: string
}

/**
 * Import a config and take its parts: those that it exports by name (`auth`, `issuers`, `storage`, `pool`, `database`), and
 * those of its default export, which is an auth or an object of them.
 * @throws Failure where it can't be loaded, or has none of them
 */
export async function loadConfig(
  command: GivenCommand,
  path: string,
  folder: string,
): Promise<Readonly<Record<string, unknown>>> {
  const module = await importConfig(command, path, folder)
  const main = module['default']
  const given = isAuth(main) ? { auth: main } : isObject(main) ? main : {}
  const parts = { ...given, ...module }
  const known = ['auth', 'issuers', 'storage', 'pool', 'database'].filter((name) => parts[name] !== undefined)
  if (known.length > 0) return parts
  throw new Failure(
    `${command.name}: the config exports none of auth, issuers, storage, pool and database, by name or in its default export`,
    2,
  )
}

const LIMIT_MS = 20_000

// A module that waits for what never comes would hold the command, or let it end as if all were well where nothing is open.
async function importInTime(url: string, name: string): Promise<Readonly<Record<string, unknown>>> {
  let timer: ReturnType<typeof setTimeout> | undefined
  const late = new Promise<never>((_, reject) => {
    const sentence = `${name}: the config is not loaded within 20 seconds: what does it wait for?`
    timer = setTimeout(() => reject(new Failure(sentence, 3)), LIMIT_MS)
  })
  try {
    return await Promise.race([import(url) as Promise<Record<string, unknown>>, late])
  } finally {
    clearTimeout(timer)
  }
}

async function importConfig(
  { name, words }: GivenCommand,
  path: string,
  folder: string,
): Promise<Readonly<Record<string, unknown>>> {
  try {
    return await importInTime(pathToFileURL(resolve(folder, path)).href, name)
  } catch (error) {
    if (error instanceof Failure) throw error
    const { code, message } = (error ?? {}) as { readonly code?: string; readonly message?: string }
    if (error instanceof OptionsError || (error as Error | null)?.name === 'OptionsError') {
      throw new Failure(`${name}: the config throws: ${message}`, 1)
    }
    if (code === 'ERR_UNKNOWN_FILE_EXTENSION') {
      const run = `node --import tsx node_modules/${name.replace(' ', '/dist/cli.js ')} ${words}`
      throw new Failure(`${name}: this Node does not read TypeScript by itself; run it by\n  ${run}`, 3)
    }
    const said = withoutUser(String(message ?? error).split('\n')[0] ?? '')
    throw new Failure(`${name}: the config can’t be loaded: ${said}`, code === 'ERR_MODULE_NOT_FOUND' ? 2 : 3)
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

// A ladder, sets by name, or what createRoles made of either.
function namesOf(roles: unknown): readonly string[] | null {
  if (Array.isArray(roles)) return roles.map(String)
  if (!isObject(roles)) return null
  return Array.isArray(roles['names']) ? roles['names'].map(String) : Object.keys(roles)
}

/** Take what can be asked of what a config exports. */
export function toParts(
  given: Readonly<Record<string, unknown>>,
): Omit<DoctorParts, 'migrations' | 'storedRoles'> & { readonly database: AskedFile | null } {
  const { auth, issuers, storage, pool, database, roles, customRoles } = given
  return {
    auth: isAuth(auth) ? auth : null,
    issuers: Array.isArray(issuers) ? (issuers as IssuerOptions[]) : [],
    storage: isObject(storage) && has(storage['users'], 'findByIdentity') ? (storage as never) : null,
    pool: has(pool, 'query') ? (pool as AskedPool) : null,
    database: has(database, 'prepare') ? (database as AskedFile) : null,
    roles: customRoles === undefined ? namesOf(roles) : null,
    hasCustomRoles: customRoles !== undefined,
  }
}
