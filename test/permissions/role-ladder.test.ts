import { describe, expect, it } from 'vitest'
import { OptionsError } from '../../src/lib/parse-options.ts'
import { createRoleLadder, requireScopes } from '../../src/permissions/role-ladder.ts'
import { reasonOf, refusalOf } from '../pipeline/world.ts'

const ROLES = ['viewer', 'developer', 'admin'] as const
const ladder = createRoleLadder(ROLES)

describe('the ladder', () => {
  for (const [held, role] of ROLES.entries()) {
    for (const [needed, minimum] of ROLES.entries()) {
      it(`${role} ${held >= needed ? 'is' : 'is not'} at least ${minimum}`, async () => {
        if (held >= needed) expect(ladder.requireAtLeast(role, minimum)).toBe(role)
        else expect(await reasonOf(() => ladder.requireAtLeast(role, minimum))).toBe('role_too_low')
      })
    }
  }

  it.each([null, '', 'Admin', ' admin', 'owner', 'constructor', '__proto__', 'toString', 'viewer\0'])(
    'does not know the stored role %j (O6)',
    async (role) => {
      expect(await reasonOf(() => ladder.requireKnown(role))).toBe('role_unknown')
      expect(await reasonOf(() => ladder.requireAtLeast(role, 'viewer'))).toBe('role_unknown')
    },
  )

  it('takes a role by name at construction only if it is on it', () => {
    expect(ladder.named('admin', 'Access')).toBe('admin')
    for (const role of ['owner', '', 'hasOwnProperty']) {
      expect(() => ladder.named(role, 'Access')).toThrow(
        `Access: option "role" must be on the ladder: role "${role}" is not one of viewer, developer, admin`,
      )
    }
  })

  it.each([[[]], [['a', 'a']], [['a', '']], [[' ']]])('can’t be built of %j', (roles) => {
    expect(() => createRoleLadder(roles)).toThrow(OptionsError)
    expect(() => createRoleLadder(roles)).toThrow('createAuth: option "roles"')
    expect(() => createRoleLadder(roles, 'createLogin')).toThrow('createLogin: option "roles"')
  })

  it('keeps its own frozen copy', () => {
    const roles = ['a', 'b']
    const own = createRoleLadder(roles)
    roles.push('c')
    expect(own.roles).toEqual(['a', 'b'])
    expect(Object.isFrozen(own.roles)).toBe(true)
  })
})

describe('scopes', () => {
  it('are all needed; an empty list holds nothing and needs nothing', async () => {
    expect(() => requireScopes(['a', 'b'], ['b', 'a'])).not.toThrow()
    expect(() => requireScopes([], [])).not.toThrow()
    for (const [held, needed] of [
      [[], ['a']],
      [['a'], ['a', 'b']],
      [['A'], ['a']],
      [['a:b'], ['a']],
    ] as const) {
      const refusal = await refusalOf(() => requireScopes(held, needed))
      expect(refusal).toMatchObject({ code: 'insufficient_scope', reason: 'scope_missing' })
      expect(refusal.headers['WWW-Authenticate']).toBe(`Bearer error="insufficient_scope", scope="${needed.join(' ')}"`)
    }
  })
})
