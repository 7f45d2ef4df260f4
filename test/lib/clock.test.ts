import { expect, it } from 'vitest'
import { createMonotonicClock } from '../../src/lib/clock.ts'

it('never runs backwards, and goes on at the same pace after a jump', () => {
  let wall = 1000
  const time = createMonotonicClock(() => wall)
  const read = (next: number): number => {
    wall = next
    return time()
  }
  expect([1000, 1500, 200, 300, 50, 60, 5000].map(read)).toEqual([1000, 1500, 1500, 1600, 1600, 1610, 6550])
})
