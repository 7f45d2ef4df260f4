/** Faults that nobody listens to filled standard error, or showed there what a driver had put on its error. */
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { AuthError, type AuthErrorCode, type AuthErrorDetails } from '../../src/errors.ts'
import { createLinePrinter } from '../../src/lib/standard-error.ts'
import { createQuietRecorder } from '../../src/pipeline/decision-record.ts'

let lines: string[] = []
beforeEach(() => {
  lines = []
  vi.spyOn(console, 'error').mockImplementation((line) => void lines.push(String(line)))
})
afterEach(() => void vi.restoreAllMocks())

it('one line is printed once a second, by the clock, also when that is set back', () => {
  let now = 1_000_000
  const print = createLinePrinter(() => now)
  const at = (ms: number): number => {
    now = ms
    const before = lines.length
    print('a')
    return lines.length - before
  }
  expect([at(1_000_000), at(1_000_000), at(1_000_999), at(1_001_000), at(1_001_500), at(1_002_000)]).toEqual([
    1, 0, 0, 1, 0, 1,
  ])
  expect([at(500_000), at(500_500), at(501_000)]).toEqual([1, 0, 1])
  print('b')
  expect(lines.at(-1)).toBe('b')
})

it('lines that all differ are not kept without end', () => {
  const sizes: number[] = []
  const { set } = Map.prototype
  vi.spyOn(Map.prototype, 'set').mockImplementation(function keeping(this: Map<unknown, unknown>, ...given) {
    const kept = Reflect.apply(set, this, given) as Map<unknown, unknown>
    sizes.push(kept.size)
    return kept
  })
  const print = createLinePrinter(() => 0)
  for (let n = 0; n < 1000; n++) print(String(n))
  const largest = Math.max(...sizes)
  vi.restoreAllMocks()
  expect(largest).toBe(100)
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

it('nothing is printed of a request without a credential, or of a queue that is full', () => {
  const recorder = createQuietRecorder(() => 0)
  recorder.threw(new AuthError('unauthorized', { reason: 'credential_missing', absent: true }))
  expect(lines).toEqual([])
})

it.each([
  ['development', 3],
  ['', 3],
  ['production', 0],
  ['test', 0],
])(
  'the first refusals of a process in mode %j get %i hints where nobody listens, one for each reason',
  async (mode, hints) => {
    vi.resetModules()
    vi.stubEnv('NODE_ENV', mode)
    const { createQuietRecorder } = await import('../../src/pipeline/decision-record.ts')
    for (const _ of [1, 2]) {
      const recorder = createQuietRecorder(() => 0)
      const threw = (code: AuthErrorCode, details: AuthErrorDetails, path = '/contacts'): void =>
        recorder.threw(new AuthError(code, details), { method: 'GET', path })
      threw('unauthorized', { reason: 'credential_missing', absent: true })
      threw('forbidden', { reason: 'not_a_member', cause: new Error('x') })
      threw('forbidden', { reason: 'not_a_member' }, '/elsewhere')
      threw('unauthorized', { reason: 'token_issuer_unknown' }, '/of/ann@example.com/eyJhbGciOiJIUzI1NiJ9\n')
      recorder.threw(new AuthError('temporarily_unavailable', { reason: 'password_queue_full' }))
      // What a host calls its own refusals is anything.
      for (let n = 0; n < 1000; n++) threw('forbidden', { reason: `own_${n}` })
    }
    vi.unstubAllEnvs()
    const told = [
      'not_a_member (GET /contacts)',
      'token_issuer_unknown (GET …@example.com/…\ufffd)',
      'password_queue_full',
    ]
    const first = lines.slice(0, 3)
    expect(first).toEqual(
      told.slice(0, hints).map((each) => `sallyport: refused, ${each}; onDecision: explain() says why`),
    )
    expect(lines.length).toBe(hints === 0 ? 0 : 200)
  },
)

it('a credential of another scheme is a hint; none at all is not', async () => {
  vi.resetModules()
  vi.stubEnv('NODE_ENV', 'development')
  const { createQuietRecorder } = await import('../../src/pipeline/decision-record.ts')
  for (const got of ['none', 'Authorization: Basic']) {
    createQuietRecorder(() => 0).threw(
      new AuthError('unauthorized', { reason: 'credential_missing', absent: true, got }),
    )
  }
  vi.unstubAllEnvs()
  expect(lines).toEqual(['sallyport: refused, credential_missing; onDecision: explain() says why'])
})

it('a reason of the host’s own breaks no line and shows no address and no token', async () => {
  vi.resetModules()
  vi.stubEnv('NODE_ENV', 'development')
  const { createQuietRecorder } = await import('../../src/pipeline/decision-record.ts')
  const recorder = createQuietRecorder(() => 0)
  const reason = 'of ann@example.com\n\u001b[2J eyJhbGciOiJIUzI1NiJ9.e30.x'
  recorder.threw(new AuthError('forbidden', { reason }))
  recorder.threw(new AuthError('temporarily_unavailable', { reason, cause: new Error('no') }))
  recorder.threw(new AuthError('keys_unavailable', { reason }))
  vi.unstubAllEnvs()
  const shown = 'of …@example.com\ufffd\ufffd[2J …'
  expect(lines).toEqual([
    `sallyport: refused, ${shown}; onDecision: explain() says why`,
    `sallyport: answered 503, ${shown}: Error; onDecision is told the cause`,
    `sallyport: answered 503, ${shown}; onDecision gets it`,
  ])
})

it('keys that can’t be had are printed as a fault is, in production too', () => {
  vi.stubEnv('NODE_ENV', 'production')
  const recorder = createQuietRecorder(() => 0)
  const got = 'http://127.0.0.1:9/jwks: ECONNREFUSED'
  for (const _ of [1, 2]) recorder.threw(new AuthError('keys_unavailable', { reason: 'key_servers_failing', got }))
  recorder.threw(new AuthError('keys_unavailable', { reason: 'issuer_look_ups_exhausted' }))
  vi.unstubAllEnvs()
  expect(lines).toEqual([
    `sallyport: answered 503, key_servers_failing: ${got}; onDecision gets it`,
    'sallyport: answered 503, issuer_look_ups_exhausted; onDecision gets it',
  ])
})
