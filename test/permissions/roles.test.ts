import { describe, expect, it } from 'vitest'
import type { Roles } from '../../src/context.ts'
import { OptionsError } from '../../src/lib/parse-options.ts'
import {
  createRoles,
  differenceOf,
  isKnown,
  isRoles,
  type RoleSets,
  requireAtLeast,
  requireKnown,
  requireNamed,
  toRoles,
} from '../../src/permissions/roles.ts'
import { reasonOf } from '../pipeline/world.ts'

const LADDER = ['viewer', 'developer', 'admin'] as const
const ladder = createRoles(LADDER, { 'things:write': 'developer', 'things:read': 'viewer', 'users:write': 'admin' })
const sets = createRoles({
  support: ['tickets:write', 'tickets:read'],
  billing: ['invoices:read'],
  admin: ['support', 'billing', 'users:write'],
  root: ['admin', 'billing'],
  guest: [],
})

const withHole = (first: string, last: string): string[] => Object.assign(new Array(3), { 0: first, 2: last })

describe('a ladder', () => {
  for (const [held, role] of LADDER.entries()) {
    for (const [needed, minimum] of LADDER.entries()) {
      it(`${role} ${held >= needed ? 'includes' : 'does not include'} ${minimum}`, async () => {
        expect(ladder.includes(role, minimum)).toBe(held >= needed)
        if (held >= needed) expect(() => requireAtLeast(ladder, role, minimum)).not.toThrow()
        else expect(await reasonOf(() => requireAtLeast(ladder, role, minimum))).toBe('role_too_low')
      })
    }
  }

  it('gives each role the permissions of those below, sorted', () => {
    expect(ladder.permissions).toEqual(['things:read', 'things:write', 'users:write'])
    expect(LADDER.map((role) => ladder.permissionsOf(role))).toEqual([
      ['things:read'],
      ['things:read', 'things:write'],
      ['things:read', 'things:write', 'users:write'],
    ])
    expect([ladder.names, ladder.highest]).toEqual([LADDER, 'admin'])
  })

  it('has no hole, in which the role above would include none', () => {
    const sentence = 'option "roles" must be a list of different role names, lowest first'
    expect(() => createRoles(withHole('a', 'b') as never)).toThrow(sentence)
    expect(() => createRoles({ a: withHole('p', 'q') } as never)).toThrow(OptionsError)
  })

  it('keeps the order of names that look like numbers', () => {
    expect(createRoles(['10', '2', '1']).names).toEqual(['10', '2', '1'])
    expect(createRoles(['10', '2']).includes('2', '10')).toBe(true)
  })

  it.each([[[]], [['a', 'a']], [['a', '']], [[' ']], [['a', 7]], [[['a']]]])('can’t be built of %j', (roles) => {
    const build = (name?: string) => (name === undefined ? createRoles(roles as never) : toRoles(roles as never, name))
    expect(build).toThrow(OptionsError)
    expect(build).toThrow('createRoles: option "roles" must be a list of different role names, lowest first')
    expect(() => build('createLogin')).toThrow('createLogin: option "roles"')
  })

  it.each([
    [
      'a role that there is not',
      { a: 'owner' },
      'option "permissions.a" must be one of the roles viewer, developer, admin',
    ],
    ['no role', { a: undefined }, 'option "permissions.a"'],
    ['a role of the prototype', { a: 'constructor' }, 'option "permissions.a"'],
    [
      'a name that is no scope token',
      { 'a b': 'viewer' },
      'option "permissions" has the permission "a b", which is a role, or no scope',
    ],
    ['an empty name', { '': 'viewer' }, 'has the permission "", which is a role, or no scope token'],
    ['a quote', { 'a"': 'viewer' }, 'which is a role, or no scope token'],
    ['the name of a role', { admin: 'viewer' }, 'has the permission "admin", which is a role'],
    ['a list', ['a'], 'option "permissions" must be given in a plain object'],
  ])('takes no permission with %s', (_what, permissions, sentence) => {
    expect(() => createRoles(LADDER, permissions as never)).toThrow(OptionsError)
    expect(() => createRoles(LADDER, permissions as never)).toThrow(sentence)
  })
})

