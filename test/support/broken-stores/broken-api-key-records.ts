/** Broken API key repositories: what is stored, found and listed. */
import type { ApiKeyRecord } from '../../../src/storage/repositories.ts'
import { ConflictError } from '../../../src/storage/storage-errors.ts'
import { pause } from '../../../src/testing/contracts/races.ts'
import type { BrokenApiKeysSpec } from './broken-api-key-spec.ts'

export const BROKEN_API_KEY_RECORDS: readonly BrokenApiKeysSpec[] = [
  {
    name: 'keys: the creator is a foreign key',
    why: 'A creator who is gone, or was never here, can have no key: it dies with the person who made it.',
    breaks: ['api-keys/found-after-insert'],
    flaw: ({ insert }) => ({ insert: (key) => insert({ ...key, createdBy: null }) }),
  },
  {
    name: 'keys: seconds',
    why: 'Keeps instants in whole seconds: a deadline is up to a second late or early.',
    breaks: ['api-keys/instants-exact'],
    flaw: ({ findById }) => ({
      findById: async (keyId) => withDates(await findById(keyId), (at) => new Date(Math.floor(+at / 1000) * 1000)),
    }),
  },
  {
    name: 'keys: 32 bits',
    why: 'Keeps instants as 32-bit seconds: what lies beyond 2038 wraps round to 1901.',
    breaks: ['api-keys/instants-exact'],
    flaw: ({ findById }) => ({
      findById: async (keyId) =>
        withDates(await findById(keyId), (at) => new Date((Math.trunc(+at / 1000) | 0) * 1000 + (+at % 1000))),
    }),
  },
  {
    name: 'keys: permissions joined by commas',
    why: 'Keeps permissions as one text: one with a comma becomes two, none becomes one that is empty.',
    breaks: ['api-keys/texts-exact'],
    flaw: ({ insert }, { rows }) => ({
      async insert(key) {
        const inserted = await insert(key)
        rows.set(key.id, { ...inserted, permissions: key.permissions.join(',').split(',') })
        return inserted
      },
    }),
  },
  {
    name: 'keys: permissions as a set',
    why: 'Keeps permissions in a table of their own and reads them back in any order.',
    breaks: ['api-keys/texts-exact'],
    flaw: ({ insert }) => ({ insert: (key) => insert({ ...key, permissions: [...key.permissions].sort() }) }),
  },
  {
    name: 'keys: ids without case',
    why: 'A case-insensitive collation: one of two ids that differ in case is refused, or found for the other.',
    breaks: ['api-keys/ids-exact'],
    flaw: ({ insert, findById }, { rows }) => ({
      async insert(key) {
        if ([...rows.keys()].some((id) => id.toLowerCase() === key.id.toLowerCase())) throw new ConflictError('taken')
        return insert(key)
      },
      findById: async (keyId) => {
        const id = [...rows.keys()].find((each) => each.toLowerCase() === keyId.toLowerCase())
        return id === undefined ? null : findById(id)
      },
    }),
  },
  {
    name: 'keys: upsert',
    why: 'Writes over a key that has the id: whoever guesses one takes it.',
    breaks: ['api-keys/insert-twice', 'api-keys/insert-race'],
    flaw: ({ insert }, { rows }) => ({
      async insert(key) {
        rows.delete(key.id)
        return insert(key)
      },
    }),
  },
  {
    name: 'keys: select, then insert',
    why: 'No unique constraint: of several at once each finds the id free.',
    breaks: ['api-keys/insert-race'],
    flaw: ({ insert }, { rows }) => ({
      async insert(key) {
        const taken = rows.has(key.id)
        await pause(1)
        if (!taken) rows.delete(key.id)
        return insert(key)
      },
    }),
  },
  {
    name: 'keys: no organization needed',
    why: 'Takes a key of an org that is not there: a key nobody can see or revoke.',
    breaks: ['api-keys/insert-unknown-org', 'api-keys/deleted-org'],
    flaw: ({ insert }, { orgs }) => ({
      insert(key) {
        if (key.orgId !== null) orgs.add(key.orgId)
        return insert(key)
      },
    }),
  },
  {
    name: 'keys: the driver throws',
    why: 'Hands every text to the database: NUL or a lone surrogate become its error and a 500.',
    breaks: ['api-keys/hostile-ids'],
    flaw: ({ findById }) => ({
      async findById(keyId) {
        if (/[\0\ud800-\udfff]/.test(keyId)) throw new Error('invalid byte sequence for encoding "UTF8"')
        return findById(keyId)
      },
    }),
  },
  {
    name: 'keys: padded ids',
    why: 'A CHAR column: trailing blanks do not count.',
    breaks: ['api-keys/hostile-ids'],
    flaw: ({ rotate }) => ({ rotate: (owner, keyId, change) => rotate(owner, keyId.trim(), change) }),
  },
  {
    name: 'keys: hostile owners',
    why: 'An org id that is no text of the database is taken for "any".',
    breaks: ['api-keys/hostile-ids'],
    flaw: ({ list }) => ({
      list: (owner) => list(owner.kind === 'org' && owner.orgId === '' ? { kind: 'installation' } : owner),
    }),
  },
  {
    name: 'keys: shared references',
    why: 'Hands out the stored object itself, Date and permissions included.',
    breaks: ['api-keys/copies'],
    flaw: (_, { rows }) => ({ findById: async (keyId) => rows.get(keyId) ?? null }),
  },
  {
    name: 'keys: keeps what it was given',
    why: 'Keeps the list of permissions it was handed: its owner adds one later.',
    breaks: ['api-keys/copies'],
    flaw: ({ insert }, { rows }) => ({
      async insert(key) {
        const inserted = await insert(key)
        rows.set(key.id, { ...inserted, permissions: key.permissions })
        return { ...inserted, permissions: [...inserted.permissions] }
      },
    }),
  },
  {
    name: 'keys: outliving their org',
    why: 'The org is marked as deleted, and nothing asks whether it is: its keys go on.',
    breaks: ['api-keys/deleted-org'],
    flaw: ({ insert, findById }, { rows, clone }) => {
      const kept = new Map<string, ApiKeyRecord>()
      return {
        async insert(key) {
          const inserted = await insert(key)
          kept.set(key.id, inserted)
          return clone(inserted)
        },
        findById: async (keyId) => (rows.has(keyId) ? findById(keyId) : clone(kept.get(keyId) ?? null)),
      }
    },
  },
]

function withDates(row: ApiKeyRecord | null, change: (at: Date) => Date): ApiKeyRecord | null {
  if (row === null) return null
  const members = Object.entries(row).map(([name, value]) => [name, value instanceof Date ? change(value) : value])
  return Object.fromEntries(members) as ApiKeyRecord
}
