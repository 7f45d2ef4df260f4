/** Audit cases of the organization: how a request names it, who may act there, and which role holds. */
import type { AuthErrorCode, AuthResponse } from '../../index.ts'
import { type AuditCase, bearer, casesOf, orgLine } from './audit-case.ts'
import type { AuditWorld } from './audit-world.ts'
import { handled } from './endpoints.ts'

/** The cases. */
export function orgCases(world: AuditWorld): readonly AuditCase[] {
  return [
    ...headerCases(world),
    ...orderCases(world),
    ...pathCases(world),
    ...optionalCases(world),
    ...mountCases(world),
    ...needsCases(world),
  ]
}

function headerCases({ tokens, orgs, ada, acting, refused }: AuditWorld): readonly AuditCase[] {
  const { a, b, c } = orgs
  const malformed = refused('invalid_org_id')
  const rows: readonly (readonly [id: string, values: readonly string[], expected: AuthResponse])[] = [
    ['named', [a], ada],
    ['other', [b], acting('ada', 'b', 'admin')],
    ['upper', [b.toUpperCase()], acting('ada', 'b', 'admin')],
    ['stranger', [c], refused('forbidden')],
    ['unknown', ['99999999-9999-4999-8999-999999999999'], refused('forbidden')],
    ['empty', [''], malformed],
    ['braces', [`{${a}}`], malformed],
    ['urn', [`urn:uuid:${a}`], malformed],
    ['text', ['acme'], malformed],
    ['percent', [a.replaceAll('-', '%2D')], malformed],
    ['null', ['null'], malformed],
    ['twice', [a, a], malformed],
    ['two', [a, b], malformed],
    ['comma', [`${a}, ${b}`], malformed],
  ]
  return casesOf(
    'org',
    rows.map(([id, values, expected]) => [id, 'GET /user', [bearer(tokens.ada), ...values.map(orgLine)], expected]),
  )
}

function orderCases({ tokens, orgs, acting, invalid, refused }: AuditWorld): readonly AuditCase[] {
  const [line, malformed] = [bearer(tokens.ada), orgLine('x')]
  return [
    ...casesOf('order', [
      ['token-first', 'GET /user', [bearer('x.y.z'), malformed], invalid],
      ['user-first', 'GET /user', [bearer(tokens.stranger), malformed], refused('user_not_synced')],
      ['org-first', 'GET /admin', [line, malformed], refused('invalid_org_id')],
    ]),
    ...casesOf('role', [
      ['low', 'GET /admin', [line], refused('forbidden')],
      ['high', 'GET /admin', [line, orgLine(orgs.b)], acting('ada', 'b', 'admin')],
    ]),
  ]
}

function pathCases({ tokens, orgs: { a, b, c }, ada, absent, acting, refused }: AuditWorld): readonly AuditCase[] {
  const line = bearer(tokens.ada)
  const at = (org: string): string => `GET /orgs/${org}/inside`
  return casesOf('path', [
    ['named', at(b), [line], acting('ada', 'b', 'admin')],
    ['none', at(b), [], absent],
    ['stranger', at(c), [line], refused('forbidden')],
    ['malformed', at('acme'), [line], refused('invalid_org_id')],
    ['escaped', at(a.replaceAll('-', '%2D')), [line], ada],
    ['agrees', at(a), [line, orgLine(a)], ada],
    ['conflict', at(a), [line, orgLine(b)], refused('org_selector_conflict')],
    ['header-malformed', at(a), [line, orgLine('')], refused('invalid_org_id')],
  ])
}

function optionalCases({ tokens, ada, absent, invalid, refused }: AuditWorld): readonly AuditCase[] {
  const line = bearer(tokens.ada)
  const nobody = handled({ caller: null })
  return casesOf('mount', [
    ['anybody', 'GET /anybody', [], nobody],
    ['anybody-user', 'GET /anybody', [line], ada],
    ['anybody-bad', 'GET /anybody', [bearer('x.y.z')], invalid],
    ['anybody-org', 'GET /anybody', [line, orgLine('x')], refused('invalid_org_id')],
    ['strict-in-optional', 'GET /optional-strict', [], absent],
    ['strict-in-optional-user', 'GET /optional-strict', [line], ada],
    ['optional-in-strict', 'GET /strict-optional', [], absent],
    ['optional-twice', 'GET /optional-twice', [], nobody],
    ['optional-twice-user', 'GET /optional-twice', [line], ada],
  ])
}

function mountCases({ tokens, orgs: { a, b, c, d }, ada, acting, refused }: AuditWorld): readonly AuditCase[] {
  const [line, bob] = [bearer(tokens.ada), bearer(tokens.bob)]
  // The outer mount has let in, so the answer says which org it serves, also where the inner one then refuses.
  const outer = (code: AuthErrorCode, org: string): AuthResponse => refused(code, {}, [orgLine(org)])
  const conflict = outer('org_selector_conflict', a)
  const admin = acting('ada', 'b', 'admin')
  return casesOf('mount', [
    // A request has one org: what the path of the inner mount names, the outer one has served.
    ['path-in-header', `GET /header-path/${a}`, [line], ada],
    ['path-another', `GET /header-path/${b}`, [line], conflict],
    ['path-agrees', `GET /header-path/${b}`, [line, orgLine(b)], admin],
    ['path-conflict', `GET /header-path/${b}`, [line, orgLine(a)], conflict],
    ['path-strange', `GET /header-path/${c}`, [line], conflict],
    // A role is looked at where the path of an earlier mount leads, and nowhere else.
    ['role-in-path', `GET /path-admin/${a}`, [line], outer('forbidden', a)],
    ['role-of-path', `GET /path-admin/${b}`, [line], admin],
    // The role of the outer mount leads to no other org, and comes first.
    ['role-holds', `GET /admin-path/${d}`, [bob], outer('org_selector_conflict', c)],
    ['role-held', `GET /admin-path/${c}`, [bob], acting('bob', 'c', 'admin')],
    ['role-first', `GET /admin-path/${b}`, [line], refused('forbidden')],
    ['weaker-inside', 'GET /weaker-inside', [line], refused('forbidden')],
    ['weaker-inside-admin', 'GET /weaker-inside', [line, orgLine(b)], admin],
    ['further', 'GET /identity-org', [line], ada],
    ['further-org', 'GET /identity-org', [line, orgLine(c)], refused('forbidden')],
  ])
}

function needsCases({ tokens, users, absent, refused }: AuditWorld): readonly AuditCase[] {
  const [line, stranger] = [bearer(tokens.ada), bearer(tokens.stranger)]
  const user = handled({ caller: 'user', user: users.ada, role: null })
  return casesOf('needs', [
    ['identity', 'GET /identity', [stranger], handled({ caller: 'user' })],
    ['identity-none', 'GET /identity', [], absent],
    ['user', 'GET /known', [line], user],
    // No selector is read where no org is needed.
    ['user-org', 'GET /known', [line, orgLine('x')], user],
    ['user-none', 'GET /known', [stranger], refused('user_not_synced')],
  ])
}
