import { describe } from 'vitest'
import { workos } from '../../../src/verify/presets/workos.ts'
import { describeMistakes, describePreset } from './preset-cases.ts'

const options = { clientId: 'client_01HZX4Y5Z6' }
const preset = workos(options)
const ISSUER = 'https://api.workos.com/user_management/client_01HZX4Y5Z6'
const session = {
  iss: ISSUER,
  sub: 'user_01HBEQKA6K4QJAS93VPE39W1JT',
  sid: 'session_01HQSXZGF8FHF7A9ZZFCW4387R',
  org_id: 'org_01HRDMC6CM357W30QMHMQ96Q0S',
  role: 'member',
  roles: ['member'],
  permissions: ['posts:read', 'posts:write'],
}
const notAccepted = ['forbidden', 'token_kind_not_accepted'] as const
const withDomain = workos({ ...options, authDomain: 'auth.example.com' })

describePreset({
  name: 'WorkOS',
  preset,
  page: 'workos.long.ts',
  base: { claims: session, typ: 'JWT' },
  cases: [
    {
      label: 'a session',
      expected: { kind: 'person', subject: session.sub, issuer: ISSUER, email: null, scopes: null, actor: null },
    },
    {
      label: 'by the issuer without a client, called as the other',
      claims: { iss: 'https://api.workos.com' },
      expected: { issuer: ISSUER },
    },
    { label: 'by the issuer with a slash', claims: { iss: 'https://api.workos.com/' }, expected: { issuer: ISSUER } },
    {
      label: "by the host's domain, where it is written",
      preset: withDomain,
      claims: { iss: 'https://auth.example.com' },
      expected: { issuer: ISSUER },
    },
    {
      label: "by the host's domain with the client, where it is written",
      preset: withDomain,
      claims: { iss: 'https://auth.example.com/user_management/client_01HZX4Y5Z6' },
      expected: { issuer: ISSUER },
    },
    {
      label: 'of somebody who acts as another one',
      claims: { act: { sub: 'admin@foocorp.test' } },
      expected: { actor: { subject: 'admin@foocorp.test', issuer: null, actor: null } },
    },
    {
      label: 'permissions, where they bind',
      preset: workos({ ...options, claims: { scopes: 'permissions' } }),
      expected: { scopes: ['posts:read', 'posts:write'] },
    },
    {
      label: 'an e-mail of a template',
      claims: { email: 'ada@example.com', email_verified: true },
      expected: { email: 'ada@example.com', emailVerified: true },
    },
    {
      label: 'an e-mail of a template, verified in words',
      claims: { email: 'ada@example.com', email_verified: 'true' },
      expected: { emailVerified: false },
    },
    { label: 'of no session', claims: { sid: undefined }, expected: notAccepted },
    { label: 'a profile of SSO', claims: { sub: 'prof_01DMC79VCBZ0NY2099737PSVF1' }, expected: notAccepted },
    {
      label: "a machine's of Connect",
      claims: { sub: 'client_01HZX4Y5Z7', client_id: 'client_01HZX4Y5Z7', sid: undefined },
      expected: notAccepted,
    },
    {
      label: 'another client',
      claims: { iss: 'https://api.workos.com/user_management/client_01OTHER' },
      expected: ['unauthorized', 'token_issuer_unknown'],
    },
    {
      label: 'for Convex',
      claims: { iss: 'https://api.workos.com/convex/client_01HZX4Y5Z6' },
      expected: ['unauthorized', 'token_issuer_unknown'],
    },
    {
      label: "by the host's domain",
      claims: { iss: 'https://auth.example.com' },
      expected: ['unauthorized', 'token_issuer_unknown'],
    },
    { label: 'of the type of another class', typ: 'at+jwt', expected: ['unauthorized', 'token_type_refused'] },
  ],
})

describe('workos()', () => {
  describeMistakes(workos, options, [
    ['an API key', { clientId: 'sk_test_a2V5XzAx' }, 'clientId', /API key/],
    ["an organization's id", { clientId: 'org_01HRDMC6CM357W30QMHMQ96Q0S' }, 'clientId', /client id/],
    ['a path in the client', { clientId: 'client_01HZX4Y5Z6/x' }, 'clientId', /client id/],
    ['a place to fill in', { clientId: 'client_{sub}' }, 'clientId', /client id/],
    ['no client', { clientId: undefined }, 'clientId'],
    ['a URL for the domain', { authDomain: 'https://auth.example.com' }, 'authDomain', /host name/],
  ])
})
