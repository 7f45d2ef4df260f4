/** Audit cases of the organization: how a request names it, who may act there, and which role holds. */
import type { AuthErrorCode, AuthResponse } from '../../index.ts'
import { type AuditCase, bearer, casesOf, type Line, orgLine } from './audit-case.ts'
import { type AuditWorld, handled } from './audit-world.ts'

export function orgCases(world: AuditWorld): readonly AuditCase[] {
  return [headerCases, pathCases, optionalCases, mountCases].flatMap((casesIn) => casesIn(world))
}

function headerCases({ tokens, orgs: { a, b, c }, ada, acting, invalid, refused }: AuditWorld): readonly AuditCase[] {
  const [line, stranger] = [bearer(tokens.ada), bearer(tokens.stranger)]
  const named = (...values: string[]): readonly Line[] => [line, ...values.map(orgLine)]
  const [admin, forbidden, malformed] = [acting('ada', 'b', 'admin'), refused('forbidden'), refused('invalid_org_id')]
  return [
    ...casesOf('org', [
      ['GET /user', ada, { named: named(a) }],
      ['GET /user', admin, { other: named(b), upper: named(b.toUpperCase()) }],
      ['GET /user', forbidden, { stranger: named(c), unknown: named('99999999-9999-4999-8999-999999999999') }],
      ['GET /user', malformed, { empty: named(''), braces: named(`{${a}}`), urn: named(`urn:uuid:${a}`) }],
      ['GET /user', malformed, { text: named('acme'), percent: named(a.replaceAll('-', '%2D')), null: named('null') }],
      ['GET /user', malformed, { twice: named(a, a), two: named(a, b), comma: named(`${a}, ${b}`) }],
    ]),
    ...casesOf('order', [
      ['GET /user', invalid, { 'token-first': [bearer('x.y.z'), orgLine('x')] }],
      ['GET /user', refused('user_not_synced'), { 'user-first': [stranger, orgLine('x')] }],
      ['GET /admin', malformed, { 'org-first': named('x') }],
    ]),
    ...casesOf('role', [
      ['GET /admin', forbidden, { low: [line] }],
      ['GET /admin', admin, { high: named(b) }],
    ]),
  ]
}

function pathCases({ tokens, orgs: { a, b, c }, ada, absent, acting, refused }: AuditWorld): readonly AuditCase[] {
  const line = bearer(tokens.ada)
  const at = (org: string): string => `GET /orgs/${org}/inside`
  return casesOf('path', [
    [at(b), acting('ada', 'b', 'admin'), { named: [line] }],
    [at(b), absent, { none: [] }],
    [at(c), refused('forbidden'), { stranger: [line] }],
    [at('acme'), refused('invalid_org_id'), { malformed: [line] }],
    [at(a.replaceAll('-', '%2D')), ada, { escaped: [line] }],
    [at(a), ada, { agrees: [line, orgLine(a)] }],
    [at(a), refused('org_selector_conflict'), { conflict: [line, orgLine(b)] }],
    [at(a), refused('invalid_org_id'), { 'header-malformed': [line, orgLine('')] }],
  ])
}

function optionalCases({ tokens, users, ada, absent, invalid, refused }: AuditWorld): readonly AuditCase[] {
  const [line, stranger] = [bearer(tokens.ada), bearer(tokens.stranger)]
  const [nobody, identity] = [handled({ caller: null }), handled({ caller: 'user' })]
  const user = handled({ caller: 'user', user: users.ada, role: null })
  return [
    ...casesOf('mount', [
      ['GET /anybody', nobody, { anybody: [] }],
      ['GET /anybody', ada, { 'anybody-user': [line] }],
      ['GET /anybody', invalid, { 'anybody-bad': [bearer('x.y.z')] }],
      ['GET /anybody', refused('invalid_org_id'), { 'anybody-org': [line, orgLine('x')] }],
      ['GET /optional-strict', absent, { 'strict-in-optional': [] }],
      ['GET /optional-strict', ada, { 'strict-in-optional-user': [line] }],
      ['GET /strict-optional', absent, { 'optional-in-strict': [] }],
      ['GET /optional-twice', nobody, { 'optional-twice': [] }],
      ['GET /optional-twice', ada, { 'optional-twice-user': [line] }],
    ]),
    ...casesOf('needs', [
      ['GET /identity', identity, { identity: [stranger] }],
      ['GET /identity', absent, { 'identity-none': [] }],
      // No selector is read where no org is needed.
      ['GET /known', user, { user: [line], 'user-org': [line, orgLine('x')] }],
      ['GET /known', refused('user_not_synced'), { 'user-none': [stranger] }],
    ]),
  ]
}

function mountCases({ tokens, orgs: { a, b, c, d }, ada, acting, refused }: AuditWorld): readonly AuditCase[] {
  const [line, bob] = [bearer(tokens.ada), bearer(tokens.bob)]
  // The outer mount has let in, so the answer says which org it serves, also where the inner one then refuses.
  const outer = (code: AuthErrorCode, org: string): AuthResponse => refused(code, {}, [orgLine(org)])
  const conflict = outer('org_selector_conflict', a)
  const admin = acting('ada', 'b', 'admin')
  return casesOf('mount', [
    // A request has one org: what the path of the inner mount names, the outer one has served.
    [`GET /header-path/${a}`, ada, { 'path-in-header': [line] }],
    [`GET /header-path/${b}`, conflict, { 'path-another': [line], 'path-conflict': [line, orgLine(a)] }],
    [`GET /header-path/${b}`, admin, { 'path-agrees': [line, orgLine(b)] }],
    [`GET /header-path/${c}`, conflict, { 'path-strange': [line] }],
    // A role is looked at where the path of an earlier mount leads, and nowhere else.
    [`GET /path-admin/${a}`, outer('forbidden', a), { 'role-in-path': [line] }],
    [`GET /path-admin/${b}`, admin, { 'role-of-path': [line] }],
    // The role of the outer mount leads to no other org, and comes first.
    [`GET /admin-path/${d}`, outer('org_selector_conflict', c), { 'role-holds': [bob] }],
    [`GET /admin-path/${c}`, acting('bob', 'c', 'admin'), { 'role-held': [bob] }],
    [`GET /admin-path/${b}`, refused('forbidden'), { 'role-first': [line] }],
    ['GET /weaker-inside', refused('forbidden'), { 'weaker-inside': [line] }],
    ['GET /weaker-inside', admin, { 'weaker-inside-admin': [line, orgLine(b)] }],
    ['GET /identity-org', ada, { further: [line] }],
    ['GET /identity-org', refused('forbidden'), { 'further-org': [line, orgLine(c)] }],
  ])
}
