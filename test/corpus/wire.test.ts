/**
 * What a client may write around what we read, on every framework and over plain sockets: white space of every byte, targets
 * that no URL parser takes, other spellings of a path, and requests that a platform has made. The same answers everywhere.
 */
import { connect, createServer as createHttp2Server } from 'node:http2'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { HOSTS, type HostName, honoApp } from '../support/hosts.ts'
import type { RawAnswer } from '../support/raw-http.ts'
import {
  behindPlatform,
  behindReader,
  type Front,
  LEFT,
  listenSmall,
  ORG,
  SECRET,
  type SmallServer,
  serviceBehind,
  TOKEN,
} from './small-service.ts'

const NAMES = Object.keys(HOSTS) as HostName[]
const servers = new Map<string, SmallServer>()
const serverOf = (name: string): SmallServer => servers.get(name) as SmallServer
const hostOf = (name: HostName, front: Front = 'mounted') => HOSTS[name](serviceBehind(front))

beforeAll(async () => {
  vi.spyOn(console, 'error').mockImplementation(() => undefined)
  for (const name of NAMES) {
    servers.set(name, await listenSmall(hostOf(name)))
    servers.set(`${name} guarded`, await listenSmall(hostOf(name, 'guarded')))
    servers.set(`${name} platform`, await listenSmall(behindPlatform(hostOf(name), [])))
  }
})
afterAll(async () => {
  vi.restoreAllMocks()
  for (const { close } of servers.values()) await close()
})

const request = (start: string, ...lines: readonly string[]): string =>
  `${[`${start} HTTP/1.1`, 'Host: x', ...lines].join('\r\n')}\r\n\r\n`

/** An answer in a word: what decided. */
function verdictOf({ status, headers, body }: RawAnswer): string {
  const challenge = headers.find(([name]) => name === 'www-authenticate')?.[1]
  if (status === 200) return `200 ${(JSON.parse(body) as { caller: string | null }).caller}`
  const code = (body.startsWith('{') && (JSON.parse(body) as { error?: { code: string } }).error?.code) || 'none'
  return `${status} ${code}${code === 'unauthorized' && challenge !== 'Bearer' ? ' invalid' : ''}`
}

const ABSENT = '401 unauthorized'
const INVALID = '401 unauthorized invalid'
const BLANK = [0x09, 0x20]
const isRefusedByNode = (byte: number): boolean => (byte < 0x20 && byte !== 0x09) || byte === 0x7f

/** A place for one byte, and what must come of each: blanks first, then bytes of a meaning, then every other. */
interface Place {
  readonly header: (byte: string) => string
  readonly blank: string
  readonly of?: Readonly<Record<string, string>>
  readonly other: string
}

const USER = '200 user'
const PLACES: Readonly<Record<string, Place>> = {
  'before the name of a cookie': {
    header: (b) => `Cookie: ${b}session=${TOKEN}`,
    blank: USER,
    of: { ';': USER },
    other: ABSENT,
  },
  'before the name of a second cookie': {
    header: (b) => `Cookie: a=1;${b}session=${TOKEN}`,
    ...{ blank: USER, of: { ';': USER }, other: ABSENT },
  },
  'behind the name of a cookie': {
    header: (b) => `Cookie: session${b}=${TOKEN}`,
    ...{ blank: ABSENT, of: { '=': INVALID }, other: ABSENT },
  },
  'before the value of a cookie': {
    header: (b) => `Cookie: session=${b}${TOKEN}`,
    ...{ blank: INVALID, of: { ';': ABSENT }, other: INVALID },
  },
  'behind the value of a cookie': {
    header: (b) => `Cookie: session=${TOKEN}${b}`,
    ...{ blank: USER, of: { ';': USER }, other: INVALID },
  },
  'behind the value of a first cookie': {
    header: (b) => `Cookie: session=${TOKEN}${b}; a=1`,
    ...{ blank: USER, of: { ';': USER }, other: INVALID },
  },
  'before the scheme': { header: (b) => `Authorization: ${b}Bearer ${TOKEN}`, blank: USER, other: ABSENT },
  'in place of the space behind the scheme': {
    header: (b) => `Authorization: Bearer${b}${TOKEN}`,
    ...{ blank: USER, of: { '\t': '400 bad_request', ',': '400 bad_request' }, other: ABSENT },
  },
  'before a bearer token': {
    header: (b) => `Authorization: Bearer ${b}${TOKEN}`,
    ...{ blank: USER, of: { '\t': '400 bad_request', ',': '400 bad_request' }, other: INVALID },
  },
  'behind a bearer token': {
    header: (b) => `Authorization: Bearer ${TOKEN}${b}`,
    ...{ blank: USER, of: { ',': '400 bad_request' }, other: INVALID },
  },
  'before a selector': { header: (b) => `X-Org-Id: ${b}${ORG}`, blank: USER, other: '400 invalid_org_id' },
  'behind a selector': { header: (b) => `X-Org-Id: ${ORG}${b}`, blank: USER, other: '400 invalid_org_id' },
}

