import { describe, expect, it } from 'vitest'
import { entra } from '../../../src/verify/presets/entra.ts'
import { dataOf, describeMistakes, describePreset } from './preset-cases.ts'

const TENANT = '8eaef023-2b34-4da1-9baa-8bc8c9d6a490'
const OTHER = '5b1bcb5a-6a2d-4ba3-a1b0-17e5c8b5a3a1'
const PERSONAL = '9188040d-6c67-4c5b-b112-36a304b66dad'
const API = '00001111-aaaa-2222-bbbb-3333cccc4444'
const options = { tenant: TENANT, audience: [API, 'api://contacts'] }
const preset = entra(options)
const person = {
  iss: `https://login.microsoftonline.com/${TENANT}/v2.0`,
  tid: TENANT,
  aud: API,
  ver: '2.0',
  oid: '11112222-bbbb-3333-cccc-4444dddd5555',
  sub: 'pairwise-AAAAAAAAAAAAAAAAAAAAAIkzqFVrSaSaFHy782bbtaQ',
  azp: 'aaaabbbb-0000-cccc-1111-dddd2222eeee',
  azpacr: '0',
  scp: 'Contacts.Read',
  name: 'Ada Lovelace',
}
const v1 = {
  iss: `https://sts.windows.net/${TENANT}/`,
  aud: 'api://contacts',
  ver: '1.0',
  azp: undefined,
  appid: person.azp,
  azpacr: undefined,
  appidacr: '0',
}
const machine = { scp: undefined, name: undefined, idtyp: 'app', roles: ['Contacts.Read.All'], sub: person.oid }
const notAccepted = ['forbidden', 'token_kind_not_accepted'] as const

describePreset({
  name: 'Entra, one tenant',
  preset,
  page: 'entra.long.ts',
  base: { claims: person, typ: 'JWT' },
  cases: [
    {
      label: "a person's, v2.0",
      expected: { kind: 'person', subject: person.oid, issuer: person.iss, name: 'Ada Lovelace', scopes: null },
    },
    { label: "a person's, v1.0, called as the other", claims: v1, expected: { kind: 'person', issuer: person.iss } },
    { label: "a person's that says so", claims: { idtyp: 'user' }, expected: { kind: 'person' } },
    { label: "an app's", claims: machine, expected: { kind: 'machine', subject: person.oid } },
    { label: "an app's, v1.0", claims: { ...machine, ...v1 }, expected: { kind: 'machine' } },
    { label: "an app's that doesn't say so", claims: { ...machine, idtyp: undefined }, expected: { kind: 'machine' } },
    {
      label: "an app's that has a scope",
      claims: { ...machine, scp: 'Contacts.Read' },
      expected: { kind: 'machine' },
    },
    {
      label: 'scopes, where they bind',
      preset: entra({ ...options, claims: { scopes: ({ scp, roles }) => scp ?? roles } }),
      expected: { scopes: ['Contacts.Read'] },
    },
    {
      label: "an app's, where scopes bind",
      preset: entra({ ...options, claims: { scopes: ({ scp, roles }) => scp ?? roles } }),
      claims: machine,
      expected: { scopes: ['Contacts.Read.All'] },
    },
    {
      label: 'an e-mail of which nothing is said',
      claims: { email: 'ada@example.com' },
      expected: { email: 'ada@example.com', emailVerified: null },
    },
    {
      label: 'an e-mail of a verified domain',
      claims: { email: 'ada@example.com', xms_edov: true },
      expected: { emailVerified: true },
    },
    {
      label: 'an e-mail of a verified domain, as a digit',
      claims: { email: 'ada@example.com', xms_edov: '1' },
      expected: { emailVerified: true },
    },
    {
      label: 'an e-mail of a domain of others',
      claims: { email: 'ada@example.com', xms_edov: false },
      expected: { emailVerified: false },
    },
    {
      label: 'an e-mail from elsewhere, of which that says nothing',
      preset: entra({ ...options, claims: { email: 'preferred_username' } }),
      claims: { preferred_username: 'eve@example.com', email: 'ada@example.com', xms_edov: true },
      expected: { email: 'eve@example.com', emailVerified: null },
    },
    {
      label: 'an e-mail that another claim calls verified',
      claims: { email: 'ada@example.com', email_verified: true },
      expected: { emailVerified: null },
    },
    { label: "an app's without roles", claims: { ...machine, roles: undefined }, expected: notAccepted },
    { label: "an app's with no role in its list", claims: { ...machine, roles: [] }, expected: notAccepted },
    { label: "a device's", claims: { ...machine, idtyp: 'device' }, expected: notAccepted },
    { label: "a device's with a scope", claims: { idtyp: 'device' }, expected: notAccepted },
    {
      label: "an app's without roles that has a scope",
      claims: { ...machine, scp: 'Contacts.Read', roles: undefined },
      expected: notAccepted,
    },
    {
      label: 'an ID token for the same registration, with roles',
      claims: { azp: undefined, azpacr: undefined, scp: undefined, roles: ['Contacts.Read.All'] },
      expected: notAccepted,
    },
    { label: 'of no client', claims: { azp: undefined }, expected: notAccepted },
    { label: 'without a scope in its text', claims: { scp: '' }, expected: notAccepted },
    { label: 'without an oid', claims: { oid: undefined }, expected: ['unauthorized', 'token_subject_malformed'] },
    {
      label: 'for Microsoft Graph',
      claims: { aud: '00000003-0000-0000-c000-000000000000' },
      expected: ['unauthorized', 'token_audience_other'],
    },
    {
      label: 'for its App ID URI with a slash',
      claims: { ...v1, aud: 'api://contacts/' },
      expected: ['unauthorized', 'token_audience_other'],
    },
    {
      label: 'another tenant',
      claims: { iss: `https://login.microsoftonline.com/${OTHER}/v2.0`, tid: OTHER },
      expected: ['unauthorized', 'token_issuer_unknown'],
    },
    {
      label: 'v1.0 without its slash',
      claims: { ...v1, iss: `https://sts.windows.net/${TENANT}` },
      expected: ['unauthorized', 'token_issuer_unknown'],
    },
  ],
})

