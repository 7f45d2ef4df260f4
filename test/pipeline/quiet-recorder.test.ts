/**
 * The recorder of a host that listens to nothing: faults filled standard error, or showed there what a driver had put on its
 * error; refusals said their reason and no more, so that whoever built a service had to wire something first.
 */
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { AuthError, type AuthErrorCode, type AuthErrorDetails } from '../../src/errors.ts'
import { createQuietRecorder } from '../../src/pipeline/quiet-recorder.ts'
import { until } from '../patience.ts'

let lines: string[] = []
beforeEach(() => {
  lines = []
  vi.spyOn(console, 'error').mockImplementation((line) => void lines.push(...String(line).split('\n')))
})
afterEach(() => {
  vi.unstubAllEnvs()
  vi.doUnmock('../../src/explain/sallyport-explainer.ts')
  vi.restoreAllMocks()
})

const odd = (more: object): Error => Object.assign(new Error('password hunter2 at 10.1.2.3'), more)

it.each<[string, unknown, string]>([
  ['a code', odd({ code: 'ECONNREFUSED' }), 'ECONNREFUSED'],
  ['a code that is a sentence', odd({ code: 'hunter2 at 10.1.2.3' }), 'Error'],
  ['a code that is a number', odd({ code: 7 }), 'Error'],
  ['a name that is a sentence', odd({ name: 'hunter2 at 10.1.2.3' }), 'no error'],
  ['the code of what caused it', odd({ cause: odd({ code: '57P01' }) }), '57P01'],
  ['no error at all', 'hunter2', 'no error'],
  ['nothing', null, 'no error'],
])('of %s a line says a word, never a value', (_, thrown, word) => {
  const recorder = createQuietRecorder(() => 0)
  recorder.threw(thrown)
  recorder.threw(new AuthError('temporarily_unavailable', { reason: 'storage_unavailable', cause: thrown ?? {} }))
  expect(lines[0]).toBe(`sallyport: answered 500: ${word}; onDecision is told the cause`)
  expect(lines[1]).toBe(`sallyport: answered 503, storage_unavailable: ${word}; onDecision is told the cause`)
  expect(lines.join()).not.toMatch(/hunter2|10\.1\.2\.3/)
})

type Threw = (code: AuthErrorCode, details: AuthErrorDetails, path?: string) => void

// A process in which somebody builds a service, at its start.
async function started(mode: string | undefined, clock = () => 0): Promise<Threw> {
  vi.resetModules()
  vi.stubEnv('NODE_ENV', mode)
  const { createQuietRecorder } = await import('../../src/pipeline/quiet-recorder.ts')
  const recorder = createQuietRecorder(clock)
  return (code, details, path = '/contacts') => recorder.threw(new AuthError(code, details), { method: 'GET', path })
}

const printed = (count: number): Promise<void> => until(() => lines.length >= count)

// What would have been printed is.
const quiet = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

const ISSUER = { reason: 'token_issuer_unknown', expected: 'https://id.example', got: 'https://id.example/' } as const
const ONCE = 'sallyport: in development the same refusal is printed once in 3 s; onDecision: explain() prints every one'

