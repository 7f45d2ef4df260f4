/**
 * The tables of the in-memory storage: plain maps, and an overlay over them that a transaction writes into and commits
 * or drops as one. Cost: proportional to what a transaction writes, not to what is stored.
 */
import type { ApiKeyRecord, Invitation, Membership } from './repositories.ts'
import type { StoredOrganization, StoredUser } from './shipped-storage.ts'

/** A map that reads through to the one below and keeps its own writes apart. */
interface Table<V> {
  get(key: string): V | undefined
  set(key: string, value: V): unknown
  delete(key: string): unknown
  entries(): Iterable<[string, V]>
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

/** Make empty tables. */
export function createTables(): Tables {
  return {
    users: new Map(),
    userIds: new Map(),
    orgs: new Map(),
    memberships: new Map(),
    orgsOfUser: new Map(),
    usersOfOrg: new Map(),
    invitations: new Map(),
    apiKeys: new Map(),
  }
}

/** Lay a transaction's own tables over `base`, usable while `requireOpen` does not throw; `commit` writes them through. */
export function overlay(base: Tables, requireOpen: () => void): { readonly tables: Tables; commit(): void } {
  const layers = Object.entries<Table<unknown>>(base as never).map(
    ([name, table]) => [name, layerOver(table, requireOpen)] as const,
  )
  return {
    tables: Object.fromEntries(layers.map(([name, { layer }]) => [name, layer])) as never,
    commit() {
      for (const [, { commit }] of layers) commit()
    },
  }
}

const GONE = Symbol('deleted in this layer')

function layerOver<V>(base: Table<V>, requireOpen: () => void): { readonly layer: Table<V>; commit(): void } {
  const changes = new Map<string, V | typeof GONE>()
  const own = (): typeof changes => {
    requireOpen()
    return changes
  }
  const layer: Table<V> = {
    get(key) {
      const value = own().has(key) ? changes.get(key) : base.get(key)
      return value === GONE ? undefined : value
    },
    set: (key, value) => own().set(key, value),
    delete: (key) => own().set(key, GONE),
    entries() {
      const merged = [...new Map([...base.entries(), ...own().entries()])]
      return merged.filter((entry): entry is [string, V] => entry[1] !== GONE)
    },
    values: () => [...layer.entries()].map(([, value]) => value),
  }
  const commit = (): void => {
    for (const [key, value] of changes) value === GONE ? base.delete(key) : base.set(key, value)
  }
  return { layer, commit }
}

/**
 * A repository whose look-ups (`find…`, `list…`, `count`) are `reading`'s; whatever else there is writes, and is asked of
 * another one in its turn.
 */
export function writingInTurn<R extends object>(
  reading: R,
  inTurn: <T>(work: (writing: R) => Promise<T>) => Promise<T>,
): R {
  const writes = Object.keys(reading).filter((name) => !/^(find|list|count)/.test(name))
  const waiting = writes.map((name) => [
    name,
    (...given: unknown[]) => inTurn((own) => Reflect.apply(own[name as keyof R] as Method, own, given)),
  ])
  return { ...reading, ...Object.fromEntries(waiting) }
}

type Method = (...given: unknown[]) => Promise<unknown>

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

/** The same of a row that may not be there. */
export function copyOrNull<T extends object>(record: T | undefined): T | null {
  return record === undefined ? null : copy(record)
}

/** Order rows by creation, then id. */
export function byCreation(a: CreatedRow, b: CreatedRow): number {
  return a.createdAt.getTime() - b.createdAt.getTime() || compare(a.id, b.id)
}

interface CreatedRow {
  readonly id: string
  readonly createdAt: Date
}
