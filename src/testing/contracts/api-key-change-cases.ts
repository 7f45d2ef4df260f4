/** Cases of the API key contract: rotation, revocation and use, each changing what it says and nothing else. */
import { type ApiKeyCaseSpec, newHash, newKeyId, ownerOf } from './api-key-world.ts'
import { expectNull, expectSame } from './expectations.ts'

const UNTIL = new Date('2026-11-20T11:00:00.007Z')

export const API_KEY_CHANGE_CASES: readonly ApiKeyCaseSpec[] = [
  {
    id: 'api-keys/rotate',
    name: 'MUST make the present hash the previous one until the deadline, change nothing else, and return the key',
    requirement: 'A3',
    async test({ apiKeys, newKey, now }) {
      const key = await newKey({ expiresAt: new Date('2031-01-01T00:00:00.000Z') })
      const [first, second] = [newHash(), newHash()]
      const once = await apiKeys.rotate(ownerOf(key), key.id, { secretHash: first, previousUntil: UNTIL })
      const wanted = { ...key, secretHash: first, previousSecretHash: key.secretHash, previousUntil: UNTIL }
      expectSame(once, wanted, 'the key after one rotation')
      expectSame(await now(key), once, 'the key found after one rotation')
      const twice = await apiKeys.rotate(ownerOf(key), key.id, { secretHash: second, previousUntil: UNTIL })
      expectSame(twice, { ...wanted, secretHash: second, previousSecretHash: first }, 'the key after two rotations')
    },
  },
  {
    id: 'api-keys/rotate-at-once',
    name: 'MUST keep no previous hash where no deadline is given',
    requirement: 'A3',
    async test({ apiKeys, newKey, now }) {
      const key = await newKey()
      const rotate = (previousUntil: Date | null): Promise<unknown> =>
        apiKeys.rotate(ownerOf(key), key.id, { secretHash: newHash(), previousUntil })
      await rotate(UNTIL)
      await rotate(null)
      const { previousSecretHash, previousUntil } = await now(key)
      expectSame([previousSecretHash, previousUntil], [null, null], 'the previous hash and its deadline')
    },
  },
  {
    id: 'api-keys/rotate-revoked',
    name: 'MUST not rotate a revoked key',
    requirement: 'A4',
    async test({ apiKeys, newKey, now, expectUnchanged }) {
      const key = await newKey()
      await apiKeys.revoke(ownerOf(key), key.id, UNTIL)
      const revoked = await now(key)
      expectNull(
        await apiKeys.rotate(ownerOf(key), key.id, { secretHash: newHash(), previousUntil: UNTIL }),
        'the rotation of a revoked key',
      )
      await expectUnchanged(revoked, 'a rotation')
    },
  },
  {
    id: 'api-keys/rotate-own',
    name: "MUST not rotate another org's key, nor one that is not there",
    requirement: 'O7',
    async test({ apiKeys, newKey, expectUnchanged }) {
      const [mine, theirs] = [await newKey(), await newKey()]
      const change = { secretHash: newHash(), previousUntil: UNTIL }
      for (const id of [theirs.id, newKeyId()]) {
        expectNull(await apiKeys.rotate(ownerOf(mine), id, change), 'the rotation of a key of nobody or somebody else')
      }
      for (const key of [mine, theirs]) await expectUnchanged(key, 'it')
    },
  },
  {
    id: 'api-keys/revoke',
    name: 'MUST revoke for good, once: still found, and the first instant stays',
    requirement: 'A4',
    async test({ apiKeys, newKey, now }) {
      const key = await newKey()
      for (const at of [UNTIL, new Date(UNTIL.getTime() + 1000), new Date(UNTIL.getTime() - 1000)]) {
        expectSame(await apiKeys.revoke(ownerOf(key), key.id, at), true, 'a revocation')
        expectSame(await now(key), { ...key, revokedAt: UNTIL }, 'the key after a revocation')
      }
    },
  },
  {
    id: 'api-keys/revoke-own',
    name: "MUST not revoke another org's key, nor one that is not there",
    requirement: 'O7',
    async test({ apiKeys, newKey, expectUnchanged }) {
      const [mine, theirs] = [await newKey(), await newKey()]
      for (const id of [theirs.id, newKeyId()]) {
        const revoked = await apiKeys.revoke(ownerOf(mine), id, UNTIL)
        expectSame(revoked, false, 'the revocation of a key of nobody or somebody else')
      }
      for (const key of [mine, theirs]) await expectUnchanged(key, 'it')
    },
  },
  {
    id: 'api-keys/touch',
    name: 'MUST note the latest use, whatever order they come in, of that key only',
    requirement: 'A5',
    async test({ apiKeys, newKey, now, expectUnchanged }) {
      const key = await newKey()
      const other = await newKey({ orgId: key.orgId })
      const latest = new Date(UNTIL.getTime() + 1)
      for (const at of [UNTIL, latest, UNTIL]) await apiKeys.touch(key.id, at)
      expectSame(await now(key), { ...key, lastUsedAt: latest }, 'the key after three uses')
      await expectUnchanged(other, 'uses of another')
    },
  },
]
