// Random damage at full size.
import { expect, it } from 'vitest'
import { damage } from './damage.ts'

it('100,000 damaged tokens: none accepted, no exception', async () => {
  const { accepted, faults } = await damage(100_000, 7)
  expect(accepted).toEqual([])
  expect(faults).toEqual([])
})
