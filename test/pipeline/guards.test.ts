import { describe, expect, it } from 'vitest'
import type { AuthContext } from '../../src/context.ts'
import { createGuards } from '../../src/guards.ts'
import { createRoleLadder } from '../../src/permissions/role-ladder.ts'
import { testApiKeyContext, testContext, testServiceContext } from '../../src/testing/principals.ts'
import { reasonOf } from './world.ts'

const guards = createGuards(createRoleLadder(['viewer', 'member', 'admin']))

const CONTEXTS: Readonly<Record<string, AuthContext | null>> = {
  nobody: null,
  identity: testContext({ needs: 'identity' }),
  user: testContext({ needs: 'user' }),
  'user with a role': testContext({ needs: 'user', role: 'admin' }),
  'user in an org': testContext({ role: 'member' }),
  'user without an org': testContext({ org: null }),
  'user with a stored role off the ladder': testContext({ role: 'owner' }),
  'API key': testApiKeyContext({ role: 'member', scopes: ['a', 'b'] }),
  'API key of a viewer': testApiKeyContext({ role: 'viewer' }),
  service: testServiceContext('telephony'),
  'service in an org': testServiceContext('telephony', { id: 'o1' }),
}

const guardOf = {
  requireUser: guards.requireUser,
  requireOrg: guards.requireOrg,
  "requireRole('member')": guards.requireRole('member'),
  "requireScope('a', 'b')": guards.requireScope('a', 'b'),
  "requireScope('c')": guards.requireScope('c'),
} as const

// For each context what each guard says, in the order above; '' lets in.
const TABLE: Readonly<Record<string, readonly string[]>> = {
  nobody: ['guard_anonymous', 'guard_anonymous', 'guard_anonymous', 'guard_anonymous', 'guard_anonymous'],
  identity: ['guard_not_a_user', 'guard_no_org', 'guard_no_role', '', ''],
  user: ['', 'guard_no_org', 'role_unknown', '', ''],
  'user with a role': ['', 'guard_no_org', '', '', ''],
  'user in an org': ['', '', '', '', ''],
  'user without an org': ['', 'guard_no_org', 'role_unknown', '', ''],
  'user with a stored role off the ladder': ['', '', 'role_unknown', '', ''],
  'API key': ['guard_not_a_user', '', '', '', 'scope_missing'],
  'API key of a viewer': ['guard_not_a_user', '', 'role_too_low', 'scope_missing', 'scope_missing'],
  service: ['guard_not_a_user', 'guard_no_org', 'guard_no_role', '', ''],
  'service in an org': ['guard_not_a_user', '', 'guard_no_role', '', ''],
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

  it('throw at construction for a role or scope that is none', () => {
    expect(() => guards.requireRole('owner')).toThrow('role "owner" is not one of viewer, member, admin')
    expect(() => guards.requireRole('constructor')).toThrow(TypeError)
    expect(() => guards.requireScope()).toThrow('requireScope: name at least one scope')
    expect(() => guards.requireScope('a b')).toThrow(TypeError)
    expect(() => guards.requireScope('a', '')).toThrow(TypeError)
  })
})
