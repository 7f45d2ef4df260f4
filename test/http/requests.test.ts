import { Readable } from 'node:stream'
import { describe, expect, it } from 'vitest'
import { AuthError, isAuthError } from '../../src/errors.ts'
import { type AdapterOptions, parseAdapterOptions, toThrown } from '../../src/http/adapter-options.ts'
import { fromFetchRequest } from '../../src/http/fetch-request.ts'
import { fromNodeRequest, type NodeRequestExtras } from '../../src/http/node-request.ts'
import { readJson } from '../../src/http/read-json.ts'
import { optionsError } from '../../src/lib/parse-options.ts'
import type { AuthRequest } from '../../src/request.ts'
import { createWorld } from '../pipeline/world.ts'

const JSON_TYPE = ['Content-Type', 'application/json']

function node(
  text: string | null,
  rawHeaders: string[] = [],
  extras: NodeRequestExtras = {},
  more: object = {},
): AuthRequest {
  const stream = Readable.from(text === null ? [] : [Buffer.from(text)], { objectMode: false })
  const framing =
    rawHeaders.some((each) => /content-length|transfer-encoding/i.test(each)) || text === null
      ? []
      : ['Transfer-Encoding', 'chunked']
  return fromNodeRequest(
    withOwn(stream, { method: 'POST', url: '/a?b=c', rawHeaders: [...rawHeaders, ...framing], ...more }),
    extras,
  )
}

const NO_STREAM = { on: () => undefined, off: () => undefined }

// Some of a message's members have no setter.
function withOwn<T extends object, M extends object>(target: T, members: M): T & M {
  for (const [name, value] of Object.entries(members)) Object.defineProperty(target, name, { value })
  return target as T & M
}

