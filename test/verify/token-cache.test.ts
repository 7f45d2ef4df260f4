// The cache of verified tokens by itself; through the verifier: jwt-verifier.test.ts.
import { describe, expect, it } from 'vitest'
import { createTokenCache } from '../../src/verify/token-cache.ts'
import { createTestClock } from './bench.ts'

function createWorld(maxEntries: number) {
  const clock = createTestClock(0)
  const cache = createTokenCache<string>({ maxEntries, ttlSeconds: 100, clock, time: clock })
  const put = (
    name: string,
    over: { validFrom?: number; validUntil?: number; isKeyUsable?: () => boolean } = {},
  ): void => cache.set(name, { value: name, validFrom: 0, validUntil: 1e9, isKeyUsable: () => true, ...over })
  return { clock, cache, put }
}

describe('createTokenCache', () => {
  it.each<[string, object, number]>([
    ['its time to live', {}, 100],
    ['its claims', { validUntil: 50_000 }, 50],
  ])('ends an entry with %s, to the second', (_, over, seconds) => {
    const { clock, cache, put } = createWorld(2)
    put('a', over)
    clock.tick(seconds - 1)
    expect(cache.get('a')).toBe('a')
    clock.tick(1)
    expect(cache.get('a')).toBeUndefined()
  })

  it('ends an entry with its key, for good', () => {
    const { cache, put } = createWorld(2)
    let usable = false
    put('a', { isKeyUsable: () => usable })
    expect(cache.get('a')).toBeUndefined()
    usable = true
    expect(cache.get('a')).toBeUndefined()
  })

  it('gives the room of what ended to others', () => {
    const { cache, put } = createWorld(2)
    put('b')
    put('a', { validUntil: 0 })
    expect(cache.get('a')).toBeUndefined()
    put('c')
    expect([cache.get('b'), cache.get('c')]).toEqual(['b', 'c'])
  })

  it('forgets everything when it is cleared', () => {
    const { cache, put } = createWorld(2)
    put('a')
    cache.clear()
    expect(cache.get('a')).toBeUndefined()
  })
})
