/** Cases of the API key contract: several changes of one key at once. */
import type { ApiKeyRecord } from '../../storage/repositories.ts'
import { type ApiKeyCaseSpec, newHash, ownerOf } from './api-key-world.ts'
import { RACERS, race, retried } from './contract-world.ts'
import { expectSame, expectThat, fulfilledValue } from './expectations.ts'

const START = Date.parse('2026-11-20T11:00:00.000Z')
const at = (index: number): Date => new Date(START + index)

export const API_KEY_RACE_CASES: readonly ApiKeyCaseSpec[] = [
  {
    id: 'api-keys/rotate-race',
    name: `MUST apply ${RACERS} concurrent rotations one after another: each on what the one before has left`,
    requirement: 'A3',
    async test({ apiKeys, newKey, now }) {
      const key = await newKey()
      const results = await race(RACERS, (index) =>
        retried(() => apiKeys.rotate(ownerOf(key), key.id, { secretHash: newHash(), previousUntil: at(index) })),
      )
      const rotated = results.map(fulfilledValue).filter((record) => record !== undefined && record !== null)
      expectThat(rotated.length === RACERS, 'every rotation to be fulfilled with the key', results)
      const last = await now(key)
      const chain = backFrom(last, rotated)
      expectThat(chain.length === RACERS + 1, `a chain of ${RACERS} rotations back to the first hash`, chain)
      expectSame(chain.at(-1), key.secretHash, 'the hash at its beginning')
    },
  },
  {
    id: 'api-keys/revoke-race',
    name: `MUST let ${RACERS} concurrent revocations agree on one instant`,
    requirement: 'A4',
    async test({ apiKeys, newKey, now }) {
      for (let round = 0; round < 5; round++) {
        const key = await newKey()
        const seen = await race(RACERS, async (index) => {
          const revoked = await retried(() => apiKeys.revoke(ownerOf(key), key.id, at(index)))
          expectSame(revoked, true, 'a revocation')
          return (await now(key)).revokedAt?.getTime()
        })
        const instants = new Set(seen.map(fulfilledValue))
        expectThat(instants.size === 1 && !instants.has(undefined), 'one instant, seen by all', [...instants])
      }
    },
  },
  {
    id: 'api-keys/revoke-wins',
    name: 'MUST leave a key revoked that is rotated and used at the same moment',
    requirement: 'A4',
    async test({ apiKeys, newKey, now }) {
      for (let round = 0; round < 5; round++) {
        const key = await newKey()
        const owner = ownerOf(key)
        const change = { secretHash: newHash(), previousUntil: at(0) }
        const results = await race(RACERS, (index): Promise<unknown> => {
          if (index === 10) return retried(() => apiKeys.revoke(owner, key.id, at(index)))
          if (index % 2 === 0) return retried(() => apiKeys.rotate(owner, key.id, change))
          return retried(() => apiKeys.touch(key.id, at(index)))
        })
        const failed = results.find(({ status }) => status === 'rejected')
        expectThat(failed === undefined, 'no call to be rejected', failed)
        const { revokedAt, lastUsedAt } = await now(key)
        expectSame([revokedAt, lastUsedAt], [at(10), at(RACERS - 1)], 'the instants of revocation and last use')
      }
    },
  },
]

// From the last rotation to the one it was applied to, and so on: all hashes of the key, the present one first.
function backFrom(last: ApiKeyRecord, rotated: readonly ApiKeyRecord[]): readonly string[] {
  const hashes = [last.secretHash]
  for (let record: ApiKeyRecord | undefined = last; record?.previousSecretHash != null && hashes.length <= RACERS; ) {
    const previous: string = record.previousSecretHash
    hashes.push(previous)
    record = rotated.find(({ secretHash }) => secretHash === previous)
  }
  return hashes
}
