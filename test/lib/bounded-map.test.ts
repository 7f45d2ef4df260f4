// R1: a map that never grows beyond its bound; the least recently used entry makes room.
import { expect, it } from 'vitest'
import { createBoundedMap } from '../../src/lib/bounded-map.ts'

it('never holds more than it may, filled ten times over', () => {
  const map = createBoundedMap<number, number>(100)
  for (let n = 0; n < 1000; n += 1) {
    map.set(n, n)
    expect(map.size).toBeLessThanOrEqual(100)
  }
  expect(map.get(899)).toBeUndefined()
  expect(map.get(900)).toBe(900)
})

it('keeps what is used, by reading or writing', () => {
  const map = createBoundedMap<string, number>(2)
  map.set('a', 1)
  map.set('b', 2)
  map.get('a')
  map.set('c', 3)
  expect([map.get('a'), map.get('b'), map.get('c')]).toEqual([1, undefined, 3])
  map.set('a', 4)
  map.set('d', 5)
  expect([map.get('a'), map.get('c'), map.get('d')]).toEqual([4, undefined, 5])
})

it('writes a known key without putting another out', () => {
  const map = createBoundedMap<string, number>(2)
  map.set('a', 1)
  map.set('b', 2)
  map.set('b', 3)
  expect([map.size, map.get('a'), map.get('b')]).toEqual([2, 1, 3])
})

it('forgets one, or all', () => {
  const map = createBoundedMap<string, number>(2)
  map.set('a', 1)
  map.set('b', 2)
  map.delete('a')
  map.delete('x')
  expect(map.size).toBe(1)
  map.clear()
  expect(map.size).toBe(0)
})
