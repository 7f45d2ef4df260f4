import { describe, expect, it } from 'vitest'
import { firebase } from '../../../src/verify/presets/firebase.ts'
import { describeMistakes, describePreset } from './preset-cases.ts'

const options = { projectId: 'my-project-1a2b3' }
const preset = firebase(options)
const person = {
  iss: 'https://securetoken.google.com/my-project-1a2b3',
  aud: 'my-project-1a2b3',
  sub: 'fbUid0000000000000000000000A',
  user_id: 'fbUid0000000000000000000000A',
  auth_time: 1_780_000_000,
  email: 'ada@example.com',
  email_verified: true,
  name: 'Ada Lovelace',
  firebase: { identities: { email: ['ada@example.com'] }, sign_in_provider: 'password' },
}
const guest = {
  email: undefined,
  email_verified: undefined,
  name: undefined,
  provider_id: 'anonymous',
  firebase: { identities: {}, sign_in_provider: 'anonymous' },
}
const ofTenant = { firebase: { ...person.firebase, tenant: 'acme-a1b2c' } }
const notAccepted = ['forbidden', 'token_kind_not_accepted'] as const

describePreset({
  name: 'Firebase',
  preset,
  page: 'firebase.long.ts',
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
    {
      label: 'by phone, without an e-mail',
      claims: { email: undefined, email_verified: undefined },
      expected: { email: null, emailVerified: null },
    },
    { label: 'an e-mail not verified', claims: { email_verified: false }, expected: { emailVerified: false } },
    { label: 'an e-mail verified in words', claims: { email_verified: 'true' }, expected: { emailVerified: false } },
    {
      label: 'claims of the host, as a machine would have them',
      claims: { gty: 'client-credentials', role: 'admin' },
      expected: { kind: 'person' },
    },
    {
      label: 'roles of the host, where they bind',
      preset: firebase({ ...options, claims: { scopes: 'permissions' } }),
      claims: { permissions: ['contacts:read'] },
      expected: { scopes: ['contacts:read'] },
    },
    {
      label: 'a guest, where they are taken',
      preset: firebase({ ...options, anonymous: 'accept' }),
      claims: guest,
      expected: { kind: 'person' },
    },
    {
      label: 'of a tenant, where it is listed',
      preset: firebase({ ...options, tenants: ['acme-a1b2c'] }),
      claims: ofTenant,
      expected: { kind: 'person' },
    },
    { label: 'a guest', claims: guest, expected: ['forbidden', 'anonymous_user'] },
    {
      label: 'a guest of a tenant',
      claims: { firebase: { ...guest.firebase, tenant: 'acme-a1b2c' } },
      expected: ['forbidden', 'anonymous_user'],
    },
    { label: 'of a tenant', claims: ofTenant, expected: notAccepted },
    {
      label: 'of another tenant than is listed',
      preset: firebase({ ...options, tenants: ['globex-d4e5f'] }),
      claims: ofTenant,
      expected: notAccepted,
    },
    {
      label: 'of no tenant, where one is listed',
      preset: firebase({ ...options, tenants: ['acme-a1b2c'] }),
      expected: notAccepted,
    },
    {
      label: 'another project, of the same keys',
      claims: { iss: 'https://securetoken.google.com/other-project', aud: 'other-project' },
      expected: ['unauthorized', 'token_issuer_unknown'],
    },
    {
      label: "another project's audience",
      claims: { aud: 'other-project' },
      expected: ['unauthorized', 'token_audience_other'],
    },
    {
      label: 'a session cookie',
      claims: { iss: 'https://session.firebase.google.com/my-project-1a2b3' },
      expected: ['unauthorized', 'token_issuer_unknown'],
    },
    {
      label: 'a custom token',
      claims: {
        iss: 'firebase-adminsdk-x1@my-project-1a2b3.iam.gserviceaccount.com',
        aud: 'https://identitytoolkit.googleapis.com/google.identity.identitytoolkit.v1.IdentityToolkit',
      },
      expected: ['unauthorized', 'token_issuer_unknown'],
    },
    { label: 'without a subject', claims: { sub: '' }, expected: ['unauthorized', 'token_subject_malformed'] },
  ],
})

describe('firebase()', () => {
  it('takes an old id with a domain in it', () => {
    expect(firebase({ projectId: 'example.com:my-project' }).audience).toBe('example.com:my-project')
  })

  describeMistakes(firebase, options, [
    ["the project's number", { projectId: '123456789012' }, 'projectId', /number/],
    ['its web API key', { projectId: 'AIzaSyA0000000000000000000000000000000' }, 'projectId', /API key/],
    ['its host', { projectId: 'my-project-1a2b3.firebaseapp.com' }, 'projectId', /alone/],
    ['its issuer', { projectId: 'https://securetoken.google.com/my-project-1a2b3' }, 'projectId', /alone/],
    ['a place to fill in', { projectId: '{aud}' }, 'projectId', /alone/],
    ['no project', { projectId: undefined }, 'projectId'],
    ['a word of its own for guests', { anonymous: true }, 'anonymous'],
    ['no tenant', { tenants: [] }, 'tenants'],
  ])
})
