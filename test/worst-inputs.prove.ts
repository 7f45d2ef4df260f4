/**
 * R4: whatever a client sends, no pattern takes long over it. 8 KB of each nasty repetition, under 5 ms each: on a busy
 * machine in the best of a hundred times, which what is quadratic does not reach either.
 */
import { expect, it } from 'vitest'
import { isText } from '../src/api-keys/api-key-actions.ts'
import { parseInstant } from '../src/api-keys/instant.ts'
import { createKeyFormat } from '../src/api-keys/key-format.ts'
import { readBearer } from '../src/credentials/bearer.ts'
import { readCookie } from '../src/credentials/cookie.ts'
import { isAuthError } from '../src/errors.ts'
import { fromFetchRequest } from '../src/http/fetch-request.ts'
import { readJson } from '../src/http/read-json.ts'
import { parseJson } from '../src/http/request-body.ts'
import { createRouteFinder } from '../src/http/route-path.ts'
import { normalizeEmail } from '../src/lib/email.ts'
import { describeKeyMaterial } from '../src/lib/secret-check.ts'
import { requireGoodPassword } from '../src/login/password-rules.ts'
import { integerFormat, slugFormat, uuidFormat } from '../src/orgs/selector.ts'
import { requireTokenForm } from '../src/verify/token-form.ts'

const BYTES = 8192
const UNITS = [
  ...['a', 'A', '0', ' ', '\t', '=', ';', ',', '.', '-', '/', ':', '%', '"', '\\', '_', '@', '[', '{'],
  ...['a.', '.a', 'a@', '..', ' a', 'a ', '; ', '=;', '%2', '{"', 'eyJ', 'bearer ', 'session=', '\u00e9', '😀'],
]
const repeated = (unit: string): string => unit.repeat(BYTES).slice(0, BYTES)
const INPUTS = UNITS.flatMap((unit) => [repeated(unit), `${repeated(unit).slice(1)}!`, `session=${repeated(unit)}`])

const find = createRouteFinder([{ method: 'GET', path: '/a/:b/c' }])
const findLong = createRouteFinder([
  { method: 'GET', path: `/${Array.from({ length: 50 }, (_, i) => `:p${i}`).join('/')}` },
])
const rules = { minLength: 8, serviceName: 'proof' }
const keys = createKeyFormat('proof', 'tk')
const maxTokenBytes = 16_384
const withType = (type: string): unknown => readJson({ lines: () => [type] } as never).catch(() => null)
const fetched = (url: string, line: string): unknown =>
  fromFetchRequest({ method: 'GET', url, headers: { get: () => line, has: () => false } } as never).lines('x')

const READERS: Readonly<Record<string, (text: string) => unknown>> = {
  bearer: (text) => readBearer([`Bearer ${text}`]),
  authorization: (text) => readBearer([text]),
  cookie: (text) => readCookie([text], 'session', BYTES),
  token: (text) => requireTokenForm(text, maxTokenBytes),
  'header of a token': (text) => requireTokenForm(`${Buffer.from(text).toString('base64url')}.e30.e30`, maxTokenBytes),
  'API key': (text) => keys.parse(`tk_${text}`),
  uuid: uuidFormat,
  slug: slugFormat,
  integer: integerFormat,
  email: normalizeEmail,
  instant: parseInstant,
  text: isText,
  'content type': withType,
  body: (text) => parseJson(new TextEncoder().encode(text)),
  path: (text) => find('GET', text),
  parameter: (text) => find('GET', `/a/${text}/c`),
  'long path': (text) => findLong('GET', `/${text}`),
  password(text) {
    try {
      requireGoodPassword(text.slice(0, 256), rules, 'ada@example.test', 'password')
    } catch (error) {
      if (!isAuthError(error)) throw error
    }
  },
  'signing secret': describeKeyMaterial,
  'Fetch URL': (text) => fetched(`http://x/${text}`, ''),
  'Fetch header': (text) => fetched('http://x/', text),
}

it.each(Object.entries(READERS))('%s', (_, read) => {
  const slow = INPUTS.map((text) => ({ text: text.slice(-12), ms: bestOf(100, 5, () => read(text)) }))
  expect(slow.filter(({ ms }) => ms >= 5)).toEqual([])
})

it('a token of 12 KB is refused in under 0.1 ms (T2)', () => {
  const token = `${'e'.repeat(4000)}.${'e'.repeat(4000)}.${'e'.repeat(4000)}`
  expect(() => requireTokenForm(token, 8192)).toThrow()
  expect(bestOf(1000, 0.1, () => requireTokenForm(token, 8192))).toBeLessThan(0.1)
})

it('would notice a pattern that is quadratic', () => {
  expect(bestOf(10, 5, () => /-+x/.test('-'.repeat(BYTES)))).toBeGreaterThan(5)
})

/** The shortest time of so many, in milliseconds; the first that is short enough will do. */
function bestOf(times: number, enough: number, work: () => unknown): number {
  let best = Number.POSITIVE_INFINITY
  for (let n = 0; n < times && best >= enough; n += 1) {
    const start = performance.now()
    try {
      work()
    } catch {
      // A refusal is as good an answer as any.
    }
    best = Math.min(best, performance.now() - start)
  }
  return best
}