describe('fromNodeRequest', () => {
  it('reads every line of a header, in order, whatever its spelling', () => {
    const request = node(null, ['X-A', '1', 'x-a', '2', 'X-AB', '3', 'X-A', ''])
    expect(request.lines('x-A')).toEqual(['1', '2', ''])
    expect(request.lines('x-b')).toEqual([])
    expect(request.lines('__proto__')).toEqual([])
  })

  it('reads headers by name where a platform has left no raw lines, a comma for a repeated header', () => {
    const headers = {
      ...{ Authorization: 'Bearer a, Bearer b', authorization: 'Bearer c', 'content-length': 7, 'x-none': undefined },
      ...{ cookie: 'a=1, b=2; c=3', 'x-list': ['1', '2,3'], 'x-blank': '\t a ', upgrade: 'websocket' },
    }
    for (const rawHeaders of [[], undefined]) {
      const { lines, headerNames, upgrade } = fromNodeRequest({ headers, rawHeaders, ...NO_STREAM })
      expect(lines('AUTHORIZATION')).toEqual(['Bearer a', 'Bearer b', 'Bearer c'])
      expect([lines('Content-Length'), lines('x-none'), lines('x-other')]).toEqual([['7'], [], []])
      expect([lines('cookie'), lines('x-list'), lines('x-blank')]).toEqual([['a=1, b=2; c=3'], ['1', '2', '3'], ['a']])
      expect([upgrade, new Set(headerNames?.())]).toEqual([
        true,
        new Set([...Object.keys(headers)].filter((name) => name !== 'x-none')),
      ])
    }
    const inherited = Object.create({ authorization: 'Bearer a' })
    expect(fromNodeRequest({ headers: inherited, ...NO_STREAM }).lines('authorization')).toEqual([])
  })

  it('reads raw lines alone where there are any: what somebody has written into headers is not what arrived', () => {
    const headers = { authorization: 'Bearer made-up' }
    expect(fromNodeRequest({ headers, rawHeaders: ['Host', 'x'], ...NO_STREAM }).lines('authorization')).toEqual([])
  })

  it('leaves the query out of the path, and takes the target the framework remembers', () => {
    expect(node(null).path).toBe('/a')
    expect(node(null, [], { url: '/mounted/a?b' }).path).toBe('/mounted/a')
  })

  it('believes the socket, not a header', () => {
    const forwarded = ['X-Forwarded-For', '9.9.9.9', 'X-Forwarded-Proto', 'https']
    const request = node(null, forwarded, {}, { socket: { remoteAddress: '127.0.0.1' } })
    expect([request.remoteAddress, request.encrypted]).toEqual(['127.0.0.1', false])
    expect(node(null, [], {}, { socket: { encrypted: true } }).encrypted).toBe(true)
    expect(node(null, [], {}, { socket: null }).remoteAddress).toBeNull()
  })

  it('says what wants to become another protocol', () => {
    expect([node(null).upgrade, node(null, ['Upgrade', 'websocket']).upgrade]).toEqual([false, true])
  })

  it('leaves what it has read where the parser would have, once', async () => {
    const left: unknown[] = []
    const request = node('{"a":1}', JSON_TYPE, { leaveBody: (value) => left.push(value) })
    expect(await readJson(request)).toEqual({ a: 1 })
    expect(await readJson(request)).toEqual({ a: 1 })
    expect(left).toEqual([{ a: 1 }])
  })

  it('leaves null for what is no JSON, and for what is too large', async () => {
    const left: unknown[] = []
    const leaveBody = (value: unknown): void => void left.push(value)
    await expect(readJson(node('{', JSON_TYPE, { leaveBody }))).rejects.toThrow()
    await expect(
      readJson(node('x'.repeat(20), JSON_TYPE, { leaveBody }), undefined, { limitBytes: 10 }),
    ).rejects.toThrow()
    expect(left).toEqual([null, null])
  })

  it('holds a second reader to its own limit', async () => {
    const request = node('{"a":"123456789"}', JSON_TYPE)
    expect(await request.body(100)).toMatchObject({ kind: 'bytes' })
    expect(await request.body(5)).toEqual({ kind: 'too_large' })
  })

  it.each([
    ['a value', { a: 1 }, { kind: 'parsed', value: { a: 1 } }],
    ['text', '{"a":1}', { kind: 'bytes' }],
    ['bytes', Buffer.from('{"a":1}'), { kind: 'bytes' }],
  ])('takes %s from a parser', async (_what, value, expected) => {
    const request = node('x', JSON_TYPE, { parsedBody: () => value }, { readableDidRead: true })
    expect(await request.body(100)).toMatchObject(expected)
    expect(await readJson(request)).toEqual({ a: 1 })
  })

  it('does not take an empty object for what no client has sent', async () => {
    for (const framing of [[], ['Content-Length', '0']]) {
      const request = node(null, [...JSON_TYPE, ...framing], { parsedBody: () => ({}) }, { readableDidRead: true })
      await expect(readJson(request)).rejects.toMatchObject({ code: 'validation_error', field: 'body' })
    }
  })

  it('reads a body without framing over HTTP/2', async () => {
    const stream = Readable.from([Buffer.from('{"a":1}')], { objectMode: false })
    const message = Object.assign(stream, { rawHeaders: JSON_TYPE, httpVersionMajor: 2 })
    expect(await readJson(fromNodeRequest(message))).toEqual({ a: 1 })
  })

  it('refuses by Content-Length before it reads', async () => {
    const left: unknown[] = []
    const request = node('{}', [...JSON_TYPE, 'Content-Length', '20000'], { leaveBody: (value) => left.push(value) })
    await expect(readJson(request)).rejects.toMatchObject({ code: 'payload_too_large' })
    expect(left).toEqual([])
  })

  it('takes space and tab around a media type and a coding for white space, and nothing else; no second charset', async () => {
    const read = (...headers: string[]): Promise<unknown> => readJson(node('{"a":1}', headers))
    expect(await read('Content-Type', 'application/json \t;\t charset=utf-8 ')).toEqual({ a: 1 })
    expect(await read(...JSON_TYPE, 'Content-Encoding', ' identity\t,')).toEqual({ a: 1 })
    await expect(read('Content-Type', 'application/json;charset=utf-8;charset=latin1')).rejects.toMatchObject({
      code: 'unsupported_media_type',
    })
    for (const odd of ['\u00a0', '\x0b', '\x0c', '\ufeff']) {
      for (const type of [`application/json${odd}`, `${odd}application/json`]) {
        await expect(read('Content-Type', type)).rejects.toMatchObject({ code: 'unsupported_media_type' })
      }
      const encoded = read(...JSON_TYPE, 'Content-Encoding', `identity${odd}`)
      await expect(encoded).rejects.toMatchObject({ code: 'unsupported_media_type' })
    }
  })

  it('ends when the client goes away, before or while it reads', async () => {
    const make = (): Readable & { rawHeaders: string[] } =>
      Object.assign(new Readable({ read: () => undefined }), {
        rawHeaders: [...JSON_TYPE, 'Transfer-Encoding', 'chunked'],
      })
    const gone = make()
    gone.destroy()
    const going = make()
    const reading = [readJson(fromNodeRequest(gone)), readJson(fromNodeRequest(going))]
    going.destroy(new Error('aborted'))
    for (const each of await Promise.allSettled(reading)) {
      expect(each.status).toBe('rejected')
      expect(isAuthError((each as PromiseRejectedResult).reason)).toBe(true)
    }
  })
})

