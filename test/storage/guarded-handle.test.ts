/** A transaction's handle, over a client that is none: when it refuses, and what it notes of its connection. */
import { describe, expect, it } from 'vitest'
import { type FrameOptions, openFrame } from '../../src/storage/guarded-handle.ts'

interface Handle {
  query(text: string): Promise<unknown>
}

const OURS: FrameOptions = { what: 'transaction', isOurs: true }
const clientThat = (answer: () => unknown) => ({ query: async () => answer(), release: () => undefined })
const quiet = () => clientThat(() => ({ rows: [] }))
const asking = (frame: { readonly handle: object }): Promise<unknown> => (frame.handle as Handle).query('SELECT 1')
const told = async (work: Promise<unknown>): Promise<string> => work.then(() => 'done', String)

describe('a connection that was lost, though the work swallowed that', () => {
  it.each(['25006', '57P01', '57P02', '57P03', '57P05', '08006', '08003', '08P01'])('%s is noted', async (code) => {
    const error = Object.assign(new Error('x'), { code })
    const frame = openFrame(
      clientThat(() => Promise.reject(error)),
      OURS,
    )
    await asking(frame).catch(() => undefined)
    expect(frame.connection.lost).toBe(error)
  })

  it('is noted of a promise that is none of the global ones, as libraries make them that replace those', async () => {
    const error = Object.assign(new Error('x'), { code: '57P01' })
    // biome-ignore lint/suspicious/noThenProperty: a promise of somebody else's
    const rejected = { then: (_: unknown, reject: (error: Error) => void) => reject(error) }
    const frame = openFrame({ query: () => rejected, release: () => undefined }, OURS)
    await asking(frame).then(undefined, () => undefined)
    await new Promise((resolve) => setImmediate(resolve))
    expect(frame.connection.lost).toBe(error)
  })

  it.each(['23505', '40001', '42P01'])('%s is nothing of the connection', async (code) => {
    const frame = openFrame(
      clientThat(() => Promise.reject(Object.assign(new Error('x'), { code }))),
      OURS,
    )
    await asking(frame).catch(() => undefined)
    expect(frame.connection.lost).toBeUndefined()
  })
})

describe('a handle', () => {
  it('dies with its own work, and with the work around it', async () => {
    const outer = openFrame(quiet(), OURS)
    let inner = outer
    const working = outer.run(async () => {
      inner = openFrame(outer.handle, { what: 'scope' })
      expect(await told(asking(inner))).toBe('done')
      expect(await told(asking(outer))).toContain('one at a time')
    })
    expect(await told(working)).toContain('before a scope inside it did')
    expect(await told(asking(outer))).toContain('this transaction has ended')
    expect(await told(asking(inner))).toContain('this scope has ended')
    expect(await told(inner.ask('RELEASE SAVEPOINT x'))).toContain('this scope has ended')
  })

  it('is not opened twice on one client', () => {
    const client = quiet()
    const frame = openFrame(client, { what: 'scope' })
    expect(() => openFrame(client, { what: 'scope' })).toThrow('has a scope already')
    frame.end()
    expect(() => openFrame(client, { what: 'scope' })).not.toThrow()
  })
})
