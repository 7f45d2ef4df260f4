/** Mistakes that people make in their first hour, each through a real auth: the one line that is printed names the cause. */
import { describe, expect, it } from 'vitest'
import { createAuth, createJwtVerifier, explain, type IssuerOptions, supabase } from '../../src/index.ts'
import { createMemoryStorage } from '../../src/storage/memory.ts'
import { createTokenIssuer, type TokenIssuer } from '../../src/testing/token-issuer.ts'
import { auth0, clerk, keycloak } from '../../src/verify/presets/index.ts'
import { fakeRequest } from '../pipeline/fake-request.ts'

const NOW = Date.parse('2026-11-20T12:00:00Z')
const SECONDS = NOW / 1000
const clock = (): number => NOW
const issuerCalled = (issuer: string, audience = 'https://api.example.com'): Promise<TokenIssuer> =>
  createTokenIssuer({ issuer, audience, algorithms: ['RS256', 'HS256', 'ES256'], clock })

const auth0s = await issuerCalled('https://acme.eu.auth0.com/')
const supabases = await issuerCalled('https://abc.supabase.co/auth/v1', 'authenticated')
const realm = await issuerCalled('https://id.example.com/realms/acme', 'contacts')

const clerks = await issuerCalled('https://clerk.example.com')
const session = { sub: 'user_1', aud: undefined, sid: 'sess_1', azp: 'http://localhost:5173' }
const byClerk = (): IssuerOptions =>
  clerk({ frontendApi: 'https://clerk.example.com', authorizedParties: ['http://localhost:5173'] })

const byAuth0 = (more: object = {}): IssuerOptions =>
  ({ ...auth0({ domain: 'acme.eu.auth0.com', audience: 'https://api.example.com' }), ...more }) as IssuerOptions
const bySupabase = (secret = supabases.secret): IssuerOptions => supabase({ issuer: supabases.issuer, secret })

const served: typeof fetch = async (url) => {
  const from = [auth0s, supabases, realm, clerks].find(({ issuer }) => String(url).startsWith(new URL(issuer).origin))
  return String(url).includes('wrong') ? new Response('', { status: 404 }) : Response.json(from?.jwks())
}

async function lineOf(options: IssuerOptions, authorization: string): Promise<string> {
  const lines: string[] = []
  const verifier = createJwtVerifier({ issuers: [options], fetch: served, clock })
  const auth = createAuth({ verifier, onDecision: explain({ write: (line) => lines.push(line), color: false }) })
  await expect(auth.authenticate(fakeRequest({ headers: { authorization } }))).rejects.toThrow()
  expect(lines).toHaveLength(1)
  return lines[0] ?? ''
}

const bearer = async (token: Promise<string> | string): Promise<string> => `Bearer ${await token}`

type Mistake = readonly [what: string, options: IssuerOptions, header: () => Promise<string>, says: RegExp]

