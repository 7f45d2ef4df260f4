/** The one table of requests that every recipe is asked, and Express, with which its answers are compared. */
import type { SupabaseIssuer } from 'sallyport/testing'
import { AUTH_ERRORS } from '../../src/index.ts'
import type { AuditCase, AuditRequest, Line } from '../../src/testing/audit/audit-case.ts'

/** What Express answers to some of them. */
export const STATUSES = {
  good: 200,
  none: 401,
  expired: 401,
  'another org': 403,
  'the role is missing': 403,
  'a body': 200,
  'no JSON': 400,
  'another type': 415,
  'too large': 413,
  'no JSON, of nobody': 401,
  'no such route': 404,
  fault: 500,
}

/** What frameworks answer by themselves: the status counts. */
export const OWN_ANSWERS: readonly string[] = ['no such route', 'fault']

const JSON_TYPE: Line = ['Content-Type', 'application/json']
// More than any framework takes by default.
const TOO_LARGE = JSON.stringify({ name: 'x'.repeat(1_048_576) })

type Part = Partial<Pick<AuditRequest, 'method' | 'path' | 'headers' | 'body'>>

/** The requests, with tokens of an issuer. */
export async function requestsTo({ tokens }: SupabaseIssuer): Promise<readonly AuditCase[]> {
  const ada = tokens.supabaseClaims({ sub: 'ada', email: 'ada@example.test' })
  const bearer = async (claims: object): Promise<Line> => [
    'Authorization',
    `Bearer ${await tokens.sign({ ...ada, ...claims })}`,
  ]
  const good = await bearer({})
  const asked: Readonly<Record<string, readonly Line[]>> = {
    good: [good],
    none: [],
    'another scheme': [['Authorization', 'Basic eDp5']],
    'no token': [['Authorization', 'Bearer']],
    'no JWT': [['Authorization', 'Bearer x.y.z']],
    expired: [await bearer({ exp: Math.floor(Date.now() / 1000) - 600 })],
    'another audience': [await bearer({ aud: 'another' })],
    'another signature': [[good[0], `${good[1].slice(0, -8)}AAAAAAAA`]],
    anonymous: [await bearer({ sub: 'nobody', is_anonymous: true })],
    'a third party': [await bearer({ sub: 'bob', client_id: 'an app' })],
    'a cookie': [['Cookie', `session=${good[1].slice(7)}`]],
    'no org id': [good, ['X-Org-Id', 'nonsense']],
    'another org': [good, ['X-Org-Id', '4b5c9a1e-9a0f-4f5e-8a57-0d8f1c1b2a3d']],
    'two orgs': [good, ['X-Org-Id', 'a'], ['X-Org-Id', 'b']],
    'two tokens': [good, good],
  }
  const rows: Readonly<Record<string, Part>> = {
    ...Object.fromEntries(Object.entries(asked).map(([id, headers]) => [id, { headers }])),
    ...bodies(good, await bearer({ sub: 'bob', email: 'bob@example.test' })),
    'no such route': { path: '/api/nothing', headers: [good] },
    fault: { path: '/api/fault', headers: [good] },
    ...Object.fromEntries(
      Object.keys(AUTH_ERRORS).map((code) => [
        `thrown: ${code}`,
        { path: `/api/refuse?code=${code}`, headers: [good] },
      ]),
    ),
  }
  const expected = { status: 0, headers: [], body: null }
  return Object.entries(rows).map(([id, { method = 'GET', path = '/api/me', headers = [], body = null }]) => {
    return { id, request: { method, path, headers, body, chunked: false }, expected }
  })
}

function bodies(good: Line, bob: Line): Readonly<Record<string, Part>> {
  const post = (body: string, ...headers: readonly Line[]): Part => {
    return { method: 'POST', path: '/api/contacts', headers, body }
  }
  return {
    'the role is missing': post('{}', bob, JSON_TYPE),
    'a body': post('{"name":"bob"}', good, JSON_TYPE),
    'no JSON': post('{', good, JSON_TYPE),
    'another type': post('{"name":"bob"}', good, ['Content-Type', 'text/xml']),
    'too large': post(TOO_LARGE, good, JSON_TYPE),
    'no JSON, of nobody': post('{', JSON_TYPE),
  }
}
