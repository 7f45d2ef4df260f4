import { describe, expect, it } from 'vitest'
import { auth0 } from '../../../src/verify/presets/auth0.ts'
import { describePreset } from './preset-cases.ts'

const preset = auth0({ domain: 'tenant.eu.auth0.com', audience: 'https://api.example.com' })
const person = {
  iss: 'https://tenant.eu.auth0.com/',
  sub: 'auth0|507f1f77bcf86cd799439011',
  aud: ['https://api.example.com', 'https://tenant.eu.auth0.com/userinfo'],
  azp: 'my_client_id',
  scope: 'openid profile contacts:read',
}
const machine = { sub: 'worker@clients', azp: 'worker', gty: 'client-credentials', aud: 'https://api.example.com' }

describePreset({
  name: 'Auth0',
  preset,
  page: 'auth0.long.ts',
  base: { claims: person, typ: 'JWT' },
  cases: [
    {
      label: "a person's, Auth0 profile",
      expected: { kind: 'person', subject: 'auth0|507f1f77bcf86cd799439011', email: null, scopes: null },
    },
    {
      label: "a person's, RFC 9068 profile",
      typ: 'at+jwt',
      claims: { azp: undefined, client_id: 'my_client_id' },
      expected: { kind: 'person' },
    },
    {
      label: 'a person of a connection',
      claims: { sub: 'google-oauth2|1234' },
      expected: { subject: 'google-oauth2|1234' },
    },
    { label: "a machine's, Auth0 profile", claims: machine, expected: { kind: 'machine', subject: 'worker@clients' } },
    {
      label: "a machine's, RFC 9068 profile: no gty, and its client is not its subject",
      typ: 'at+jwt',
      claims: { ...machine, azp: undefined, gty: undefined, client_id: 'worker' },
      expected: { kind: 'machine' },
    },
    {
      label: 'permissions of RBAC, where they bind',
      preset: { ...preset, claims: { scopes: 'permissions' } },
      claims: { permissions: ['contacts:read'] },
      expected: { scopes: ['contacts:read'] },
    },
    {
      label: 'no permissions, where they bind',
      preset: { ...preset, claims: { scopes: 'permissions' } },
      expected: { scopes: [] },
    },
    {
      label: "an action's e-mail under a name of the host's",
      preset: auth0({
        domain: 'tenant.eu.auth0.com',
        audience: 'https://api.example.com',
        claims: { email: 'https://example.com/email', emailVerified: 'https://example.com/verified' },
      }),
      claims: { 'https://example.com/email': 'ada@example.com', 'https://example.com/verified': true },
      expected: { email: 'ada@example.com', emailVerified: true },
    },
    {
      label: 'an e-mail that an enterprise mapping calls verified in words',
      claims: { email: 'ada@example.com', email_verified: 'ada@example.com' },
      expected: { email: 'ada@example.com', emailVerified: false },
    },
    {
      label: 'its issuer without the slash',
      claims: { iss: 'https://tenant.eu.auth0.com' },
      expected: ['unauthorized', 'token_issuer_unknown'],
    },
    {
      label: 'another tenant',
      claims: { iss: 'https://other.eu.auth0.com/' },
      expected: ['unauthorized', 'token_issuer_unknown'],
    },
    {
      label: 'an ID token: its audience is the client',
      claims: { aud: 'my_client_id' },
      expected: ['unauthorized', 'token_audience_other'],
    },
    {
      label: 'for /userinfo alone',
      claims: { aud: ['https://tenant.eu.auth0.com/userinfo'] },
      expected: ['unauthorized', 'token_audience_other'],
    },
    {
      label: 'bound to a key of its holder (DPoP)',
      claims: { cnf: { jkt: '0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I' } },
      expected: ['unauthorized', 'token_bound_to_key'],
    },
  ],
})

describe('auth0()', () => {
  it.each([
    ['a URL for a domain', { domain: 'https://tenant.eu.auth0.com', audience: 'https://api.example.com' }, 'domain'],
    ['no audience', { domain: 'tenant.eu.auth0.com', audience: undefined }, 'audience'],
    ['an audience that is switched off', { domain: 'tenant.eu.auth0.com', audience: null }, 'audience'],
  ])('refuses %s', (_what, options, option) => {
    expect(() => auth0(options as never)).toThrow(expect.objectContaining({ name: 'OptionsError', option }))
  })
})
