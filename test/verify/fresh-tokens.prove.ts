// No valid token is refused, at full size.
import { expect, it } from 'vitest'
import { verifyFresh } from './fresh-tokens.ts'

it('accepts 20,000 fresh tokens over four algorithms, both forms of s', async () => {
  const verdicts = await verifyFresh(20_000)
  expect(Object.keys(verdicts)).toEqual(['ok'])
  expect(verdicts['ok']).toBeGreaterThanOrEqual(20_000)
})
