// Both engines and jose say the same of damaged signatures, at full size.
import { expect, it } from 'vitest'
import { disagreements } from './signature-engines.ts'
import { vectorGroups } from './signature-vectors.ts'

it('100,000 damaged signatures mean the same to both engines and to jose', async () => {
  expect(await disagreements(vectorGroups(), 100_000, 7)).toEqual([])
})
