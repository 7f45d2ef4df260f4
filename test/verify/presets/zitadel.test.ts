import { describe } from 'vitest'
import { zitadel } from '../../../src/verify/presets/zitadel.ts'
import { describeMistakes, describePreset } from './preset-cases.ts'

const options = { issuer: 'https://acme-x1y2z3.zitadel.cloud', projectId: '69233711234567890' }
const preset = zitadel(options)
const open = zitadel({ ...options, withoutRole: 'accept' })
const ROLES = 'urn:zitadel:iam:org:project:69233711234567890:roles'
const person = {
  iss: 'https://acme-x1y2z3.zitadel.cloud',
  aud: ['69234230193872955', '69233711234567890'],
  sub: '77776025198584418',
  client_id: '69234230193872955',
  jti: '229186001432723843',
  [ROLES]: { staff: { '69629023906488334': 'acme.zitadel.cloud' } },
}
const machine = { sub: '88886025198584418', client_id: 'worker' }
const notAccepted = ['forbidden', 'token_kind_not_accepted'] as const

describePreset({
  name: 'Zitadel',
  preset,
  page: 'zitadel.long.ts',
  base: { claims: person, typ: null },
  cases: [
    {
      label: "a person's",
      expected: { kind: 'person', subject: person.sub, email: null, emailVerified: null, scopes: null },
    },
    {
      label: "a person's of an older application",
      claims: { client_id: '69234230193872955@contacts' },
      expected: { kind: 'person' },
    },
    {
      label: "a machine's by client credentials",
      claims: machine,
      expected: { kind: 'machine', subject: machine.sub },
    },
    {
      label: "a machine's by its own key",
      claims: { ...machine, client_id: machine.sub },
      expected: { kind: 'machine' },
    },
    {
      label: 'of no client that is said',
      claims: { client_id: undefined },
      expected: { kind: 'machine' },
    },
    {
      label: 'roles, where they bind',
      preset: zitadel({ ...options, claims: { scopes: (token) => Object.keys(Object(token[ROLES])) } }),
      claims: { [ROLES]: { 'contacts:read': {}, 'contacts:write': {} } },
      expected: { scopes: ['contacts:read', 'contacts:write'] },
    },
    {
      label: 'of somebody who acts for another one',
      claims: { act: { iss: person.iss, sub: '99996025198584418' } },
      expected: { actor: { issuer: person.iss, subject: '99996025198584418', actor: null } },
    },
    {
      label: 'without a role, where those are let in',
      preset: open,
      claims: { [ROLES]: undefined },
      expected: { kind: 'person' },
    },
    { label: 'without a role', claims: { [ROLES]: undefined }, expected: notAccepted },
    { label: 'with no role in the object', claims: { [ROLES]: {} }, expected: notAccepted },
    { label: 'with a role in words', claims: { [ROLES]: '' }, expected: notAccepted },
    {
      label: "with a role of its client's project, which added the audience",
      claims: { [ROLES]: undefined, 'urn:zitadel:iam:org:project:roles': person[ROLES] },
      expected: notAccepted,
    },
    {
      label: 'with a role of another project',
      claims: { [ROLES]: undefined, 'urn:zitadel:iam:org:project:11111111111111111:roles': person[ROLES] },
      expected: notAccepted,
    },
    { label: "a machine's without a role", claims: { ...machine, [ROLES]: undefined }, expected: notAccepted },
    {
      label: 'an ID token, of the same audience',
      claims: { jti: undefined, azp: person.client_id },
      expected: notAccepted,
    },
    { label: 'an ID token that has an id', claims: { azp: person.client_id }, expected: notAccepted },
    { label: 'an ID token that names no client', claims: { jti: undefined }, expected: notAccepted },
    {
      label: 'an ID token, without a role, where those are let in',
      preset: open,
      claims: { jti: undefined, azp: person.client_id, [ROLES]: undefined },
      expected: notAccepted,
    },
    {
      label: 'for its own client alone',
      claims: { aud: ['69234230193872955'] },
      expected: ['unauthorized', 'token_audience_other'],
    },
    {
      label: 'another instance',
      claims: { iss: 'https://other-x1y2z3.zitadel.cloud' },
      expected: ['unauthorized', 'token_issuer_unknown'],
    },
    {
      label: 'its issuer with a slash',
      claims: { iss: 'https://acme-x1y2z3.zitadel.cloud/' },
      expected: ['unauthorized', 'token_issuer_unknown'],
    },
  ],
})

describe('zitadel()', () => {
  describeMistakes(zitadel, options, [
    ['a client id for the project', { projectId: '69234230193872955@contacts' }, 'projectId', /client id/],
    ["the project's name", { projectId: 'contacts' }, 'projectId', /number/],
    ['a number that has lost its digits', { projectId: 69_233_711_234_567_890 }, 'projectId', /string/],
    ['no project', { projectId: undefined }, 'projectId'],
    ['a path', { issuer: 'https://acme-x1y2z3.zitadel.cloud/oauth/v2' }, 'issuer', /without a path/],
    ['a slash at the end', { issuer: 'https://acme-x1y2z3.zitadel.cloud/' }, 'issuer', /slash/],
    ['a host name', { issuer: 'acme-x1y2z3.zitadel.cloud' }, 'issuer', /absolute URL/],
    ['a boolean for those without a role', { withoutRole: true }, 'withoutRole'],
  ])
})
