/** Audit cases of the other credentials: the session cookie with its cross-site rule, service secrets, API keys. */
import type { AuthResponse } from '../../index.ts'
import { answersOf, bearer, type Line, orgLine, session } from './answers.ts'
import { type AuditCase, auditCase } from './audit-case.ts'
import { type AuditWorld, SERVICE_SECRET } from './audit-world.ts'
import { handled } from './endpoints.ts'

/** The cases. */
export async function callerCases(world: AuditWorld): Promise<readonly AuditCase[]> {
  const token = await world.tokenOf('ada')
  const expired = await world.issuer.sign({ sub: 'ada' }, { expiresInSeconds: -60 })
  return [
    ...cookieCases(world, token, expired),
    ...crossSiteCases(world, token),
    ...safeCases(world, token),
    ...serviceCases(world, token),
    ...actCases(world),
    ...keyCases(world),
  ]
}

function cookieCases(world: AuditWorld, token: string, expired: string): AuditCase[] {
  const { absent, invalid, ada, refused } = answersOf(world)
  const basic = ['Authorization', 'Basic eDp5'] as const
  const two = (value: string): [string, string] => ['Cookie', `session=${token}; a=b; session=${value}`]
  return [
    auditCase(['cookie/valid', 'a good session', 'GET /user'], [session(token)], ada),
    auditCase(['cookie/bad', 'a bad session', 'GET /user'], [session('x.y.z')], invalid),
    auditCase(['cookie/expired', 'an expired session', 'GET /user'], [session(expired)], refused('token_expired')),
    auditCase(['cookie/empty', 'an empty session is none', 'GET /user'], [session('')], absent),
    auditCase(['cookie/same', 'one session twice', 'GET /user'], [two(token)], ada),
    auditCase(['cookie/tossed', 'two sessions', 'GET /user'], [two('x.y.z')], invalid),
    auditCase(
      ['cookie/bearer-first', 'a bad token beside a good session', 'GET /user'],
      [bearer('x.y.z'), session(token)],
      invalid,
    ),
    auditCase(['cookie/basic-first', 'Basic beside a good session', 'GET /user'], [basic, session(token)], absent),
    auditCase(['cookie/optional', 'a bad session where none is needed', 'GET /anybody'], [session('x.y.z')], invalid),
  ]
}

function crossSiteCases(world: AuditWorld, token: string): AuditCase[] {
  const { ada, refused } = answersOf(world)
  const refusal = refused('forbidden')
  const site = (value: string): [string, string] => ['Sec-Fetch-Site', value]
  const origin = (value: string): [string, string] => ['Origin', value]
  const post = (
    id: string,
    name: string,
    headers: readonly (readonly [string, string])[],
    expected: typeof ada,
  ): AuditCase => auditCase([`cross-site/${id}`, name, 'POST /user'], headers, expected)
  return [
    post('same', 'our own page', [session(token), site('same-origin')], ada),
    post('typed', 'no page at all', [session(token), site('none')], ada),
    post('cross', 'another site', [session(token), site('cross-site')], refusal),
    post('same-site', 'a sibling host', [session(token), site('same-site')], refusal),
    post('twice', 'two statements', [session(token), site('same-origin'), site('same-origin')], refusal),
    post('origin', 'another origin', [session(token), origin('https://evil.test')], refusal),
    post('null', 'a null origin', [session(token), origin('null')], refusal),
    post('silent', 'nothing said', [session(token)], refusal),
    post('stale', 'a stale session of another site', [session('x.y.z'), site('cross-site')], refusal),
    post('bearer', 'a token is exempt', [bearer(token), site('cross-site')], ada),
  ]
}

function safeCases(world: AuditWorld, token: string): AuditCase[] {
  const { ada, refused } = answersOf(world)
  const refusal = refused('forbidden')
  const open = handled({ ok: true })
  const foreign = [session(token), ['Sec-Fetch-Site', 'cross-site']] as const
  const evil = [['Origin', 'https://evil.test']] as const
  return [
    auditCase(['cross-site/get', 'GET is safe', 'GET /user'], foreign, ada),
    auditCase(['cross-site/head', 'HEAD is safe', 'HEAD /user'], foreign, ada),
    auditCase(
      ['cross-site/upgrade', 'an upgrade is not', 'GET /user'],
      [...foreign, ['Upgrade', 'websocket']],
      refusal,
    ),
    auditCase(['cross-site/public', 'a public route too', 'POST /public'], foreign, refusal),
    auditCase(['cross-site/login', 'without a session too', 'POST /public'], evil, refusal),
    auditCase(['cross-site/script', 'a script says nothing', 'POST /public'], [], open),
    auditCase(['cross-site/read', 'a public GET', 'GET /public'], foreign, open),
  ]
}

