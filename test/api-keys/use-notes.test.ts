import { describe, expect, it } from 'vitest'
import { createUseNotes } from '../../src/api-keys/use-notes.ts'

const MINUTE = 60_000

describe('use notes', () => {
  it('keep a bounded number of keys, and forget the one unused for longest first', async () => {
    const touched: string[] = []
    const note = createUseNotes(async (keyId) => void touched.push(keyId))
    const use = async (id: string): Promise<void> => {
      note({ id, lastUsedAt: null }, MINUTE)
      await Promise.resolve()
      await Promise.resolve()
    }
    for (let i = 0; i <= 10_000; i++) await use(`key-${i}`)
    touched.length = 0
    await use('key-10000')
    await use('key-1')
    expect(touched).toEqual([])
    await use('key-0')
    expect(touched).toEqual(['key-0'])
  })

  it('ask a storage that never answers at most a hundred times', () => {
    let asked = 0
    const note = createUseNotes(() => {
      asked += 1
      return new Promise(() => undefined)
    })
    for (let i = 0; i < 500; i++) note({ id: `key-${i}`, lastUsedAt: null }, MINUTE)
    expect(asked).toBe(100)
  })

  it('try again a minute after a failure, not before', async () => {
    let asked = 0
    const note = createUseNotes(async () => {
      asked += 1
      throw new Error('read-only')
    })
    for (const now of [0, 1, MINUTE - 1, MINUTE, MINUTE + 1]) note({ id: 'key', lastUsedAt: null }, now)
    await Promise.resolve()
    expect(asked).toBe(2)
  })

  it('go on when the clock was set back', () => {
    const at: number[] = []
    const note = createUseNotes(async (_, when) => void at.push(when.getTime()))
    for (const now of [10 * MINUTE, 5 * MINUTE, 5 * MINUTE + 1]) note({ id: 'key', lastUsedAt: null }, now)
    expect(at).toEqual([10 * MINUTE, 5 * MINUTE])
  })
})
