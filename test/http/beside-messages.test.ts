/** What is kept beside requests, of frameworks that leave Node's messages as they are and of those that don't. */
import { IncomingMessage } from 'node:http'
import { Socket } from 'node:net'
import { Readable } from 'node:stream'
import { describe, expect, it } from 'vitest'
import { findKept, keptBeside } from '../../src/http/beside-messages.ts'

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
      const first = keptBeside(one)
      expect([findKept(one), findKept(two)]).toEqual([first, undefined])
      const second = keptBeside(two)
      expect(second).not.toBe(first)
      expect([keptBeside(one) === first, findKept(two) === second]).toEqual([true, true])
    }
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
    const request = create()
    const kept = keptBeside(request)
    replace(request)
    expect([findKept(request) === kept, keptBeside(request) === kept]).toEqual([true, true])
  }
})

it('of messages that share their lists, the first is kept there and the others beside themselves', () => {
  const shared: string[] = []
  const requests = Array.from({ length: 100 }, () => {
    const request = Object.setPrototypeOf(message(), OF_EXPRESS) as object
    return Object.assign(request, { rawHeaders: shared, rawTrailers: shared, _readableState: shared })
  })
  const kept = requests.map(keptBeside)
  expect(new Set(kept).size).toBe(requests.length)
  expect(requests.map(findKept).every((each, index) => each === kept[index])).toBe(true)
})

it('is found after it was given another prototype, and the first one again', () => {
  const other = Object.create(OF_EXPRESS) as object
  for (const create of [SOURCES['of Node'], SOURCES['of Express, which has another prototype']] as (() => object)[]) {
    const request = create()
    const own = Object.getPrototypeOf(request) as object
    const kept = keptBeside(request)
    for (const prototype of [other, IncomingMessage.prototype, own]) {
      Object.setPrototypeOf(request, prototype)
      expect([findKept(request) === kept, keptBeside(request) === kept]).toEqual([true, true])
    }
  }
})

it('a wrapper that makes its header lines anew at each look is found beside its message', () => {
  for (const create of Object.values(SOURCES)) {
    const request = create()
    const get = (of: object, name: string): unknown => (name === 'rawHeaders' ? [] : Reflect.get(of, name, of))
    const wrapper = new Proxy(request, { get })
    const kept = [keptBeside(request), keptBeside(wrapper)]
    expect([findKept(request) === kept[0], findKept(wrapper) === kept[1], kept[0] !== kept[1]]).toEqual([
      true,
      true,
      true,
    ])
  }
})

it('leaves nothing that could be seen', () => {
  for (const create of Object.values(SOURCES)) {
    const request = create()
    const before = [Reflect.ownKeys(request), Object.getPrototypeOf(request)]
    keptBeside(request)
    expect([Reflect.ownKeys(request), Object.getPrototypeOf(request)]).toEqual(before)
  }
})
