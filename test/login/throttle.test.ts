/** L2, to the letter: by the pure rules over a clock that is moved by hand, and through the store. */
import { describe, expect, it } from 'vitest'
import {
  accountPolicy,
  addressPolicy,
  createThrottle,
  DEFAULT_LIMITS,
  NETWORK_TIMES,
  type Outcome,
} from '../../src/login/throttle.ts'
import type { ThrottleState, ThrottleStore } from '../../src/storage/account-repositories.ts'
import { createMemoryAccounts } from '../../src/storage/memory.ts'
import { reasonOf, refusalOf } from '../pipeline/world.ts'

const T0 = Date.parse('2026-11-20T10:00:00Z')

/** One key of one kind: try, and say how it ends. */
function createKey(kind: 'account' | 'address' | 'network') {
  const times = kind === 'network' ? NETWORK_TIMES : 1
  const policy = kind === 'account' ? accountPolicy(DEFAULT_LIMITS) : addressPolicy(DEFAULT_LIMITS, times)
  let state: ThrottleState | null = null
  const key = {
    now: T0,
    state: () => state,
    begin() {
      const begun = policy.begin(state, key.now)
      state = begun.state
      return begun.result
    },
    end(pendingUntil: number, outcome: Outcome) {
      state = policy.end(state, key.now, pendingUntil, outcome)
    },
    /** 0, or the seconds of `Retry-After`. */
    attempt(outcome: Outcome): number {
      const begun = key.begin()
      if (begun.kind === 'closed') return begun.retryAfterSeconds
      key.end(begun.pendingUntil, outcome)
      return 0
    },
  }
  return key
}

describe('an account', () => {
  it('is closed for 1 s by the 5th failure, and each further failure after a wait doubles it, up to 15 minutes', () => {
    const key = createKey('account')
    for (let i = 0; i < 5; i++) expect(key.attempt('failed')).toBe(0)
    const waits = []
    for (let i = 0; i < 14; i++) {
      const wait = key.attempt('succeeded')
      waits.push(wait)
      key.now += wait * 1000 - 1
      expect(key.attempt('succeeded')).toBe(1)
      key.now += 1
      expect(key.attempt('failed')).toBe(0)
    }
    expect(waits).toEqual([1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900, 900, 900])
  })

  it('counts nothing while it is closed', () => {
    const key = createKey('account')
    for (let i = 0; i < 5; i++) key.attempt('failed')
    const before = key.state()
    for (let i = 0; i < 100; i++) expect(key.attempt('failed')).toBe(1)
    expect(key.state()).toBe(before)
  })

  it('is reset by a success', () => {
    const key = createKey('account')
    for (let i = 0; i < 4; i++) key.attempt('failed')
    expect(key.attempt('succeeded')).toBe(0)
    expect(key.state()).toBeNull()
    for (let i = 0; i < 5; i++) expect(key.attempt('failed')).toBe(0)
    expect(key.attempt('failed')).toBe(1)
    key.now += 1000
    expect(key.attempt('succeeded')).toBe(0)
    expect(key.state()).toBeNull()
  })

  it('counts tries in flight: five of fifty at once, and one after the limit', () => {
    const key = createKey('account')
    const begun = Array.from({ length: 50 }, () => key.begin())
    const open = begun.flatMap((each) => (each.kind === 'open' ? [each.pendingUntil] : []))
    expect(open).toHaveLength(5)
    for (const pendingUntil of open) key.end(pendingUntil, 'failed')
    expect(key.begin()).toEqual({ kind: 'closed', retryAfterSeconds: 1 })
    key.now += 1000
    const again = Array.from({ length: 50 }, () => key.begin())
    expect(again.filter(({ kind }) => kind === 'open')).toHaveLength(1)
  })

  it('counts nothing for a try that never got to its password', () => {
    const key = createKey('account')
    for (let i = 0; i < 20; i++) expect(key.attempt('dropped')).toBe(0)
    expect(key.state()).toBeNull()
    for (let i = 0; i < 4; i++) key.attempt('failed')
    for (let i = 0; i < 20; i++) expect(key.attempt('dropped')).toBe(0)
    expect(key.state()).toMatchObject({ failures: 4, pending: [] })
  })

  it('does not wait for good for a try whose process died', () => {
    const key = createKey('account')
    for (let i = 0; i < 5; i++) key.begin()
    expect(key.begin()).toMatchObject({ kind: 'closed' })
    key.now += 60_000
    expect(key.begin()).toMatchObject({ kind: 'open' })
  })

  it('does not wait longer for failures that had begun before it was closed', () => {
    const key = createKey('account')
    for (let i = 0; i < 5; i++) key.attempt('failed')
    const before = key.state()
    // Begun long ago, on a lease that has run out; one that nobody remembers is the same.
    for (const pendingUntil of [T0 - 1, T0 + 59_000]) key.end(pendingUntil, 'failed')
    expect(key.state()).toMatchObject({ failures: 5, closedUntil: before?.closedUntil })
    key.now += 1000
    expect(key.begin()).toMatchObject({ kind: 'open' })
  })

  it('counts what fails also while a clock set back makes an old closing lie far ahead', () => {
    const key = createKey('account')
    for (let i = 0; i < 5; i++) key.attempt('failed')
    key.now -= 86_400_000
    let hashed = 0
    for (let i = 0; i < 100; i++) if (key.attempt('failed') === 0) hashed++
    expect(hashed).toBe(1)
  })

  it('is never closed for longer than 15 minutes, whatever the clock does', () => {
    const key = createKey('account')
    for (let i = 0; i < 5; i++) key.attempt('failed')
    key.now -= 86_400_000
    expect(key.attempt('failed')).toBe(0)
    expect(key.attempt('failed')).toBeLessThanOrEqual(2)
  })

  it('lets at most 20 hashes an hour through, from however many addresses', () => {
    const key = createKey('account')
    let hashes = 0
    for (const end = T0 + 3_600_000; key.now < end; key.now += 250) if (key.attempt('failed') === 0) hashes++
    expect(hashes).toBeLessThanOrEqual(20)
    expect(hashes).toBeGreaterThan(10)
  })
})