function serviceCases(world: AuditWorld, token: string): AuditCase[] {
  const { absent, invalid, refused } = answersOf(world)
  const secret = (value: string): [string, string] => ['X-Telephony-Secret', value]
  const open = handled({ caller: 'service' })
  const good = secret(SERVICE_SECRET)
  const { a } = world.orgs
  return [
    auditCase(['service/valid', 'the secret opens', 'GET /service'], [good], open),
    auditCase(['service/named', 'the secret of the service named', 'GET /telephony'], [good], open),
    auditCase(['service/none', 'nothing opens nothing', 'GET /service'], [], absent),
    auditCase(['service/wrong', 'a wrong secret', 'GET /service'], [secret('x'.repeat(40))], invalid),
    auditCase(['service/empty', 'an empty secret', 'GET /service'], [secret('')], invalid),
    auditCase(['service/twice', 'the secret twice', 'GET /service'], [good, good], refused('bad_request')),
    auditCase(
      ['service/comma', 'a comma in it', 'GET /service'],
      [secret(`${SERVICE_SECRET},x`)],
      refused('bad_request'),
    ),
    auditCase(['service/both', 'a secret and a token', 'GET /service'], [good, bearer(token)], refused('bad_request')),
    auditCase(['service/user', 'a user at a service route', 'GET /service'], [bearer(token)], refused('forbidden')),
    auditCase(['service/elsewhere', 'a service at a user route', 'GET /user'], [good], refused('forbidden')),
    auditCase(
      ['service/second', 'a user let in before', 'GET /user-service'],
      [bearer(token)],
      refused('forbidden', {}, [orgLine(a)]),
    ),
  ]
}

function actCases(world: AuditWorld): AuditCase[] {
  const { refused } = answersOf(world)
  const { a, b } = world.orgs
  const acted = handled({ org: a }, [orgLine(a)])
  const act = (
    [id, name]: readonly [id: string, name: string],
    body: unknown,
    expected: AuthResponse,
    ...more: Line[]
  ): AuditCase => {
    const headers: Line[] = [['X-Telephony-Secret', SERVICE_SECRET], ['Content-Type', 'application/json'], ...more]
    return auditCase([`act/${id}`, name, 'POST /act'], headers, expected, { body: JSON.stringify(body) })
  }
  const unknown = '99999999-9999-4999-8999-999999999999'
  return [
    act(['valid', 'an org named in the body'], { org_id: a }, acted),
    act(['upper', 'in any case'], { org_id: a.toUpperCase() }, acted),
    act(['unknown', 'an unknown org'], { org_id: unknown }, refused('forbidden')),
    act(['malformed', 'a malformed id'], { org_id: '7' }, refused('invalid_org_id')),
    act(['number', 'no text'], { org_id: 7 }, refused('invalid_org_id')),
    act(['agrees', 'the header agrees'], { org_id: a }, acted, orgLine(a)),
    act(['conflict', 'the header names another'], { org_id: a }, refused('org_selector_conflict'), orgLine(b)),
  ]
}

function keyCases(world: AuditWorld): AuditCase[] {
  const { invalid, refused } = answersOf(world)
  const { a, b } = world.orgs
  const open = handled({ caller: 'apiKey', org: a, role: 'member', scopes: ['things:read'] }, [['X-Org-Id', a]])
  const get = (
    [id, name]: readonly [id: string, name: string],
    headers: readonly (readonly [string, string])[],
    expected: typeof open,
  ): AuditCase => auditCase([`key/${id}`, name, 'GET /keys'], headers, expected)
  return [
    get(['valid', 'a key with the scope'], [bearer('adk_reading')], open),
    get(
      ['scope', 'a key without it'],
      [bearer('adk_nothing')],
      refused('insufficient_scope', { scopes: ['things:read'] }),
    ),
    get(['unknown', 'an unknown key'], [bearer('adk_unknown')], invalid),
    get(['own', 'its own org, named'], [bearer('adk_reading'), orgLine(a)], open),
    get(['other', 'another org'], [bearer('adk_reading'), orgLine(b)], refused('forbidden')),
    auditCase(['key/elsewhere', 'a key at a user route', 'GET /user'], [bearer('adk_reading')], refused('forbidden')),
  ]
}
