import { describe, expect, it } from 'vitest'
import type { AuthContext } from '../../src/context.ts'
import { toAuthResponse } from '../../src/errors.ts'
import { createGuards } from '../../src/guards.ts'
import { createRoles } from '../../src/permissions/roles.ts'
import { testApiKeyContext, testContext, testMachineContext, testServiceContext } from '../../src/testing/principals.ts'
import { reasonOf, refusalOf } from './world.ts'

const roles = createRoles(['viewer', 'member', 'admin'], { a: 'viewer', b: 'member', c: 'admin' })
const guards = createGuards(roles)

const identity = (...scopes: string[]) => ({ scopes })
const permissions = ['a', 'b']

const CONTEXTS: Readonly<Record<string, AuthContext | null>> = {
  nobody: null,
  identity: testContext({ needs: 'identity' }),
  'identity whose token carries some': testContext({ needs: 'identity', permissions }),
  user: testContext({ needs: 'user' }),
  'user with a role': testContext({ needs: 'user', role: 'admin', permissions: ['a', 'b', 'c'] }),
  'user in an org': testContext({ role: 'member', permissions }),
  'user in an org whose token carries less': testContext({
    role: 'member',
    permissions: ['a'],
    identity: identity('a'),
  }),
  'user without an org': testContext({ org: null }),
  'user with a role made at run time': testContext({ role: 'agent', permissions }),
  'user with such a role, whose token carries less': testContext({ role: 'agent', identity: identity('x') }),
  'API key': testApiKeyContext({ role: 'member', permissions }),
  'API key of a viewer': testApiKeyContext({ role: 'viewer', permissions: ['a'] }),
  'API key that carries nothing': testApiKeyContext({ role: 'admin' }),
  machine: testMachineContext({ role: 'member', permissions }),
  'machine whose token carries less': testMachineContext({
    role: 'member',
    permissions: ['a'],
    identity: identity('a'),
  }),
  'machine without a role': testMachineContext({ role: null }),
  'machine with a role made at run time': testMachineContext({ role: 'agent', permissions }),
  'machine with such a role, whose token carries less': testMachineContext({ role: 'agent', identity: identity('x') }),
  'machine without an organization': testMachineContext({ org: null, role: null }),
  service: testServiceContext('telephony'),
  'service in an org': testServiceContext('telephony', { id: 'o1' }, permissions),
}

const guardOf = {
  requireUser: guards.requireUser,
  requireOrg: guards.requireOrg,
  "requireRole('member')": guards.requireRole('member'),
  "requirePermission('a', 'b')": guards.requirePermission('a', 'b'),
  "requirePermission('c')": guards.requirePermission('c'),
} as const

const LACKS = 'permission_not_of_role'
const BOUND = 'scope_missing'

// For each context what each guard says, in the order above; '' lets in.
const TABLE: Readonly<Record<string, readonly string[]>> = {
  nobody: ['guard_anonymous', 'guard_anonymous', 'guard_anonymous', 'guard_anonymous', 'guard_anonymous'],
  identity: ['guard_not_a_user', 'guard_no_org', 'guard_no_role', BOUND, BOUND],
  'identity whose token carries some': ['guard_not_a_user', 'guard_no_org', 'guard_no_role', '', BOUND],
  user: ['', 'guard_no_org', 'role_unknown', BOUND, BOUND],
  'user with a role': ['', 'guard_no_org', '', '', ''],
  'user in an org': ['', '', '', '', LACKS],
  'user in an org whose token carries less': ['', '', '', BOUND, LACKS],
  'user without an org': ['', 'guard_no_org', 'role_unknown', LACKS, LACKS],
  'user with a role made at run time': ['', '', 'role_too_low', '', LACKS],
  'user with such a role, whose token carries less': ['', '', 'role_too_low', BOUND, BOUND],
  'API key': ['guard_not_a_user', '', '', '', LACKS],
  'API key of a viewer': ['guard_not_a_user', '', 'role_too_low', LACKS, LACKS],
  'API key that carries nothing': ['guard_not_a_user', '', '', BOUND, BOUND],
  machine: ['guard_not_a_user', '', '', '', LACKS],
  'machine whose token carries less': ['guard_not_a_user', '', '', BOUND, LACKS],
  'machine without a role': ['guard_not_a_user', '', 'role_unknown', LACKS, LACKS],
  'machine with a role made at run time': ['guard_not_a_user', '', 'role_too_low', '', LACKS],
  'machine with such a role, whose token carries less': ['guard_not_a_user', '', 'role_too_low', BOUND, BOUND],
  'machine without an organization': ['guard_not_a_user', 'guard_no_org', 'guard_no_role', BOUND, BOUND],
  service: ['guard_not_a_user', 'guard_no_org', 'guard_no_role', LACKS, LACKS],
  'service in an org': ['guard_not_a_user', '', 'guard_no_role', '', LACKS],
}

describe('guards', () => {
  for (const [name, context] of Object.entries(CONTEXTS)) {
    for (const [index, [guard, run]] of Object.entries(guardOf).entries()) {
      const reason = TABLE[name]?.[index]
      it(`${guard} ${reason === '' ? 'lets in' : `says ${reason} to`} ${name}`, async () => {
        if (reason === '') expect((run as (context: unknown) => unknown)(context)).toBe(context)
        else expect(await reasonOf(() => (run as (context: unknown) => unknown)(context))).toBe(reason)
      })
    }
  }

  it('each missing part alone is enough to refuse, in any combination (both orders)', async () => {
    const both = (context: AuthContext | null): unknown =>
      guards.requireRole('member')(guards.requireOrg(context) as AuthContext)
    expect(await reasonOf(() => both(testServiceContext('telephony', { id: 'o1' })))).toBe('guard_no_role')
    expect(await reasonOf(() => both(testContext({ needs: 'user', role: 'admin' })))).toBe('guard_no_org')
    expect(both(testContext({ role: 'admin' }))).toBeDefined()
  })

  it('say whether it is a key or a token that lacks a scope', async () => {
    const require = guards.requirePermission('a')
    const sentences = ['API key that carries nothing', 'identity'].map(
      async (name) => toAuthResponse(await refusalOf(() => require(CONTEXTS[name] as AuthContext))).body,
    )
    expect(await Promise.all(sentences)).toEqual([
      expect.stringContaining('"The API key lacks the required scope."'),
      expect.stringContaining('"The access token lacks the required scope."'),
    ])
  })

  it('can says what requirePermission would, and nobody can do anything', () => {
    for (const context of Object.values(CONTEXTS)) {
      for (const permission of ['a', 'b', 'c', 'A', '']) {
        const expected = context?.permissions.includes(permission) ?? false
        expect(guards.can(context, permission)).toBe(expected)
      }
    }
    expect(guards.can(null, 'a')).toBe(false)
    expect(guards.can(testContext({ permissions: ['a'] }), 'a')).toBe(true)
  })

  it('throw at construction for a role or permission that is none', () => {
    expect(() => guards.requireRole('owner')).toThrow('role "owner" is not one of viewer, member, admin')
    expect(() => guards.requireRole('constructor')).toThrow(TypeError)
    expect(() => guards.requirePermission()).toThrow('requirePermission: name at least one permission')
    expect(() => guards.requirePermission('a b')).toThrow(TypeError)
    expect(() => guards.requirePermission('a', '')).toThrow(TypeError)
  })
})