const BYTES = Array.from({ length: 256 }, (_, byte) => byte)
const expectedOf = ({ blank, of = {}, other }: Place, byte: number): string =>
  of[String.fromCharCode(byte)] ?? (BLANK.includes(byte) ? blank : other)
const linesOf = (place: Place, byte: number): string[] => {
  const line = place.header(String.fromCharCode(byte))
  return line.startsWith('X-Org-Id') ? [`Authorization: Bearer ${TOKEN}`, line] : [line]
}

describe.each(Object.entries(PLACES))('every byte %s', (_where, place) => {
  it.each(NAMES)('%s', async (name) => {
    const bytes = BYTES.filter((byte) => !isRefusedByNode(byte))
    const answers = await serverOf(name).askAll(bytes.map((byte) => request('GET /whoami', ...linesOf(place, byte))))
    expect(answers.map(verdictOf)).toEqual(bytes.map((byte) => expectedOf(place, byte)))
  })

  // Without a parser of HTTP/1 before it the control characters arrive, but those that no `Headers` takes.
  it('hono over fetch', async () => {
    const app = honoApp(serviceBehind('mounted'))
    const bytes = BYTES.filter((byte) => ![0x00, 0x0a, 0x0d].includes(byte))
    const got = bytes.map(async (byte) => {
      const headers = linesOf(place, byte).map((line) => line.split(/: (.*)/s, 2) as [string, string])
      const answer = await app.request('/whoami', { headers })
      return verdictOf({ status: answer.status, headers: [...answer.headers], body: await answer.text() })
    })
    const comma = (verdict: string): string =>
      place.header('').startsWith('Authorization: Bearer') && place.header('x').startsWith('Authorization: x')
        ? '400 bad_request'
        : verdict
    const wanted = bytes.map((byte) => (byte === 0x2c ? comma(expectedOf(place, byte)) : expectedOf(place, byte)))
    expect(await Promise.all(got)).toEqual(wanted)
  })
})

it.each(NAMES)('and what the parser of HTTP/1 refuses never comes so far: %s', async (name) => {
  const asked = BYTES.filter(isRefusedByNode).flatMap((byte) =>
    Object.values(PLACES).map((place) => request('GET /whoami', ...linesOf(place, byte))),
  )
  // A connection ends with each of them: a tenth will do.
  const some = asked.filter((_, index) => index % 10 === NAMES.indexOf(name))
  const answers = await serverOf(name).askAll(some)
  expect(answers.map(verdictOf)).toEqual(some.map(() => '400 none'))
})

