// No valid token is refused.
import { expect, it } from 'vitest'
import { verifyFresh } from './fresh-tokens.ts'

it('accepts 400 fresh tokens over four algorithms, both forms of s', async () => {
  expect(Object.keys(await verifyFresh(400))).toEqual(['ok'])
})
