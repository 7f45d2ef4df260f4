/** Audit cases of the organization: how a request names it, who may act there, and which role holds. */
import type { AuthErrorCode, AuthResponse } from '../../index.ts'
import { answersOf, bearer, type Line, orgLine } from './answers.ts'
import { type AuditCase, auditCase } from './audit-case.ts'
import type { AuditWorld } from './audit-world.ts'
import { handled } from './endpoints.ts'

/** The cases. */
export async function orgCases(world: AuditWorld): Promise<readonly AuditCase[]> {
  const ada = await world.tokenOf('ada')
  const bob = await world.tokenOf('bob')
  const stranger = await world.tokenOf('stranger')
  return [
    ...headerCases(world, ada),
    ...orderCases(world, ada, stranger),
    ...pathCases(world, ada),
    ...mountCases(world, ada),
    ...selectorCases(world, ada, bob),
    ...stageCases(world, ada, stranger),
  ]
}

function headerCases(world: AuditWorld, token: string): AuditCase[] {
  const { ada, acting, refused } = answersOf(world)
  const { a, b, c } = world.orgs
  const malformed = refused('invalid_org_id')
  const get = (
    [id, name]: readonly [id: string, name: string],
    values: readonly string[],
    expected: typeof ada,
  ): AuditCase => auditCase([`org/${id}`, name, 'GET /user'], [bearer(token), ...values.map(orgLine)], expected)
  return [
    get(['named', 'a member'], [a], ada),
    get(['other', 'the other org, the other role'], [b], acting('ada', 'b', 'admin')),
    get(['upper', 'in upper case'], [b.toUpperCase()], acting('ada', 'b', 'admin')),
    get(['stranger', 'not a member'], [c], refused('forbidden')),
    get(['unknown', 'no such org'], ['99999999-9999-4999-8999-999999999999'], refused('forbidden')),
    get(['empty', 'an empty value'], [''], malformed),
    get(['braces', 'braces'], [`{${a}}`], malformed),
    get(['urn', 'a URN'], [`urn:uuid:${a}`], malformed),
    get(['text', 'no UUID'], ['acme'], malformed),
    get(['percent', 'percent-escapes'], [a.replaceAll('-', '%2D')], malformed),
    get(['null', 'the word null'], ['null'], malformed),
    get(['twice', 'the same twice'], [a, a], malformed),
    get(['two', 'two orgs'], [a, b], malformed),
    get(['comma', 'two in one line'], [`${a}, ${b}`], malformed),
  ]
}

function orderCases(world: AuditWorld, token: string, stranger: string): AuditCase[] {
  const { acting, invalid, refused } = answersOf(world)
  const malformed = refused('invalid_org_id')
  return [
    auditCase(
      ['order/token-first', 'a bad token with a malformed org', 'GET /user'],
      [bearer('x.y.z'), orgLine('x')],
      invalid,
    ),
    auditCase(
      ['order/user-first', 'no user row with a malformed org', 'GET /user'],
      [bearer(stranger), orgLine('x')],
      refused('user_not_synced'),
    ),
    auditCase(
      ['order/org-first', 'a malformed org with too low a role', 'GET /admin'],
      [bearer(token), orgLine('x')],
      malformed,
    ),
    auditCase(['role/low', 'a role too low', 'GET /admin'], [bearer(token)], refused('forbidden')),
    auditCase(
      ['role/high', 'a role high enough', 'GET /admin'],
      [bearer(token), orgLine(world.orgs.b)],
      acting('ada', 'b', 'admin'),
    ),
  ]
}

function pathCases(world: AuditWorld, token: string): AuditCase[] {
  const { ada, absent, acting, refused } = answersOf(world)
  const { a, b, c } = world.orgs
  const get = (
    [id, name]: readonly [id: string, name: string],
    org: string,
    headers: readonly (readonly [string, string])[],
    expected: typeof ada,
  ): AuditCase => auditCase([`path/${id}`, name, `GET /orgs/${org}/inside`], headers, expected)
  const line = bearer(token)
  return [
    get(['named', 'a member'], b, [line], acting('ada', 'b', 'admin')),
    get(['none', 'no credential'], b, [], absent),
    get(['stranger', 'not a member'], c, [line], refused('forbidden')),
    get(['malformed', 'a malformed id'], 'acme', [line], refused('invalid_org_id')),
    get(['escaped', 'an id in percent-escapes'], a.replaceAll('-', '%2D'), [line], ada),
    get(['agrees', 'the header agrees'], a, [line, orgLine(a)], ada),
    get(['conflict', 'the header names another'], a, [line, orgLine(b)], refused('org_selector_conflict')),
    get(['header-malformed', 'the header is malformed'], a, [line, orgLine('')], refused('invalid_org_id')),
  ]
}