/** Numbers that look random, the same each time. */
function createDice(seed: number) {
  let state = seed * 7919 + 17
  return (below: number): number => {
    state = (state * 1_103_515_245 + 12_345) % 2 ** 31
    return Math.floor((state / 2 ** 31) * below)
  }
}

describe('40 wrong passwords at once for one account, begun and ended in any order', () => {
  const ROUNDS = Array.from({ length: 300 }, (_, round) => round)

  /** Begin and end 40 tries in a random order, each a little later than the one before, or as `skew` says. */
  function burst(round: number, skew: (dice: ReturnType<typeof createDice>) => number) {
    const dice = createDice(round)
    const key = createKey('account')
    const flying: number[] = []
    const seen = { hashed: 0, most: 0, told: new Set<number>() }
    let left = 40
    for (let step = 0; left > 0 || flying.length > 0; step++) {
      key.now = T0 + step * 5 + skew(dice)
      if (left > 0 && (flying.length === 0 || dice(3) > 0)) {
        left--
        const begun = key.begin()
        if (begun.kind === 'open') flying.push(begun.pendingUntil)
        else seen.told.add(begun.retryAfterSeconds)
      } else {
        seen.hashed++
        key.end(flying.splice(dice(flying.length), 1)[0] as number, 'failed')
      }
      seen.most = Math.max(seen.most, flying.length)
    }
    return { key, ...seen }
  }

  it('by the clock of the store: 5 are hashed, everybody else is told 1 s, and after it one more is', () => {
    for (const round of ROUNDS) {
      const { key, hashed, told } = burst(round, () => 0)
      expect({ round, hashed, told: [...told] }).toEqual({ round, hashed: 5, told: [1] })
      key.now += 1000
      expect(key.attempt('failed')).toBe(0)
      expect(key.attempt('failed')).toBe(2)
    }
  })

  it('by clocks up to 2 s apart, where a store has none: never more than 5 are in flight', () => {
    for (const round of ROUNDS) {
      const { most } = burst(round, (dice) => dice(4000) - 2000)
      expect(most, `round ${round}`).toBeLessThanOrEqual(5)
    }
  })

  it('whatever they end as: never more than 5 in flight, never more than 5 failures before it is closed', () => {
    const outcomes = ['failed', 'failed', 'succeeded', 'dropped'] as const
    for (const round of ROUNDS) {
      const dice = createDice(round + 1000)
      const key = createKey('account')
      const flying: number[] = []
      let failures = 0
      for (let step = 0; step < 400; step++) {
        key.now += dice(50)
        if (dice(2) === 0) {
          const begun = key.begin()
          if (begun.kind === 'open') flying.push(begun.pendingUntil)
        } else if (flying.length > 0) {
          const outcome = outcomes[dice(4)] as Outcome
          key.end(flying.splice(dice(flying.length), 1)[0] as number, outcome)
          if (outcome === 'succeeded') failures = 0
          if (outcome === 'failed') failures++
        }
        expect(flying.length).toBeLessThanOrEqual(failures >= 5 ? 1 : 5 - failures)
        if (flying.length + failures >= 6) failures = 5
      }
    }
  })
})