describe('where somebody builds a service', () => {
  it.each(['development', undefined, ''])(
    'in mode %j each refusal is a line in the words of explain(), and under the first stands that repeats are left out',
    async (mode) => {
      const threw = await started(mode)
      threw('unauthorized', { reason: 'credential_missing', absent: true })
      threw('unauthorized', ISSUER)
      threw('unauthorized', ISSUER, '/elsewhere')
      threw('unauthorized', { ...ISSUER, got: 'http://id.example' })
      threw('forbidden', { reason: 'not_a_member' }, '/of/ann@example.com/eyJhbGciOiJIUzI1NiJ9\n')
      await printed(4)
      expect(lines).toEqual([
        `sallyport: 401 token_issuer_unknown: the token says "https://id.example/", trusted is "https://id.example" — a trailing slash? (GET /contacts)`,
        ONCE,
        expect.stringMatching(
          /^sallyport: 401 token_issuer_unknown: .*— http in the place of https\? \(GET \/contacts\)$/,
        ),
        expect.stringMatching(/^sallyport: 403 not_a_member: .+ — client: .+ \(GET …@example\.com\/…\ufffd\)$/),
      ])
    },
  )

  it('a time that has passed is one refusal, whenever that was', async () => {
    const threw = await started('development')
    for (const second of [1, 2, 3]) {
      const [now, then] = [`2026-11-20T12:00:0${second}.000Z`, `2026-11-20T11:00:0${second}.000Z`]
      threw('token_expired', { reason: 'token_expiry_passed', expected: `exp > ${now} - 5 s`, got: then })
    }
    threw('forbidden', { reason: 'not_a_member' })
    await printed(3)
    expect(lines.map((line) => line.split(' ')[2])).toEqual(['token_expiry_passed:', 'development', 'not_a_member:'])
  })

  it('a fault says what to do, and of what was thrown a word; as often as in production', async () => {
    vi.stubEnv('NODE_ENV', 'development')
    const recorder = createQuietRecorder(() => 0)
    const cause = odd({ code: 'ECONNREFUSED', syscall: 'connect', address: '10.1.2.3', port: 5432 })
    for (const _ of [1, 2]) {
      recorder.threw(new AuthError('temporarily_unavailable', { reason: 'storage_unavailable', cause }))
      recorder.threw(odd({ code: '42P01' }), { method: 'GET', path: '/contacts' })
    }
    await printed(2)
    await new Promise((resolve) => setImmediate(resolve))
    lines = lines.filter((line) => line !== ONCE)
    expect(lines).toHaveLength(2)
    expect(lines[0]).toMatch(/^sallyport: 503 storage_unavailable: .*\[ECONNREFUSED\] — .*start the database/)
    expect(lines[1]).toMatch(/^sallyport: 500 internal_error: .*\[42P01\] — .*migrate up.* \(GET \/contacts\)$/)
    expect(lines.join()).not.toMatch(/hunter2|10\.1\.2\.3|5432/)
  })

  it.each<[string, unknown]>([
    ['null', null],
    ['undefined', undefined],
    ['what throws when it is read', Object.defineProperty(new Error('x'), 'code', { get: () => expect.fail() })],
    ['what throws whatever it is asked', new Proxy(new Error('x'), { get: () => expect.fail() })],
  ])('a fault that is %s is a line, too', async (_, thrown) => {
    vi.stubEnv('NODE_ENV', 'development')
    createQuietRecorder(() => 0).threw(thrown, { method: 'GET', path: '/contacts' })
    await printed(1)
    expect(lines[0]).toMatch(/^sallyport: 500 internal_error: .*\[no error\] .*\(GET \/contacts\)$/)
  })

  it('a fault is a line a second, whichever request it comes of', async () => {
    vi.stubEnv('NODE_ENV', 'development')
    let now = 0
    const recorder = createQuietRecorder(() => now)
    const threw = (n: number) => recorder.threw(odd({ code: 'ECONNREFUSED' }), { method: 'GET', path: `/of/${n}` })
    for (let n = 0; n < 50; n++) threw(n)
    await printed(1)
    await new Promise((resolve) => setImmediate(resolve))
    now = 1000
    threw(50)
    const ofFaults = () => lines.filter((line) => line !== ONCE)
    await until(() => ofFaults().length > 1)
    expect(ofFaults().map((line) => /\(GET .*\)$/.exec(line)?.[0])).toEqual(['(GET /of/0)', '(GET /of/50)'])
  })

  it('where the words fail, the record says what it holds', async () => {
    vi.doMock('../../src/explain/sallyport-explainer.ts', () => ({
      createNotice: () => () => {
        throw new Error('x')
      },
    }))
    const threw = await started('development')
    threw('unauthorized', ISSUER)
    threw('temporarily_unavailable', { reason: 'storage_unavailable', cause: odd({ code: '57P01' }) })
    await printed(2)
    expect(lines).toEqual([
      'sallyport: refused, token_issuer_unknown, got https://id.example/, expected https://id.example (GET /contacts); onDecision: explain() says why',
      'sallyport: answered 503, storage_unavailable: 57P01; onDecision is told the cause',
    ])
  })

  it('of reasons without end 200 are said a minute, and once that there are more', async () => {
    let now = 0
    const threw = await started('development', () => now)
    // What a host calls its own refusals is anything.
    const refused = (name: string) => threw('forbidden', { reason: name })
    for (let n = 0; n < 1000; n++) refused(`own_${n}`)
    await printed(202)
    now = 30_000
    refused('own_1000')
    refused('own_7')
    await printed(203)
    await quiet()
    const said = lines.filter((line) => line !== ONCE)
    expect(said).toHaveLength(202)
    expect(said.slice(199).map((line) => line.split(': refused')[0])).toEqual([
      'sallyport: 403 own_199',
      'sallyport: 200 different refusals in a minute, others are not printed until it is over; onDecision: explain() prints every one',
      'sallyport: 403 own_7',
    ])
    now = 60_000
    refused('own_1000')
    await printed(204)
    expect(lines.at(-1)).toMatch(/^sallyport: 403 own_1000: /)
  })

  it('what repeats is a line again after 3 s, with how many were left out, also where the clock was set back', async () => {
    let now = 100_000
    const threw = await started('development', () => now)
    const at = (ms: number) => {
      now = ms
      threw('unauthorized', ISSUER)
    }
    at(100_000)
    await printed(2) // the words are there
    for (const ms of [100_000, 102_999, 103_000, 106_000, 50_000, 50_001]) {
      at(ms)
      await quiet()
    }
    const endings = lines.filter((line) => line !== ONCE).map((line) => line.split('(GET /contacts)')[1])
    expect(endings).toEqual(['', '; 2 more like it since the last one', '', ''])
  })

  it('without the words a reason is a line a second, whatever its values', async () => {
    vi.doMock('../../src/explain/sallyport-explainer.ts', () => {
      throw new Error('no such file')
    })
    let now = 0
    const threw = await started('development', () => now)
    for (let n = 0; n < 50; n++) threw('unauthorized', { ...ISSUER, got: `https://${n}.example` })
    await printed(1)
    await quiet()
    now = 1000
    threw('unauthorized', ISSUER)
    await printed(2)
    await quiet()
    expect(lines.map((line) => /got (\S+),/.exec(line)?.[1])).toEqual(['https://0.example', 'https://id.example/'])
  })

  it('a credential of another scheme and an empty header are lines; none at all is not', async () => {
    const threw = await started('development')
    for (const got of ['none', 'Authorization: Basic', 'an empty Authorization'])
      threw('unauthorized', { reason: 'credential_missing', absent: true, expected: 'Authorization: Bearer', got })
    await printed(3)
    expect(lines[0]).toMatch(/credential_missing: looked for Authorization: Bearer, came Authorization: Basic — /)
    expect(lines[2]).toMatch(
      /credential_missing: looked for Authorization: Bearer, came an empty Authorization — client: /,
    )
  })

  it('a reason of the host’s own breaks no line and shows no address and no token', async () => {
    const threw = await started('development')
    const reason = 'of ann@example.com\n\u001b[2J eyJhbGciOiJIUzI1NiJ9.e30.x'
    threw('forbidden', { reason })
    threw('temporarily_unavailable', { reason, cause: new Error('no') })
    threw('keys_unavailable', { reason })
    await printed(4)
    const shown = 'of …@example.com\ufffd\ufffd[2J …'
    expect(lines.filter((line) => line !== ONCE)).toEqual([
      `sallyport: 403 ${shown}: refused by a rule of the host (GET /contacts)`,
      `sallyport: 503 ${shown}: refused by a rule of the host [Error] (GET /contacts)`,
      `sallyport: 503 ${shown}: refused by a rule of the host (GET /contacts)`,
    ])
  })

  it('where the words can’t be had, the record says what it holds', async () => {
    vi.doMock('../../src/explain/sallyport-explainer.ts', () => {
      throw new Error('no such file')
    })
    const threw = await started('development')
    threw('unauthorized', ISSUER)
    threw('forbidden', { reason: 'not_a_member' })
    threw('keys_unavailable', { reason: 'key_servers_failing', got: 'https://id.example/jwks: 404' })
    await printed(3)
    expect(lines).toEqual([
      'sallyport: refused, token_issuer_unknown, got https://id.example/, expected https://id.example (GET /contacts); onDecision: explain() says why',
      'sallyport: refused, not_a_member (GET /contacts); onDecision: explain() says why',
      'sallyport: answered 503, key_servers_failing: https://id.example/jwks: 404; onDecision gets it',
    ])
  })
})

it.each(['production', 'test'])('in mode %j no refusal is printed', async (mode) => {
  const threw = await started(mode)
  threw('unauthorized', ISSUER)
  threw('temporarily_unavailable', { reason: 'password_queue_full' })
  await new Promise((resolve) => setImmediate(resolve))
  expect(lines).toEqual([])
})

it('keys that can’t be had are printed as a fault is, in production too', () => {
  vi.stubEnv('NODE_ENV', 'production')
  const recorder = createQuietRecorder(() => 0)
  const got = 'http://127.0.0.1:9/jwks: ECONNREFUSED'
  for (const _ of [1, 2]) recorder.threw(new AuthError('keys_unavailable', { reason: 'key_servers_failing', got }))
  recorder.threw(new AuthError('keys_unavailable', { reason: 'issuer_look_ups_exhausted' }))
  expect(lines).toEqual([
    `sallyport: answered 503, key_servers_failing: ${got}; onDecision gets it`,
    'sallyport: answered 503, issuer_look_ups_exhausted; onDecision gets it',
  ])
})
