import { describe, expect, it } from 'vitest'
import type { Verified } from '../../src/context.ts'
import { createRoles } from '../../src/permissions/roles.ts'
import { accepts, parseAccess, type Rule } from '../../src/pipeline/access.ts'
import type { Access } from '../../src/request.ts'

const roles = createRoles({
  ...{ viewer: ['a:read'], member: ['viewer', 'a:write'], admin: ['member', 'b:write'], clerk: ['c:write'] },
})
const services = [
  { name: 'telephony', header: 'X-Telephony-Secret' },
  { name: 'billing', header: 'X-Billing-Secret' },
]
const STEPS = {
  ...{ roles, hasCustomRoles: false, apiKeys: {}, services: { services }, verifier: {}, identityOnly: false },
  machines: { findByIdentity: async () => null },
  servicePermissions: new Map([
    ['telephony', ['calls:write']],
    ['billing', []],
  ]),
  permissions: [...roles.permissions, 'calls:write'],
}
const parse = (access: unknown, steps: object = STEPS): Rule | 'public' => parseAccess(access as Access, steps as never)

const ORG_PARAM = { kind: 'pathParam', name: 'org' }

describe('an Access', () => {
  it('has defaults: a user, acting in an org, no more', () => {
    expect(parse({})).toEqual({
      accept: new Set(['user']),
      optional: false,
      probe: false,
      needs: 'org',
      selectors: [],
      role: null,
      permissions: [],
    })
    expect(Object.isFrozen(parse({}))).toBe(true)
    expect(parse('public')).toBe('public')
  })

  it.each([
    { accept: ['user', 'apiKey', 'service'], role: 'member', permissions: ['a:read', 'a:write'] },
    { accept: ['service:telephony', 'service:billing'] },
    { accept: ['service'], selectors: [ORG_PARAM] },
    { needs: 'user', role: 'admin' },
    { needs: 'identity', optional: true },
    { selectors: [ORG_PARAM, { kind: 'header', name: 'X-Org' }] },
    { accept: ['service', 'user'], needs: 'user', role: 'viewer' },
    { permissions: [] },
    { role: 'clerk', permissions: ['c:write'] },
    { accept: ['machine'], role: 'member', permissions: ['a:read'] },
    { accept: ['user', 'machine:deploy'], needs: 'identity' },
  ])('takes %j', (access) => {
    expect(() => parse(access)).not.toThrow()
  })

  // [what is wrong, the access, what the TypeError names]
  it.each([
    ['nothing', undefined, 'options must be an object'],
    ['null', null, 'options must be an object'],
    ['another word', 'private', 'options must be an object'],
    ['a list', [], 'options must be an object'],
    ['a function', () => true, 'options must be an object'],
    ['a misspelt rule', { roles: 'admin' }, 'unknown option "roles"'],
    ['"public" as a rule', { public: true }, 'unknown option "public"'],
    ['a role off the ladder', { role: 'owner' }, 'role "owner" is not one of viewer, member, admin, clerk'],
    ['a role of the prototype', { role: 'constructor' }, 'role "constructor" is not one of'],
    ['a blank role', { role: ' ' }, 'option "role"'],
    ['a list of roles', { role: ['admin'] }, 'option "role"'],
    ['no such value of needs', { needs: 'organization' }, 'option "needs"'],
    ['no such kind', { accept: ['robot'] }, 'option "accept" names "robot"'],
    ['a kind as text', { accept: 'user' }, 'option "accept"'],
    ['nobody', { accept: [] }, 'option "accept" must not be empty'],
    ['a service that is not there', { accept: ['service:mail'] }, 'names "service:mail"'],
    ['a service without a name', { accept: ['service:'] }, 'names "service:"'],
    ['optional as text', { optional: 'yes' }, 'option "optional"'],
    ['a selector as text', { selectors: ['X-Org-Id'] }, 'option "selectors'],
    [
      'a selector of another kind',
      { selectors: [{ kind: 'query', name: 'org' }] },
      'option "selectors.0.kind" must be one of',
    ],
    [
      'a header with a space',
      { selectors: [{ kind: 'header', name: 'X Org' }] },
      'option "selectors.0.name" must be a header',
    ],
    ['a selector with more in it', { selectors: [{ ...ORG_PARAM, optional: true }] }, 'option "selectors'],
    ['a blank permission', { permissions: [''] }, 'option "permissions'],
    ['a permission with a quote in it', { permissions: ['a"'] }, 'option "permissions'],
    ['a permission with a space in it', { permissions: ['a b'] }, 'option "permissions'],
    ['a permission with a line break in it', { permissions: ['a\r\nb'] }, 'option "permissions'],
    ['a misspelt permission', { permissions: ['a:raed'] }, 'option "permissions" asks for a:raed, which nobody'],
    ['a role before users are known', { needs: 'identity', role: 'admin' }, 'option "role" requires needs'],
    ['selectors that need no org', { needs: 'user', selectors: [ORG_PARAM] }, 'option "selectors" requires needs'],
    [
      'an API key without an org',
      { accept: ['apiKey'], needs: 'user' },
      'option "accept" with "apiKey" requires needs: "org"',
    ],
    [
      'an API key as an identity',
      { accept: ['user', 'apiKey'], needs: 'identity' },
      'option "accept" with "apiKey" requires needs',
    ],
    ['scopes, which are permissions', { scopes: ['a:read'] }, 'unknown option "scopes"'],
    ['a machine as a user', { accept: ['machine'], needs: 'user' }, 'option "accept" with "machine" requires needs'],
    ['a named one as a user', { accept: ['user', 'machine:ci'], needs: 'user' }, 'with "machine" requires needs'],
    ['a machine without a name', { accept: ['machine:'] }, 'option "accept" names "machine:"'],
    ['a machine of a name that is none', { accept: ['machine:*'] }, 'option "accept" names "machine:*"'],
    ['a role that binds nobody', { accept: ['service'], role: 'admin' }, 'option "role" can bind users'],
  ])('is a TypeError for %s', (_what, access, sentence) => {
    expect(() => parse(access)).toThrow(TypeError)
    expect(() => parse(access)).toThrow(/^Access: /)
    expect(() => parse(access)).toThrow(sentence)
  })

  it('may name only what createAuth has a verifier for', () => {
    const bare = { ...STEPS, apiKeys: null, services: null, servicePermissions: new Map() }
    for (const kind of ['apiKey', 'service', 'service:telephony']) {
      expect(() => parse({ accept: [kind] }, bare)).toThrow(`option "accept" names "${kind}"`)
    }
  })
})

