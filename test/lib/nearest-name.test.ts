/** What was meant by a name that there is not: near is near, and nothing else is. */
import { expect, it } from 'vitest'
import { nearestOf } from '../../src/lib/nearest-name.ts'

it.each([
  ['inpsect', ['inspect', 'migrate', 'keys'], 'inspect'],
  ['Doctor', ['doctor'], 'doctor'],
  ['--isuer', ['--issuer', '--jwks'], '--issuer'],
  ['key', ['keys', 'doctor'], 'keys'],
  ['dance', ['doctor', 'migrate', 'keys'], null],
  ['', ['keys'], null],
  ['x'.repeat(200), ['keys'], null],
])('%s of %j is %s', (name, names, nearest) => {
  expect(nearestOf(name, names)).toBe(nearest)
})
