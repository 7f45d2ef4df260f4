import { describe } from 'vitest'
import { clerk } from '../../../src/verify/presets/clerk.ts'
import { describeMistakes, describePreset } from './preset-cases.ts'

const options = { frontendApi: 'https://clerk.example.com', authorizedParties: ['https://app.example.com'] }
const preset = clerk(options)
const session = {
  iss: 'https://clerk.example.com',
  sub: 'user_2GIpXT0frTpmPgVyy9VrR3Xm6vG',
  azp: 'https://app.example.com',
  sid: 'sess_2GbDB4enNdCa5vS1zpC3Xzg9tK9',
  v: 2,
  fva: [7, -1],
  o: { id: 'org_123', rol: 'admin', slg: 'acme' },
}
const machine = {
  sub: 'mch_2vYVtestTESTtestTESTtestTESTtest',
  azp: undefined,
  sid: undefined,
  v: undefined,
  o: undefined,
}

describePreset({
  name: 'Clerk',
  preset,
  page: 'clerk.long.ts',
  base: { claims: session, typ: 'JWT' },
  cases: [
    {
      label: 'a session',
      expected: { kind: 'person', subject: 'user_2GIpXT0frTpmPgVyy9VrR3Xm6vG', email: null, scopes: null, actor: null },
    },
    { label: 'a session that says it is active', claims: { sts: 'active' }, expected: { kind: 'person' } },
    {
      label: 'a session with an e-mail that the instance adds',
      claims: { email: 'ada@example.com', email_verified: true },
      expected: { email: 'ada@example.com', emailVerified: true },
    },
    {
      label: 'a session whose e-mail is verified in words',
      claims: { email: 'ada@example.com', email_verified: 'true' },
      expected: { emailVerified: false },
    },
    {
      label: 'a session of somebody who acts as another one',
      claims: { act: { iss: 'https://dashboard.clerk.com', sid: 'sess_456', sub: 'user_456' } },
      expected: { actor: { issuer: 'https://dashboard.clerk.com', subject: 'user_456', actor: null } },
    },
    { label: 'a token of a machine', claims: machine, expected: { kind: 'machine', subject: machine.sub } },
    {
      label: 'a session of no origin, where those are taken',
      preset: clerk({ ...options, withoutParty: 'accept' }),
      claims: { azp: undefined },
      expected: { kind: 'person' },
    },
    {
      label: 'a session of any origin, where all are taken',
      preset: clerk({ ...options, authorizedParties: null }),
      claims: { azp: 'https://elsewhere.example.com' },
      expected: { kind: 'person' },
    },
    {
      label: 'a session of any origin, where all are taken and those of none, too',
      preset: clerk({ ...options, authorizedParties: null, withoutParty: 'accept' }),
      claims: { azp: 'https://elsewhere.example.com' },
      expected: { kind: 'person' },
    },
    {
      label: 'a session of no origin, where all are taken',
      preset: clerk({ ...options, authorizedParties: null }),
      claims: { azp: undefined },
      expected: { kind: 'person' },
    },
    {
      label: 'a session with the audience that is written',
      preset: clerk({ ...options, audience: 'contacts' }),
      claims: { aud: 'contacts' },
      expected: { kind: 'person', audience: ['contacts'] },
    },
    {
      label: 'a session of another origin',
      claims: { azp: 'https://evil.example.com' },
      expected: ['forbidden', 'token_kind_not_accepted'],
    },
    {
      label: 'a session of another origin, where those of none are taken',
      preset: clerk({ ...options, withoutParty: 'accept' }),
      claims: { azp: 'https://evil.example.com' },
      expected: ['forbidden', 'token_kind_not_accepted'],
    },
    {
      label: 'a session of no origin',
      claims: { azp: undefined },
      expected: ['forbidden', 'token_kind_not_accepted'],
    },
    {
      label: 'a session of an origin in a list',
      claims: { azp: ['https://app.example.com'] },
      expected: ['forbidden', 'token_kind_not_accepted'],
    },
    {
      label: 'a session that is pending',
      claims: { sts: 'pending' },
      expected: ['forbidden', 'token_kind_not_accepted'],
    },
    {
      label: 'a session of a status that nobody knows',
      claims: { sts: 'revoked' },
      expected: ['forbidden', 'token_kind_not_accepted'],
    },
    {
      label: 'a token of a template: no session',
      claims: { sid: undefined },
      expected: ['forbidden', 'token_kind_not_accepted'],
    },
    {
      label: 'with a session, for somebody else',
      claims: { aud: 'an-oauth-client' },
      expected: ['forbidden', 'token_kind_not_accepted'],
    },
    {
      label: 'with a session, for another audience than is written',
      preset: clerk({ ...options, audience: 'contacts' }),
      claims: { aud: 'billing' },
      expected: ['unauthorized', 'token_audience_other'],
    },
    {
      label: 'of a kind of subject that nobody knows',
      claims: { sub: 'client_123' },
      expected: ['forbidden', 'token_kind_not_accepted'],
    },
    { label: "an OAuth application's", typ: 'at+jwt', expected: ['unauthorized', 'token_type_refused'] },
    {
      label: 'another instance',
      claims: { iss: 'https://clerk.other.test' },
      expected: ['unauthorized', 'token_issuer_unknown'],
    },
    {
      label: "a machine's without an end",
      claims: { ...machine, exp: undefined },
      expected: ['unauthorized', 'token_without_expiry'],
    },
  ],
})

describe('clerk()', () => {
  describeMistakes(clerk, options, [
    ['no URL', { frontendApi: undefined }, 'frontendApi'],
    ['a publishable key', { frontendApi: 'pk_test_Y2xlcmsuZXhhbXBsZS50ZXN0JA' }, 'frontendApi', /publishable key/],
    ['a secret key', { frontendApi: 'sk_test_abcdefgh' }, 'frontendApi', /secret key/],
    ['the Backend API', { frontendApi: 'https://api.clerk.com/v1' }, 'frontendApi', /is Clerk's/],
    ['the dashboard', { frontendApi: 'https://dashboard.clerk.com' }, 'frontendApi', /is Clerk's/],
    ['a host name', { frontendApi: 'clerk.example.com' }, 'frontendApi', /absolute URL/],
    ['a slash at the end', { frontendApi: 'https://clerk.example.com/' }, 'frontendApi', /slash/],
    ['a path', { frontendApi: 'https://clerk.example.com/v1' }, 'frontendApi', /without a path/],
    ['white space around it', { frontendApi: 'https://clerk.example.com ' }, 'frontendApi'],
    ['no parties', { authorizedParties: undefined }, 'authorizedParties'],
    ['an empty list of parties', { authorizedParties: [] }, 'authorizedParties'],
    ['a party with a slash', { authorizedParties: ['https://app.example.com/'] }, 'authorizedParties.0', /origin/],
    ['a party that is a host', { authorizedParties: ['app.example.com'] }, 'authorizedParties.0', /origin/],
    ['any party by a star', { authorizedParties: ['*'] }, 'authorizedParties.0', /origin/],
    ['an audience that is switched off', { audience: null }, 'audience'],
  ])
})
