import { describe } from 'vitest'
import { okta } from '../../../src/verify/presets/okta.ts'
import { describeMistakes, describePreset } from './preset-cases.ts'

const options = { issuer: 'https://acme.okta.com/oauth2/default', audience: 'api://default' }
const preset = okta(options)
const person = {
  ver: 1,
  jti: 'AT.0mP4JKAZX1iACIT4vbEDF7LpvDVjxypPMf0D7uX39RE',
  iss: 'https://acme.okta.com/oauth2/default',
  aud: 'api://default',
  cid: '0oa0client0',
  uid: '00u0person0',
  scp: ['openid', 'contacts:read'],
  sub: 'ada@example.com',
}
const machine = { uid: undefined, cid: '0oa0worker0', sub: '0oa0worker0', scp: ['contacts:read'] }
const notAccepted = ['forbidden', 'token_kind_not_accepted'] as const

describePreset({
  name: 'Okta',
  preset,
  page: 'okta.long.ts',
  base: { claims: person, typ: null },
  cases: [
    {
      label: "a person's, named by what does not change",
      expected: { kind: 'person', subject: '00u0person0', email: null, scopes: null },
    },
    {
      label: "a person's who logs in by another name now",
      claims: { sub: 'lovelace@example.com' },
      expected: { kind: 'person', subject: '00u0person0' },
    },
    { label: "a machine's", claims: machine, expected: { kind: 'machine', subject: '0oa0worker0' } },
    {
      label: 'scopes, where they bind',
      preset: okta({ ...options, claims: { scopes: 'scp' } }),
      expected: { scopes: ['openid', 'contacts:read'] },
    },
    {
      label: 'no scopes, where they bind',
      preset: okta({ ...options, claims: { scopes: 'scp' } }),
      claims: { scp: undefined },
      expected: { scopes: [] },
    },
    {
      label: 'a claim that the host adds',
      claims: { email: 'ada@example.com', email_verified: true },
      expected: { email: 'ada@example.com', emailVerified: true },
    },
    {
      label: 'an e-mail verified in words',
      claims: { email: 'ada@example.com', email_verified: 'true' },
      expected: { emailVerified: false },
    },
    { label: 'of no client', claims: { cid: undefined }, expected: notAccepted },
    { label: "neither a person's nor a client's", claims: { uid: undefined }, expected: notAccepted },
    {
      label: 'an ID token: its audience is the client',
      claims: { aud: '0oa0client0', cid: undefined, uid: undefined, sub: '00u0person0' },
      expected: ['unauthorized', 'token_audience_other'],
    },
    {
      label: 'a uid that is no text',
      claims: { uid: ['00u0person0'] },
      expected: ['unauthorized', 'token_subject_malformed'],
    },
    { label: 'an empty uid', claims: { uid: '' }, expected: ['unauthorized', 'token_subject_malformed'] },
    {
      label: 'of the org authorization server',
      claims: { iss: 'https://acme.okta.com' },
      expected: ['unauthorized', 'token_issuer_unknown'],
    },
    {
      label: 'of another authorization server',
      claims: { iss: 'https://acme.okta.com/oauth2/aus0other0' },
      expected: ['unauthorized', 'token_issuer_unknown'],
    },
    { label: 'for another API', claims: { aud: 'api://billing' }, expected: ['unauthorized', 'token_audience_other'] },
    {
      label: 'bound to a key of its holder (DPoP)',
      claims: { cnf: { jkt: '0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I' } },
      expected: ['unauthorized', 'token_bound_to_key'],
    },
  ],
})

describe('okta()', () => {
  describeMistakes(okta, options, [
    ['the org authorization server', { issuer: 'https://acme.okta.com' }, 'issuer', /custom authorization server/],
    [
      'the org authorization server by its endpoints',
      { issuer: 'https://acme.okta.com/oauth2/v1' },
      'issuer',
      /end with the id/,
    ],
    ["the admin console's host", { issuer: 'https://acme-admin.okta.com/oauth2/default' }, 'issuer', /-admin/],
    [
      "the admin console's host of a preview",
      { issuer: 'https://acme-admin.oktapreview.com/oauth2/default' },
      'issuer',
      /-admin/,
    ],
    ['a slash at the end', { issuer: 'https://acme.okta.com/oauth2/default/' }, 'issuer', /end with the id/],
    [
      'the metadata',
      { issuer: 'https://acme.okta.com/oauth2/default/.well-known/openid-configuration' },
      'issuer',
      /end with the id/,
    ],
    ['plain http', { issuer: 'http://acme.okta.com/oauth2/default' }, 'issuer', /https/],
    ['no audience', { audience: undefined }, 'audience'],
    ['an audience that is switched off', { audience: null }, 'audience'],
  ])
})
