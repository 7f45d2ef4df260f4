/** The audit example as a process: a line for every decision, each naming the real caller, the organization and the reason. */
import { beforeAll, expect, it } from 'vitest'
import { runToEnd } from './app-process.ts'

type Line = Readonly<Record<string, string | null>>

let stdout = ''
let lines: readonly Line[] = []
beforeAll(async () => {
  const ending = await runToEnd(['examples/audit/main.ts'], {})
  expect({ code: ending.code, stderr: ending.stderr }).toEqual({ code: 0, stderr: '' })
  stdout = ending.stdout
  lines = stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Line)
})

it('says who, in which organization, what, and why it was refused: a key made and revoked too (G3)', () => {
  const [ada, acme, bob, other] = [lines[0]?.['who'], lines[0]?.['org'], lines[2]?.['who'], lines[2]?.['org']]
  const key = lines[6]?.['who']
  for (const who of [ada, bob]) expect(who).toMatch(/^user:[0-9a-f-]{36}$/)
  expect(key).toMatch(/^apiKey:\w{12}$/)
  expect(new Set([ada, bob, acme, other]).size).toBe(4)
  const named = new Map([
    [ada, 'ada'],
    [bob, 'bob'],
    [key, 'the key'],
    [acme, 'acme'],
    [other, 'other'],
  ])
  const plain = (value: string | null | undefined): string => named.get(value) ?? String(value)
  const told = lines.map(({ who, by, org, role, asked, outcome, code, reason, did, key: changed }) =>
    did !== undefined
      ? [plain(who), plain(org), did, plain(`apiKey:${changed}`)].join(' ')
      : [
          ...[plain(who), by, plain(org), role, asked?.replace(/keys\/\w+/, 'keys/…')],
          ...[outcome, code ?? '', reason ?? ''],
        ].join(' '),
  )
  expect(told).toEqual([
    'ada bearer acme admin GET /notes allowed  ',
    'bob bearer null  GET /notes refused forbidden not_a_member',
    'bob bearer other member POST /api/keys refused forbidden role_too_low',
    'null  null  GET /notes refused unauthorized credential_missing',
    'ada acme api_key_issued the key',
    'ada bearer acme admin POST /api/keys allowed  ',
    'the key apiKey acme member GET /notes allowed  ',
    'the key apiKey acme member POST /notes refused insufficient_scope scope_missing',
    'the key apiKey null  GET /api/keys refused forbidden caller_kind_not_accepted',
    'ada acme api_key_revoked the key',
    'ada bearer acme admin DELETE /api/keys/… allowed  ',
    'the key apiKey null  GET /notes refused unauthorized api_key_revoked',
    'ada bearer acme admin POST /api/keys/…/rotate refused not_found api_key_not_found',
    'service:telephony service acme  POST /internal/notes allowed  ',
    'service:telephony service null  POST /internal/notes refused forbidden not_a_member',
    'null service null  POST /internal/notes refused unauthorized service_secret_wrong',
    'null  null  POST /internal/notes refused bad_request credential_ambiguous',
  ])
})

it('has a time in every line, and no secret', () => {
  for (const { at } of lines) expect(new Date(String(at)).toISOString()).toBe(at)
  expect(stdout).not.toMatch(/eyJ|audit_|Bearer|@example/)
})