const MISTAKES: readonly Mistake[] = [
  [
    'a page of another origin',
    byClerk(),
    () => bearer(clerks.sign({ ...session, azp: 'https://evil.example' })),
    /403 token_kind_not_accepted: the issuer’s rule wants azp http:\/\/localhost:5173; the token has azp https:\/\/evil.example — host: add it to `authorizedParties`, if it is a page of yours \(/,
  ],
  [
    'the same page by another name',
    byClerk(),
    () => bearer(clerks.sign({ ...session, azp: 'http://127.0.0.1:5173' })),
    /the token has azp http:\/\/127.0.0.1:5173 — localhost and 127.0.0.1 are two names \(/,
  ],
  [
    'a token of a JWT template',
    byClerk(),
    () => bearer(clerks.sign({ ...session, sid: undefined })),
    /wants sid, as sessions have, and tokens of JWT templates don’t; the token has no sid — client: send the session token/,
  ],
  [
    'a session that has an audience',
    byClerk(),
    () => bearer(clerks.sign({ ...session, aud: 'authenticated' })),
    /the token has an aud — host: write `audience` of the preset/,
  ],
  [
    'the issuer without its last slash',
    byAuth0({ issuer: 'https://acme.eu.auth0.com' }),
    () => bearer(auth0s.sign()),
    /401 token_issuer_unknown: .*a trailing slash\?/,
  ],
  [
    'an ID token, or a token for the app itself',
    byAuth0(),
    () => bearer(auth0s.sign({ aud: 'kf8Dh2spaClientId' })),
    /401 token_audience_other: the token is for "kf8Dh2spaClientId", wanted is "https:\/\/api.example.com" — client: ask/,
  ],
  [
    'an audience that is misspelt',
    byAuth0({ audience: 'https://api.exmaple.com' }),
    () => bearer(auth0s.sign()),
    /401 token_audience_other: .*misspelt\?/,
  ],
  [
    'an opaque token, because no audience was asked for',
    byAuth0(),
    () => bearer('v2.local-opaque'.replace('.', '_')),
    /401 token_not_a_jwt: .*name the audience of this API/,
  ],
  [
    'a token that has expired',
    byAuth0(),
    () => bearer(auth0s.sign({ iat: SECONDS - 90_000, exp: SECONDS - 3600 })),
    /401 token_expiry_passed: the token expired at .* — 1 hour ago: it is 2026-11-20T12:00:00Z by the clock of this machine; client: refresh the token; host: if it is new, that clock is ahead \(/,
  ],
  [
    'keys where there are none',
    { ...byAuth0(), keys: [{ kind: 'jwks', url: 'https://acme.eu.auth0.com/wrong.json' }] },
    () => bearer(auth0s.sign({}, { algorithm: 'ES256' })),
    /503 key_servers_failing: .*: 404 — host: the server answers, and has no keys there: is the path …\/\.well-known\/jwks\.json\? \(/,
  ],
  [
    'the word Bearer left out',
    byAuth0(),
    () => auth0s.sign(),
    /401 credential_missing: .*the word "Bearer " is missing before the token/,
  ],
  [
    'a variable that is not set',
    byAuth0(),
    () => bearer('undefined'),
    /401 token_not_a_jwt: .*\(got undefined\) — a variable without a value/,
  ],
  ['nothing after Bearer', byAuth0(), async () => 'Bearer ', /400 bearer_token_missing: .*an empty variable/],
  [
    'the anon key of the project in the place of a session',
    bySupabase(),
    () => bearer(supabases.sign({ iss: 'supabase', role: 'anon', sub: undefined }, { algorithm: 'HS256' })),
    /401 token_issuer_unknown: the token says "supabase \(anon\)".* — the anon key of the project, no session; client: send the `access_token` of a session \(/,
  ],
  [
    'the service_role key of the project, which is worse',
    bySupabase(),
    () => bearer(supabases.sign({ iss: 'supabase', role: 'service_role', sub: undefined }, { algorithm: 'HS256' })),
    /401 token_issuer_unknown: .*the service_role key of the project, no session; .*; whoever has it may do everything: take it out of the client, and rotate it \(/,
  ],
  [
    'a secret API key of the new kind',
    bySupabase(),
    () => bearer('sb_secret_abcdefghijklmnopqrstuv_01234567'),
    /401 token_not_a_jwt: .*\(got sb_secret_\) — a secret API key of the project, no session/,
  ],
  [
    'quotes round the token',
    byAuth0(),
    async () => `Bearer "${await auth0s.sign()}"`,
    /401 token_part_encoding: a part of the token is not canonical base64url: quotes in it — client: take the quotes away/,
  ],
  [
    'the word Bearer twice',
    byAuth0(),
    async () => `Bearer Bearer ${await auth0s.sign()}`,
    /400 bearer_token_malformed: there is the word Bearer in the token — client: the word "Bearer" stands there twice/,
  ],
  [
    'a token that was copied over two lines',
    byAuth0(),
    async () => `Bearer ${(await auth0s.sign()).replace(/^(.{150})/, '$1 ')}`,
    /400 bearer_token_malformed: there is white space in the token — client: copy it anew/,
  ],
  [
    'no subject',
    byAuth0(),
    () => bearer(auth0s.sign({ sub: undefined })),
    /401 token_subject_malformed: the token has no `sub` — issuer: write `sub`/,
  ],
  [
    'a subject that is a number',
    byAuth0(),
    () => bearer(auth0s.sign({ sub: 7 as never })),
    /401 token_subject_malformed: `sub` of the token is a number, and no text — issuer: write `sub` as text/,
  ],
  [
    'the secret of another project',
    bySupabase('another-secret-that-is-long-enough-0123456789'),
    () => bearer(supabases.sign({}, { algorithm: 'HS256' })),
    /401 token_signature_invalid: .*host: compare the secret/,
  ],
  [
    'a project that has moved to signing keys',
    bySupabase(),
    () => bearer(supabases.sign({}, { algorithm: 'ES256' })),
    /401 token_algorithm_not_of_issuer: the token is signed by ES256.*moved to signing keys\?/,
  ],
  [
    'the URL of the keys mistyped',
    byAuth0({ keys: [{ kind: 'jwks', url: 'https://acme.eu.auth0.com/wrong/jwks.json' }] }),
    () => bearer(auth0s.sign()),
    /503 key_servers_failing: the keys can’t be had: https:\/\/acme\.eu\.auth0\.com\/wrong\/jwks\.json: 404/,
  ],
  [
    'times in milliseconds',
    byAuth0(),
    () => bearer(auth0s.sign({ iat: NOW, exp: NOW + 3_600_000 })),
    /401 token_issued_in_future: .*milliseconds in the place of seconds\?/,
  ],
  [
    'another realm of the same server',
    keycloak({ realmUrl: 'https://id.example.com/realms/acme', audience: 'contacts' }),
    () => bearer(realm.sign({ iss: 'https://id.example.com/realms/other' })),
    /401 token_issuer_unknown: .*another realm/,
  ],
  [
    'Keycloak without an audience mapper',
    keycloak({ realmUrl: 'https://id.example.com/realms/acme', audience: 'contacts' }),
    () => bearer(realm.sign({ aud: 'account', typ: 'Bearer' })),
    /401 token_audience_other: .*audience mapper/,
  ],
]

describe('the line names the cause of', () => {
  it.each(MISTAKES)('%s', async (_, options, header, says) => {
    const authorization = await header()
    const line = await lineOf(options, authorization)
    expect(line).toMatch(says)
    const [token = ''] = /[\w-]+\.[\w-]+\.[\w-]+$/.exec(authorization) ?? []
    for (const part of token.split('.').filter((each) => each.length > 20)) expect(line).not.toContain(part)
  })
})

describe('behind a good token, the line names the cause of', () => {
  async function createHost(role: string, orgs: number) {
    const lines: string[] = []
    const storage = createMemoryStorage()
    const verifier = createJwtVerifier({ issuers: [bySupabase()], fetch: served, clock })
    const users = async () => ({ user: found.user })
    const found = await storage.users.upsertByIdentity({ issuer: supabases.issuer, subject: 'ada', email: null })
    for (let n = 0; n < orgs; n++) {
      const { id } = await storage.orgs.insert({ name: `org ${n}` })
      await storage.memberships.insert({ orgId: id, userId: found.user.id, role })
    }
    const onDecision = explain({ write: (line) => lines.push(line), color: false })
    const auth = createAuth({ verifier, users, storage, roles: ['member', 'admin'], onDecision })
    const authorization = await bearer(supabases.sign({ sub: 'ada' }, { algorithm: 'HS256' }))
    return async (headers: Record<string, string>, access: object = {}) => {
      await expect(auth.authenticate(fakeRequest({ headers: { authorization, ...headers } }), access)).rejects.toThrow()
      return lines.at(-1) ?? ''
    }
  }

  it('an organization that is not named', async () => {
    const ask = await createHost('member', 2)
    expect(await ask({})).toMatch(/400 org_not_the_only_one: .* — client: send X-Org-Id, with the id of one of them/i)
  })

  it('an organization of somebody else', async () => {
    const ask = await createHost('member', 1)
    const line = await ask({ 'x-org-id': '0b0e7a52-4f0c-4c53-9d7b-5f2f6f0d1c11' })
    expect(line).toMatch(
      /403 not_a_member: the caller is no member of 0b0e7a52-4f0c-4c53-9d7b-5f2f6f0d1c11; .* — client: name an organization that the caller belongs to/,
    )
  })

  it('a role that is stored in other letters', async () => {
    expect(await (await createHost('Admin', 1))({})).toMatch(
      /403 role_unknown: the stored role is Admin.*upper and lower case\?/,
    )
  })

  it('a role that is too low', async () => {
    const line = await (await createHost('member', 1))({}, { role: 'admin' })
    expect(line).toMatch(/403 role_too_low: the role is member, needed is admin/)
  })
})
