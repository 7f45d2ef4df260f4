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
      const place = createBesideMessages<number>()
      place.at(one).push(1)
      expect([place.of(one), place.of(two)]).toEqual([[1], []])
      place.at(two).push(2)
      place.at(one).push(3)
      expect([one, two].map(place.of)).toEqual([[1, 3], [2]])
    }
  })

  it('has its own things in each place', () => {
    const [request, one, two] = [create(), createBesideMessages(), createBesideMessages()]
    one.at(request).push(1)
    expect([one.of(request), two.of(request)]).toEqual([[1], []])
    two.at(request).push(2)
    expect([one.of(request), two.of(request)]).toEqual([[1], [2]])
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
    place.at(request).push(1)
    replace(request)
    place.at(request).push(2)
    expect(place.of(request)).toEqual([1, 2])
  }
})

it('of messages that share their lists, the first is kept there and the others beside themselves', () => {
  const [shared, place] = [[] as string[], createBesideMessages()]
  const requests = Array.from({ length: 100 }, () => {
    const request = Object.setPrototypeOf(message(), OF_EXPRESS) as object
    return Object.assign(request, { rawHeaders: shared, rawTrailers: shared, _readableState: shared })
  })
  for (const [index, source] of requests.entries()) place.at(source).push(index)
  expect(requests.map(place.of)).toEqual(requests.map((_, index) => [index]))
})

it('leaves nothing that could be seen', () => {
  for (const create of Object.values(SOURCES)) {
    const request = create()
    const before = [Reflect.ownKeys(request), Object.getPrototypeOf(request)]
    createBesideMessages().at(request).push(1)
    expect([Reflect.ownKeys(request), Object.getPrototypeOf(request)]).toEqual(before)
  }
})
