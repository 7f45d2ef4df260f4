/** Cases of the API key contract: whose keys are listed, in which order, and what a deleted organization leaves. */
import type { ApiKeyRecord } from '../../storage/repositories.ts'
import { type ApiKeyCaseSpec, INSTALLATION, newHash, newKeyId, newKeyOf, ownerOf } from './api-key-world.ts'
import { expectNull, expectRejected, expectSame, expectThat } from './expectations.ts'

export const API_KEY_LIST_CASES: readonly ApiKeyCaseSpec[] = [
  {
    id: 'api-keys/list-order',
    name: 'MUST list by creation, then id in code units, whatever the order of writing',
    async test({ apiKeys, newOrg, newKey }) {
      const { id: orgId } = await newOrg()
      const [rest, late] = [newKeyId().slice(1), new Date('2026-11-20T10:00:00.124Z')]
      const ids = ['a', 'Z', '0'].map((first) => `${first}${rest}`)
      await newKey({ orgId, id: `1${rest}`, createdAt: late })
      for (const id of ids) await newKey({ orgId, id })
      await newKey({ orgId, id: `b${rest}`, createdAt: new Date('2026-11-20T10:00:00.122Z') })
      const listed = await apiKeys.list({ kind: 'org', orgId })
      const wanted = ['b', '0', 'Z', 'a', '1'].map((first) => `${first}${rest}`)
      expectSame(idsOf(listed), wanted, 'the ids in order')
    },
  },
  {
    id: 'api-keys/list-whole',
    name: 'MUST list whole records as findById gives them, expired keys too, revoked ones not',
    async test({ apiKeys, newKey, now }) {
      const expired = await newKey({ expiresAt: new Date('2020-01-01T00:00:00.000Z') })
      const [orgId, owner] = [expired.orgId, ownerOf(expired)]
      const revoked = await newKey({ orgId })
      await apiKeys.revoke(owner, revoked.id, new Date())
      await apiKeys.rotate(owner, expired.id, { secretHash: newHash(), previousUntil: new Date() })
      await apiKeys.touch(expired.id, new Date())
      expectSame(await apiKeys.list(owner), [await now(expired)], 'the keys')
    },
  },
  {
    id: 'api-keys/list-own',
    name: "MUST list an org's own keys only",
    requirement: 'O7',
    async test({ apiKeys, newOrg, newKey }) {
      const [mine, theirs] = [await newKey(), await newKey()]
      expectSame(await apiKeys.list(ownerOf(mine)), [mine], 'the keys of one org')
      expectSame(await apiKeys.list(ownerOf(theirs)), [theirs], 'the keys of the other')
      expectSame(await apiKeys.list({ kind: 'org', orgId: (await newOrg()).id }), [], 'the keys of an org without any')
    },
  },
  {
    id: 'api-keys/unbound',
    name: 'MUST keep a key that is bound to no org apart from every org',
    requirement: 'O7',
    needs: 'unbound',
    async test({ apiKeys, newKey, now, expectUnchanged }) {
      const [bound, unbound] = [await newKey(), await newKey({ orgId: null })]
      expectNull((await now(unbound)).orgId, 'the org of the key')
      expectSame(await apiKeys.list(ownerOf(bound)), [bound], 'the keys of an org')
      for (const owner of [ownerOf(bound), { kind: 'org', orgId: '' }, { kind: 'org', orgId: 'null' }] as const) {
        const change = { secretHash: newHash(), previousUntil: null }
        expectNull(await apiKeys.rotate(owner, unbound.id, change), 'a rotation by an org')
        expectSame(await apiKeys.revoke(owner, unbound.id, new Date()), false, 'a revocation by an org')
      }
      await expectUnchanged(unbound, 'what orgs tried')
    },
  },
  {
    id: 'api-keys/installation',
    name: 'MUST let the installation list, rotate and revoke every key, bound or not',
    needs: 'unbound',
    async test({ apiKeys, newKey, now }) {
      const keys = [await newKey(), await newKey({ orgId: null })]
      for (const { id } of keys) {
        const listed = await apiKeys.list(INSTALLATION)
        expectThat(idsOf(listed).includes(id), `the key ${id} in the list of all`, idsOf(listed))
        const secretHash = newHash()
        await apiKeys.rotate(INSTALLATION, id, { secretHash, previousUntil: null })
        expectSame((await now({ id })).secretHash, secretHash, 'the hash after a rotation')
        expectSame(await apiKeys.revoke(INSTALLATION, id, new Date()), true, 'a revocation')
        expectThat((await now({ id })).revokedAt !== null, 'the key to be revoked', await now({ id }))
        expectThat(!idsOf(await apiKeys.list(INSTALLATION)).includes(id), `${id} no more in the list of all`, id)
      }
    },
  },
  {
    id: 'api-keys/deleted-org',
    name: 'MUST treat the keys of a deleted org as if they had never been',
    requirement: 'A4',
    needs: 'deleteOrg',
    async test({ apiKeys, newKey, deleteOrg, expectUnchanged }) {
      if (deleteOrg === undefined) throw new Error(MISSING)
      const [gone, stays] = [await newKey(), await newKey()]
      const owner = ownerOf(gone)
      await deleteOrg(owner.kind === 'org' ? owner.orgId : '')
      expectNull(await apiKeys.findById(gone.id), 'a key of a deleted org')
      for (const whose of [owner, INSTALLATION]) {
        const change = { secretHash: newHash(), previousUntil: new Date() }
        expectThat(!idsOf(await apiKeys.list(whose)).includes(gone.id), 'the key in no list', whose)
        expectNull(await apiKeys.rotate(whose, gone.id, change), 'a rotation')
        expectSame(await apiKeys.revoke(whose, gone.id, new Date()), false, 'a revocation')
      }
      await apiKeys.touch(gone.id, new Date())
      await expectRejected(apiKeys.insert(newKeyOf(gone.orgId)), 'a key of a deleted org')
      await expectUnchanged(stays, 'the deletion of another org')
    },
  },
]

const MISSING = "expected make() to return deleteOrg, got none; a storage that can't says without: ['deleteOrg']"

function idsOf(keys: readonly ApiKeyRecord[]): readonly string[] {
  return keys.map(({ id }) => id)
}