describe('fromFetchRequest', () => {
  const post = (
    body: BodyInit | null,
    headers: Record<string, string> = { 'Content-Type': 'application/json' },
  ): Request =>
    new Request('https://api.example.test/a/b?c=d', { method: 'POST', headers, body, duplex: 'half' } as RequestInit)

  it('takes a comma for a repeated header', () => {
    const request = fromFetchRequest(post(null, { 'X-A': '1, 2,3', 'X-B': '' }))
    expect([request.lines('X-A'), request.lines('x-b'), request.lines('x-c')]).toEqual([['1', '2', '3'], [''], []])
  })

  it('takes the host of the URL for the authority where no Host came along', () => {
    const hostsOf = (url: string, headers: Record<string, string>): unknown => {
      const { lines } = fromFetchRequest(new Request(url, { headers }))
      return [lines(':authority'), lines('host')]
    }
    expect(hostsOf('https://api.example.test:8443/a', {})).toEqual([['api.example.test:8443'], []])
    expect(hostsOf('https://api.example.test/a', { host: 'other.test' })).toEqual([[], ['other.test']])
  })

  it('reads path, method and scheme', () => {
    const { path, method, encrypted, upgrade, remoteAddress } = fromFetchRequest(post(null))
    expect([path, method, encrypted, upgrade, remoteAddress]).toEqual(['/a/b', 'POST', true, false, null])
  })

  it('compares its headers with those of the Node request in one pass, however many there are', () => {
    const count = 900
    const raw = Array.from({ length: count }, (_, index) => [`X-${index}`, String(index)]).flat()
    let reads = 0
    const rawHeaders = new Proxy(raw, {
      get: (target, name, receiver) => {
        if (typeof name === 'string' && /^\d+$/.test(name)) reads += 1
        return Reflect.get(target, name, receiver)
      },
    })
    const headers = Object.fromEntries(raw.flatMap((name, i) => (i % 2 === 0 ? [[name, raw[i + 1] as string]] : [])))
    const incoming = { method: 'GET', url: '/rewritten', rawHeaders, ...NO_STREAM }
    const source = {}
    const request = fromFetchRequest(new Request('http://x/b', { headers }), { source, incoming })
    expect(request.source).toBe(incoming)
    // `lines` of the upgrade, and the comparison: each reads every name once, and its value at most.
    expect(reads).toBeLessThan(8 * count)
    expect(
      fromFetchRequest(new Request('http://x/b', { headers: { ...headers, 'X-0': 'x' } }), { incoming }).source,
    ).not.toBe(incoming)
  })

  it('leaves the bytes, once, and reads twice', async () => {
    const left: Uint8Array[] = []
    const request = fromFetchRequest(post('{"a":1}'), { leaveBytes: (bytes) => left.push(bytes) })
    expect([await readJson(request), await readJson(request)]).toEqual([{ a: 1 }, { a: 1 }])
    expect(left.map((bytes) => new TextDecoder().decode(bytes))).toEqual(['{"a":1}'])
  })

  it('stops at the limit without cancelling the stream', async () => {
    let cancelled = false
    const stream = new ReadableStream({
      pull: (controller) => controller.enqueue(new Uint8Array(1000)),
      cancel: () => {
        cancelled = true
      },
    })
    await expect(readJson(fromFetchRequest(post(stream)))).rejects.toMatchObject({ code: 'payload_too_large' })
    expect(cancelled).toBe(false)
  })

  it('leaves what a platform has read in a buffer of its own', async () => {
    const left: Uint8Array[] = []
    const rawBody = Buffer.from('..{"a":1}..').subarray(2, 9)
    const incoming = { method: 'POST', url: '/a/b?c=d', rawHeaders: JSON_TYPE, rawBody, ...NO_STREAM }
    const request = fromFetchRequest(post(null), { incoming, leaveBytes: (bytes) => left.push(bytes) })
    expect(await readJson(request)).toEqual({ a: 1 })
    expect(left.map(({ buffer }) => new TextDecoder().decode(buffer as ArrayBuffer))).toEqual(['{"a":1}'])
  })

  it('takes the text of who has read it, and fails in a sentence where nobody kept it', async () => {
    const request = post('{"a":1}')
    const text = await request.text()
    expect(await readJson(fromFetchRequest(request, { readText: async () => text }))).toEqual({ a: 1 })
    const failing = readJson(fromFetchRequest(request))
    await expect(failing).rejects.toThrow(/somebody else has read the request body/)
    expect(isAuthError(await failing.catch((error) => error))).toBe(false)
  })

  it('ends when the stream breaks', async () => {
    const stream = new ReadableStream({ pull: (controller) => controller.error(new Error('reset')) })
    await expect(readJson(fromFetchRequest(post(stream)))).rejects.toMatchObject({
      code: 'validation_error',
      field: 'body',
    })
  })
})