function mountCase(
  [id, name]: readonly [id: string, name: string],
  target: string,
  headers: readonly Line[],
  expected: AuthResponse,
): AuditCase {
  return auditCase([`mount/${id}`, name, `GET ${target}`], headers, expected)
}

function mountCases(world: AuditWorld, token: string): AuditCase[] {
  const { ada, absent, invalid, refused } = answersOf(world)
  const line = bearer(token)
  const nobody = handled({ caller: null })
  const get = mountCase
  return [
    get(['anybody', 'optional, nobody'], '/anybody', [], nobody),
    get(['anybody-user', 'optional, a user'], '/anybody', [line], ada),
    get(['anybody-bad', 'optional, a bad token'], '/anybody', [bearer('x.y.z')], invalid),
    get(['anybody-org', 'optional, a malformed org'], '/anybody', [line, orgLine('x')], refused('invalid_org_id')),
    get(['strict-in-optional', 'strict inside optional stays strict'], '/optional-strict', [], absent),
    get(['strict-in-optional-user', 'and lets users in'], '/optional-strict', [line], ada),
    get(['optional-in-strict', 'optional inside strict stays strict'], '/strict-optional', [], absent),
    get(['optional-twice', 'optional twice, nobody'], '/optional-twice', [], nobody),
    get(['optional-twice-user', 'optional twice, a user'], '/optional-twice', [line], ada),
  ]
}

function selectorCases(world: AuditWorld, token: string, bobs: string): AuditCase[] {
  const { ada, acting, refused } = answersOf(world)
  const { a, b, c, d } = world.orgs
  const [line, bob] = [bearer(token), bearer(bobs)]
  // The outer mount has let in, so the answer says which org it serves, also where the inner one then refuses.
  const outer = (code: AuthErrorCode, org: string): typeof ada => refused(code, {}, [orgLine(org)])
  const get = mountCase
  return [
    get(
      ['path-in-header', 'a path selector inside a header mount names what serves'],
      `/header-path/${a}`,
      [line],
      ada,
    ),
    get(
      ['path-another', 'and nothing else: a request has one org'],
      `/header-path/${b}`,
      [line],
      outer('org_selector_conflict', a),
    ),
    get(['path-agrees', 'both name one'], `/header-path/${b}`, [line, orgLine(b)], acting('ada', 'b', 'admin')),
    get(
      ['path-conflict', 'both name another'],
      `/header-path/${b}`,
      [line, orgLine(a)],
      outer('org_selector_conflict', a),
    ),
    get(['path-strange', 'a strange org by the path'], `/header-path/${c}`, [line], outer('org_selector_conflict', a)),
    get(
      ['role-in-path', 'a role is judged where an earlier path leads'],
      `/path-admin/${a}`,
      [line],
      outer('forbidden', a),
    ),
    get(['role-of-path', 'and nowhere else'], `/path-admin/${b}`, [line], acting('ada', 'b', 'admin')),
    get(
      ['role-holds', 'the outer role leads to no other org'],
      `/admin-path/${d}`,
      [bob],
      outer('org_selector_conflict', c),
    ),
    get(['role-held', 'and lets in where it is held'], `/admin-path/${c}`, [bob], acting('bob', 'c', 'admin')),
    get(['role-first', 'the outer role is judged first'], `/admin-path/${b}`, [line], refused('forbidden')),
    get(['weaker-inside', 'a weaker mount inside does not weaken'], '/weaker-inside', [line], refused('forbidden')),
    get(
      ['weaker-inside-admin', 'and lets admins in'],
      '/weaker-inside',
      [line, orgLine(b)],
      acting('ada', 'b', 'admin'),
    ),
    get(['further', 'the inner mount goes further'], '/identity-org', [line], ada),
    get(['further-org', 'and judges the org'], '/identity-org', [line, orgLine(c)], refused('forbidden')),
  ]
}

function stageCases(world: AuditWorld, token: string, stranger: string): AuditCase[] {
  const { absent, refused } = answersOf(world)
  const { ada } = world.users
  return [
    auditCase(
      ['needs/identity', 'identity needs no user row', 'GET /identity'],
      [bearer(stranger)],
      handled({ caller: 'user' }),
    ),
    auditCase(['needs/identity-none', 'but a credential', 'GET /identity'], [], absent),
    auditCase(
      ['needs/user', 'user needs no org', 'GET /known'],
      [bearer(token)],
      handled({ caller: 'user', user: ada, role: null }),
    ),
    auditCase(
      ['needs/user-org', 'and reads no selector', 'GET /known'],
      [bearer(token), orgLine('x')],
      handled({ caller: 'user', user: ada, role: null }),
    ),
    auditCase(['needs/user-none', 'but a user row', 'GET /known'], [bearer(stranger)], refused('user_not_synced')),
  ]
}
