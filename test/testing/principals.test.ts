import { describe, expect, expectTypeOf, it } from 'vitest'
import type { AuthContextOf, AuthTypes, User, UserOrgContext } from '../../src/context.ts'
import { optionsError } from '../../src/lib/parse-options.ts'
import {
  TEST_ORG_ID,
  TEST_USER_ID,
  testApiKeyContext,
  testContext,
  testIdentity,
  testMachineContext,
  testServiceContext,
  testUser,
} from '../../src/testing/principals.ts'

describe('a user in an organization', () => {
  it('has everything by default, frozen', () => {
    const context = testContext()
    expect(context).toMatchObject({
      kind: 'user',
      user: { id: TEST_USER_ID },
      org: { id: TEST_ORG_ID },
      role: 'member',
    })
    for (const value of [context, context.identity, context.identity.claims, context.org]) {
      expect(Object.isFrozen(value)).toBe(true)
    }
  })

  it("keeps a host's own types and values", () => {
    const user = testUser({ id: 'u1', plan: 'pro' })
    const context = testContext({ user, org: { id: 'o1', name: 'Acme' }, role: 'admin' as const })
    expectTypeOf(context.user.plan).toEqualTypeOf<'pro'>()
    expectTypeOf(context.org.name).toEqualTypeOf<string>()
    expectTypeOf(context.role).toEqualTypeOf<'admin'>()
    const wide: UserOrgContext = context
    expect(wide.role).toBe('admin')
    expect(context).toMatchObject({ user: { id: 'u1', plan: 'pro' }, org: { name: 'Acme' }, role: 'admin' })
    expect(context.user).toBe(user)
  })

  it("fits a handler that names the host's types", () => {
    interface Host extends AuthTypes {
      user: User & { plan: string }
      org: { id: string; name: string }
      role: 'viewer' | 'admin'
      actingRole: 'viewer' | 'admin'
      permission: 'contacts:read' | 'contacts:write'
      claim: 'aal'
    }
    const handler = ({ user, org, role, identity }: AuthContextOf<Host, { role: 'admin' }>): string =>
      `${user.plan} ${org.name} ${role} ${String(identity.claims.aal)}`
    const given = { user: testUser({ plan: 'pro' }), org: { id: 'o1', name: 'Acme' }, role: 'admin' as const }
    expect(handler(testContext({ ...given, identity: { claims: { aal: 'aal2' } } }))).toBe('pro Acme admin aal2')
    // @ts-expect-error a role that is not on the ladder
    handler(testContext({ ...given, role: 'owner', identity: { claims: { aal: 'aal1' } } }))
    const writing = { ...given, permissions: ['contacts:write'], identity: { claims: { aal: 'aal1' } } } as const
    expect(handler(testContext(writing))).toBe('pro Acme admin aal1')
    // @ts-expect-error a permission that there is not
    handler(testContext({ ...writing, permissions: ['contats:write'] }))
  })

  it('API keys and services fit too', () => {
    interface Host extends AuthTypes {
      user: User & { plan: string }
      org: { id: string; name: string }
      role: 'viewer' | 'admin'
      claim: 'aal'
      service: 'platform' | 'booking'
    }
    type Machine = AuthContextOf<Host, { accept: ['apiKey', 'service'] }>
    const handler = (context: Machine): string => (context.kind === 'apiKey' ? context.role : context.service)
    expect(handler(testApiKeyContext({ org: { id: 'o1', name: 'Acme' }, role: 'viewer' as const }))).toBe('viewer')
    expect(handler(testServiceContext('booking'))).toBe('booking')
    const person = (context: AuthContextOf<Host, { needs: 'user' }>): string => context.user.plan
    expect(
      person(testContext({ needs: 'user', user: testUser({ plan: 'pro' }), identity: { claims: { aal: 1 } } })),
    ).toBe('pro')
    const sync = (context: AuthContextOf<Host, { needs: 'identity' }>): unknown => context.identity.claims.aal
    expect(sync(testContext({ needs: 'identity', identity: { claims: { aal: 1 } } }))).toBe(1)
  })

  it('may be without an organization', () => {
    const context = testContext({ org: null })
    expect(context.org).toBeNull()
    expect(context.role).toBeNull()
  })

  it('takes identity members; the e-mail is the one of the user', () => {
    const context = testContext({ user: testUser({ email: 'bob@example.test' }), identity: { subject: 's1' } })
    expect(context.identity).toMatchObject({ subject: 's1', email: 'bob@example.test' })
    expect(testIdentity({ claims: { aal: 'aal2' } }).claims).toEqual({ aal: 'aal2' })
  })
})

