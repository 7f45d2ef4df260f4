/**
 * The tables of the in-memory storage: plain maps, and an overlay over them that a transaction writes into and commits
 * or drops as one. Cost: proportional to what a transaction writes, not to what is stored.
 */
import type { ApiKeyRecord, Invitation, Membership } from './repositories.ts'
import type { StoredOrganization, StoredUser } from './stored.ts'

/** A map that reads through to the one below and keeps its own writes apart. */
interface Table<V> {
  get(key: string): V | undefined
  set(key: string, value: V): void
  delete(key: string): void
  values(): Iterable<V>
}

/** Everything the in-memory storage keeps. */
export interface Tables {
  readonly users: Table<StoredUser>
  readonly userIds: Table<string>
  readonly orgs: Table<StoredOrganization>
  readonly memberships: Table<Membership>
  readonly orgsOfUser: Table<readonly string[]>
  readonly usersOfOrg: Table<readonly string[]>
  readonly invitations: Table<Invitation>
  readonly apiKeys: Table<ApiKeyRecord>
}

/** What the repositories are built over. */
export interface MemoryRepositoryOptions {
  readonly tables: Tables
  readonly clock: () => number
  readonly membershipOn: 'rows' | 'user-row'
}

const NAMES = ['users', 'userIds', 'orgs', 'memberships', 'orgsOfUser', 'usersOfOrg', 'invitations', 'apiKeys'] as const

/** Make empty tables. */
export function createTables(): Tables {
  return tablesOf(() => new Map<string, unknown>())
}

/** Lay a transaction's own tables over `base`, usable while `requireOpen` does not throw; `commit` writes them through. */
export function overlay(base: Tables, requireOpen: () => void): { readonly tables: Tables; commit(): void } {
  const layers = new Map(NAMES.map((name) => [name, layerOver(base[name] as Table<unknown>, requireOpen)]))
  const tables = tablesOf((name) => (layers.get(name) as Layer).table)
  return {
    tables,
    commit() {
      for (const layer of layers.values()) layer.commit()
    },
  }
}

function tablesOf(make: (name: (typeof NAMES)[number]) => Table<unknown>): Tables {
  return Object.fromEntries(NAMES.map((name) => [name, make(name)])) as unknown as Tables
}

interface Layer {
  readonly table: Table<unknown>
  commit(): void
}

const GONE = Symbol('deleted in this layer')

function layerOver(base: Table<unknown>, requireOpen: () => void): Layer {
  const own = new Map<string, unknown>()
  const table: Table<unknown> = {
    get(key) {
      requireOpen()
      const value = own.has(key) ? own.get(key) : base.get(key)
      return value === GONE ? undefined : value
    },
    set(key, value) {
      requireOpen()
      own.set(key, value)
    },
    delete(key) {
      requireOpen()
      own.set(key, GONE)
    },
    values: () => {
      requireOpen()
      const merged = new Map(entriesOf(base))
      for (const [key, value] of own) merged.set(key, value)
      return [...merged.values()].filter((value) => value !== GONE)
    },
  }
  const commit = (): void => {
    for (const [key, value] of own) value === GONE ? base.delete(key) : base.set(key, value)
  }
  return { table, commit }
}

// The base of a layer is always a plain map: transactions don't nest.
function entriesOf(table: Table<unknown>): Iterable<[string, unknown]> {
  return (table as Map<string, unknown>).entries()
}

/** Two strings as one key that no other pair makes. */
export function pairKey(first: string, second: string): string {
  return `${first.length}:${first}${second}`
}

/** Order texts by code units. */
export function compare(a: string, b: string): number {
  if (a === b) return 0
  return a < b ? -1 : 1
}

/** A row as callers get it: frozen, and a copy of its own, since a Date can be changed all the same. */
export function copy<T extends object>(record: T): T {
  const row = { ...record } as Record<string, unknown>
  for (const key in row) if (row[key] instanceof Date) row[key] = new Date(row[key])
  return Object.freeze(row) as T
}

/** A copy of a row, or `null` where there is none. */
export function copyOrNull<T extends object>(record: T | undefined): T | null {
  return record === undefined ? null : copy(record)
}
