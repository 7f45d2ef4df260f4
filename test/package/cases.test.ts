/** What was once broken, and takes a moment to see: each program says `ok` over the build. */
import { beforeAll, expect, inject, it } from 'vitest'
import { QUICK_CASES, runCase } from './cases.ts'

const packed = inject('packed')

beforeAll(() => {
  if (packed.failure !== null) throw new Error(packed.failure)
})

it.concurrent.each(QUICK_CASES)('%s', async (name) => {
  expect(await runCase(name, packed.tree)).toMatch(/^ok$/m)
})
