import { exportJWK, generateKeyPair, SignJWT } from 'jose'
import { describe, expect, it } from 'vitest'
import { createJwtVerifier } from '../../../src/index.ts'
import { logto } from '../../../src/verify/presets/logto.ts'
import { describeMistakes, describePreset } from './preset-cases.ts'

const options = { endpoint: 'https://acme.logto.app', audience: 'https://api.example.com' }
const preset = logto(options)
const person = {
  iss: 'https://acme.logto.app/oidc',
  aud: 'https://api.example.com',
  sub: 'a1b2c3d4e5f6',
  client_id: 'web0app0id0',
  jti: '5e7e2c8b',
  scope: 'contacts:read contacts:write',
}
const machine = { sub: 'worker0app0id0', client_id: 'worker0app0id0' }

describePreset({
  name: 'Logto',
  preset,
  page: 'logto.long.ts',
  base: { claims: person, typ: 'at+jwt', algorithm: 'ES256' },
  cases: [
    {
      label: "a person's",
      expected: { kind: 'person', subject: 'a1b2c3d4e5f6', email: null, emailVerified: null, scopes: null },
    },
    { label: "a machine's", claims: machine, expected: { kind: 'machine', subject: 'worker0app0id0' } },
    {
      label: 'scopes, where they bind',
      preset: logto({ ...options, claims: { scopes: 'scope' } }),
      expected: { scopes: ['contacts:read', 'contacts:write'] },
    },
    {
      label: 'no scopes, where they bind',
      preset: logto({ ...options, claims: { scopes: 'scope' } }),
      claims: { scope: undefined },
      expected: { scopes: [] },
    },
    { label: 'an organization of the API', claims: { organization_id: 'org0id' }, expected: { kind: 'person' } },
    {
      label: "an organization's own, where it is the audience",
      preset: logto({ ...options, audience: 'urn:logto:organization:org0id' }),
      claims: { aud: 'urn:logto:organization:org0id' },
      expected: { kind: 'person' },
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
    {
      label: 'by somebody who acts for another one',
      claims: { act: { sub: 'support0user' } },
      expected: { actor: { subject: 'support0user', issuer: null, actor: null } },
    },
    { label: 'an ID token by its type', typ: 'JWT', expected: ['unauthorized', 'token_type_refused'] },
    {
      label: 'an ID token without a type, for the same audience',
      typ: null,
      claims: { client_id: undefined },
      expected: ['forbidden', 'token_kind_not_accepted'],
    },
    {
      label: 'for another API',
      claims: { aud: 'https://acme.logto.app/api' },
      expected: ['unauthorized', 'token_audience_other'],
    },
    {
      label: "an organization's own",
      claims: { aud: 'urn:logto:organization:org0id' },
      expected: ['unauthorized', 'token_audience_other'],
    },
    {
      label: 'another tenant',
      claims: { iss: 'https://other.logto.app/oidc' },
      expected: ['unauthorized', 'token_issuer_unknown'],
    },
    {
      label: 'its endpoint for its issuer',
      claims: { iss: 'https://acme.logto.app' },
      expected: ['unauthorized', 'token_issuer_unknown'],
    },
  ],
})

describe('logto()', () => {
  it('verifies by a key of its own kind, ES384', async () => {
    const { privateKey, publicKey } = await generateKeyPair('ES384')
    const keys = [{ ...(await exportJWK(publicKey)), kid: 'k', alg: 'ES384', use: 'sig' }]
    const jwt = new SignJWT(person).setProtectedHeader({ alg: 'ES384', kid: 'k', typ: 'at+jwt' })
    const token = await jwt.setExpirationTime('1h').sign(privateKey)
    const { verify } = createJwtVerifier({ issuers: [preset], fetch: async () => Response.json({ keys }) })
    expect(await verify(token)).toMatchObject({ kind: 'person', subject: person.sub })
  })

  describeMistakes(logto, options, [
    ['the issuer', { endpoint: 'https://acme.logto.app/oidc' }, 'endpoint', /without \/oidc/],
    [
      'the metadata',
      { endpoint: 'https://acme.logto.app/oidc/.well-known/openid-configuration' },
      'endpoint',
      /without \/oidc/,
    ],
    ['a slash at the end', { endpoint: 'https://acme.logto.app/' }, 'endpoint', /slash/],
    ['a host name', { endpoint: 'acme.logto.app' }, 'endpoint', /absolute URL/],
    ['no audience', { audience: undefined }, 'audience'],
    ['an audience that is switched off', { audience: null }, 'audience'],
  ])
})
