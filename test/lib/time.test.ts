// Clocks, rests, work that ends in time, and attempts that several wait for.
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { createFlight, createMonotonicClock, restMilliseconds, within } from '../../src/lib/time.ts'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

const never = (): Promise<never> => new Promise(() => {})

function createTestFlight(work: (signal: AbortSignal) => Promise<string>) {
  const landed: unknown[] = []
  let mayReplace = true
  const flight = createFlight({
    time: () => Date.now(),
    limitSeconds: 5,
    work,
    settle(outcome) {
      landed.push(outcome)
      return 'given' in outcome ? outcome.given : 'failed'
    },
    mayReplace: () => mayReplace,
  })
  const refuse = (): void => {
    mayReplace = false
  }
  return { flight, landed, refuse }
}

describe('a flight', () => {
  it('makes one attempt for all who ask meanwhile', async () => {
    const work = vi.fn(async () => 'it')
    const { flight, landed } = createTestFlight(work)
    expect(await Promise.all([flight.join(), flight.join(), flight.join()])).toEqual(['it', 'it', 'it'])
    expect(work).toHaveBeenCalledTimes(1)
    expect(landed).toEqual([{ given: 'it' }])
    expect(vi.getTimerCount()).toBe(0)
  })

  it('ends an attempt when its time is over, also work that ignores its signal', async () => {
    const { flight, landed } = createTestFlight(never)
    const joined = flight.join()
    await vi.advanceTimersByTimeAsync(4999)
    expect(flight.isRunning()).toBe(true)
    await vi.advanceTimersByTimeAsync(1)
    expect(await joined).toBe('failed')
    expect(landed).toEqual([{ error: null }])
    expect(vi.getTimerCount()).toBe(0)
  })

  it('hands on what was thrown', async () => {
    const error = new Error('reset')
    const { flight, landed } = createTestFlight(() => Promise.reject(error))
    expect(await flight.join()).toBe('failed')
    expect(landed).toEqual([{ error }])
  })

  it('drops what an attempt gives that was given up meanwhile', async () => {
    const answers: ((text: string) => void)[] = []
    const { flight, landed } = createTestFlight(() => new Promise((resolve) => answers.push(resolve)))
    flight.begin()
    await vi.advanceTimersByTimeAsync(0)
    vi.clearAllTimers()
    vi.setSystemTime(Date.now() + 7000)
    const joined = flight.join()
    await vi.advanceTimersByTimeAsync(0)
    answers[0]?.('old')
    await vi.advanceTimersByTimeAsync(0)
    answers[1]?.('new')
    expect(await joined).toBe('new')
    expect(landed).toEqual([{ given: 'new' }])
  })

  it('is not begun anew by those who waited in vain where that may not be', async () => {
    const work = vi.fn(never)
    const { flight, refuse } = createTestFlight(work)
    flight.begin()
    await vi.advanceTimersByTimeAsync(0)
    vi.clearAllTimers()
    refuse()
    const joined = flight.join()
    await vi.advanceTimersByTimeAsync(5500)
    expect(await joined).toBeNull()
    expect(work).toHaveBeenCalledTimes(1)
  })

  it('is over when it is ended, and leaves no timer behind', async () => {
    const { flight, landed } = createTestFlight(never)
    const joined = flight.join()
    flight.end()
    expect(await joined).toBeNull()
    expect(await flight.join()).toBeNull()
    expect(landed).toEqual([])
    expect(vi.getTimerCount()).toBe(0)
  })
})

describe('within', () => {
  it('waits for work, and no longer than it was told', async () => {
    expect(await within(100, Promise.resolve(7))).toBe(7)
    const waiting = within(100, never())
    await vi.advanceTimersByTimeAsync(100)
    expect(typeof (await waiting)).toBe('symbol')
    expect(vi.getTimerCount()).toBe(0)
  })
})

describe('restMilliseconds', () => {
  const rests = (spread: number) =>
    [1, 2, 3, 4, 5, 500].map((failures) => restMilliseconds(failures, { firstMs: 30, mostMs: 300, spread }))

  it('doubles with each failure, up to the most', () => {
    expect(rests(0)).toEqual([30, 60, 120, 240, 300, 300])
  })

  it('is shorter by chance, by no more than the spread', () => {
    const all = Array.from({ length: 50 }, () => rests(0.5))
    for (const [index, most] of rests(0).entries()) {
      const each = all.map((row) => row[index] ?? 0)
      expect(Math.max(...each)).toBeLessThanOrEqual(most)
      expect(Math.min(...each)).toBeGreaterThanOrEqual(most / 2)
      expect(new Set(each).size).toBeGreaterThan(1)
    }
  })
})

it('never runs backwards, and goes on at the same pace after a jump', () => {
  let wall = 1000
  const time = createMonotonicClock(() => wall)
  const read = (next: number): number => {
    wall = next
    return time()
  }
  expect([1000, 1500, 200, 300, 50, 60, 5000].map(read)).toEqual([1000, 1500, 1500, 1600, 1600, 1610, 6550])
})