describe('machines that a route may name', () => {
  const without = { ...STEPS, machines: null }
  const written = { ...without, verifier: { machines: [{ name: 'deploy', role: null, permissions: null }] } }
  const none = { ...without, verifier: { machines: [] } }
  const lookedUp = { ...without, verifier: { machines: [], namesOtherMachines: true } }
  it.each<[string, object, string, boolean]>([
    ['any, where rows may have any name', STEPS, 'machine:any', true],
    ['any, where a verifier does not say', { ...without, verifier: {} }, 'machine:any', true],
    ['any, where there may be rules of issuers that are looked up', lookedUp, 'machine:any', true],
    ['those of written rules', written, 'machine:deploy', true],
    ['all of written rules', written, 'machine', true],
    ['no other than those', written, 'machine:Deploy', false],
    ['none where there are none', none, 'machine', false],
    ['none by name where there are none', none, 'machine:deploy', false],
  ])('%s', (_what, steps, kind, isTaken) => {
    const ask = (): unknown => parse({ accept: [kind] }, steps)
    if (isTaken) expect(ask).not.toThrow()
    else expect(ask).toThrow(`Access: option "accept" names "${kind}", which createAuth knows nothing of`)
  })
})

describe('permissions that nobody can have', () => {
  const custom = { ...STEPS, hasCustomRoles: true }
  const reading = { ...STEPS, apiKeys: { permissions: ['a:read'] } }
  const unbound = { ...STEPS, verifier: { bindsScopes: false } }
  const alone = { ...STEPS, permissions: null, identityOnly: true, roles: createRoles(['x']) }
  const machines = [
    { name: 'member', role: 'member', permissions: null },
    { name: 'lister', role: 'member', permissions: ['a:read'] },
    { name: 'clerk', role: null, permissions: ['c:write'] },
    { name: 'plain', role: null, permissions: null },
  ]
  const written = { ...STEPS, machines: null, verifier: { machines, bindsScopes: false } }
  const writtenBound = { ...written, verifier: { machines } }
  const only = (name: string, permission: string, needs = 'org') => ({
    ...{ accept: [`machine:${name}`], permissions: [permission], needs },
  })
  const aloneUnbound = { ...alone, verifier: { bindsScopes: false } }
  it.each<[string, object, object, boolean]>([
    ['one role has both', { permissions: ['a:read', 'b:write'] }, STEPS, true],
    ['no role has both', { permissions: ['a:read', 'c:write'] }, STEPS, false],
    ['a role made at run time may', { permissions: ['a:read', 'c:write'] }, custom, true],
    ['a role made at run time may, but includes none', { role: 'viewer', permissions: ['c:write'] }, custom, false],
    ['the role has it', { role: 'member', permissions: ['b:write'] }, STEPS, true],
    ['no role that includes it', { role: 'admin', permissions: ['c:write'] }, STEPS, false],
    ['a service has it', { accept: ['service'], permissions: ['calls:write'] }, STEPS, true],
    ['that service has it', { accept: ['service:telephony'], permissions: ['calls:write'] }, STEPS, true],
    ['another service has it', { accept: ['service:billing'], permissions: ['calls:write'] }, STEPS, false],
    ['services, not users, have it', { permissions: ['calls:write'] }, STEPS, false],
    ['users, not services, have it', { accept: ['service'], permissions: ['a:read'] }, STEPS, false],
    ['one of several kinds has it', { accept: ['user', 'service'], permissions: ['calls:write'] }, STEPS, true],
    ['a key may carry it', { accept: ['apiKey'], permissions: ['a:read'] }, reading, true],
    ['no key may carry it', { accept: ['apiKey'], permissions: ['a:write'] }, reading, false],
    ['users may all the same', { accept: ['user', 'apiKey'], permissions: ['a:write'] }, reading, true],
    ['a token may carry it', { needs: 'identity', permissions: ['calls:write'] }, STEPS, true],
    ['no token carries anything', { needs: 'identity', permissions: ['a:read'] }, unbound, false],
    ['no token carries what is unknown', { needs: 'identity', permissions: ['x'] }, STEPS, false],
    ['a user has a role of their own', { needs: 'user', permissions: ['a:read'] }, unbound, true],
    ['a row may have it', { accept: ['machine'], permissions: ['c:write'] }, STEPS, true],
    ['one of the written machines has it', { accept: ['machine'], permissions: ['c:write'] }, written, true],
    ['none of them has it', { accept: ['machine'], permissions: ['b:write'] }, written, false],
    ['its role has it', only('member', 'a:write'), written, true],
    ['its role has it, its list does not', only('lister', 'a:write'), written, false],
    ['its list has it', only('clerk', 'c:write'), written, true],
    ['the list of another has it', only('member', 'c:write'), written, false],
    ['it has nothing', only('plain', 'a:read'), writtenBound, false],
    ['its token may carry it', only('plain', 'a:read', 'identity'), writtenBound, true],
    ['its token carries nothing', only('plain', 'a:read', 'identity'), written, false],
    ['identities alone: any', { permissions: ['x'] }, alone, true],
    ['identities alone, unbound', { permissions: ['x'] }, aloneUnbound, false],
  ])('%s', (_what, access, steps, isTaken) => {
    const ask = (): unknown => parse(access, steps)
    if (isTaken) expect(ask).not.toThrow()
    else
      expect(ask).toThrow(
        /^Access: option "permissions" asks for .*, which nobody it accepts can have(?:: no issuer has claims\.scopes)?$/,
      )
  })
})

describe('accepts', () => {
  const rule = (accept: string[]): Rule => parse({ accept }) as Rule
  const telephony = { kind: 'service', name: 'telephony' } as const
  it.each([
    [['user'], { kind: 'user' }, true],
    [['user'], telephony, false],
    [['service'], telephony, true],
    [['service:telephony'], telephony, true],
    [['service:billing'], telephony, false],
    [['apiKey'], { kind: 'user' }, false],
    [['user', 'service:billing'], { kind: 'service', name: 'billing' }, true],
    [['user'], { kind: 'machine' }, false],
    [['machine'], { kind: 'machine' }, true],
    [['machine'], { kind: 'user' }, false],
    // Which one it is, is not known yet.
    [['machine:deploy'], { kind: 'machine' }, true],
  ] as const)('%j, %j: %s', (accept, verified, answer) => {
    expect(accepts(rule([...accept]), verified as Verified)).toBe(answer)
  })
})
