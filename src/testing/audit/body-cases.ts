/** Audit cases of bodies, of Routes and their answers, and of steps that fail. */
import type { AuthResponse } from '../../index.ts'
import { type AuditCase, bearer, type CaseRow, casesOf, orgLine, ownAnswer, typeLine } from './audit-case.ts'
import { type AuditWorld, FAULTS } from './audit-world.ts'
import { handled, TWO_COOKIES } from './endpoints.ts'

const LIMIT = 16_384
const JSON_TYPE = typeLine('application/json')

/** The cases. */
export async function bodyCases(world: AuditWorld): Promise<readonly AuditCase[]> {
  return [
    ...typeCases(world),
    ...casesOf('body', [...jsonRows(world), ...sizeRows(world), ...readRows(world)]),
    ...routeCases(world),
    ...(await faultCases(world)),
  ]
}

function typeCases({ refused }: AuditWorld): readonly AuditCase[] {
  const served = handled({ a: 1 })
  const unsupported = refused('unsupported_media_type')
  const of = (id: string, types: readonly string[], expected: AuthResponse, body = '{"a":1}'): CaseRow => [
    id,
    'POST /json',
    types.map(typeLine),
    expected,
    { body },
  ]
  return casesOf('type', [
    of('json', ['application/json'], served),
    of('utf-8', ['application/json; charset=UTF-8'], served),
    of('upper', ['Application/JSON'], served),
    of('none', [], unsupported),
    of('text', ['text/plain'], unsupported),
    of('form', ['application/x-www-form-urlencoded'], unsupported),
    of('latin1', ['application/json; charset=latin1'], unsupported),
    of('suffix', ['application/vnd.api+json'], unsupported),
    of('twice', ['application/json', 'application/json'], unsupported),
    // The type comes before the size.
    of('first', ['text/plain'], unsupported, 'x'.repeat(LIMIT + 1)),
  ])
}

function postJson(id: string, body: string | Uint8Array, expected: AuthResponse, chunked = false): CaseRow {
  return [id, 'POST /json', [JSON_TYPE], expected, { body, chunked }]
}

function jsonRows({ refused }: AuditWorld): readonly CaseRow[] {
  const wrong = refused('validation_error', { field: 'body' })
  return [
    postJson('object', '{"a":{"b":[1,null]}}', handled({ a: { b: [1, null] } })),
    postJson('last-wins', '{"a":1,"a":2}', handled({ a: 2 })),
    postJson('unicode', '{"a":"ä€😀"}', handled({ a: 'ä€😀' })),
    postJson('empty', '', wrong),
    postJson('malformed', '{"a":', wrong),
    postJson('trailing', '{}{}', wrong),
    postJson('array', '[]', wrong),
    postJson('null', 'null', wrong),
    postJson('string', '"{}"', wrong),
    postJson('number', '7', wrong),
    postJson('bom', '\ufeff{}', wrong),
    postJson('utf-8', new Uint8Array([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d]), wrong),
  ]
}

function sizeRows({ refused }: AuditWorld): readonly CaseRow[] {
  const large = refused('payload_too_large')
  const sized = (bytes: number): string => `{"a":"${'x'.repeat(bytes - 8)}"}`
  const served = handled(JSON.parse(sized(LIMIT)))
  return [
    postJson('limit', sized(LIMIT), served),
    postJson('over', sized(LIMIT + 1), large),
    postJson('chunked', '{"a":1}', handled({ a: 1 }), true),
    postJson('chunked-limit', sized(LIMIT), served, true),
    postJson('chunked-over', sized(LIMIT + 1), large, true),
    postJson('chunked-far-over', sized(LIMIT * 4), large, true),
    postJson('chunked-empty', '', refused('validation_error', { field: 'body' }), true),
  ]
}

function readRows({ orgs, tokens, refused, absent }: AuditWorld): readonly CaseRow[] {
  const wrong = refused('validation_error', { field: 'body' })
  const wrongName = refused('validation_error', { field: 'name' })
  const known = [JSON_TYPE, bearer(tokens.ada)]
  const [a, inherited] = ['{"a":1}', '{"__proto__":{"name":"x"}}']
  const echo = [orgLine(orgs.a)]
  return [
    ['missing', 'POST /json', [JSON_TYPE], wrong],
    ['twice', 'POST /twice', [JSON_TYPE], handled({ a: 1 }), { body: a }],
    ['field', 'POST /named', [JSON_TYPE], handled({ name: 'x' }), { body: '{"name":"x"}' }],
    ['field-wrong', 'POST /named', [JSON_TYPE], wrongName, { body: '{"name":7}' }],
    ['field-proto', 'POST /named', [JSON_TYPE], wrongName, { body: inherited }],
    // The credential comes before the body: in a Route, and where `protect` wraps a handler.
    ['after-auth', 'PUT /json', [JSON_TYPE], absent, { body: '{' }],
    ['after-protect', 'POST /user', [JSON_TYPE], absent, { body: '{' }],
    ['echo', 'PUT /json', known, refused('validation_error', { field: 'body' }, echo), { body: '{' }],
    ['served', 'PUT /json', known, handled({ a: 1 }, echo), { body: a }],
  ]
}

function routeCases({ orgs, tokens, refused }: AuditWorld): readonly AuditCase[] {
  const [line, echo, ok] = [bearer(tokens.ada), orgLine(orgs.a), handled({ ok: true })]
  const noContent = { status: 204, headers: [['X-Audit', 'handled'], echo], body: null } as const
  return casesOf('route', [
    ['public', 'GET /public', [], ok],
    ['query', 'GET /public?x=/route', [], ok],
    ['param', 'GET /things/7', [], handled({ id: '7' })],
    ['decoded', 'GET /things/a%20b%C3%A9', [], handled({ id: 'a bé' })],
    ['slash', 'GET /things/a%2Fb', [], handled({ id: 'a/b' })],
    ['deeper', 'GET /things/7/8', [], ownAnswer(404)],
    ['none', 'GET /nothing', [], ownAnswer(404)],
    ['post', 'POST /route', [], ownAnswer(404)],
    ['cookies', 'GET /cookies', [], TWO_COOKIES],
    ['no-content', 'DELETE /route', [line], noContent],
    ['not-found', 'GET /missing', [line], refused('not_found', {}, [echo])],
    ['head', 'HEAD /public', [], ok],
  ])
}

async function faultCases({ tokenOf }: AuditWorld): Promise<readonly AuditCase[]> {
  const rows: CaseRow[] = []
  for (const what of Object.keys(FAULTS)) {
    const line = bearer(await tokenOf(`fault-${what}`))
    for (const path of ['/user', '/below', '/route', '/optional-strict']) {
      rows.push([`${what}${path}`, `GET ${path}`, [line], ownAnswer(500)])
    }
  }
  return casesOf('fault', rows)
}
