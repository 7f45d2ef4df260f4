/** The demo would say so if it did not keep its word; that it does is a proof of its own, and its chapters are run beside it. */
import { expect, it } from 'vitest'
import { faultsOf } from '../../examples/demo/expected-answer.ts'
import { runStep, toExpected } from '../../examples/demo/run-step.ts'
import type { WireAnswer } from '../../examples/demo/send.ts'
import type { RequestStep } from '../../examples/demo/step.ts'
import { createPrinter } from '../../examples/demo/table.ts'
import type { World } from '../../examples/demo/world.ts'
import { runToEnd } from './app-process.ts'

it('refuses an argument it does not know', async () => {
  const { code, stderr } = await runToEnd(['examples/demo/main.ts', '--exti'], {})
  expect({ code, stderr }).toEqual({ code: 1, stderr: 'demo: unknown argument --exti; there is only --exit\n' })
})

it('never prints a long body in full, also in the rows of the tour', async () => {
  const world = { kept: new Map(), urlOf: () => 'http://127.0.0.1:1', token: async () => 'x' } as unknown as World
  const long = { at: 'x', send: 'POST /x', json: { name: 'x'.repeat(17_000), more: ['y'.repeat(60)] }, ok: 200 }
  const { asked } = await runStep({ ...long, lines: [['X-Long', 'z'.repeat(9000)]] }, world)
  expect(asked).toBe(
    `POST /x  X-Long: ${'z'.repeat(20)}… (9000)  {"name":"${'x'.repeat(20)}… (17000)","more":["${'y'.repeat(20)}… (60)"]}`,
  )
})

it.each([80, 120, 170])('prints rows that fit %i columns, with nothing cut off', (columns) => {
  const texts: string[] = []
  const { title, outcome, note } = createPrinter({ columns, colours: false, write: (text) => void texts.push(text) })
  const expected = '403 insufficient_scope (dependencies:write)'
  const asked =
    'POST /api/dependencies  as intello.key.reader  {"name":"left-pad-for-a-very-long-dependency-name-indeed"}'
  title('A chapter')
  outcome({ asked, expected, got: expected, ok: true })
  outcome({ asked: 'GET /', expected: '200', got: '500; a fault', ok: false })
  note('sallyport: answered 503, key_servers_failing: http://127.0.0.1:36805/.well-known/jwks.json: ECONNREFUSED; got')
  const printed = texts.join('')
  const lines = printed.split('\n')
  expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(columns)
  expect(printed).not.toContain('…')
  for (const word of ['POST', 'intello.key.reader', '403', 'insufficient_scope']) expect(printed).toContain(word)
  expect(printed.replaceAll(/\s/g, '')).toContain('indeed"}')
  expect(lines.slice(lines.findIndex((line) => line.includes('FAIL'))).slice(0, 3)).toEqual([
    expect.stringMatching(/^ {2}FAIL {2}GET \/ +200 +below$/),
    '        got 500; a fault',
    expect.stringMatching(/^ {8}sallyport: answered 503/),
  ])
})

const refused = (status: number, text: string, more: WireAnswer['headers'] = {}): WireAnswer => ({
  status,
  headers: {
    ...{ 'content-type': 'application/json; charset=utf-8', 'cache-control': 'no-store' },
    ...{ 'content-length': String(text.length), ...more },
  },
  text,
})
const refusal = refused(403, '{"error":{"code":"forbidden","message":"The caller may not do this."}}')
const busy = refused(
  503,
  '{"error":{"code":"temporarily_unavailable","message":"The service is busy, try again shortly."}}',
  {
    'retry-after': '1',
  },
)
const success: WireAnswer = {
  status: 200,
  headers: { 'content-type': 'application/json; charset=utf-8', 'x-org-id': 'o1' },
  text: '{"org":{"id":"o1"},"role":"owner"}',
}
const no: RequestStep = { at: 'x', send: 'GET /', no: 'forbidden' }
const later: RequestStep = { at: 'x', send: 'GET /', no: 'temporarily_unavailable' }
const noScope: RequestStep = { at: 'x', send: 'GET /', no: 'insufficient_scope:a:write' }
const ok: RequestStep = { at: 'x', send: 'GET /', ok: 200, body: { org: { id: '{o}' }, role: '*' } }
const withoutScope = (scope: string): WireAnswer =>
  refused(403, '{"error":{"code":"insufficient_scope","message":"The API key lacks the required scope."}}', {
    'www-authenticate': `Bearer error="insufficient_scope", scope="${scope}"`,
  })
const faults = (step: RequestStep, answer: WireAnswer): string[] =>
  faultsOf(toExpected(step, answer), answer, (text) => text.replace('{o}', 'o1'))

it('has nothing to say against a right answer', () => {
  expect([faults(no, refusal), faults(ok, success)]).toEqual([[], []])
  expect(faults(noScope, withoutScope('a:write'))).toEqual([])
  expect(faults(later, busy)).toEqual([])
})

it.each([
  ['another status', no, { ...refusal, status: 401 }],
  ['another sentence', no, { ...refusal, text: refusal.text.replace('may', 'must') }],
  ['one byte more', no, { ...refusal, text: `${refusal.text}\n` }],
  ['another type', no, refused(403, refusal.text, { 'content-type': 'application/json' })],
  ['a refusal that may be stored', no, refused(403, refusal.text, { 'cache-control': undefined })],
  ['a length that is not its own', no, refused(403, refusal.text, { 'content-length': '7' })],
  ['a wait too many', no, refused(403, refusal.text, { 'retry-after': '1' })],
  ['a wait too few', later, refused(503, busy.text)],
  ['a wait that is none', later, refused(503, busy.text, { 'retry-after': '0' })],
  ['a challenge too many', no, refused(403, refusal.text, { 'www-authenticate': 'Bearer' })],
  ['a challenge too few', { ...no, no: 'unauthorized' }, { ...refusal, status: 401 }],
  ['a challenge that names another scope', noScope, withoutScope('a:read')],
  ['a success instead', no, success],
  ['a refusal instead', ok, refusal],
  ['another value', ok, { ...success, text: '{"org":{"id":"o2"},"role":"owner"}' }],
  ['a member more', ok, { ...success, text: '{"org":{"id":"o1"},"role":"owner","x":1}' }],
  ['a member less', ok, { ...success, text: '{"org":{"id":"o1"}}' }],
  ['an empty text', ok, { ...success, text: '{"org":{"id":"o1"},"role":""}' }],
  ['another order', ok, { ...success, text: '{"role":"owner","org":{"id":"o1"}}' }],
  ['another header', { ...ok, headers: { 'X-Org-Id': 'o2' } }, success],
  ['a header too many', { ...ok, headers: { 'X-Org-Id': null } }, success],
] as const)('notices %s', (_name, step, answer) => {
  expect(faults(step as RequestStep, answer as WireAnswer)).not.toEqual([])
})
