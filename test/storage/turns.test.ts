/** Turns: one at a time, in order, and who gives up waiting lets nobody in before the one whose turn it is has ended. */
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { isTransientError } from '../../src/storage/storage-errors.ts'
import { createTurns } from '../../src/storage/turns.ts'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

/** Works that note when they begin, and end when they are told to. */
function createWorks(atOnce?: number) {
  const turns = createTurns('the test', { atOnce })
  const begun: string[] = []
  const ends = new Map<string, () => void>()
  const take = (name: string): Promise<unknown> =>
    turns(async () => {
      begun.push(name)
      await new Promise<void>((resolve) => void ends.set(name, resolve))
      return name
    }).catch((error: unknown) => error)
  return { begun, take, end: (name: string) => ends.get(name)?.() }
}

describe('createTurns', () => {
  it('runs one work after another, in the order of asking', async () => {
    const { begun, take, end } = createWorks()
    const all = ['a', 'b', 'c'].map(take)
    await vi.advanceTimersByTimeAsync(10)
    expect(begun).toEqual(['a'])
    end('a')
    await vi.advanceTimersByTimeAsync(10)
    expect(begun).toEqual(['a', 'b'])
    end('b')
    await vi.advanceTimersByTimeAsync(10)
    end('c')
    expect(await Promise.all(all)).toEqual(['a', 'b', 'c'])
  })

  it('does not pass on a turn that somebody else still has when one who waits gives up', async () => {
    const { begun, take, end } = createWorks()
    const first = take('first')
    const impatient = take('impatient')
    await vi.advanceTimersByTimeAsync(4000)
    const patient = take('patient')
    await vi.advanceTimersByTimeAsync(1000)
    expect(isTransientError(await impatient)).toBe(true)
    await vi.advanceTimersByTimeAsync(1000)
    expect(begun).toEqual(['first'])
    end('first')
    expect(await first).toBe('first')
    await vi.advanceTimersByTimeAsync(1)
    expect(begun).toEqual(['first', 'patient'])
    end('patient')
    expect(await patient).toBe('patient')
  })

  it('runs so many at once as it was told, and the next when any of them has ended', async () => {
    const { begun, take, end } = createWorks(2)
    const all = ['a', 'b', 'c', 'd'].map(take)
    await vi.advanceTimersByTimeAsync(10)
    expect(begun).toEqual(['a', 'b'])
    end('b')
    await vi.advanceTimersByTimeAsync(10)
    expect(begun).toEqual(['a', 'b', 'c'])
    for (const name of ['a', 'c']) end(name)
    await vi.advanceTimersByTimeAsync(10)
    end('d')
    expect(await Promise.all(all)).toEqual(['a', 'b', 'c', 'd'])
    const more = ['e', 'f', 'g'].map(take)
    expect(begun.slice(4)).toEqual(['e', 'f'])
    for (const name of ['e', 'f']) end(name)
    await vi.advanceTimersByTimeAsync(10)
    end('g')
    await Promise.all(more)
  })
})
