/** A clock that gave no number made every expired token good: nothing is later than NaN. */
import { expect, it } from 'vitest'
import { isAuthError } from '../../src/errors.ts'
import { issuer, trusting } from '../support/world.ts'

it.each([
  ['NaN', Number.NaN],
  ['Infinity', Number.NEGATIVE_INFINITY],
  ['nothing', undefined],
  ['a Date', new Date()],
])('%s is a fault of the host, not a way in', async (_, now) => {
  const verifier = trusting(issuer, { clock: () => now as number })
  for (const claims of [{ exp: 1 }, {}]) {
    const outcome = await verifier.verify(await issuer.sign(claims)).catch((error: unknown) => error)
    expect(outcome).toBeInstanceOf(TypeError)
    expect(isAuthError(outcome)).toBe(false)
  }
})
