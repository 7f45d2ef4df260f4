// R1: a map that never grows beyond its bound; an entry that was not used lately makes room.
import { expect, it } from 'vitest'
import { createBoundedMap, type Used } from '../../src/lib/bounded-map.ts'

const entry = <V>(value: V): Used & { value: V } => ({ used: false, value })

const filled = (maxEntries: number, keys: Iterable<number>): Map<number, Used & { value: number }> => {
  const map = createBoundedMap<number, Used & { value: number }>(maxEntries)
  for (const key of keys) map.set(key, entry(key))
  return map
}

const upTo = (count: number): number[] => Array.from({ length: count }, (_, n) => n)

it('never holds more than it may, filled ten times over', () => {
  const map = filled(100, [])
  for (const n of upTo(1000)) {
    map.set(n, entry(n))
    expect(map.size).toBeLessThanOrEqual(100)
  }
  expect(map.get(899)).toBeUndefined()
  expect(map.get(900)?.value).toBe(900)
})

it('holds all that it may: as many as its bound are never let go', () => {
  const map = filled(100, upTo(100))
  for (let round = 0; round < 10; round += 1) for (const n of upTo(100)) expect(map.get(n)?.value).toBe(n)
})

it('keeps what is used, by reading or writing', () => {
  const map = createBoundedMap<string, Used & { value: number }>(2)
  map.set('a', entry(1))
  map.set('b', entry(2))
  map.get('a')
  map.set('c', entry(3))
  expect(['a', 'b', 'c'].map((key) => map.get(key)?.value)).toEqual([1, undefined, 3])
  map.set('a', entry(4))
  map.set('d', entry(5))
  expect(['a', 'c', 'd'].map((key) => map.get(key)?.value)).toEqual([4, undefined, 5])
})

it('keeps what is used beside any number that come once', () => {
  const map = filled(100, upTo(100))
  for (let n = 100; n < 5000; n += 1) {
    for (const kept of upTo(50)) expect(map.get(kept)?.value).toBe(kept)
    map.set(n, entry(n))
  }
})

it('lets go of what was used long ago, where others are used now', () => {
  const map = filled(100, upTo(100))
  for (const n of upTo(100)) map.get(n)
  for (const n of upTo(100)) map.set(1000 + n, entry(n))
  for (let round = 0; round < 20; round += 1) {
    for (const n of upTo(100)) if (map.get(1000 + n) === undefined) map.set(1000 + n, entry(n))
  }
  expect([...map.keys()].filter((key) => key < 1000)).toEqual([])
})

it('looks at a bounded number of entries to make room, though all are used', () => {
  const map = filled(100_000, upTo(100_000))
  for (const n of upTo(100_000)) map.get(n)
  map.set(-1, entry(-1))
  expect([...map.values()].filter(({ used }) => !used).length).toBeLessThanOrEqual(101)
  expect([map.size, map.has(-1)]).toEqual([100_000, true])
})

it('writes a known key without putting another out', () => {
  const map = createBoundedMap<string, Used & { value: number }>(2)
  map.set('a', entry(1))
  map.set('b', entry(2))
  map.set('b', entry(3))
  expect([map.size, map.get('a')?.value, map.get('b')?.value]).toEqual([2, 1, 3])
})

it('forgets one, or all, and fills again', () => {
  const map = filled(2, [1, 2, 3])
  map.delete(2)
  map.delete(9)
  expect(map.size).toBe(1)
  map.clear()
  expect(map.size).toBe(0)
  for (const n of upTo(5)) map.set(n, entry(n))
  expect([...map.keys()]).toEqual([3, 4])
})
