/** Audit cases of bodies, of Routes and their answers, and of steps that fail. */
import type { AuthResponse } from '../../index.ts'
import { answersOf, bearer } from './answers.ts'
import { type AuditCase, type AuditCaseMore, auditCase, ownAnswer } from './audit-case.ts'
import { type AuditWorld, FAULTS } from './audit-world.ts'
import { handled } from './endpoints.ts'

const LIMIT = 16_384

/** The cases. */
export async function bodyCases(world: AuditWorld): Promise<readonly AuditCase[]> {
  const token = await world.tokenOf('ada')
  return [
    ...typeCases(world),
    ...jsonCases(world),
    ...sizeCases(world),
    ...readCases(world, token),
    ...routeCases(world, token),
    ...(await faultCases(world)),
  ]
}

const JSON_TYPE = ['Content-Type', 'application/json'] as const

function typeCases(world: AuditWorld): AuditCase[] {
  const unsupported = answersOf(world).refused('unsupported_media_type')
  const type = (value: string): [string, string] => ['Content-Type', value]
  const post = (
    id: string,
    name: string,
    headers: readonly (readonly [string, string])[],
    expected = unsupported,
  ): AuditCase => auditCase([`type/${id}`, name, 'POST /json'], headers, expected, { body: '{"a":1}' })
  return [
    post('json', 'JSON', [JSON_TYPE], handled({ a: 1 })),
    post('utf-8', 'JSON in UTF-8', [type('application/json; charset=UTF-8')], handled({ a: 1 })),
    post('upper', 'JSON in upper case', [type('Application/JSON')], handled({ a: 1 })),
    post('none', 'no type', []),
    post('text', 'text', [type('text/plain')]),
    post('form', 'a form', [type('application/x-www-form-urlencoded')]),
    post('latin1', 'another charset', [type('application/json; charset=latin1')]),
    post('suffix', 'something like JSON', [type('application/vnd.api+json')]),
    post('twice', 'two types', [JSON_TYPE, JSON_TYPE]),
    auditCase(['type/first', 'type comes before size', 'POST /json'], [type('text/plain')], unsupported, {
      body: 'x'.repeat(LIMIT + 1),
    }),
  ]
}

function postJson(
  [id, name]: readonly [id: string, name: string],
  body: string | Uint8Array,
  expected: AuthResponse,
  more: AuditCaseMore = {},
): AuditCase {
  return auditCase([`body/${id}`, name, 'POST /json'], [JSON_TYPE], expected, { body, ...more })
}

function jsonCases(world: AuditWorld): AuditCase[] {
  const wrong = answersOf(world).refused('validation_error', { field: 'body' })
  const post = postJson
  return [
    post(['object', 'an object'], '{"a":{"b":[1,null]}}', handled({ a: { b: [1, null] } })),
    post(['last-wins', 'a member twice'], '{"a":1,"a":2}', handled({ a: 2 })),
    post(['unicode', 'beyond ASCII'], '{"a":"ä€😀"}', handled({ a: 'ä€😀' })),
    post(['empty', 'nothing'], '', wrong),
    post(['malformed', 'half an object'], '{"a":', wrong),
    post(['trailing', 'two objects'], '{}{}', wrong),
    post(['array', 'an array'], '[]', wrong),
    post(['null', 'null'], 'null', wrong),
    post(['string', 'a string'], '"{}"', wrong),
    post(['number', 'a number'], '7', wrong),
    post(['bom', 'a byte order mark'], '\ufeff{}', wrong),
    post(['utf-8', 'broken UTF-8'], new Uint8Array([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d]), wrong),
  ]
}

function sizeCases(world: AuditWorld): AuditCase[] {
  const { refused } = answersOf(world)
  const wrong = refused('validation_error', { field: 'body' })
  const large = refused('payload_too_large')
  const sized = (bytes: number): string => `{"a":"${'x'.repeat(bytes - 8)}"}`
  const answered = (bytes: number): typeof wrong => handled(JSON.parse(sized(bytes)))
  const post = postJson
  return [
    post(['limit', 'exactly 16 KB'], sized(LIMIT), answered(LIMIT)),
    post(['over', 'one byte more'], sized(LIMIT + 1), large),
    post(['chunked', 'in chunks'], '{"a":1}', handled({ a: 1 }), { chunked: true }),
    post(['chunked-limit', 'exactly 16 KB in chunks'], sized(LIMIT), answered(LIMIT), { chunked: true }),
    post(['chunked-over', 'one byte more in chunks'], sized(LIMIT + 1), large, { chunked: true }),
    post(['chunked-far-over', 'much more in chunks'], sized(LIMIT * 4), large, { chunked: true }),
    post(['chunked-empty', 'nothing in chunks'], '', wrong, { chunked: true }),
  ]
}

