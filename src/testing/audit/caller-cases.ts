/** Audit cases of the other credentials: the session cookie with its cross-site rule, service secrets, API keys. */
import type { AuthResponse } from '../../index.ts'
import { type AuditCase, bearer, type CaseRow, casesOf, type Line, orgLine, typeLine } from './audit-case.ts'
import { type AuditWorld, SERVICE_SECRET } from './audit-world.ts'
import { handled } from './endpoints.ts'

/** The cases. */
export function callerCases(world: AuditWorld): readonly AuditCase[] {
  return [
    ...cookieCases(world),
    ...crossSiteCases(world),
    ...serviceCases(world),
    ...actCases(world),
    ...keyCases(world),
  ]
}

const session = (token: string): Line => ['Cookie', `session=${token}`]

function cookieCases({ tokens, absent, invalid, ada, refused }: AuditWorld): readonly AuditCase[] {
  const [good, bad] = [session(tokens.ada), session('x.y.z')]
  const two = (value: string): Line => ['Cookie', `session=${tokens.ada}; a=b; session=${value}`]
  return casesOf('cookie', [
    ['valid', 'GET /user', [good], ada],
    ['bad', 'GET /user', [bad], invalid],
    ['expired', 'GET /user', [session(tokens.expired)], refused('token_expired')],
    ['empty', 'GET /user', [session('')], absent],
    ['same', 'GET /user', [two(tokens.ada)], ada],
    ['tossed', 'GET /user', [two('x.y.z')], invalid],
    ['bearer-first', 'GET /user', [bearer('x.y.z'), good], invalid],
    ['basic-first', 'GET /user', [['Authorization', 'Basic eDp5'], good], absent],
    ['optional', 'GET /anybody', [bad], invalid],
  ])
}

function crossSiteCases({ tokens, ada, refused }: AuditWorld): readonly AuditCase[] {
  const refusal = refused('forbidden')
  const site = (value: string): Line => ['Sec-Fetch-Site', value]
  const origin = (value: string): Line => ['Origin', value]
  const [good, cross] = [session(tokens.ada), site('cross-site')]
  const open = handled({ ok: true })
  return casesOf('cross-site', [
    ['same', 'POST /user', [good, site('same-origin')], ada],
    ['typed', 'POST /user', [good, site('none')], ada],
    ['cross', 'POST /user', [good, cross], refusal],
    ['same-site', 'POST /user', [good, site('same-site')], refusal],
    ['twice', 'POST /user', [good, site('same-origin'), site('same-origin')], refusal],
    ['origin', 'POST /user', [good, origin('https://evil.test')], refusal],
    ['null', 'POST /user', [good, origin('null')], refusal],
    ['silent', 'POST /user', [good], refusal],
    ['stale', 'POST /user', [session('x.y.z'), cross], refusal],
    ['bearer', 'POST /user', [bearer(tokens.ada), cross], ada],
    // GET and HEAD are safe, an upgrade is not; a public route is guarded too, without a session too.
    ['get', 'GET /user', [good, cross], ada],
    ['head', 'HEAD /user', [good, cross], ada],
    ['upgrade', 'GET /user', [good, cross, ['Upgrade', 'websocket']], refusal],
    ['public', 'POST /public', [good, cross], refusal],
    ['login', 'POST /public', [origin('https://evil.test')], refusal],
    ['script', 'POST /public', [], open],
    ['read', 'GET /public', [good, cross], open],
  ])
}

const secret = (value: string): Line => ['X-Telephony-Secret', value]

function serviceCases({ tokens, orgs, absent, invalid, refused }: AuditWorld): readonly AuditCase[] {
  const open = handled({ caller: 'service' })
  const malformed = refused('bad_request')
  const [good, user] = [secret(SERVICE_SECRET), bearer(tokens.ada)]
  return casesOf('service', [
    ['valid', 'GET /service', [good], open],
    ['named', 'GET /telephony', [good], open],
    ['none', 'GET /service', [], absent],
    ['wrong', 'GET /service', [secret('x'.repeat(40))], invalid],
    ['empty', 'GET /service', [secret('')], invalid],
    ['twice', 'GET /service', [good, good], malformed],
    ['comma', 'GET /service', [secret(`${SERVICE_SECRET},x`)], malformed],
    ['both', 'GET /service', [good, user], malformed],
    ['user', 'GET /service', [user], refused('forbidden')],
    ['elsewhere', 'GET /user', [good], refused('forbidden')],
    // A user who was let in by the mount before.
    ['second', 'GET /user-service', [user], refused('forbidden', {}, [orgLine(orgs.a)])],
  ])
}

function actCases({ orgs: { a, b }, refused }: AuditWorld): readonly AuditCase[] {
  const acted = handled({ org: a }, [orgLine(a)])
  const act = (id: string, orgId: unknown, expected: AuthResponse, ...more: Line[]): CaseRow => {
    const headers = [secret(SERVICE_SECRET), typeLine('application/json'), ...more]
    return [id, 'POST /act', headers, expected, { body: JSON.stringify({ org_id: orgId }) }]
  }
  return casesOf('act', [
    act('valid', a, acted),
    act('upper', a.toUpperCase(), acted),
    act('unknown', '99999999-9999-4999-8999-999999999999', refused('forbidden')),
    act('malformed', '7', refused('invalid_org_id')),
    act('number', 7, refused('invalid_org_id')),
    act('agrees', a, acted, orgLine(a)),
    act('conflict', a, refused('org_selector_conflict'), orgLine(b)),
  ])
}

function keyCases({ orgs: { a, b }, invalid, refused }: AuditWorld): readonly AuditCase[] {
  const open = handled({ caller: 'apiKey', org: a, role: 'member', scopes: ['things:read'] }, [orgLine(a)])
  const key = bearer('adk_reading')
  const lacking = refused('insufficient_scope', { scopes: ['things:read'] })
  return casesOf('key', [
    ['valid', 'GET /keys', [key], open],
    ['scope', 'GET /keys', [bearer('adk_nothing')], lacking],
    ['unknown', 'GET /keys', [bearer('adk_unknown')], invalid],
    ['own', 'GET /keys', [key, orgLine(a)], open],
    ['other', 'GET /keys', [key, orgLine(b)], refused('forbidden')],
    ['elsewhere', 'GET /user', [key], refused('forbidden')],
  ])
}
