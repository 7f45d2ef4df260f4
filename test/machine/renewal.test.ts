// How often a refused token may be traded for another.
import { expect, it } from 'vitest'
import { createReplacements } from '../../src/machine/renewal.ts'

it('takes a new token for accepted only when it was this very one that a service took', () => {
  const replacements = createReplacements(() => 0)
  expect(replacements.begin('first')).toBe(true)
  replacements.came('second')
  // An answer to a call that was sent with the old token arrives late.
  replacements.accepted('first')
  expect(replacements.begin('second')).toBe(false)
})

it('replaces a token that worked as often as it is revoked', () => {
  const replacements = createReplacements(() => 0)
  expect(replacements.begin('first')).toBe(true)
  replacements.came('second')
  replacements.accepted('second')
  expect(replacements.begin('second')).toBe(true)
})
