/** What presets say of a token of another kind than they take: what they want, what came, and of no claim its value but a few. */
import { expect, it } from 'vitest'
import type { IssuerOptions } from '../../../src/index.ts'
import {
  clerk,
  cognito,
  entra,
  firebase,
  githubActions,
  google,
  keycloak,
  kubernetes,
  logto,
  okta,
  workos,
  zitadel,
} from '../../../src/verify/presets/index.ts'
import { refusalOf } from '../../pipeline/world.ts'

type Claims = Readonly<Record<string, unknown>>

const audience = 'https://api.example.com'
const tenant = '8eaef023-2b34-4da1-9baa-8bc8c9d6a490'
const ofClerk = clerk({ frontendApi: 'https://clerk.example.com', authorizedParties: ['https://app.example.com'] })
const session = { sub: 'user_1', sid: 'sess_1', azp: 'https://app.example.com' }
const pool = { userPoolId: 'eu-west-1_EXAMPLE', clientIds: ['6p1example'] } as const
const ofTenants = entra({ tenants: [tenant], audience: tenant })
const ofTenant = entra({ tenant, audience: tenant })
const people = google({ clientIds: ['1-a.apps.googleusercontent.com'], hostedDomains: ['example.com'] })
const realm = keycloak({ realmUrl: 'https://sso.example.com/realms/acme', audience: 'contacts' })
const server = okta({ issuer: 'https://acme.okta.com/oauth2/default', audience: 'api://default' })
const project = zitadel({ issuer: 'https://acme-x1y2z3.zitadel.cloud', projectId: '692337112' })
const sessions = workos({ clientId: 'client_01HZX4Y5Z6' })
const jobs = githubActions({ audience, callers: { deploy: { repositoryId: '123456789', environment: 'production' } } })
const issuer = 'https://oidc.eks.eu-central-1.amazonaws.com/id/0123456789ABCDEF'
const pods = kubernetes({ issuer, audience, callers: { worker: { namespace: 'jobs', serviceAccount: 'worker' } } })

type Case = readonly [preset: string, options: IssuerOptions, claims: Claims, expected: string, got: string]

const CASES: readonly Case[] = [
  ['clerk', ofClerk, { ...session, sub: 'org_7' }, 'a sub of a user or a machine', 'another sub'],
  ['clerk', ofClerk, { sub: 'user_1' }, 'sid, as sessions have, and tokens of JWT templates don’t', 'no sid'],
  ['clerk', ofClerk, { ...session, sts: 'pending' }, 'sts active', 'sts pending'],
  ['clerk', ofClerk, { ...session, aud: audience }, 'no aud: `audience` is not written', 'an aud'],
  ['clerk', ofClerk, { ...session, azp: undefined }, 'azp https://app.example.com', 'no azp'],
  ['clerk', ofClerk, { ...session, azp: 'https://a.test' }, 'azp https://app.example.com', 'azp https://a.test'],
  ['clerk', ofClerk, { ...session, azp: ['a'] }, 'azp https://app.example.com', 'azp object'],
  ['workos', sessions, { sub: 'agent_1' }, 'a sub of a user', 'another sub'],
  ['workos', sessions, { sub: 'user_1' }, 'sid, as sessions have', 'no sid'],
  ['cognito', cognito({ ...pool, tokens: 'access' }), { token_use: 'id' }, 'token_use access', 'token_use id'],
  ['cognito', cognito({ ...pool, tokens: 'id' }), {}, 'token_use id', 'no token_use'],
  [
    ...(['cognito', cognito({ ...pool, tokens: 'access' })] as const),
    { token_use: 'access', client_id: 'other' },
    ...(['client_id 6p1example', 'client_id other'] as const),
  ],
  ['entra', ofTenant, { scp: 'a' }, 'azp or appid, as access tokens have', 'neither: an ID token?'],
  ['entra', ofTenant, { azp: 'a', scp: 'a', idtyp: 'device' }, 'an idtyp of user or app', 'another idtyp'],
  ['entra', ofTenant, { azp: 'a', idtyp: 'app' }, 'roles, of an app without a person', 'no roles'],
  ['entra', ofTenant, { azp: 'a', scp: '' }, 'scp', 'an empty scp'],
  ['entra', ofTenants, { tid: 'x', iss: 'https://i.test/x' }, 'a tenant of `tenants`', 'iss https://i.test/x'],
  [
    ...(['firebase', firebase({ projectId: 'my-project' })] as const),
    { firebase: { tenant: 'secret-tenant' } },
    ...(['no tenant: `tenants` is not written', 'a tenant'] as const),
  ],
  ['firebase', firebase({ projectId: 'my-project', tenants: ['one'] }), {}, 'tenant one', 'no tenant'],
  ['google', people, { hd: 'other.example.com' }, 'hd example.com', 'another hd'],
  ['google', people, {}, 'hd example.com', 'no hd'],
  [
    ...(['google', people, { azp: '11', sub: '11' }] as const),
    ...(['a person, or a service account of `serviceAccounts`', 'another service account'] as const),
  ],
  ['keycloak', realm, { typ: 'ID' }, 'typ Bearer', 'typ ID'],
  ['keycloak', realm, { typ: 'Bearer' }, 'preferred_username, by the client scope profile', 'no preferred_username'],
  [
    ...(['logto', logto({ endpoint: 'https://acme.logto.app', audience }), {}] as const),
    ...(['client_id, as access tokens have', 'no client_id'] as const),
  ],
  ['okta', server, {}, 'cid, as access tokens have', 'no cid'],
  ['okta', server, { cid: 'c', sub: 'ann@example.com' }, 'uid, or a sub that is the cid', 'neither'],
  ['zitadel', project, {}, 'jti, as access tokens have', 'no jti'],
  ['zitadel', project, { jti: 'j', azp: '7@app' }, 'no azp, which ID tokens have', 'azp …@app'],
  ['zitadel', project, { jti: 'j' }, 'a role of project 692337112', 'none'],
  [
    ...(['githubActions', jobs, { repository_id: '123456789', event_name: 'push', environment: 'staging' }] as const),
    ...(['a caller: deploy', 'deploy but for environment'] as const),
  ],
  [
    ...(['kubernetes', pods, { sub: 'system:serviceaccount:jobs:other' }] as const),
    'a caller: worker',
    'worker but for sub, kubernetes.io.namespace, kubernetes.io.serviceaccount.name',
  ],
]

it.each(CASES)('%s: %#', async (_preset, { accepts }, claims, expected, got) => {
  const refusal = await refusalOf(async () => accepts?.(claims))
  expect(refusal).toMatchObject({ code: 'forbidden', reason: 'token_kind_not_accepted', expected, got })
})

// Names of clients and parties, classes of tokens, issuers: what may stand in a log.
const MAY_BE_SAID = ['azp', 'client_id', 'token_use', 'typ', 'sts', 'iss']

it.each(CASES)('%s, %#: no other claim is quoted', async (_preset, { accepts }, claims) => {
  const marked = Object.fromEntries(
    Object.entries(claims).map(([name, value]) => [
      name,
      MAY_BE_SAID.includes(name) || typeof value !== 'string' || value === '' ? value : `${value}-marked`,
    ]),
  )
  const { got } = await refusalOf(async () => accepts?.(marked))
  expect(got).not.toContain('marked')
})
