/** A pool whose `connect` takes something else than a callback, and whose promises are none of the global ones, was waited for without end. */
import { expect, it } from 'vitest'
import { beginOn } from '../../src/storage/postgres-transaction.ts'
import { isTransientError } from '../../src/storage/storage-errors.ts'

it.each<[string, (error: Error) => PromiseLike<never>]>([
  // biome-ignore lint/suspicious/noThenProperty: a promise of somebody else's
  ['of its own class', (error) => ({ then: (_, reject) => Promise.reject(error).then(undefined, reject) })],
  ['of the global one', (error) => Promise.reject(error)],
])('a connection that a pool promises by a promise %s', async (_, rejected) => {
  const refused = Object.assign(new Error('x'), { code: 'ECONNREFUSED' })
  const pool = { connect: (_options?: unknown) => rejected(refused) }
  expect(pool.connect).toHaveLength(1)
  const begin = beginOn(pool as never, { what: 'transaction', settings: [] })
  const thrown = await begin(async () => undefined).catch((error: unknown) => error)
  expect(isTransientError(thrown)).toBe(true)
})
