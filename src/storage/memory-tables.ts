/**
 * Tables of the in-memory storages: plain maps, and a transaction's layer over them that is committed or dropped as one.
 * Cost: proportional to what a transaction writes, not to what is stored.
 */
import type { IdentityKey } from '../context.ts'
import { withFreshDate } from '../lib/fresh-date.ts'
import type { ApiKeyOwner } from './repositories.ts'
import { createTurns, whileOpen } from './turns.ts'

/** Rows by their keys. */
export interface Table<V> {
  get(key: string): V | undefined
  set(key: string, value: V): unknown
  delete(key: string): unknown
  values(): Iterable<V>
}

/** Runs work on tables that are committed as one when it fulfils. */
export type InTurn<T> = <R>(work: (tables: T) => Promise<R>) => Promise<R>

/** Make transactions over the tables `committed`, which are maps: one at a time, usable until their work has settled. */
export function transactionsOver<T extends object>(committed: T): InTurn<T> {
  const exclusive = createTurns('the in-memory storage')
  return (work) =>
    exclusive((isHeld) =>
      whileOpen(isHeld, async (requireOpen) => {
        const layers = Object.entries<Map<string, unknown>>(committed as never).map(
          ([name, table]) => [name, layerOver(table, requireOpen)] as const,
        )
        const result = await work(Object.fromEntries(layers.map(([name, { layer }]) => [name, layer])) as never)
        requireOpen()
        for (const [, { commit }] of layers) commit()
        return result
      }),
    )
}

function layerOver<V>(base: Map<string, V>, requireOpen: () => void): { readonly layer: Table<V>; commit(): void } {
  // `undefined`: deleted in this layer.
  const changes = new Map<string, V | undefined>()
  const own = (): typeof changes => {
    requireOpen()
    return changes
  }
  return {
    layer: {
      get: (key) => (own().has(key) ? changes.get(key) : base.get(key)),
      set: (key, value) => own().set(key, value),
      delete: (key) => own().set(key, undefined),
      values: () => [...new Map([...base, ...own()]).values()].filter((value): value is V => value !== undefined),
    },
    commit() {
      for (const [key, value] of changes) value === undefined ? base.delete(key) : base.set(key, value)
    },
  }
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

/** One text that no other identity makes. */
export function identityKeyOf({ issuer, subject }: IdentityKey): string {
  return `${issuer.length}:${issuer}${subject}`
}

/** Ask whether a row is among the owner's. */
export function isOwnedBy(owner: ApiKeyOwner, { orgId }: { readonly orgId: string | null }): boolean {
  return owner.kind === 'installation' || (orgId !== null && owner.orgId === orgId)
}

/** Order texts by code units. */
export function compare(a: string, b: string): number {
  if (a === b) return 0
  return a < b ? -1 : 1
}

/** Order rows by creation, then id. */
export function byCreation(a: CreatedRow, b: CreatedRow): number {
  return a.createdAt.getTime() - b.createdAt.getTime() || compare(a.id, b.id)
}

interface CreatedRow {
  readonly id: string
  readonly createdAt: Date
}

// Most lists are empty, and there may be a hundred thousand.
const NOTHING: readonly unknown[] = Object.freeze([])

/** A row of a table, which is also what callers get: a frozen copy, of whose dates each look makes one. */
export function toRow<T extends object>(record: T): T {
  const row: Record<string, unknown> = {}
  // Member by member: a spread is slow to freeze afterwards, up to ten times on Node 20.
  for (const [key, value] of Object.entries(record)) {
    if (value instanceof Date) withFreshDate(row, key, value.getTime())
    else row[key] = Array.isArray(value) ? toList(value) : value
  }
  return Object.freeze(row) as T
}

function toList(values: readonly unknown[]): readonly unknown[] {
  return values.length === 0 ? NOTHING : Object.freeze([...values])
}

/** Write a row, and hand it out. */
export function put<T extends { readonly id: string }>(table: Table<T>, record: T): T {
  const row = toRow(record)
  table.set(row.id, row)
  return row
}

/** Write a list of what belongs to a key; of one that is empty nothing stays, the key neither. */
export function putList<V>(table: Table<readonly V[]>, key: string, list: readonly V[]): void {
  if (list.length === 0) table.delete(key)
  else table.set(key, list)
}