describe('sets', () => {
  it('include one another by name, over any number of steps', () => {
    expect(sets.names).toEqual(['support', 'billing', 'admin', 'root', 'guest'])
    expect(sets.highest).toBeNull()
    const included = Object.fromEntries(
      sets.names.map((role) => [role, sets.names.filter((other) => sets.includes(role, other))]),
    )
    expect(included).toEqual({
      support: ['support'],
      billing: ['billing'],
      admin: ['support', 'billing', 'admin'],
      root: ['support', 'billing', 'admin', 'root'],
      guest: ['guest'],
    })
  })

  it('hold what they name and what their roles hold, sorted', () => {
    expect(sets.permissionsOf('support')).toEqual(['tickets:read', 'tickets:write'])
    expect(sets.permissionsOf('root')).toEqual(['invoices:read', 'tickets:read', 'tickets:write', 'users:write'])
    expect(sets.permissionsOf('guest')).toEqual([])
    expect(sets.permissions).toEqual(['invoices:read', 'tickets:read', 'tickets:write', 'users:write'])
  })

  it('of equal permissions do not include one another', () => {
    const alike = createRoles({ a: ['x'], b: ['x'] })
    expect([alike.includes('a', 'b'), alike.includes('b', 'a')]).toEqual([false, false])
  })

  it('have further permissions that no role of theirs holds', () => {
    const roles = createRoles({ a: ['x'] }, { permissions: ['y'] })
    expect(roles.permissions).toEqual(['x', 'y'])
    expect(roles.permissionsOf('a')).toEqual(['x'])
  })

  it.each([
    ['itself', { a: ['a'] }, 'has a circle: a includes a'],
    ['itself over another', { a: ['b'], b: ['a'] }, 'has a circle: a includes b includes a'],
    ['itself over two', { x: ['a'], a: ['b'], b: ['c'], c: ['p', 'a'] }, 'a includes b includes c includes a'],
  ])('can’t have a role that includes %s', (_what, given, sentence) => {
    expect(() => createRoles(given as RoleSets)).toThrow(OptionsError)
    expect(() => createRoles(given as RoleSets)).toThrow(sentence)
  })

  it('may reach a role by two ways', () => {
    expect(() => createRoles({ top: ['left', 'right'], left: ['low'], right: ['low'], low: ['p'] })).not.toThrow()
  })

  it.each([
    ['nothing', {}, 'option "roles" must be a list of role names, lowest first, or an object'],
    ['null', null, 'option "roles" must be'],
    ['a text', 'admin', 'option "roles" must be'],
    ['a Map', new Map([['a', ['p']]]), 'option "roles" must be'],
    ['a blank name', { ' ': ['p'] }, 'option "roles" must be'],
    ['a set that is no list', { a: 'p' }, 'option "roles.a" must be a list'],
    ['no set', { a: undefined }, 'option "roles.a" must be a list'],
    ['an entry twice', { a: ['p', 'p'] }, 'option "roles.a" must be a list of different'],
    ['an entry that is no text', { a: [7] }, 'option "roles.a" must be a list'],
    ['a blank entry', { a: [''] }, 'option "roles.a" must be a list'],
    [
      'a permission that is no scope token',
      { a: ['p q'] },
      'option "roles.a" has the permission "p q", which is a role, or no scope',
    ],
    ['a line break', { a: ['p\r\n'] }, 'which is a role, or no scope token'],
  ])('can’t be built of %s', (_what, given, sentence) => {
    expect(() => createRoles(given as never)).toThrow(OptionsError)
    expect(() => createRoles(given as never)).toThrow(sentence)
    expect(() => toRoles(given as never, 'createAuth')).toThrow('createAuth: option "roles')
  })

  it.each([
    ['an option that there is not', { permission: [] }, 'unknown option "permission"'],
    ['no list', { permissions: 'x' }, 'option "permissions" must be a list'],
    ['no scope token', { permissions: ['x y'] }, 'which is a role, or no scope token'],
    ['the name of a role', { permissions: ['a'] }, 'which is a role'],
    ['null', null, 'must be given in a plain object'],
  ])('have no further permissions by %s', (_what, options, sentence) => {
    expect(() => createRoles({ a: ['x'] }, options as never)).toThrow(sentence)
  })

  it('are not harmed by names of Object.prototype', () => {
    const roles = createRoles({ constructor: ['toString'], ['__proto__']: ['constructor', 'p'], a: ['hasOwnProperty'] })
    expect(roles.names).toEqual(['constructor', '__proto__', 'a'])
    expect(roles.permissionsOf('__proto__')).toEqual(['p', 'toString'])
    expect(roles.includes('__proto__', 'constructor')).toBe(true)
    expect(roles.includes('a', 'hasOwnProperty')).toBe(false)
    expect(sets.permissionsOf('constructor')).toEqual([])
    expect(sets.includes('__proto__', '__proto__')).toBe(false)
  })
})