describe('toThrown', () => {
  it('keeps objects, and makes an error of the rest', () => {
    const error = new Error('x')
    const plain = { status: 200 }
    expect([toThrown(error), toThrown(plain)]).toEqual([error, plain])
    for (const odd of [null, undefined, false, 0, '', 'route', 'router']) {
      const made = toThrown(odd)
      expect(made).toBeInstanceOf(Error)
      expect((made as Error).cause).toBe(odd)
    }
  })
})

describe('parseAdapterOptions', () => {
  const { auth } = createWorld()

  it('writes unless told', () => {
    const error = new AuthError('forbidden')
    const responseOf = (options: AdapterOptions) => parseAdapterOptions(auth, options).refusalOf({}, error).response
    expect(responseOf({})?.status).toBe(403)
    expect(responseOf({ errors: 'delegate' })).toBeNull()
  })

  it.each([[{ errors: 'throw' }], [{ error: 'write' }], [null], ['delegate'], [{ errors: true }]])(
    'refuses %j',
    (options) => {
      expect(() => parseAdapterOptions(auth, options as never)).toThrow(TypeError)
    },
  )

  it.each([[undefined], [null], [{}], ['auth'], [{ authorizer: 1 }]])('refuses %j as an auth', (wrong) => {
    expect(() => parseAdapterOptions(wrong as never, {})).toThrow(
      optionsError('createAdapter', '', 'the auth (first argument) must be what createAuth returned'),
    )
  })
})

describe('cookies on Fetch', () => {
  it('are one line, commas and all', () => {
    const request = new Request('http://x/', { headers: { cookie: 'theme=dark, session=forged; session=mine' } })
    expect(fromFetchRequest(request).lines('Cookie')).toEqual(['theme=dark, session=forged; session=mine'])
  })
})

it.each([undefined, null, {}, { rawHeaders: 'x' }])('fromNodeRequest says what it takes: not %j', (message) => {
  expect(() => fromNodeRequest(message as never)).toThrow('fromNodeRequest: the message must be an IncomingMessage')
})
