/** Whoever reads a body, by `readJson` or by itself, has its caller checked once more; and how the connection of a late one ends. */
import { IncomingMessage } from 'node:http'
import { Socket } from 'node:net'
import { Readable } from 'node:stream'
import { describe, expect, it, vi } from 'vitest'
import { type Authenticated, findKept, keptBeside } from '../../src/http/beside-messages.ts'
import { endConnection } from '../../src/http/node-request.ts'
import { readWatched } from '../../src/http/request-body.ts'

const decidedOf = (source: object): readonly Authenticated[] => findKept(source)?.authenticated ?? []
const keepAlso = (source: object, authenticated: Authenticated): void => {
  const kept = keptBeside(source)
  kept.authenticated = [...kept.authenticated, authenticated]
}

it('a body that a handler reads by itself is handed on when its caller was checked once more', async () => {
  const [source, order] = [{}, [] as string[]]
  keepAlso(source, { recheck: async () => void order.push('checked') })
  await readWatched(source, undefined, async () => {
    order.push('read')
    return { kind: 'bytes', bytes: new Uint8Array() }
  })
  expect(order).toEqual(['read', 'checked'])
  keepAlso(source, { recheck: () => Promise.reject(new Error('ended')) })
  const reading = readWatched(source, undefined, async () => ({ kind: 'bytes', bytes: new Uint8Array() }))
  await expect(reading).rejects.toThrow('ended')
})

it('a body that is too large is that, whoever sent it', async () => {
  const source = {}
  keepAlso(source, { recheck: () => Promise.reject(new Error('ended')) })
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

describe('what auths have decided of a request', () => {
  const decided = () => ({ recheck: async () => undefined })
  const message = (): object => new IncomingMessage(new Socket())
  const OTHERS: Readonly<Record<string, (request: object) => object>> = {
    'a copy': (request) => ({ ...request }),
    'a wrapper': (request) => new Proxy(request, {}),
    'an heir': (request) => Object.create(request),
  }

  it.each(Object.keys(OTHERS))('is found by the very request, and not by %s, whichever came first', (kind) => {
    for (const isFirst of [true, false]) {
      const request = message()
      const other = (OTHERS[kind] as (request: object) => object)(request)
      const [one, two] = isFirst ? [request, other] : [other, request]
      const [first, second, third] = [decided(), decided(), decided()]
      keepAlso(one, first)
      expect([decidedOf(one), decidedOf(two)]).toEqual([[first], []])
      keepAlso(two, second)
      keepAlso(one, third)
      expect([decidedOf(one), decidedOf(two)]).toEqual([[first, third], [second]])
    }
  })

  it('is found after a middleware has put another stream under the message', () => {
    const request = message()
    const one = decided()
    keepAlso(request, one)
    Object.assign(request, Readable.from([Buffer.from('{}')]))
    expect(decidedOf(request)).toEqual([one])
  })

  it('leaves nothing that could be seen on a message or its state', () => {
    const request = message()
    const names = (object: object) => [Reflect.ownKeys(object), Object.getPrototypeOf(object)]
    const { _readableState: state } = request as { readonly _readableState: object }
    const before = [names(request), names(state)]
    keepAlso(request, decided())
    expect([names(request), names(state)]).toEqual(before)
  })

  it.each([{}, { _readableState: null }, { _readableState: 1 }, Object.freeze({ _readableState: Object.freeze({}) })])(
    'is kept of %o, too',
    (request) => {
      const one = decided()
      keepAlso(request, one)
      expect(decidedOf(request)[0]).toBe(one)
    },
  )
})