/** Targets that the parser of HTTP/1 lets through, and some URL parser doesn't; none is a route of the service. */
const TARGETS: readonly string[] = [
  ...['/', '//', '///', '//?', '//[', '//[::1', '//a:b', '//whoami', '///whoami', '//x/whoami', '/\\', '/\\\\x/whoami'],
  ...[
    '/%',
    '/%zz',
    '/%E0%A4%A',
    '/%00',
    '/things/%',
    '/things/%E4%',
    '/things/',
    '/things/a/b',
    '/?%',
    '/%2e%2e/%',
    '/#',
    '/[',
    '/|',
  ],
  ...[
    '*',
    'http://',
    'http://[',
    'http://[/whoami',
    'http://[::1',
    'http://x:99999/',
    'http://x:y/',
    'http://%/',
    'http://a b/',
  ],
  ...['http:///', 'http://x', 'http://x?whoami', 'ws://[', 'x://', 'data:,', 'http://\xff/', '/\xff', '/\xe4\xf6'],
]

/** A path of the service, spelt otherwise. */
const SPELLINGS: readonly string[] = [
  ...[
    '/WHOAMI',
    '/Whoami',
    '/whoami/',
    '/whoami//',
    '/%77hoami',
    '/whoam%69',
    '/whoami/.',
    '/./whoami',
    '/x/../whoami',
  ],
  ...['/whoami%2f', '/whoami%20', '/whoami;', '/whoami.', '/things/a/', '/THINGS/a', '/things//a'],
]

describe.each(['mounted', 'guarded'] as const)('a target that is no route, %s', (front) => {
  const suffix = front === 'guarded' ? ' guarded' : ''
  const bearer = `Authorization: Bearer ${TOKEN}`
  const starts = [...TARGETS, ...SPELLINGS].flatMap((target) => ['GET', 'POST'].map((method) => `${method} ${target}`))

  it.each(NAMES)('is not found, or refused by the server itself: %s', async (name) => {
    for (const lines of [[], [bearer]]) {
      const asked = starts.map((start) => request(start, ...lines, 'Content-Length: 0'))
      const answers = await serverOf(`${name}${suffix}`).askAll(asked)
      const wrong = starts.flatMap((start, i) => {
        const { status } = answers[i] as RawAnswer
        return status === 404 || status === 400 ? [] : [`${status} ${start}`]
      })
      expect(wrong).toEqual([])
    }
  })

  it.each(NAMES)('and a spelling that every server takes is 404: %s', async (name) => {
    const answers = await serverOf(`${name}${suffix}`).askAll(SPELLINGS.map((path) => request(`GET ${path}`, bearer)))
    expect(answers.map(({ status }, i) => [SPELLINGS[i], status])).toEqual(SPELLINGS.map((path) => [path, 404]))
  })
})

describe('a target that is a route', () => {
  const bearer = `Authorization: Bearer ${TOKEN}`
  // [start line, what comes of it]
  const CASES: readonly (readonly [string, unknown])[] = [
    ['GET /whoami', {}],
    ['GET /whoami?', {}],
    ['GET /whoami?%', {}],
    ['GET http://x/whoami', {}],
    ['GET http://other.test/whoami?a=/b', {}],
    ['GET /things/a%20b', { id: 'a b' }],
    ['GET /things/a%2Fb', { id: 'a/b' }],
    ['GET /things/%25', { id: '%' }],
    ['GET /things/%2541', { id: '%41' }],
    ['GET /things/%C3%A4%2525', { id: 'ä%25' }],
    ['GET /things/a+b;c', { id: 'a+b;c' }],
  ]

  it.each(NAMES)('is found, with the same parameters: %s', async (name) => {
    const answers = await serverOf(name).askAll(CASES.map(([start]) => request(start, bearer)))
    const got = answers.map(({ status, body }, i) => [CASES[i]?.[0], status, status === 200 && JSON.parse(body).params])
    expect(got).toEqual(CASES.map(([start, params]) => [start, 200, params]))
  })

  it.each(NAMES)('answers HEAD: %s', async (name) => {
    const headers = { Authorization: `Bearer ${TOKEN}` }
    const answer = await fetch(`http://127.0.0.1:${serverOf(name).port}/whoami`, { method: 'HEAD', headers })
    expect([answer.status, await answer.text()]).toEqual([200, ''])
  })
})

