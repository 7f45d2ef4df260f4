/** What is kept beside requests, of frameworks that leave Node's messages as they are and of those that don't. */
import { IncomingMessage } from 'node:http'
import { Socket } from 'node:net'
import { Readable } from 'node:stream'
import { describe, expect, it } from 'vitest'
import { createBesideMessages } from '../../src/http/beside-messages.ts'

const message = (): IncomingMessage => new IncomingMessage(new Socket())
const OF_EXPRESS = Object.create(IncomingMessage.prototype) as object
const SOURCES: Readonly<Record<string, () => object>> = {
  'of Node': message,
  'of Express, which has another prototype': () => Object.setPrototypeOf(message(), OF_EXPRESS) as object,
  'of Fetch': () => new Request('http://localhost/'),
  'of nobody': () => ({}),
  'without a prototype': () => Object.create(null) as object,
}
const OTHERS: Readonly<Record<string, (request: object) => object>> = {
  'a copy': (request) => ({ ...request }),
  'a wrapper': (request) => new Proxy(request, {}),
  'an heir': (request) => Object.create(request) as object,
}

describe.each(Object.keys(SOURCES))('a request %s', (kind) => {
  const create = SOURCES[kind] as () => object

  it.each(Object.keys(OTHERS))('is itself, and not %s, whichever came first', (other) => {
    for (const isFirst of [true, false]) {
      const request = create()
      const both = [request, (OTHERS[other] as (request: object) => object)(request)] as const
      const [one, two] = isFirst ? both : ([both[1], both[0]] as const)
      const place = createBesideMessages<{ source: object; value: number }>()
      place.add({ source: one, value: 1 })
      expect([place.of(one).map(({ value }) => value), place.of(two)]).toEqual([[1], []])
      place.add({ source: two, value: 2 })
      place.add({ source: one, value: 3 })
      expect([one, two].map((source) => place.of(source).map(({ value }) => value))).toEqual([[1, 3], [2]])
    }
  })

  it('has its own things in each place', () => {
    const [request, one, two] = [create(), createBesideMessages(), createBesideMessages()]
    one.add({ source: request })
    expect([one.of(request).length, two.of(request).length]).toEqual([1, 0])
  })
})

it.each([
  ['its stream', (request: object) => Object.assign(request, Readable.from([Buffer.from('{}')]))],
  ['its header lines', (request: object) => Object.assign(request, { rawHeaders: ['Host', 'a'] })],
  ['its lists', (request: object) => Object.assign(request, { rawHeaders: [], rawTrailers: [] })],
  [
    'its stream and its header lines',
    (request: object) => Object.assign(request, { rawHeaders: [], _readableState: {} }),
  ],
])('is found after a middleware has replaced %s', (_, replace) => {
  for (const create of Object.values(SOURCES)) {
    const [request, place] = [create(), createBesideMessages()]
    place.add({ source: request })
    replace(request)
    place.add({ source: request })
    expect(place.of(request).length).toBe(2)
  }
})

it('of messages that share a list, a few are kept there and no more', () => {
  const [shared, place] = [[] as string[], createBesideMessages()]
  const requests = Array.from({ length: 100 }, () => {
    const request = Object.setPrototypeOf(message(), OF_EXPRESS) as object
    return Object.assign(request, { rawHeaders: shared, rawTrailers: shared, _readableState: shared })
  })
  for (const source of requests) place.add({ source })
  for (const source of requests) expect(place.of(source).length).toBe(1)
  expect(place.of(shared).length).toBeLessThan(10)
})

it('leaves nothing that could be seen', () => {
  for (const create of Object.values(SOURCES)) {
    const request = create()
    const before = [Reflect.ownKeys(request), Object.getPrototypeOf(request)]
    createBesideMessages().add({ source: request })
    expect([Reflect.ownKeys(request), Object.getPrototypeOf(request)]).toEqual(before)
  }
})
