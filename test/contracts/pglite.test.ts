/** What a driver could get wrong, on PGlite: values, conflicts, transactions. The statements are those of any PostgreSQL; all cases: `pglite.long.test.ts`. */
import { describe, it } from 'vitest'
import { storageContract } from '../../src/testing/contracts/storage-contract.ts'
import { PATIENCE_MS } from '../patience.ts'
import { partOf, suiteOf } from './part-of.ts'
import { usePglite } from './pglite-storage.ts'

const pglite = usePglite()

describe('PGlite', () => {
  const part = partOf(storageContract, (id) => ['users', 'transactions'].includes(suiteOf(id)))
  for (const { id, name, run } of part.cases(() => pglite('rows'), { timeoutSeconds: PATIENCE_MS / 1000 }))
    it(`${id}: ${name}`, run)
})
