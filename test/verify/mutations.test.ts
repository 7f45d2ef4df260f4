// Random damage: nothing damaged is accepted, nothing but a refusal comes out.
import { expect, it } from 'vitest'
import { damage } from './damage.ts'

it('5,000 damaged tokens: none accepted, no exception, 401 all of them', async () => {
  const { accepted, faults, codes } = await damage(5000, 20_260_101)
  expect(accepted).toEqual([])
  expect(faults).toEqual([])
  expect([...codes]).toEqual(['unauthorized'])
})
