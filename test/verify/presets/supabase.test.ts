import { supabase } from '../../../src/verify/issuer-presets.ts'
import { describePreset } from './preset-cases.ts'

const url = 'https://abc.supabase.co'
const app = { client_id: '9c1e1c9e-1f5b-4d7c-8f3e-0c7a3b2f5d11', scope: 'openid email' }
const confirmed = supabase({ url, emails: 'confirmed' })

describePreset({
  name: 'Supabase',
  preset: supabase({ url }),
  base: {
    typ: 'JWT',
    algorithm: 'ES256',
    claims: {
      iss: 'https://abc.supabase.co/auth/v1',
      sub: '5f0c6b1e-5a1c-4a83-9b57-0f2f7a0d1c11',
      aud: 'authenticated',
      role: 'authenticated',
      aal: 'aal1',
      session_id: '7f1a4a40-2c38-4fd3-9a3a-2b0d3f6f9c22',
      email: 'ada@example.test',
      is_anonymous: false,
      user_metadata: { email: 'ada@example.test', email_verified: true, sub: '5f0c6b1e-5a1c-4a83-9b57-0f2f7a0d1c11' },
    },
  },
  cases: [
    {
      label: "a person's session: what users write themselves says nothing of the e-mail",
      expected: { kind: 'person', email: 'ada@example.test', emailVerified: null, scopes: null },
    },
    { label: 'a project that confirms e-mails', preset: confirmed, expected: { emailVerified: true } },
    {
      label: 'a hook that says the e-mail is not verified',
      preset: confirmed,
      claims: { email_verified: false },
      expected: { emailVerified: false },
    },
    {
      label: 'a hook that says so in words',
      preset: confirmed,
      claims: { email_verified: 'true' },
      expected: { emailVerified: false },
    },
    {
      label: 'somebody without an e-mail',
      preset: confirmed,
      claims: { email: '' },
      expected: { kind: 'person', email: null, emailVerified: null },
    },
    {
      label: 'an anonymous sign-in',
      claims: { is_anonymous: true },
      expected: ['forbidden', 'anonymous_user'],
    },
    {
      label: 'an anonymous sign-in, where they are accepted',
      preset: supabase({ url, anonymous: 'accept' }),
      claims: { is_anonymous: true },
      expected: { kind: 'person' },
    },
    { label: 'anonymous in words is not anonymous', claims: { is_anonymous: 'true' }, expected: { kind: 'person' } },
    { label: "a third party's app", claims: app, expected: ['forbidden', 'third_party_app'] },
    {
      label: "a third party's app that is listed",
      preset: supabase({ url, apps: [app.client_id] }),
      claims: app,
      expected: { kind: 'person', scopes: null },
    },
    {
      label: "an app's ID token: its audience is the app",
      claims: { aud: app.client_id },
      expected: ['unauthorized', 'token_audience_other'],
    },
    {
      label: 'an API key of the project',
      claims: { iss: 'supabase' },
      expected: ['unauthorized', 'token_issuer_unknown'],
    },
    { label: 'nobody', claims: { sub: undefined }, expected: ['unauthorized', 'token_subject_malformed'] },
    {
      label: 'another project',
      claims: { iss: 'https://xyz.supabase.co/auth/v1' },
      expected: ['unauthorized', 'token_issuer_unknown'],
    },
    {
      label: 'bound to a key of its holder',
      claims: { cnf: { jkt: '0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I' } },
      expected: ['unauthorized', 'token_bound_to_key'],
    },
  ],
})
