import { describe, expect, it } from 'vitest'
import { createSlots } from '../../src/lib/slots.ts'

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
  it('runs so much at once, lets so much wait, and refuses the rest at once', async () => {
    const { work, ends, most, running } = heldWork()
    const slots = createSlots(2, 3)
    const given = Array.from({ length: 7 }, () => slots(work))
    expect(given.map((each) => each === null)).toEqual([false, false, false, false, false, true, true])
    for (let i = 0; i < 5; i++) {
      await turn()
      ends[i]?.()
    }
    expect(await Promise.all(given.slice(0, 5))).toEqual(Array(5).fill('done'))
    expect([most(), running()]).toEqual([2, 0])
  })

  it('gives a slot back however the work ends: 1,000 rejections, throws and values leave it as it was', async () => {
    const slots = createSlots(2, 1000)
    const works = Array.from({ length: 1000 }, (_, i) =>
      slots(async () => {
        if (i % 3 === 0) throw new Error('throws at once')
        await turn()
        if (i % 3 === 1) throw new Error('rejects')
        return i
      }),
    )
    const settled = await Promise.allSettled(works)
    expect(settled.filter(({ status }) => status === 'fulfilled')).toHaveLength(333)
    const { work, ends, most } = heldWork()
    const after = [slots(work), slots(work), slots(work)]
    await turn()
    expect(most()).toBe(2)
    ends[0]?.()
    await turn()
    for (const end of ends) end()
    await Promise.all(after)
  })

  it('keeps the order of arrival', async () => {
    const slots = createSlots(1, 10)
    const order: number[] = []
    await Promise.all([0, 1, 2, 3].map((i) => slots(async () => void order.push(i))))
    expect(order).toEqual([0, 1, 2, 3])
  })
})