const several = entra({ tenants: [TENANT, OTHER], audience: API })
const any = entra({ tenants: 'any', audience: API })
const of = (tid: string) => ({ iss: `https://login.microsoftonline.com/${tid}/v2.0`, tid })

describePreset({
  name: 'Entra, several tenants',
  preset: several,
  base: { claims: person, typ: 'JWT' },
  cases: [
    { label: 'the first', expected: { kind: 'person', issuer: person.iss, subject: person.oid } },
    {
      label: 'the second, an issuer of its own',
      claims: of(OTHER),
      expected: { kind: 'person', issuer: `https://login.microsoftonline.com/${OTHER}/v2.0` },
    },
    { label: "an app's", claims: { ...machine, ...of(OTHER) }, expected: { kind: 'machine' } },
    {
      label: 'personal accounts, where they are listed',
      preset: entra({ tenants: [PERSONAL], audience: API }),
      claims: of(PERSONAL),
      expected: { kind: 'person' },
    },
    { label: 'any', preset: any, claims: of('0b1bcb5a-6a2d-4ba3-a1b0-17e5c8b5a3a1'), expected: { kind: 'person' } },
    { label: 'a third', claims: of('0b1bcb5a-6a2d-4ba3-a1b0-17e5c8b5a3a1'), expected: notAccepted },
    { label: 'personal accounts', claims: of(PERSONAL), expected: notAccepted },
    { label: 'personal accounts, of any', preset: any, claims: of(PERSONAL), expected: notAccepted },
    { label: 'a name for a tenant, of any', preset: any, claims: of('common'), expected: notAccepted },
    {
      label: 'a tid of another tenant than its issuer',
      claims: { tid: OTHER },
      expected: ['unauthorized', 'token_issuer_unknown'],
    },
    {
      label: 'a tid that brings a path along',
      claims: { ...of(`${OTHER}/x`) },
      expected: ['unauthorized', 'token_issuer_unknown'],
    },
    { label: 'no tid', claims: { tid: undefined }, expected: ['unauthorized', 'token_issuer_unknown'] },
    { label: 'v1.0', claims: { ...v1, aud: API }, expected: ['unauthorized', 'token_issuer_unknown'] },
    {
      label: "an app's without roles, of any",
      preset: any,
      claims: { ...machine, roles: undefined },
      expected: notAccepted,
    },
    {
      label: "another API's, of any",
      preset: any,
      claims: { aud: OTHER },
      expected: ['unauthorized', 'token_audience_other'],
    },
  ],
})

describe('entra()', () => {
  it.each([several, any])('has a pattern for the issuer of several, and keys of all', (one) => {
    expect(dataOf(one)).toEqual({
      ...dataOf(preset),
      issuer: 'https://login.microsoftonline.com/{tid}/v2.0',
      keys: [
        {
          kind: 'jwks',
          url: 'https://login.microsoftonline.com/common/discovery/v2.0/keys',
          algorithms: ['RS256'],
        },
      ],
      audience: API,
      people: 'anybody',
    })
  })

  it('writes ids as tokens do, in lower case', () => {
    expect(entra({ ...options, tenant: TENANT.toUpperCase() }).issuer).toEqual(preset.issuer)
    const accepts = entra({ tenants: [TENANT.toUpperCase()], audience: API }).accepts
    expect(accepts?.(person)).toBe(true)
  })

  describeMistakes(entra, options, [
    ['neither tenant nor tenants', { tenant: undefined }, 'tenant', /or the other one/],
    ['both', { tenants: [OTHER] }, 'tenant', /or the other one/],
    ['both, any', { tenants: 'any', audience: API }, 'tenant', /or the other one/],
    ['a domain for a tenant', { tenant: 'contoso.onmicrosoft.com' }, 'tenant', /GUID/],
    ['common', { tenant: 'common' }, 'tenant', /GUID/],
    ['a domain in the list', { tenant: undefined, tenants: [TENANT, 'contoso.com'] }, 'tenants', /GUID/],
    ['an empty list', { tenant: undefined, tenants: [] }, 'tenants'],
    ['a tenant alone for a list', { tenant: undefined, tenants: OTHER }, 'tenants', /list/],
    ['no audience', { audience: undefined }, 'audience'],
    ['an audience that is switched off', { audience: null }, 'audience'],
    ['Microsoft Graph', { audience: 'https://graph.microsoft.com' }, 'audience', /Graph/],
    ['Microsoft Graph by id', { audience: [API, '00000003-0000-0000-c000-000000000000'] }, 'audience', /Graph/],
    [
      'an App ID URI with tenants',
      { tenant: undefined, tenants: 'any', audience: 'api://contacts' },
      'audience',
      /client id/,
    ],
  ])
})