describe('roles of either kind', () => {
  it.each([null, '', 'Admin', ' admin', 'owner', 'constructor', '__proto__', 'toString', 'viewer\0'])(
    'do not know the stored role %j (O6)',
    async (role) => {
      expect(isKnown(ladder, role)).toBe(false)
      expect(await reasonOf(() => requireKnown(ladder, role))).toBe('role_unknown')
      expect(await reasonOf(() => requireKnown(sets, role === 'Admin' ? 'Root' : role))).toBe('role_unknown')
      expect(ladder.permissionsOf(role as string)).toEqual([])
    },
  )

  it('require somebody without a role to have one, and one made at run time to include another in vain', async () => {
    expect(await reasonOf(() => requireAtLeast(ladder, null, 'viewer'))).toBe('role_unknown')
    expect(await reasonOf(() => requireAtLeast(ladder, 'field-agent', 'viewer'))).toBe('role_too_low')
  })

  it('take a role by name at construction only if there is one', () => {
    expect(requireNamed(ladder, 'admin', 'Access')).toBe('admin')
    for (const role of ['owner', '', 'hasOwnProperty']) {
      expect(() => requireNamed(ladder, role, 'Access')).toThrow(
        `Access: option "role" must be one of the roles: role "${role}" is not one of viewer, developer, admin`,
      )
    }
  })

  it('are frozen, and keep nothing of what they were given', () => {
    const list = ['a', 'b']
    const held = { a: ['p'], b: ['a'] }
    const [own, ownSets] = [createRoles(list), createRoles(held)]
    list.push('c')
    held.a.push('q')
    expect(own.names).toEqual(['a', 'b'])
    expect(ownSets.permissionsOf('b')).toEqual(['p'])
    for (const part of [own, own.names, ownSets.permissions, ownSets.permissionsOf('b'), own.permissionsOf('x')]) {
      expect(Object.isFrozen(part)).toBe(true)
    }
  })

  it('are what an option takes, made or to be made', () => {
    expect(toRoles(ladder, 'createAuth')).toBe(ladder)
    expect(differenceOf(toRoles(LADDER, 'createAuth'), createRoles(LADDER))).toBeNull()
    expect(() => toRoles(undefined, 'createAuth')).toThrow('createAuth: option "roles" is required')
    expect([ladder, { ...ladder }, LADDER, { names: [], includes: [] }, null, 7].map(isRoles)).toEqual([
      ...[true, true, false, false, false, false],
    ])
  })

  const base: RoleSets = { a: ['p'], b: ['a', 'q'], c: ['b'] }
  it.each<[string, Roles, string | null]>([
    ['the same', createRoles(base), null],
    ['another name', createRoles({ a: ['p'], b: ['a', 'q'] }), 'has the roles a, b, option "roles" has a, b, c'],
    ['another order', createRoles({ c: ['b'], b: ['a', 'q'], a: ['p'] }), 'has the roles c, b, a'],
    ['another permission', createRoles({ ...base, a: ['r'] }), 'has roles that hold something else than'],
    ['another inclusion alone', createRoles({ ...base, b: ['p', 'q'] }), 'has roles that hold something else than'],
    [
      'another further permission',
      createRoles(base, { permissions: ['z'] }),
      'has roles that hold something else than',
    ],
  ])('are compared by what they hold: %s', (_what, others, difference) => {
    const found = differenceOf(createRoles(base), others)
    if (difference === null) expect(found).toBeNull()
    else expect(found).toContain(difference)
  })
})