describe('an address', () => {
  it('is refused from the 50th failure in 15 minutes until the oldest has left them', () => {
    const key = createKey('address')
    for (let i = 0; i < 50; i++) {
      expect(key.attempt('failed')).toBe(0)
      key.now += 1000
    }
    expect(key.attempt('failed')).toBe(850)
    key.now = T0 + 900_000 - 1
    expect(key.attempt('failed')).toBe(1)
    key.now += 1
    expect(key.attempt('failed')).toBe(0)
    expect(key.attempt('failed')).toBe(1)
  })

  it('is not reset by a success, and successes count for nothing', () => {
    const key = createKey('address')
    for (let i = 0; i < 500; i++) expect(key.attempt('succeeded')).toBe(0)
    expect(key.state()).toBeNull()
    for (let i = 0; i < 49; i++) key.attempt('failed')
    expect(key.attempt('succeeded')).toBe(0)
    expect(key.attempt('failed')).toBe(0)
    expect(key.attempt('succeeded')).toBe(900)
  })

  it('counts tries in flight', () => {
    const key = createKey('address')
    const begun = Array.from({ length: 200 }, () => key.begin())
    expect(begun.filter(({ kind }) => kind === 'open')).toHaveLength(50)
  })
})

describe('an IPv6 network of 48 bits', () => {
  it('is refused from 12 times the failures of an address on', () => {
    const key = createKey('network')
    for (let i = 0; i < 600; i++) {
      expect(key.attempt('failed')).toBe(0)
      key.now += 100
    }
    expect(key.attempt('failed')).toBe(900 - 60 + 2)
    expect(key.state()?.recent).toHaveLength(50)
    key.now = T0 + 1100 + 900_000
    expect(key.attempt('failed')).toBe(0)
  })

  it('counts tries in flight', () => {
    const key = createKey('network')
    const begun = Array.from({ length: 1000 }, () => key.begin())
    expect(begun.filter(({ kind }) => kind === 'open')).toHaveLength(600)
  })
})

describe('what is remembered of an address whose window is short', () => {
  it('outlasts the tries that are in flight', () => {
    const policy = addressPolicy({ ...DEFAULT_LIMITS, addressWindowSeconds: 1 })
    let { state } = policy.begin(null, T0)
    state = policy.begin(state, T0).state
    const after = policy.end(state, T0, T0 + 60_000, 'failed')
    expect(after).toMatchObject({ pending: [T0 + 60_000], expiresAt: T0 + 60_000 })
  })
})