function readCases(world: AuditWorld, token: string): AuditCase[] {
  const { refused, absent } = answersOf(world)
  const wrong = refused('validation_error', { field: 'body' })
  const wrongName = refused('validation_error', { field: 'name' })
  const echo = [['X-Org-Id', world.orgs.a]] as const
  return [
    auditCase(['body/missing', 'no body', 'POST /json'], [JSON_TYPE], wrong),
    auditCase(['body/twice', 'read twice', 'POST /twice'], [JSON_TYPE], handled({ a: 1 }), { body: '{"a":1}' }),
    auditCase(['body/field', 'a field', 'POST /named'], [JSON_TYPE], handled({ name: 'x' }), { body: '{"name":"x"}' }),
    auditCase(['body/field-wrong', 'a wrong field', 'POST /named'], [JSON_TYPE], wrongName, { body: '{"name":7}' }),
    auditCase(['body/field-proto', 'an inherited field', 'POST /named'], [JSON_TYPE], wrongName, {
      body: '{"__proto__":{"name":"x"}}',
    }),
    auditCase(['body/after-auth', 'the credential first', 'PUT /json'], [JSON_TYPE], absent, { body: '{' }),
    auditCase(
      ['body/echo', 'and then the body', 'PUT /json'],
      [JSON_TYPE, bearer(token)],
      refused('validation_error', { field: 'body' }, echo),
      { body: '{' },
    ),
    auditCase(
      ['body/served', 'a body behind a credential', 'PUT /json'],
      [JSON_TYPE, bearer(token)],
      handled({ a: 1 }, echo),
      { body: '{"a":1}' },
    ),
  ]
}

function routeCases(world: AuditWorld, token: string): AuditCase[] {
  const { refused } = answersOf(world)
  const echo = [['X-Org-Id', world.orgs.a]] as const
  const mark = [['X-Audit', 'handled']] as const
  const cookies = handled({}, [
    ['Set-Cookie', 'one=1; Path=/'],
    ['Set-Cookie', 'two=2; Path=/'],
    ['Cache-Control', 'no-store'],
  ])
  return [
    auditCase(['route/public', 'a public route', 'GET /public'], [], handled({ ok: true })),
    auditCase(['route/query', 'the query is no path', 'GET /public?x=/route'], [], handled({ ok: true })),
    auditCase(['route/param', 'a parameter', 'GET /things/7'], [], handled({ id: '7' })),
    auditCase(
      ['route/decoded', 'a parameter in percent-escapes', 'GET /things/a%20b%C3%A9'],
      [],
      handled({ id: 'a bé' }),
    ),
    auditCase(['route/slash', 'an escaped slash stays inside', 'GET /things/a%2Fb'], [], handled({ id: 'a/b' })),
    auditCase(['route/deeper', 'a deeper path is another', 'GET /things/7/8'], [], ownAnswer(404)),
    auditCase(['route/none', 'no route', 'GET /nothing'], [], ownAnswer(404)),
    auditCase(['route/post', 'another method', 'POST /route'], [], ownAnswer(404)),
    auditCase(['route/cookies', 'a header twice', 'GET /cookies'], [], cookies),
    auditCase(['route/no-content', '204 without a body', 'DELETE /route'], [bearer(token)], {
      status: 204,
      headers: [...mark, ...echo],
      body: null,
    }),
    auditCase(
      ['route/not-found', 'a refusal of the handler', 'GET /missing'],
      [bearer(token)],
      refused('not_found', {}, echo),
    ),
    auditCase(['route/head', 'HEAD of a public route', 'HEAD /public'], [], handled({ ok: true })),
  ]
}

async function faultCases(world: AuditWorld): Promise<AuditCase[]> {
  const cases: AuditCase[] = []
  for (const [index, { what }] of FAULTS.entries()) {
    const line = bearer(await world.tokenOf(`fault-${index}`))
    for (const path of ['/user', '/below', '/route', '/optional-strict']) {
      const id = `fault/${index}${path}`
      cases.push(auditCase([id, `a step throws ${what}`, `GET ${path}`], [line], ownAnswer(500)))
    }
  }
  return cases
}
