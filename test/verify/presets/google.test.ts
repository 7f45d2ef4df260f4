import { describe, expect, it } from 'vitest'
import { google } from '../../../src/verify/presets/google.ts'
import { dataOf, describeMistakes, describePreset } from './preset-cases.ts'

const WEB = '1234-web.apps.googleusercontent.com'
const IOS = '1234-ios.apps.googleusercontent.com'
const options = { clientIds: [WEB, IOS] }
const preset = google(options)
const workspace = google({ ...options, hostedDomains: ['example.com'] })
const person = {
  iss: 'https://accounts.google.com',
  azp: WEB,
  aud: WEB,
  sub: '110169484474386276334',
  email: 'ada@gmail.com',
  email_verified: true,
  name: 'Ada Lovelace',
}
const ofWorkspace = { hd: 'example.com', email: 'ada@example.com' }
const machine = {
  azp: 'worker@my-project.iam.gserviceaccount.com',
  sub: '112233445566778899001',
  email: 'worker@my-project.iam.gserviceaccount.com',
  name: undefined,
}
const notAccepted = ['forbidden', 'token_kind_not_accepted'] as const

describePreset({
  name: 'Google',
  preset,
  page: 'google.long.ts',
  base: { claims: person, typ: 'JWT' },
  cases: [
    {
      label: "a person's",
      expected: {
        kind: 'person',
        subject: person.sub,
        email: 'ada@gmail.com',
        emailVerified: true,
        name: 'Ada Lovelace',
      },
    },
    {
      label: 'by the issuer without a scheme, called as the other',
      claims: { iss: 'accounts.google.com' },
      expected: { kind: 'person', issuer: 'https://accounts.google.com' },
    },
    { label: 'of another platform', claims: { aud: IOS, azp: IOS }, expected: { kind: 'person' } },
    { label: 'whose presenter is not said', claims: { azp: undefined }, expected: { kind: 'person' } },
    { label: "a Workspace's", claims: ofWorkspace, expected: { emailVerified: true } },
    {
      label: "a Workspace's, where it alone is let in",
      preset: workspace,
      claims: ofWorkspace,
      expected: { kind: 'person', emailVerified: true },
    },
    {
      label: 'an e-mail that Google does not speak for',
      claims: { email: 'ada@example.com' },
      expected: { email: 'ada@example.com', emailVerified: false },
    },
    {
      label: 'an e-mail that only looks like one of Gmail',
      claims: { email: 'ada@notgmail.com' },
      expected: { emailVerified: false },
    },
    { label: 'an e-mail verified in words', claims: { email_verified: 'true' }, expected: { emailVerified: false } },
    {
      label: 'an e-mail of which nothing is said',
      claims: { email_verified: undefined },
      expected: { emailVerified: null },
    },
    {
      label: "a service account's, listed by its e-mail",
      preset: google({ ...options, serviceAccounts: [machine.email] }),
      claims: machine,
      expected: { kind: 'machine', subject: machine.sub },
    },
    {
      label: "a service account's, listed by its id, that says no e-mail",
      preset: google({ ...options, serviceAccounts: [machine.sub], hostedDomains: ['example.com'] }),
      claims: { ...machine, email: undefined, email_verified: undefined, azp: machine.sub },
      expected: { kind: 'machine' },
    },
    { label: "a service account's", claims: machine, expected: notAccepted },
    {
      label: "a service account's that says no e-mail",
      claims: { ...machine, email: undefined, email_verified: undefined, azp: machine.sub },
      expected: notAccepted,
    },
    {
      label: "a service account's that a client of the host asked for",
      claims: { ...machine, azp: WEB },
      expected: notAccepted,
    },
    {
      label: "another service account's than is listed",
      preset: google({ ...options, serviceAccounts: ['998877665544332211009'] }),
      claims: machine,
      expected: notAccepted,
    },
    {
      label: "a service account's in a Workspace",
      preset: workspace,
      claims: { ...machine, hd: 'example.com' },
      expected: notAccepted,
    },
    { label: 'of no Workspace, where one is let in', preset: workspace, expected: notAccepted },
    {
      label: 'of another Workspace',
      preset: workspace,
      claims: { hd: 'other.test', email: 'ada@other.test' },
      expected: notAccepted,
    },
    {
      label: 'of no Workspace, with an e-mail of its domain',
      preset: workspace,
      claims: { email: 'ada@example.com' },
      expected: notAccepted,
    },
    {
      label: "another app's",
      claims: { aud: '9999-evil.apps.googleusercontent.com' },
      expected: ['unauthorized', 'token_audience_other'],
    },
    {
      label: 'an issuer with a slash',
      claims: { iss: 'https://accounts.google.com/' },
      expected: ['unauthorized', 'token_issuer_unknown'],
    },
  ],
})

describe('google()', () => {
  it('signs in people of its own where a Workspace is named', () => {
    expect(dataOf(workspace)).toEqual({ ...dataOf(preset), people: 'own' })
  })

  describeMistakes(google, options, [
    ['no client', { clientIds: [] }, 'clientIds'],
    ['a client alone', { clientIds: WEB }, 'clientIds'],
    ['a client secret', { clientIds: ['GOCSPX-abcdefgh'] }, 'clientIds.0', /secret/],
    ['a part of a client id', { clientIds: ['1234-web'] }, 'clientIds.0', /whole/],
    ['an audience of its own', { clientIds: ['https://api.example.com'] }, 'clientIds.0', /whole/],
    ['gmail.com for a Workspace', { hostedDomains: ['gmail.com'] }, 'hostedDomains.0', /no Workspace/],
    ['any Workspace by a star', { hostedDomains: ['*'] }, 'hostedDomains.0', /domain/],
    ['an address for a domain', { hostedDomains: ['@example.com'] }, 'hostedDomains.0', /domain/],
    ['no Workspace in the list', { hostedDomains: [] }, 'hostedDomains'],
    [
      "a person's e-mail for a service account's",
      { serviceAccounts: ['ada@gmail.com'] },
      'serviceAccounts.0',
      /service account/,
    ],
    ['any service account by a star', { serviceAccounts: ['*'] }, 'serviceAccounts.0', /service account/],
  ])
})
