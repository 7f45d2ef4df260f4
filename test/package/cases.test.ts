/** What was once broken, and takes a moment to see: each program says `ok` over the build. */
import { expect, it } from 'vitest'
import { QUICK_CASES, runCase } from './cases.ts'
import { openPacked } from './packed.ts'

const packed = await openPacked()

it.concurrent.each(QUICK_CASES)('%s', async (name) => {
  expect(await runCase(name, packed.tree)).toMatch(/^ok$/m)
})
