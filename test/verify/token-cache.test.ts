// The cache of verified tokens by itself; through the verifier: jwt-verifier.test.ts.
import { describe, expect, it } from 'vitest'
import type { Identity } from '../../src/context.ts'
import type { Issuer } from '../../src/verify/issuers.ts'
import { createTokenCache } from '../../src/verify/token-cache.ts'
import { createTestClock } from './bench.ts'

function createWorld(maxEntries: number) {
  const clock = createTestClock(0)
  const [trusted, other] = [{} as Issuer, {} as Issuer]
  const cache = createTokenCache({
    maxEntries,
    ttlSeconds: 100,
    time: clock,
    isTrusted: (issuer) => issuer === trusted,
  })
  const put = (
    subject: string,
    {
      isUsable = () => true,
      issuer = trusted,
      ...times
    }: Partial<Record<string, unknown>> & {
      isUsable?: () => boolean
      issuer?: Issuer
      validFrom?: number
      validUntil?: number
    } = {},
  ): void =>
    cache.set(subject, {
      identity: { subject } as Identity<never>,
      issuer,
      key: { isUsable },
      checked: { validFrom: 0, validUntil: 1e9, ...times },
    })
  return { clock, cache, put, other, of: (name: string) => cache.get(name)?.identity.subject }
}

describe('createTokenCache', () => {
  it('ends an entry with its time to live, to the second', () => {
    const { clock, of, put } = createWorld(2)
    put('a')
    clock.tick(99)
    expect(of('a')).toBe('a')
    clock.tick(1)
    expect(of('a')).toBeUndefined()
  })

  it.each<[string, number, number, number, boolean]>([
    ['before they begin', 5_000, 9_000, 4_999, false],
    ['from when they begin', 5_000, 9_000, 5_000, true],
    ['until they end', 5_000, 9_000, 8_999, true],
    ['when they end', 5_000, 9_000, 9_000, false],
    ['within a second that they begin in', 5_001, 9_000, 5_999, false],
    ['within a second that they end in', 5_000, 8_999, 8_998, false],
    ['without a beginning', Number.NEGATIVE_INFINITY, 9_000, 0, true],
    ['where the clock says nothing', 0, 9_000, Number.NaN, false],
  ])('says of claims whether they hold for sure: %s', (_, validFrom, validUntil, now, holds) => {
    const { cache, put } = createWorld(2)
    put('a', { validFrom, validUntil })
    expect(cache.get('a')?.holdsAt(now)).toBe(holds)
  })

  it('ends an entry with its key, for good', () => {
    const { of, put } = createWorld(2)
    let usable = false
    put('a', { isUsable: () => usable })
    expect(of('a')).toBeUndefined()
    usable = true
    expect(of('a')).toBeUndefined()
  })

  it('ends an entry with its issuer', () => {
    const { of, put, other } = createWorld(2)
    put('a', { issuer: other })
    expect(of('a')).toBeUndefined()
  })

  it('gives the room of what ended to others', () => {
    const { of, put } = createWorld(2)
    put('b')
    put('a', { isUsable: () => false })
    expect(of('a')).toBeUndefined()
    put('c')
    expect([of('b'), of('c')]).toEqual(['b', 'c'])
  })

  it('forgets everything when it is cleared', () => {
    const { cache, of, put } = createWorld(2)
    put('a')
    cache.clear()
    expect(of('a')).toBeUndefined()
  })
})
