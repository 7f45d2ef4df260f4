import { describe, expect, it } from 'vitest'
import { keycloak } from '../../../src/verify/presets/keycloak.ts'
import { describeMistakes, describePreset } from './preset-cases.ts'

const options = { realmUrl: 'https://sso.example.com/realms/acme', audience: 'contacts-api' }
const preset = keycloak(options)
const person = {
  iss: 'https://sso.example.com/realms/acme',
  aud: ['contacts-api', 'account'],
  sub: '5dd2c0ab-6a35-4bd0-b7d8-39cc7ce6a0c4',
  typ: 'Bearer',
  azp: 'web',
  sid: '3c1b4c2f-9a44-4b1f-9a3c-0a1b2c3d4e5f',
  scope: 'openid profile email',
  realm_access: { roles: ['offline_access', 'staff'] },
  preferred_username: 'ada',
  name: 'Ada Lovelace',
  email: 'ada@example.com',
  email_verified: true,
}
const machine = {
  sub: 'f5e7b1f8-0f8c-46a1-8f0c-9d9a3c1b2a10',
  azp: 'worker',
  client_id: 'worker',
  clientHost: '172.17.0.1',
  clientAddress: '172.17.0.1',
  preferred_username: 'service-account-worker',
  sid: undefined,
  name: undefined,
  email: undefined,
  email_verified: false,
}
const notAccepted = ['forbidden', 'token_kind_not_accepted'] as const

describePreset({
  name: 'Keycloak',
  preset,
  page: 'keycloak.long.ts',
  base: { claims: person, typ: 'JWT' },
  cases: [
    {
      label: "a person's",
      expected: {
        kind: 'person',
        subject: person.sub,
        email: 'ada@example.com',
        emailVerified: true,
        name: 'Ada Lovelace',
      },
    },
    { label: "a person's of the type of RFC 9068", typ: 'at+jwt', expected: { kind: 'person' } },
    { label: 'an audience that is no list', claims: { aud: 'contacts-api' }, expected: { audience: ['contacts-api'] } },
    { label: "a machine's", claims: machine, expected: { kind: 'machine', subject: machine.sub } },
    {
      label: "a machine's without the claims of its client",
      claims: { ...machine, client_id: undefined, clientHost: undefined, clientAddress: undefined },
      expected: { kind: 'machine' },
    },
    {
      label: "a machine's without a user name",
      claims: { ...machine, preferred_username: undefined },
      expected: { kind: 'machine' },
    },
    {
      label: "a machine's that has its address alone",
      claims: { ...machine, preferred_username: undefined, client_id: undefined, clientHost: undefined },
      expected: { kind: 'machine' },
    },
    {
      label: "a client's roles, where they bind",
      preset: keycloak({ ...options, claims: { scopes: ['resource_access', 'contacts-api', 'roles'] } }),
      claims: { resource_access: { 'contacts-api': { roles: ['contacts:read'] } } },
      expected: { scopes: ['contacts:read'] },
    },
    { label: 'an e-mail verified in words', claims: { email_verified: 'true' }, expected: { emailVerified: false } },
    { label: 'an ID token', claims: { typ: 'ID' }, expected: notAccepted },
    { label: 'a refresh token', claims: { typ: 'Refresh' }, expected: notAccepted },
    { label: 'an offline token', claims: { typ: 'Offline' }, expected: notAccepted },
    { label: 'of no type in its claims', claims: { typ: undefined }, expected: notAccepted },
    { label: 'of nobody who is named', claims: { preferred_username: undefined }, expected: notAccepted },
    {
      label: 'for the account console, as the tokens of every client',
      claims: { aud: 'account' },
      expected: ['unauthorized', 'token_audience_other'],
    },
    { label: 'for nobody', claims: { aud: undefined }, expected: ['unauthorized', 'token_audience_missing'] },
    {
      label: 'of the client that its audience would be',
      claims: { aud: 'account', azp: 'contacts-api' },
      expected: ['unauthorized', 'token_audience_other'],
    },
    {
      label: 'without the scope basic: no subject',
      claims: { sub: undefined },
      expected: ['unauthorized', 'token_subject_malformed'],
    },
    {
      label: 'another realm',
      claims: { iss: 'https://sso.example.com/realms/other' },
      expected: ['unauthorized', 'token_issuer_unknown'],
    },
    {
      label: 'by the path of old servers',
      claims: { iss: 'https://sso.example.com/auth/realms/acme' },
      expected: ['unauthorized', 'token_issuer_unknown'],
    },
    {
      label: 'bound to a key of its holder (DPoP)',
      claims: { cnf: { jkt: '0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I' } },
      expected: ['unauthorized', 'token_bound_to_key'],
    },
  ],
})

describe('keycloak()', () => {
  it('fetches keys by another way, where one is written', () => {
    const keysUrl = 'http://keycloak.internal:8080/realms/acme/protocol/openid-connect/certs'
    expect(keycloak({ ...options, keysUrl }).keys).toEqual([{ ...preset.keys[0], url: keysUrl }])
  })

  it.each(['http://localhost:8080/realms/acme', 'https://sso.example.com/auth/realms/acme'])('takes %s', (realmUrl) => {
    expect(keycloak({ ...options, realmUrl }).issuer).toBe(realmUrl)
  })

  describeMistakes(keycloak, options, [
    ['a server without a realm', { realmUrl: 'https://sso.example.com' }, 'realmUrl', /name a realm/],
    ['a slash at the end', { realmUrl: 'https://sso.example.com/realms/acme/' }, 'realmUrl', /slash/],
    [
      'the metadata',
      { realmUrl: 'https://sso.example.com/realms/acme/.well-known/openid-configuration' },
      'realmUrl',
      /end with the name/,
    ],
    ['the admin console', { realmUrl: 'https://sso.example.com/admin/acme/console' }, 'realmUrl', /admin console/],
    ['a query', { realmUrl: 'https://sso.example.com/realms/acme?x=1' }, 'realmUrl', /query/],
    ['a place to fill in', { realmUrl: 'https://sso.example.com/realms/{realm}' }, 'realmUrl', /exact/],
    ['no audience', { audience: undefined }, 'audience'],
    ['an audience that is switched off', { audience: null }, 'audience'],
    ['the audience of every client', { audience: ['contacts-api', 'account'] }, 'audience', /audience mapper/],
    ['keys at no URL', { keysUrl: '/certs' }, 'keysUrl'],
  ])
})
