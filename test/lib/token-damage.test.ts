/** A token that was changed on its way was refused without a word of what had happened to it. */
import { expect, it } from 'vitest'
import { describeDamage } from '../../src/lib/token-damage.ts'

it.each([
  ['eyJh.eyJz.c2ln', undefined],
  ['Bearer eyJh.eyJz.c2ln', 'the word Bearer'],
  ['"eyJh.eyJz.c2ln"', 'quotes'],
  ["'eyJh.eyJz.c2ln'", 'quotes'],
  ['"eyJh.eyJz c2ln"', 'quotes'],
  ['eyJh.eyJz .c2ln', 'white space'],
  ['eyJh.eyJz\t.c2ln', 'white space'],
  ['eyJh.eyJz.c2ln, eyJh.eyJz.c2ln', 'a comma'],
  ['eyJh%2EeyJz', 'percent signs'],
  ['eyJh\\.eyJz', 'backslashes'],
  ['eyJh.eyJz.c2lnbg==', 'padding'],
  ['eyJh.eyJz.c2ln!', undefined],
])('%j holds %s', (token, damage) => {
  expect(describeDamage(token)).toBe(damage)
})