describe('a request that a platform has made, with headers and no raw ones', () => {
  const bearer = `Authorization: Bearer ${TOKEN}`
  const cookie = `Cookie: session=${TOKEN}`
  const post = 'Content-Length: 0'
  // [what, request, verdict]
  const CASES: readonly (readonly [string, string, string])[] = [
    ['a good token', request('GET /whoami', bearer), USER],
    ['a forged token', request('GET /whoami', 'Authorization: Bearer forged'), INVALID],
    ['a forged token where none is needed', request('GET /optional', 'Authorization: Bearer forged'), INVALID],
    ['a good token where none is needed', request('GET /optional', bearer), USER],
    ['nothing', request('GET /whoami'), ABSENT],
    ['nothing where none is needed', request('GET /optional'), '200 null'],
    ['two tokens', request('GET /whoami', bearer, bearer), '400 bad_request'],
    ['two tokens where none is needed', request('GET /optional', bearer, 'Authorization: Bearer x'), '400 bad_request'],
    ['two kinds of credential', request('GET /whoami', bearer, `X-Peer-Secret: ${SECRET}`), '400 bad_request'],
    ['a service', request('GET /peer', `X-Peer-Secret: ${SECRET}`), '200 service'],
    [
      'a service twice',
      request('GET /peer', `X-Peer-Secret: ${SECRET}`, `X-Peer-Secret: ${SECRET}`),
      '400 bad_request',
    ],
    ['a selector', request('GET /whoami', bearer, `X-Org-Id: ${ORG}`), USER],
    ['two selectors', request('GET /whoami', bearer, `X-Org-Id: ${ORG}`, `X-Org-Id: ${ORG}`), '400 invalid_org_id'],
    ['an empty selector', request('GET /whoami', bearer, 'X-Org-Id:'), '400 invalid_org_id'],
    ['another org', request('GET /whoami', bearer, `X-Org-Id: ${ORG.replace('0', '1')}`), '403 forbidden'],
    ['a cookie', request('GET /whoami', cookie), USER],
    ['a cookie with a comma before it', request('GET /whoami', `Cookie: a=1, session=${TOKEN}`), ABSENT],
    [
      'a cookie from another site',
      request('POST /change', cookie, post, 'Sec-Fetch-Site: cross-site'),
      '403 forbidden',
    ],
    ['a cookie from our own', request('POST /change', cookie, post, 'Origin: http://x'), USER],
    ['a cookie from another origin', request('POST /change', cookie, post, 'Origin: http://y'), '403 forbidden'],
    ['a sign-in from another origin', request('POST /login', post, 'Origin: http://y'), '403 forbidden'],
    [
      'the same with a remembered Basic',
      request('POST /login', post, 'Origin: http://y', 'Authorization: Basic eDp5'),
      '403 forbidden',
    ],
    ['the same with a token', request('POST /login', post, 'Origin: http://y', bearer), '200 null'],
  ]
  const wanted = CASES.map(([what, , verdict]) => [what, verdict])

  it.each(NAMES)('is judged as any other: %s', async (name) => {
    for (const server of [serverOf(name), serverOf(`${name} platform`)]) {
      const answers = await server.askAll(CASES.map(([, text]) => text))
      expect(answers.map((answer, i) => [CASES[i]?.[0], verdictOf(answer)])).toEqual(wanted)
    }
  })

  // Hono's own server needs the raw lines to be there, if empty.
  it.each(NAMES.filter((name) => name !== 'hono'))('also where there are none at all: %s', async (name) => {
    const server = await listenSmall(behindPlatform(hostOf(name), undefined))
    servers.set(`${name} without`, server)
    const answers = await server.askAll(CASES.map(([, text]) => text))
    expect(answers.map((answer, i) => [CASES[i]?.[0], verdictOf(answer)])).toEqual(wanted)
  })
})

