import { describe, expect, it } from 'vitest'
import { createSlots, type HashingPlace } from '../../src/login/password-hash.ts'

/** Work that ends when it is told to. */
function heldWork() {
  const ends: ((error?: Error) => void)[] = []
  let running = 0
  let most = 0
  const work = async (): Promise<string> => {
    running++
    most = Math.max(most, running)
    try {
      await new Promise<void>((resolve, reject) => ends.push((error) => (error ? reject(error) : resolve())))
      return 'done'
    } finally {
      running--
    }
  }
  return { work, ends, most: () => most, running: () => running }
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

describe('createSlots', () => {
  it('runs so much at once, lets so much wait, and has no place for the rest', async () => {
    const { work, ends, most, running } = heldWork()
    const take = createSlots(2, 3, 0)
    const places = Array.from({ length: 7 }, () => take(true))
    expect(places.map((each) => each === null)).toEqual([false, false, false, false, false, true, true])
    const given = places.map((place) => place?.run(work))
    for (let i = 0; i < 5; i++) {
      await turn()
      ends[i]?.()
    }
    expect(await Promise.all(given.slice(0, 5))).toEqual(Array(5).fill('done'))
    expect([most(), running()]).toEqual([2, 0])
  })

  it('has a place again for each that was left, once, whether it was used or not', async () => {
    const take = createSlots(1, 1, 0)
    const [one, two] = [take(true) as HashingPlace, take(true) as HashingPlace]
    expect(take(true)).toBeNull()
    one.leave()
    one.leave()
    const three = take(true)
    expect(three).not.toBeNull()
    expect(take(true)).toBeNull()
    await two.run(async () => undefined)
    await two.run(async () => undefined)
    expect(take(true)).toBeNull()
    two.leave()
    expect(take(true)).not.toBeNull()
  })

  it('keeps the last places for who may take them', () => {
    const take = createSlots(2, 6, 3)
    const strangers = Array.from({ length: 20 }, () => take(false))
    expect(strangers.filter((place) => place !== null)).toHaveLength(5)
    const others = Array.from({ length: 20 }, () => take(true))
    expect(others.filter((place) => place !== null)).toHaveLength(3)
  })

  it('gives a slot back however the work ends: 1,000 rejections, throws and values leave it as it was', async () => {
    const take = createSlots(2, 1000, 0)
    const works = Array.from({ length: 1000 }, async (_, i) => {
      const place = take(true) as HashingPlace
      return place
        .run(async () => {
          if (i % 3 === 0) throw new Error('throws at once')
          await turn()
          if (i % 3 === 1) throw new Error('rejects')
          return i
        })
        .finally(place.leave)
    })
    const settled = await Promise.allSettled(works)
    expect(settled.filter(({ status }) => status === 'fulfilled')).toHaveLength(333)
    const { work, ends, most } = heldWork()
    const after = [1, 2, 3].map(() => take(true)?.run(work))
    await turn()
    expect(most()).toBe(2)
    ends[0]?.()
    await turn()
    for (const end of ends) end()
    await Promise.all(after)
  })

  it('keeps the order of asking', async () => {
    const take = createSlots(1, 10, 0)
    const order: number[] = []
    const places = [0, 1, 2, 3].map(() => take(true))
    await Promise.all([2, 0, 3, 1].map((i) => places[i]?.run(async () => void order.push(i))))
    expect(order).toEqual([2, 0, 3, 1])
  })
})