describe('createThrottle', () => {
  const create = (store: ThrottleStore = createMemoryAccounts().throttle) => {
    const clock = { now: T0 }
    const throttle = createThrottle(store, DEFAULT_LIMITS, () => clock.now)
    let judged = 0
    const fail = (email: string, address: string | null) =>
      throttle.attempt({ email, address }, async () => {
        judged++
        return null
      })
    return { throttle, fail, clock, judged: () => judged }
  }

  it('closes the account for every address, and the address for every account', async () => {
    const { fail, clock } = create()
    for (let i = 0; i < 5; i++) expect(await fail('a', `10.0.0.${i}`)).toBeNull()
    expect(await reasonOf(fail('a', '10.0.0.99'))).toBe('login_account_throttled')
    expect(await fail('b', '10.0.0.99')).toBeNull()
    clock.now += 1000
    for (let i = 0; i < 50; i++) await fail(`x${i}`, '10.9.9.9')
    expect(await reasonOf(fail('c', '10.9.9.9'))).toBe('login_address_throttled')
    expect(await fail('c', '10.9.9.8')).toBeNull()
  })

  it('counts nothing against the address while the account is closed, nor the other way about', async () => {
    const { fail, clock } = create()
    for (let i = 0; i < 5; i++) await fail('a', '10.0.0.1')
    for (let i = 0; i < 100; i++) await reasonOf(fail('a', '10.0.0.1'))
    expect(await fail('b', '10.0.0.1')).toBeNull()
    for (let i = 0; i < 44; i++) await fail(`x${i}`, '10.0.0.1')
    for (let i = 0; i < 100; i++) expect(await reasonOf(fail('fresh', '10.0.0.1'))).toBe('login_address_throttled')
    clock.now += 1
    for (let i = 0; i < 5; i++) expect(await fail('fresh', '10.0.0.2')).toBeNull()
  })

  it('counts one client for an IPv6 network of 64 bits, 12 times as much for one of 48, and nobody by no address', async () => {
    const { fail, clock } = create()
    for (let i = 0; i < 50; i++) await fail(`x${i}`, `2001:db8::${i.toString(16)}`)
    expect(await reasonOf(fail('y', '2001:db8::ffff'))).toBe('login_address_throttled')
    for (let i = 50; i < 600; i++) await fail(`x${i}`, `2001:db8:0:${i.toString(16)}::1`)
    expect(await reasonOf(fail('y', '2001:db8:0:ffff::1'))).toBe('login_network_throttled')
    expect(await fail('y', '2001:db8:1::1')).toBeNull()
    clock.now += 1000
    for (let i = 0; i < 200; i++) await fail(`z${i}`, i % 2 === 0 ? null : '/run/app.sock')
    expect(await fail('y', null)).toBeNull()
  })

  it('runs no more work than the limit for 50 at once on one account', async () => {
    const { fail, judged } = create()
    const results = await Promise.allSettled(Array.from({ length: 50 }, (_, i) => fail('a', `10.0.1.${i}`)))
    expect(judged()).toBe(5)
    expect(results.filter(({ status }) => status === 'rejected')).toHaveLength(45)
  })

  it('gives every try back that throws', async () => {
    const { throttle, fail } = create()
    const broken = () => throttle.attempt({ email: 'a', address: '10.0.0.1' }, () => Promise.reject(new Error('down')))
    for (let i = 0; i < 200; i++) await expect(broken()).rejects.toThrow('down')
    expect(await fail('a', '10.0.0.1')).toBeNull()
  })

  it('fails closed with its store: nothing is judged', async () => {
    const { fail, judged } = create({ update: () => Promise.reject(new Error('store down')) })
    await expect(fail('a', '10.0.0.1')).rejects.toThrow('store down')
    expect(judged()).toBe(0)
  })

  it('puts no e-mail and no address into the store', async () => {
    const keys: string[] = []
    const { throttle } = createMemoryAccounts()
    const { fail } = create({
      update(some, ...rest) {
        keys.push(...some)
        return throttle.update(some, ...rest)
      },
    })
    await fail('ada@example.test', '10.0.0.1')
    await fail('ada@example.test', '2001:db8::1')
    expect(new Set(keys).size).toBe(4)
    for (const key of keys) expect(key).toMatch(/^(account|address|network):[0-9a-f]{32}$/)
  })

  it('writes the counters of a try as one, before it and after it, and nothing for one that is refused', async () => {
    const written: (readonly string[])[] = []
    const { throttle } = createMemoryAccounts()
    const { fail } = create({
      update: (keys, now, decide) =>
        throttle.update(keys, now, (states, at) => {
          const decided = decide(states, at)
          written.push(
            keys.filter((_, index) => decided.states[index] !== states[index]).map((key) => key.split(':', 1)[0] ?? ''),
          )
          return decided
        }),
    })
    for (let i = 0; i < 5; i++) await fail('ada@example.test', '2001:db8::1')
    await reasonOf(fail('ada@example.test', '2001:db8::1'))
    const all = ['address', 'network', 'account']
    expect(written).toEqual([...Array.from({ length: 10 }, () => all), []])
  })

  it('tells a try that has waited for half of its lease that it must not begin any more', async () => {
    const { throttle, clock } = create()
    const asked: boolean[] = []
    await throttle.attempt({ email: 'a', address: null }, async (isCounted) => {
      for (const seconds of [0, 29, 2]) {
        clock.now += seconds * 1000
        asked.push(isCounted())
      }
      return null
    })
    expect(asked).toEqual([true, true, false])
  })

  it('is forgotten for one account', async () => {
    const { throttle, fail } = create()
    for (let i = 0; i < 5; i++) await fail('a', null)
    const { headers } = await refusalOf(fail('a', null))
    expect(headers['Retry-After']).toBe('1')
    await throttle.reset('a')
    expect(await fail('a', null)).toBeNull()
  })
})

describe('memory', () => {
  it('is bounded: 300,000 other accounts and addresses leave 1,000 entries', async () => {
    const { throttle } = createMemoryAccounts({ maxThrottleKeys: 1000 })
    let found = 0
    const state: ThrottleState = { failures: 1, closedUntil: 0, recent: [], pending: [], expiresAt: T0 + 1 }
    for (let i = 0; i < 300_000; i++)
      await throttle.update([`account:${i}`], new Date(T0), () => ({ states: [state], result: null }))
    for (let i = 0; i < 300_000; i++) {
      await throttle.update([`account:${i}`], new Date(T0), (states) => {
        if (states[0] !== null) found++
        return { states, result: null }
      })
    }
    expect(found).toBe(1000)
  })

  // Which a clock that counts in fractions tells, and a try in flight is found by its very instant.
  it.each([0, 1, -1, T0, T0 + 0.1, T0 + 0.1 + 0.2, -0.1, 1e21, 2 ** 53, Number.MAX_VALUE, 5e-324])(
    'keeps the number %d as it is',
    async (value) => {
      const { throttle } = createMemoryAccounts()
      const state = {
        failures: value,
        closedUntil: value,
        recent: [value, 2],
        pending: [3, value],
        expiresAt: Infinity,
      }
      await throttle.update(['account:a'], new Date(T0), () => ({ states: [state], result: null }))
      const found = await throttle.update(['account:a'], new Date(T0), (states) => ({ states, result: states[0] }))
      expect(found).toEqual(state)
    },
  )
})