describe('a body that a platform has read before the framework', () => {
  const post = (type: string, text: string): string => {
    const lines = [`Authorization: Bearer ${TOKEN}`, `Content-Type: ${type}`, `Content-Length: ${text.length}`]
    return `${request('POST /notes', ...lines)}${text}`
  }
  const large = (size: number): string => JSON.stringify({ a: 'x'.repeat(size - 8) })
  type Case = readonly [what: string, request: string, verdict: string]
  const CASES: readonly Case[] = [
    ['an object', post('application/json', '{"a":[1,{"b":null}]}'), USER],
    ['an empty object', post('application/json', '{}'), USER],
    ['an object of the largest size', post('application/json', large(16_384)), USER],
    ['a byte more', post('application/json', large(16_385)), '413 payload_too_large'],
    ['a list', post('application/json', '[1]'), '400 validation_error'],
    ['a number', post('application/json', '1'), '400 validation_error'],
    ['null', post('application/json', 'null'), '400 validation_error'],
    ['nothing', post('application/json', ''), '400 validation_error'],
    ['a form', post('application/x-www-form-urlencoded', 'a=1'), '415 unsupported_media_type'],
  ]
  const MALFORMED: Case = ['malformed', post('application/json', '{"a":'), '400 validation_error']

  const expectAll = async (server: SmallServer, cases: readonly Case[]): Promise<void> => {
    const answers = await server.askAll(cases.map(([, text]) => text))
    expect(answers.map((answer, i) => [cases[i]?.[0], verdictOf(answer)])).toEqual(
      cases.map(([what, , is]) => [what, is]),
    )
    expect(JSON.parse(answers[0]?.body ?? '')).toEqual({ caller: 'user', note: { a: [1, { b: null }] } })
  }

  it.each(NAMES)('is read as any other: %s', async (name) => {
    await expectAll(serverOf(name), [...CASES, MALFORMED])
    await expectAll(serverOf(`${name} platform`), [...CASES, MALFORMED])
  })

  it.each(NAMES.flatMap((name) => Object.keys(LEFT).map((left) => [name, left] as const)))(
    '%s, %s',
    async (name, left) => {
      const server = await listenSmall(behindReader(hostOf(name), LEFT[left] as (typeof LEFT)[string]))
      servers.set(`${name} ${left}`, server)
      // Of what is no JSON such a platform leaves no value.
      await expectAll(server, left === 'the value in body' ? CASES : [...CASES, MALFORMED])
    },
  )
})

// Express speaks HTTP/1 only.
describe.each(['koa 3', 'koa 2', 'hono'] as const)('over HTTP/2, where :authority is the own host: %s', (name) => {
  it('what comes from the own origin passes, and nothing else does', async () => {
    const server = createHttp2Server(hostOf(name) as never)
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const own = `127.0.0.1:${(server.address() as AddressInfo).port}`
    const client = connect(`http://${own}`)
    const ask = (path: string, headers: Record<string, string>): Promise<unknown> =>
      new Promise((resolve, reject) => {
        const stream = client.request({ ':method': 'POST', ':path': path, ...headers })
        stream.on('response', (answer) => resolve(answer[':status']))
        stream.on('error', reject).end()
      })
    const cookie = `session=${TOKEN}`
    // [headers, status]
    const cases: readonly (readonly [Record<string, string>, number])[] = [
      [{ origin: `http://${own}` }, 200],
      [{ origin: 'http://other.test' }, 403],
      [{ origin: `https://${own}` }, 403],
      [{ ':authority': own, origin: `http://${own}`, host: 'other.test' }, 403],
      [{ ':authority': own, origin: 'http://other.test', host: 'other.test' }, 403],
      [{ ':authority': own, origin: `http://${own}`, host: own }, 200],
      [{ origin: `http://${own}`, host: own }, 200],
      [{ origin: `http://${own}`, host: 'other.test' }, 403],
      [{ 'sec-fetch-site': 'same-origin' }, 200],
      [{ 'sec-fetch-site': 'cross-site', origin: `http://${own}` }, 403],
    ]
    for (const path of ['/login', '/change']) {
      const got = await Promise.all(cases.map(([headers]) => ask(path, { ...headers, cookie })))
      expect(got).toEqual(cases.map(([, status]) => status))
    }
    client.destroy()
    await new Promise((resolve) => server.close(resolve))
  })
})