it('what needs less holds less', () => {
  expect(Object.keys(testContext({ needs: 'identity', identity: { subject: 's1' } })).sort()).toEqual([
    'identity',
    'kind',
    'permissions',
  ])
  expect(testContext({ needs: 'identity' }).permissions).toEqual([])
  expect(testContext({ needs: 'user', role: 'admin' })).toMatchObject({ user: { id: TEST_USER_ID }, role: 'admin' })
  expect(testContext({ needs: 'user' })).not.toHaveProperty('org')
  expect(testContext({ needs: 'user' }).role).toBeNull()
})

it('an API key acts in its organization', () => {
  const context = testApiKeyContext({ org: { id: 'o9' }, role: 'viewer', permissions: ['x:read'], name: 'ci' })
  expect(context.key).toMatchObject({ orgId: 'o9', role: 'viewer', permissions: ['x:read'], name: 'ci' })
  expect(context).toMatchObject({ kind: 'apiKey', org: { id: 'o9' }, role: 'viewer', permissions: ['x:read'] })
  expect(Object.isFrozen(context.permissions)).toBe(true)
  expect(testApiKeyContext().permissions).toEqual([])
})

it('a machine acts in its organization, or is known by itself', () => {
  const context = testMachineContext({
    org: { id: 'o9' },
    role: 'viewer' as const,
    permissions: ['b', 'a'],
    name: 'ci',
  })
  expect(context.machine).toEqual({ id: 'test-machine', name: 'ci', orgId: 'o9', role: 'viewer', permissions: null })
  expect(context).toMatchObject({ kind: 'machine', org: { id: 'o9' }, role: 'viewer', permissions: ['a', 'b'] })
  expect(context.identity).toMatchObject({ kind: 'machine', email: null })
  for (const frozen of [context, context.machine, context.permissions]) expect(Object.isFrozen(frozen)).toBe(true)
  expectTypeOf(context.permissions).toEqualTypeOf<readonly ('a' | 'b')[]>()
  expect(testMachineContext({ role: null, identity: { subject: 's1' } })).toMatchObject({
    role: null,
    identity: { subject: 's1', kind: 'machine' },
  })
  const alone = testMachineContext({ org: null })
  expect(Object.keys(alone).sort()).toEqual(['identity', 'kind', 'machine', 'permissions'])
  expect(alone.machine.orgId).toBeNull()
  interface Host extends AuthTypes {
    org: { id: string; name: string }
    role: 'viewer' | 'admin'
    actingRole: 'viewer' | 'admin'
    permission: 'x:read'
  }
  type Deploy = AuthContextOf<Host, { accept: ['machine:deploy'] }>
  const handler = ({ org, role }: Deploy): string => `${org.name} ${role}`
  expect(handler(testMachineContext({ org: { id: 'o1', name: 'Acme' }, role: 'viewer' as const }))).toBe('Acme viewer')
  const identity = ({ machine }: AuthContextOf<Host, { accept: ['machine']; needs: 'identity' }>): string =>
    machine.name
  expect(identity(alone)).toBe('test machine')
})

it('a service is nobody, until it acts somewhere', () => {
  expect(testServiceContext('platform')).toEqual({
    kind: 'service',
    service: 'platform',
    permissions: [],
  })
  const acting = testServiceContext('platform', { id: 'o1' }, ['b', 'a'])
  expect([acting.permissions, Object.isFrozen(acting.permissions)]).toEqual([['a', 'b'], true])
  expectTypeOf(acting.service).toEqualTypeOf<'platform'>()
  expect(acting.org).toEqual({ id: 'o1' })
})

it('what is misspelt is refused: a test that passes it over would prove nothing', () => {
  const made: readonly (readonly [string, (options: never) => unknown])[] = [
    ['testContext', testContext],
    ['testApiKeyContext', testApiKeyContext],
    ['testIdentity', testIdentity],
    ['testMachineContext', testMachineContext],
  ]
  for (const [name, make] of made) {
    expect(() => make({ rol: 'admin' } as never)).toThrow(optionsError(name, 'rol', 'is unknown'))
  }
  expect(() => testContext({ needs: 'user', org: { id: 'o1' } } as never)).toThrow('testContext: unknown option "org"')
  expect(() => testContext({ needs: 'user', rol: 'admin' } as never)).toThrow('testContext: unknown option "rol"')
  expect(() => testContext({ needs: 'identity', role: 'admin' } as never)).toThrow('unknown option "role"')
  expect(() => testContext({ needs: 'nothing' } as never)).toThrow('testContext: needs must be')
  expect(() => testContext({ identity: { sub: 's1' } as never })).toThrow('testIdentity: unknown option "sub"')
})
