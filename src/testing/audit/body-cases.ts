/** Audit cases of bodies, of Routes and their answers, and of steps that fail. */
import type { AuthResponse } from '../../index.ts'
import { type AuditCase, bearer, type CaseRow, casesOf, orgLine, ownAnswer, typeLine } from './audit-case.ts'
import { type AuditWorld, FAULTS, handled, TWO_COOKIES } from './audit-world.ts'

const LIMIT = 16_384
const JSON_TYPE = typeLine('application/json')

export async function bodyCases(world: AuditWorld): Promise<readonly AuditCase[]> {
  return [...typeCases(world), ...readCases(world), ...routeCases(world), ...(await faultCases(world))]
}

function typeCases({ refused }: AuditWorld): readonly AuditCase[] {
  const [served, unsupported] = [handled({ a: 1 }), refused('unsupported_media_type')]
  const type = (...values: string[]) => values.map(typeLine)
  const sent = { body: '{"a":1}' }
  return casesOf('type', [
    ['POST /json', served, { json: type('application/json'), upper: type('Application/JSON') }, sent],
    ['POST /json', served, { 'utf-8': type('application/json; charset=UTF-8') }, sent],
    ['POST /json', unsupported, { none: [], text: type('text/plain'), suffix: type('application/vnd.api+json') }, sent],
    ['POST /json', unsupported, { form: type('application/x-www-form-urlencoded') }, sent],
    ['POST /json', unsupported, { latin1: type('application/json; charset=latin1') }, sent],
    ['POST /json', unsupported, { twice: type('application/json', 'application/json') }, sent],
    // The type comes before the size.
    ['POST /json', unsupported, { first: type('text/plain') }, { body: 'x'.repeat(LIMIT + 1) }],
  ])
}

function readCases({ orgs, tokens, refused, absent }: AuditWorld): readonly AuditCase[] {
  const [wrong, large] = [refused('validation_error', { field: 'body' }), refused('payload_too_large')]
  const wrongName = refused('validation_error', { field: 'name' })
  const sized = (bytes: number): string => `{"a":"${'x'.repeat(bytes - 8)}"}`
  const [limit, over] = [sized(LIMIT), sized(LIMIT + 1)]
  const [one, served, full] = ['{"a":1}', handled({ a: 1 }), handled(JSON.parse(limit))]
  const notUtf8 = new Uint8Array([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d])
  const [sent, known, echo] = [[JSON_TYPE], [JSON_TYPE, bearer(tokens.ada)], [orgLine(orgs.a)]]
  return casesOf('body', [
    ...posted(handled({ a: { b: [1, null] } }), { object: '{"a":{"b":[1,null]}}' }),
    ...posted(handled({ a: 2 }), { 'last-wins': '{"a":1,"a":2}' }),
    ...posted(handled({ a: 'ä€😀' }), { unicode: '{"a":"ä€😀"}' }),
    ...posted(wrong, { missing: null, empty: '', malformed: '{"a":', trailing: '{}{}', array: '[]', null: 'null' }),
    ...posted(wrong, { string: '"{}"', number: '7', bom: '\ufeff{}', 'utf-8': notUtf8 }),
    ...posted(full, { limit }),
    ...posted(large, { over }),
    ...posted(served, { chunked: one }, true),
    ...posted(full, { 'chunked-limit': limit }, true),
    ...posted(large, { 'chunked-over': over, 'chunked-far-over': sized(LIMIT * 4) }, true),
    ...posted(wrong, { 'chunked-empty': '' }, true),
    ['POST /twice', served, { twice: sent }, { body: one }],
    ['POST /named', handled({ name: 'x' }), { field: sent }, { body: '{"name":"x"}' }],
    ['POST /named', wrongName, { 'field-wrong': sent }, { body: '{"name":7}' }],
    ['POST /named', wrongName, { 'field-proto': sent }, { body: '{"__proto__":{"name":"x"}}' }],
    // The credential comes before the body: in a Route, and where `protect` wraps a handler.
    ['PUT /json', absent, { 'after-auth': sent }, { body: '{' }],
    ['POST /user', absent, { 'after-protect': sent }, { body: '{' }],
    ['PUT /json', refused('validation_error', { field: 'body' }, echo), { echo: known }, { body: '{' }],
    ['PUT /json', handled({ a: 1 }, echo), { served: known }, { body: one }],
  ])
}

type Bodies = Readonly<Record<string, string | Uint8Array | null>>

function posted(expected: AuthResponse, bodies: Bodies, chunked = false): readonly CaseRow[] {
  return Object.entries(bodies).map(([id, body]) => ['POST /json', expected, { [id]: [JSON_TYPE] }, { body, chunked }])
}

function routeCases({ orgs, tokens, refused }: AuditWorld): readonly AuditCase[] {
  const [line, echo, ok] = [bearer(tokens.ada), orgLine(orgs.a), handled({ ok: true })]
  const noContent = { status: 204, headers: [['X-Audit', 'handled'], echo], body: null } as const
  return casesOf('route', [
    ['GET /public', ok, { public: [] }],
    ['GET /public?x=/route', ok, { query: [] }],
    ['GET /things/7', handled({ id: '7' }), { param: [] }],
    ['GET /things/a%20b%C3%A9', handled({ id: 'a bé' }), { decoded: [] }],
    ['GET /things/a%2Fb', handled({ id: 'a/b' }), { slash: [] }],
    ['GET /things/7/8', ownAnswer(404), { deeper: [] }],
    ['GET /nothing', ownAnswer(404), { none: [] }],
    ['POST /route', ownAnswer(404), { post: [] }],
    ['GET /cookies', TWO_COOKIES, { cookies: [] }],
    ['DELETE /route', noContent, { 'no-content': [line] }],
    ['GET /missing', refused('not_found', {}, [echo]), { 'not-found': [line] }],
    ['HEAD /public', ok, { head: [] }],
  ])
}

async function faultCases({ tokenOf }: AuditWorld): Promise<readonly AuditCase[]> {
  const rows: CaseRow[] = []
  for (const what of Object.keys(FAULTS)) {
    const line = bearer(await tokenOf(`fault-${what}`))
    for (const path of ['/user', '/below', '/route', '/optional-strict']) {
      rows.push([`GET ${path}`, ownAnswer(500), { [what + path]: [line] }])
    }
  }
  return casesOf('fault', rows)
}
