import { describe, expect, it } from 'vitest'
import { betterAuth } from '../../../src/verify/presets/better-auth.ts'
import { dataOf, describeMistakes, describePreset } from './preset-cases.ts'

const options = { baseUrl: 'https://app.example.com' }
const preset = betterAuth(options)
const person = {
  iss: 'https://app.example.com',
  aud: 'https://app.example.com',
  sub: 'dFcTbhGzTcXtDmSR0rJ8lqQmGmFfS1yo',
  id: 'dFcTbhGzTcXtDmSR0rJ8lqQmGmFfS1yo',
  name: 'Ada Lovelace',
  email: 'ada@example.com',
  emailVerified: true,
  image: null,
  createdAt: '2026-01-01T00:00:00.000Z',
}
const app = {
  iss: 'https://app.example.com/api/auth',
  client_id: 'reports-app',
  azp: 'reports-app',
  scope: 'openid contacts:read',
  id: undefined,
  name: undefined,
  email: undefined,
  emailVerified: undefined,
}
const withApps = betterAuth({ ...options, apps: ['reports-app'] })

describePreset({
  name: 'Better Auth',
  preset,
  page: 'better-auth.long.ts',
  base: { claims: person, typ: null, algorithm: 'EdDSA' },
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
    { label: 'an e-mail not verified', claims: { emailVerified: false }, expected: { emailVerified: false } },
    { label: 'an e-mail verified in words', claims: { emailVerified: 'true' }, expected: { emailVerified: false } },
    {
      label: 'an e-mail verified by another name',
      claims: { emailVerified: undefined, email_verified: true },
      expected: { emailVerified: null },
    },
    { label: 'no guest, who says so', claims: { isAnonymous: false }, expected: { kind: 'person' } },
    {
      label: 'a guest, where they are taken',
      preset: betterAuth({ ...options, anonymous: 'accept' }),
      claims: { isAnonymous: true },
      expected: { kind: 'person' },
    },
    {
      label: "an app's for a person, where it is listed",
      preset: withApps,
      typ: 'at+jwt',
      claims: app,
      expected: { kind: 'person', subject: person.sub, issuer: 'https://app.example.com' },
    },
    {
      label: "an app's own, where it is listed",
      preset: withApps,
      typ: 'at+jwt',
      claims: { ...app, sub: 'reports-app' },
      expected: { kind: 'machine', subject: 'reports-app' },
    },
    {
      label: 'for an audience that is written',
      preset: betterAuth({ ...options, audience: 'contacts' }),
      claims: { aud: 'contacts' },
      expected: { kind: 'person' },
    },
    { label: 'a guest', claims: { isAnonymous: true }, expected: ['forbidden', 'anonymous_user'] },
    { label: "an app's for a person", typ: 'at+jwt', claims: app, expected: ['forbidden', 'third_party_app'] },
    {
      label: "an app's own",
      typ: 'at+jwt',
      claims: { ...app, sub: 'reports-app' },
      expected: ['forbidden', 'third_party_app'],
    },
    {
      label: "an app's that is named by its party alone",
      claims: { azp: 'reports-app' },
      expected: ['forbidden', 'third_party_app'],
    },
    {
      label: "another app's than is listed",
      preset: withApps,
      typ: 'at+jwt',
      claims: { ...app, client_id: 'evil-app', azp: 'reports-app' },
      expected: ['forbidden', 'third_party_app'],
    },
    {
      label: 'an ID token for an app that is listed',
      preset: withApps,
      claims: { iss: app.iss, aud: 'reports-app' },
      expected: ['unauthorized', 'token_audience_other'],
    },
    {
      label: "the session's cookie by its type",
      typ: 'better-auth.session-cache+jwt',
      expected: ['unauthorized', 'token_type_refused'],
    },
    {
      label: "the session's cookie by its audience",
      claims: { aud: 'better-auth:session-cache' },
      expected: ['unauthorized', 'token_audience_other'],
    },
    {
      label: 'another server',
      claims: { iss: 'https://other.example.com' },
      expected: ['unauthorized', 'token_issuer_unknown'],
    },
  ],
})

describe('betterAuth()', () => {
  it.each([undefined, '/other'])('takes the path of its base URL, where there is one (base path %s)', (basePath) => {
    expect(dataOf(betterAuth({ baseUrl: 'https://app.example.com/api/auth', basePath }))).toEqual(dataOf(preset))
  })

  it('knows another base path', () => {
    const { issuer, keys } = betterAuth({ ...options, basePath: '/auth' })
    expect(issuer).toEqual(['https://app.example.com', 'https://app.example.com/auth'])
    expect(keys).toEqual([{ ...preset.keys[0], url: 'https://app.example.com/auth/jwks' }])
  })

  describeMistakes(betterAuth, options, [
    ['a slash at the end', { baseUrl: 'https://app.example.com/' }, 'baseUrl', /slash/],
    ['no URL', { baseUrl: undefined }, 'baseUrl'],
    ['a host name', { baseUrl: 'app.example.com' }, 'baseUrl', /absolute URL/],
    ['a path without its slash', { basePath: 'api/auth' }, 'basePath', /path/],
    ['the path of everything', { basePath: '/' }, 'basePath', /path/],
    ['an audience that is switched off', { audience: null }, 'audience'],
    ['a boolean for guests', { anonymous: true }, 'anonymous'],
    ['an app without a name', { apps: [''] }, 'apps.0'],
  ])
})
