/** The whole contract on PGlite; `npm test` asks it what a driver could get wrong. */
import { describe, it } from 'vitest'
import { storageContract } from '../../src/testing/contracts/storage-contract.ts'
import { PATIENCE_MS } from '../patience.ts'
import { partOf, suiteOf } from './part-of.ts'
import { usePglite } from './pglite-storage.ts'

const pglite = usePglite()
const timeoutSeconds = PATIENCE_MS / 1000

describe('PGlite, memberships in rows of their own', () => {
  for (const { id, name, run } of storageContract.cases(() => pglite('rows'), { timeoutSeconds }))
    it(`${id}: ${name}`, run)
})

describe('PGlite, memberships on the user row', () => {
  // What there differs from rows; the rest is asked of them.
  const differing = partOf(storageContract, (id) => ['orgs', 'memberships'].includes(suiteOf(id)))
  const cases = differing.cases(() => pglite('user-row'), { membershipsPerUser: 'one', timeoutSeconds })
  for (const { id, name, run } of cases) it(`${id}: ${name}`, run)
})
