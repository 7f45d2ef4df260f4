/** Whoever reads a body, by `readJson` or by itself, has its caller checked once more; and how the connection of a late one ends. */
import { expect, it, vi } from 'vitest'
import { endConnection } from '../../src/http/node-request.ts'
import { readWatched, recheckWithBody } from '../../src/http/request-body.ts'

it('a body that a handler reads by itself is handed on when its caller was checked once more', async () => {
  const [source, order] = [{}, [] as string[]]
  recheckWithBody(source, { recheck: async () => void order.push('checked') })
  await readWatched(source, undefined, async () => {
    order.push('read')
    return { kind: 'bytes', bytes: new Uint8Array() }
  })
  expect(order).toEqual(['read', 'checked'])
  recheckWithBody(source, { recheck: () => Promise.reject(new Error('ended')) })
  const reading = readWatched(source, undefined, async () => ({ kind: 'bytes', bytes: new Uint8Array() }))
  await expect(reading).rejects.toThrow('ended')
})

it('a body that is too large is that, whoever sent it', async () => {
  const source = {}
  recheckWithBody(source, { recheck: () => Promise.reject(new Error('ended')) })
  expect(await readWatched(source, 1, async () => ({ kind: 'too_large' }))).toEqual({ kind: 'too_large' })
})

it('over HTTP/2 the stream of a late body is cancelled where the head is out, and ends after the answer where not', () => {
  const message = { httpVersionMajor: 2, on: () => undefined, off: () => undefined }
  const close = vi.fn()
  const once = vi.fn()
  endConnection(message, { headersSent: true, stream: { close, once }, setHeader: () => undefined }, 1)
  expect([close.mock.calls, once.mock.calls]).toEqual([[[8]], []])
  endConnection(message, { headersSent: false, stream: { close, once }, setHeader: () => undefined }, 1)
  expect([close.mock.calls.length, once.mock.calls[0]?.[0]]).toEqual([1, 'finish'])
})
