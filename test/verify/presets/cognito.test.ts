import { describe, expect, it } from 'vitest'
import { cognito } from '../../../src/verify/presets/cognito.ts'
import { dataOf, describeMistakes, describePreset } from './preset-cases.ts'

const options = {
  userPoolId: 'eu-west-1_AbCdEf123',
  clientIds: ['web0client', 'app0client'],
  tokens: 'access',
} as const
const preset = cognito(options)
const ORIGINAL = 'https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_AbCdEf123'
const UPDATED = 'https://issuer-cognito-idp.eu-west-1.amazonaws.com/eu-west-1_AbCdEf123'
const access = {
  iss: ORIGINAL,
  sub: 'aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee',
  client_id: 'web0client',
  token_use: 'access',
  username: 'ada',
  scope: 'openid aws.cognito.signin.user.admin',
  'cognito:groups': ['staff'],
}
const id = {
  iss: ORIGINAL,
  sub: access.sub,
  aud: 'web0client',
  token_use: 'id',
  'cognito:username': 'ada',
  email: 'ada@example.com',
  email_verified: true,
  name: 'Ada Lovelace',
}
const machine = { sub: 'app0client', client_id: 'app0client', username: undefined, scope: 'contacts/read' }

describePreset({
  name: "Cognito, an API's",
  preset,
  page: 'cognito.long.ts',
  base: { claims: access, typ: null },
  cases: [
    {
      label: "a person's",
      expected: { kind: 'person', subject: access.sub, issuer: ORIGINAL, email: null, scopes: null },
    },
    {
      label: 'by the updated issuer, called the original one',
      claims: { iss: UPDATED },
      expected: { kind: 'person', subject: access.sub, issuer: ORIGINAL },
    },
    { label: 'of the other client', claims: { client_id: 'app0client' }, expected: { kind: 'person' } },
    { label: "a machine's", claims: machine, expected: { kind: 'machine', subject: 'app0client' } },
    {
      label: "a machine's that has a user name",
      claims: { ...machine, username: 'app0client' },
      expected: { kind: 'machine' },
    },
    {
      label: 'of nobody with a user name',
      claims: { username: undefined },
      expected: { kind: 'machine' },
    },
    {
      label: 'scopes, where they bind',
      preset: cognito({ ...options, claims: { scopes: 'scope' } }),
      claims: machine,
      expected: { scopes: ['contacts/read'] },
    },
    {
      label: 'with an audience, by resource binding',
      claims: { aud: 'https://api.example.com' },
      expected: { kind: 'person', audience: ['https://api.example.com'] },
    },
    {
      label: 'of a client that is not listed',
      claims: { client_id: 'other0client' },
      expected: ['forbidden', 'token_kind_not_accepted'],
    },
    {
      label: 'of no client',
      claims: { client_id: undefined },
      expected: ['forbidden', 'token_kind_not_accepted'],
    },
    {
      label: "a machine's of a client that is not listed",
      claims: { ...machine, sub: 'other0client', client_id: 'other0client' },
      expected: ['forbidden', 'token_kind_not_accepted'],
    },
    { label: 'an ID token', claims: { token_use: 'id' }, expected: ['forbidden', 'token_kind_not_accepted'] },
    {
      label: 'of no use that is said',
      claims: { token_use: undefined },
      expected: ['forbidden', 'token_kind_not_accepted'],
    },
    {
      label: 'another pool of the region',
      claims: { iss: 'https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_XyZ987654' },
      expected: ['unauthorized', 'token_issuer_unknown'],
    },
    {
      label: 'the same pool name in another region',
      claims: { iss: 'https://cognito-idp.us-east-1.amazonaws.com/eu-west-1_AbCdEf123' },
      expected: ['unauthorized', 'token_issuer_unknown'],
    },
    {
      label: 'an identity pool',
      claims: { iss: 'https://cognito-identity.amazonaws.com' },
      expected: ['unauthorized', 'token_issuer_unknown'],
    },
  ],
})

describePreset({
  name: "Cognito, an app's",
  preset: cognito({ ...options, tokens: 'id' }),
  base: { claims: id, typ: null },
  cases: [
    {
      label: "a person's",
      expected: { kind: 'person', email: 'ada@example.com', emailVerified: true, name: 'Ada Lovelace', scopes: null },
    },
    { label: 'by the updated issuer', claims: { iss: UPDATED }, expected: { kind: 'person', issuer: ORIGINAL } },
    { label: 'of the other client', claims: { aud: 'app0client' }, expected: { kind: 'person' } },
    { label: 'without an e-mail', claims: { email: undefined }, expected: { email: null } },
    { label: 'an e-mail not verified', claims: { email_verified: false }, expected: { emailVerified: false } },
    { label: 'an e-mail verified in words', claims: { email_verified: 'true' }, expected: { emailVerified: false } },
    {
      label: 'an e-mail of which nothing is said',
      claims: { email_verified: undefined },
      expected: { email: 'ada@example.com', emailVerified: null },
    },
    {
      label: 'of a client that is not listed',
      claims: { aud: 'other0client' },
      expected: ['unauthorized', 'token_audience_other'],
    },
    { label: 'of no client', claims: { aud: undefined }, expected: ['unauthorized', 'token_audience_missing'] },
    {
      label: 'an access token that has an audience',
      claims: { token_use: 'access', client_id: 'web0client' },
      expected: ['forbidden', 'token_kind_not_accepted'],
    },
    {
      label: 'of no use that is said',
      claims: { token_use: undefined },
      expected: ['forbidden', 'token_kind_not_accepted'],
    },
    {
      label: 'another pool',
      claims: { iss: 'https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_XyZ987654' },
      expected: ['unauthorized', 'token_issuer_unknown'],
    },
  ],
})

describe('cognito()', () => {
  it('has the clients for audience of ID tokens, and all else alike', () => {
    expect(dataOf(cognito({ ...options, tokens: 'id' }))).toEqual({ ...dataOf(preset), audience: options.clientIds })
  })

  it.each([
    ['cn-north-1_AbCdEf123', 'https://cognito-idp.cn-north-1.amazonaws.com.cn/cn-north-1_AbCdEf123'],
    ['us-gov-west-1_AbCdEf123', 'https://cognito-idp.us-gov-west-1.amazonaws.com/us-gov-west-1_AbCdEf123'],
  ])('knows where %s is', (userPoolId, issuer) => {
    expect(cognito({ ...options, userPoolId }).issuer).toContain(issuer)
  })

  describeMistakes(cognito, options, [
    [
      'the id of an identity pool',
      { userPoolId: 'eu-west-1:128d0a74-c82f-4553-916d-90053e4a8b0f' },
      'userPoolId',
      /identity pool/,
    ],
    [
      'an ARN',
      { userPoolId: 'arn:aws:cognito-idp:eu-west-1:1234:userpool/eu-west-1_AbCdEf123' },
      'userPoolId',
      /alone/,
    ],
    ['a URL', { userPoolId: ORIGINAL }, 'userPoolId', /alone/],
    ['an id without its region', { userPoolId: 'AbCdEf123' }, 'userPoolId'],
    ['no client', { clientIds: [] }, 'clientIds'],
    ['a client alone', { clientIds: 'web0client' }, 'clientIds'],
    ['a blank client', { clientIds: [''] }, 'clientIds.0'],
    ['no kind of tokens', { tokens: undefined }, 'tokens'],
    ['both kinds of tokens', { tokens: 'both' }, 'tokens'],
  ])
})
