/** Cases of the API key contract: what is stored comes back, to the letter and to the millisecond. */
import { isConflictError } from '../../storage/storage-errors.ts'
import { type ApiKeyCaseSpec, newHash, newKeyId, newKeyOf, ownerOf } from './api-key-world.ts'
import { RACERS, race, retried, spoil } from './contract-world.ts'
import { expectConflict, expectNull, expectRejected, expectSame, expectThat, textOf } from './expectations.ts'
import { expectNothing, hostileIds } from './hostile-ids.ts'

const ODD = ['Owner', ' owner ', '__proto__', 'o\'wner"', 'bäcker 🥐', '{a,b}', '[]', 'r'.repeat(64)]

export const API_KEY_RECORD_CASES: readonly ApiKeyCaseSpec[] = [
  {
    id: 'api-keys/found-after-insert',
    name: 'MUST find an inserted key by its id as insert returned it: never rotated, revoked or used',
    requirement: 'A2',
    async test({ apiKeys, newOrg }) {
      for (const createdBy of [crypto.randomUUID(), null]) {
        const key = newKeyOf((await newOrg()).id, { createdBy, expiresAt: new Date('2031-01-01T00:00:00.000Z') })
        const untouched = { previousSecretHash: null, previousUntil: null, revokedAt: null, lastUsedAt: null }
        const inserted = await apiKeys.insert(key)
        expectSame(inserted, { ...key, ...untouched }, 'the key that was inserted')
        expectSame(await apiKeys.findById(key.id), inserted, 'the key found by id')
      }
      expectNull(await apiKeys.findById(newKeyId()), 'a key of another id')
    },
  },
  {
    id: 'api-keys/instants-exact',
    name: 'MUST keep every instant to the millisecond, and as a Date',
    requirement: 'A4',
    async test({ apiKeys, newKey, now }) {
      for (const odd of ['2026-11-20T10:00:00.001Z', '2038-01-19T03:14:08.999Z', '9999-12-31T23:59:59.998Z']) {
        const at = new Date(odd)
        const key = await newKey({ createdAt: at, expiresAt: at })
        await apiKeys.rotate(ownerOf(key), key.id, { secretHash: newHash(), previousUntil: at })
        await apiKeys.touch(key.id, at)
        await apiKeys.revoke(ownerOf(key), key.id, at)
        const { createdAt, expiresAt, previousUntil, revokedAt, lastUsedAt } = await now(key)
        for (const kept of [createdAt, expiresAt, previousUntil, revokedAt, lastUsedAt]) {
          expectThat(kept instanceof Date && kept.getTime() === at.getTime(), `the instant ${odd} as a Date`, kept)
        }
      }
    },
  },
  {
    id: 'api-keys/texts-exact',
    name: 'MUST store and return names, roles and scopes exactly, the scopes in their order; none is none',
    requirement: 'A6',
    async test({ newKey, now }) {
      for (const text of ODD) {
        const key = await newKey({ name: text, role: text, scopes: [`${text}:b`, `${text}:a`] })
        const { name, role, scopes } = await now(key)
        expectSame([name, role, scopes], [text, text, [`${text}:b`, `${text}:a`]], 'name, role and scopes')
      }
      expectSame((await now(await newKey({ scopes: [] }))).scopes, [], 'the scopes of a key that has none')
    },
  },
  {
    id: 'api-keys/ids-exact',
    name: 'MUST tell upper case from lower case in ids: two such keys are two',
    async test({ newKey, now }) {
      const id = `a${newKeyId().slice(1)}`
      const lower = await newKey({ id })
      const upper = await newKey({ id: `A${id.slice(1)}` })
      expectSame(await now(lower), lower, 'the key in lower case')
      expectSame(await now(upper), upper, 'the key in upper case')
    },
  },
  {
    id: 'api-keys/insert-twice',
    name: 'MUST refuse an id that is taken with a ConflictError, also by another org, and leave the first',
    async test({ apiKeys, newOrg, newKey, expectUnchanged }) {
      const key = await newKey()
      for (const orgId of [key.orgId, (await newOrg()).id]) {
        await expectConflict(apiKeys.insert(newKeyOf(orgId, { id: key.id })), 'a second key of one id')
      }
      await expectUnchanged(key, 'a second insert')
    },
  },
  {
    id: 'api-keys/insert-race',
    name: `MUST let one of ${RACERS} concurrent inserts of one id win; the others get a ConflictError`,
    async test({ apiKeys, newOrg }) {
      const [{ id: orgId }, id] = [await newOrg(), newKeyId()]
      const results = await race(RACERS, () => retried(() => apiKeys.insert(newKeyOf(orgId, { id }))))
      const won = results.filter(({ status }) => status === 'fulfilled').length
      expectThat(won === 1, 'one insert to win', won)
      const odd = results.find((result) => result.status === 'rejected' && !isConflictError(result.reason))
      expectThat(odd === undefined, 'every other to be rejected with a ConflictError', odd)
    },
  },
  {
    id: 'api-keys/insert-unknown-org',
    name: 'MUST refuse a key of an org that does not exist',
    async test({ apiKeys }) {
      const key = newKeyOf(crypto.randomUUID())
      await expectRejected(apiKeys.insert(key), 'a key of an unknown org')
      expectNull(await apiKeys.findById(key.id), 'a key of an unknown org')
    },
  },
  {
    id: 'api-keys/hostile-ids',
    name: 'MUST find, list and change nothing by a hostile id, and never throw',
    requirement: 'V1',
    async test({ apiKeys, newKey, expectUnchanged }) {
      const key = await newKey()
      const [owner, ids, at] = [ownerOf(key), hostileIds(key.id), new Date()]
      const orgs = hostileIds(key.orgId ?? '').map((orgId) => ({ kind: 'org' as const, orgId }))
      const change = { secretHash: newHash(), previousUntil: at }
      await expectNothing('findById', ids, (id) => apiKeys.findById(id))
      await expectNothing('rotate', ids, (id) => apiKeys.rotate(owner, id, change))
      await expectNothing('revoke', ids, (id) => apiKeys.revoke(owner, id, at), isFalse)
      await expectNothing(
        'touch',
        ids,
        (id) => apiKeys.touch(id, at),
        () => true,
      )
      for (const odd of orgs) {
        await expectNothing('list', [odd.orgId], () => apiKeys.list(odd), isEmpty)
        await expectNothing('rotate by a hostile org', [odd.orgId], () => apiKeys.rotate(odd, key.id, change))
        await expectNothing('revoke by a hostile org', [odd.orgId], () => apiKeys.revoke(odd, key.id, at), isFalse)
      }
      await expectUnchanged(key, 'hostile calls')
    },
  },
  {
    id: 'api-keys/copies',
    name: 'MUST return copies of keys, Dates and scopes included, and keep none of what it was given',
    async test({ apiKeys, newOrg, now }) {
      const scopes = ['things:read']
      const given = newKeyOf((await newOrg()).id, { scopes, expiresAt: new Date('2031-01-01T00:00:00.000Z') })
      const { id } = given
      const inserted = await apiKeys.insert(given)
      const owner = ownerOf(inserted)
      const before = textOf(inserted)
      scopes.push('things:write')
      for (const record of [given, inserted]) spoil(record)
      expectSame(textOf(await now({ id })), before, 'the key after what was given and returned had changed')
      spoil(await apiKeys.findById(id))
      spoil(await apiKeys.list(owner))
      expectSame(textOf(await now({ id })), before, 'the key after what was found and listed had changed')
      const until = new Date('2030-01-01T00:00:00.000Z')
      const rotated = await apiKeys.rotate(owner, id, { secretHash: newHash(), previousUntil: until })
      const after = textOf(rotated)
      spoil(rotated)
      until.setTime(0)
      expectSame(textOf(await now({ id })), after, 'the key after what was rotated had changed')
    },
  },
]

function isFalse(got: unknown): boolean {
  return got === false
}

function isEmpty(got: unknown): boolean {
  return Array.isArray(got) && got.length === 0
}
