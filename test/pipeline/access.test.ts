import { describe, expect, it } from 'vitest'
import type { Verified } from '../../src/context.ts'
import { createRoleLadder } from '../../src/permissions/role-ladder.ts'
import { accepts, parseAccess, type Rule } from '../../src/pipeline/access.ts'
import type { Access } from '../../src/request.ts'

const ladder = createRoleLadder(['viewer', 'member', 'admin'])
const services = [
  { name: 'telephony', header: 'X-Telephony-Secret' },
  { name: 'billing', header: 'X-Billing-Secret' },
]
const parse = (
  access: unknown,
  steps = { ladder, apiKeys: {}, services: { services }, identityOnly: false },
): Rule | 'public' => parseAccess(access as Access, steps as never)

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
      scopes: [],
    })
    expect(Object.isFrozen(parse({}))).toBe(true)
    expect(parse('public')).toBe('public')
  })

  it.each([
    { accept: ['user', 'apiKey', 'service'], role: 'member', scopes: ['a:b'] },
    { accept: ['service:telephony', 'service:billing'] },
    { accept: ['service'], selectors: [ORG_PARAM] },
    { needs: 'user', role: 'admin' },
    { needs: 'identity', optional: true },
    { selectors: [ORG_PARAM, { kind: 'header', name: 'X-Org' }] },
    { accept: ['service', 'user'], needs: 'user', role: 'viewer' },
    { scopes: [] },
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
    ['a role off the ladder', { role: 'owner' }, 'role "owner" is not one of viewer, member, admin'],
    ['a role of the prototype', { role: 'constructor' }, 'role "constructor" is not one of'],
    ['a blank role', { role: ' ' }, 'option "role"'],
    ['a list of roles', { role: ['admin'] }, 'option "role"'],
    ['no such value of needs', { needs: 'organization' }, 'option "needs"'],
    ['no such kind', { accept: ['robot'] }, 'option "accept" names "robot"'],
    ['a kind as text', { accept: 'user' }, 'option "accept"'],
    ['nobody', { accept: [] }, 'option "accept" must name a kind of caller'],
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
    ['a blank scope', { accept: ['apiKey'], scopes: [''] }, 'option "scopes'],
    ['a scope with a quote in it', { accept: ['apiKey'], scopes: ['a"'] }, 'option "scopes'],
    ['a scope with a space in it', { accept: ['apiKey'], scopes: ['a b'] }, 'option "scopes'],
    ['a scope with a line break in it', { accept: ['apiKey'], scopes: ['a\r\nb'] }, 'option "scopes'],
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
    ['scopes that bind nobody', { scopes: ['a'] }, 'option "scopes" binds API keys only'],
    ['a role that binds nobody', { accept: ['service'], role: 'admin' }, 'option "role" can bind users'],
  ])('is a TypeError for %s', (_what, access, sentence) => {
    expect(() => parse(access)).toThrow(TypeError)
    expect(() => parse(access)).toThrow(/^Access: /)
    expect(() => parse(access)).toThrow(sentence)
  })

  it('may name only what createAuth has a verifier for', () => {
    const bare = { ladder, apiKeys: null, services: null, identityOnly: false } as never
    for (const kind of ['apiKey', 'service', 'service:telephony']) {
      expect(() => parse({ accept: [kind] }, bare)).toThrow(`option "accept" names "${kind}"`)
    }
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
  ] as const)('%j, %j: %s', (accept, verified, answer) => {
    expect(accepts(rule([...accept]), verified as Verified)).toBe(answer)
  })
})
