/** `explain()`: a line for every reason there is, near misses named, nothing in it that the record does not hold. */
import { describe, expect, it, vi } from 'vitest'
import { reasonTexts } from '../../src/explain/reason-texts.ts'
import { createAuth, createJwtVerifier, type Decision, explain, OptionsError } from '../../src/index.ts'
import { createTokenIssuer } from '../../src/testing/token-issuer.ts'
import { fakeRequest } from '../pipeline/fake-request.ts'

const record = (more: Partial<Decision>): Decision => ({
  ...{ requestId: 'r', at: new Date(0), method: 'GET', path: '/me', outcome: 'refused', credential: null },
  ...{ code: 'unauthorized', reason: null, expected: null, got: null, principal: null, issuer: null, actor: null },
  ...{ selection: null, orgId: null, role: null, provisioned: null, timings: {} },
  ...more,
})

function lineOf(more: Partial<Decision>, options: Parameters<typeof explain>[0] = {}): string {
  const lines: string[] = []
  explain({ write: (line) => lines.push(line), color: false, ...options })(record(more))
  expect(lines).toHaveLength(1)
  return lines[0] as string
}

describe('every reason', () => {
  it.each([...reasonTexts()])('%s is one line with a headline and something to try', (reason, { try: remedies }) => {
    for (const values of [
      { expected: null, got: null },
      { expected: 'wanted', got: 'came' },
    ]) {
      const line = lineOf({ reason, ...values })
      expect(line).toMatch(new RegExp(`^401 ${reason}: .{10,} — .+ \\(GET /me\\)$`))
      expect(line).not.toMatch(/\{(?:got|expected)|\n|undefined|\[object/)
      const said = Object.values(remedies)
      if (values.got === null && reason !== 'token_not_a_jwt')
        expect(said.some((text) => line.includes(text))).toBe(true)
    }
  })
})

const NOW = '2026-11-20T12:00:00.500Z'

describe('what is nearly right is named', () => {
  it.each<[reason: string, expected: string | null, got: string | null, said: string]>([
    ['token_issuer_unknown', 'https://acme.eu.auth0.com', 'https://acme.eu.auth0.com/', 'a trailing slash?'],
    ['token_issuer_unknown', 'https://id.example', 'http://id.example', 'http in the place of https?'],
    ['token_issuer_unknown', 'https://id.example', 'id.example', 'https:// is missing?'],
    ['token_issuer_unknown', 'https://id.example', 'https://ID.example', 'upper and lower case?'],
    ['token_issuer_unknown', 'http://localhost:8080', 'http://127.0.0.1:8080', 'localhost and 127.0.0.1'],
    ['token_issuer_unknown', 'http://localhost:8080', 'http://localhost:8081', 'another port?'],
    ['token_issuer_unknown', 'https://a.supabase.co', 'https://a.supabase.co/auth/v1', 'with and without /auth/v1?'],
    ['token_issuer_unknown', 'https://k.example/realms/a', 'https://k.example/realms/b', 'another realm'],
    ['token_issuer_unknown', 'https://k.example/a', 'https://k.example/tenants/b', 'another path on the same host'],
    ['token_issuer_unknown', 'https://one.example, https://id.example', 'https://id.example/', 'a trailing slash?'],
    ['token_issuer_unknown', 'https://exampel.okta.com', 'https://example.okta.com', 'misspelt?'],
    ['token_issuer_unknown', 'https://a.supabase.co/auth/v1', 'supabase', 'an API key of the project'],
    ['token_issuer_unknown', 'https://login.microsoftonline.com/t/v2.0', 'https://sts.windows.net/t/', 'a v1 token'],
    ['token_issuer_unknown', 'https://id.example', 'none', 'a session of your own?'],
    ['token_issuer_unknown', 'https://a.supabase.co/auth/v1', 'supabase (anon)', 'the anon key of the project'],
    ['token_issuer_unknown', 'https://a.supabase.co/auth/v1', 'supabase (service_role)', 'and rotate it'],
    ['token_audience_other', 'https://api.example', 'https://api.example/', 'a trailing slash?'],
    ['token_audience_other', 'https://api.example', 'https://apy.example', 'misspelt?'],
    ['token_audience_other', 'Api', 'api', 'upper and lower case?'],
    ['token_audience_other', '1b2', 'api://1b2', 'with and without api://?'],
    ['token_audience_other', 'contacts', 'account', 'audience mapper'],
    ['token_audience_other', 'https://api.example', 'authenticated', 'a Supabase session'],
    ['token_type_refused', 'jwt, at+jwt', 'id+jwt', 'an ID token'],
    ['token_algorithm_not_of_issuer', 'ES256, RS256', 'HS256', 'signed by a shared secret'],
    ['token_algorithm_not_of_issuer', 'HS256', 'RS256', 'moved to signing keys?'],
    ['token_algorithm_not_of_issuer', 'ES256', 'PS512', 'write PS512 into algorithms'],
    ['token_algorithm_not_of_issuer', 'HS256', 'HS512', 'write HS512 into algorithms'],
    ['token_algorithm_unknown', 'HS256', 'none', 'not signed at all'],
    ['token_expiry_passed', `exp > ${NOW} - 5 s`, '2026-11-20T09:59:00.500Z', '2 hours 1 minute ago'],
    [
      'token_not_yet_valid',
      `nbf <= ${NOW} + 5 s`,
      '2026-11-20T12:03:00.500Z',
      'in 3 minutes: it is 2026-11-20T12:00:00Z by',
    ],
    ['token_issued_in_future', `iat <= ${NOW} + 5 s`, '2026-11-20T14:00:00.500Z', 'local time in the place of UTC?'],
    [
      'token_issued_in_future',
      `iat <= ${NOW} + 5 s`,
      '+058840-01-01T00:00:00.000Z',
      'milliseconds in the place of seconds?',
    ],
    ['token_expiry_passed', `exp > ${NOW} - 5 s`, '1970-01-01T01:00:00.000Z', 'in the place of an instant'],
    ['credential_missing', 'Authorization: Bearer', 'Authorization: a token without a scheme', '"Bearer " is missing'],
    ['credential_missing', 'Authorization: Bearer', 'an empty Authorization', 'a variable without a value'],
    ['credential_missing', 'Authorization: Bearer', 'Authorization: Token', 'the scheme must be "Bearer"'],
    ['token_not_a_jwt', null, 'undefined', 'a variable without a value'],
    ['token_not_a_jwt', null, 'sb_secret_', 'and rotate it'],
    ['token_not_a_jwt', null, 'sb_publishable_', 'the publishable key of the project'],
    ['token_not_a_jwt', null, 'sk_live_', 'and rotate it'],
    ['token_not_a_jwt', null, 'pk_test_', 'a publishable API key'],
    ['token_part_encoding', null, 'quotes', 'jq -r'],
    ['token_part_encoding', null, 'percent signs', 'percent-encoded'],
    ['token_part_encoding', null, 'padding', 'base64url has no padding'],
    ['bearer_token_malformed', null, 'the word Bearer', 'stands there twice'],
    ['bearer_token_malformed', null, 'white space', 'a line break or a blank'],
    ['bearer_token_malformed', null, 'a comma', 'one token alone'],
    ['token_subject_malformed', null, 'none', 'issuer: write `sub`; host:'],
    ['not_a_member', null, 'none', 'host: make a membership'],
    ['not_a_member', null, 'none of a machine', 'client: name one, by `X-Org-Id`'],
    ['org_not_named', 'X-Org-Id', null, 'client: send X-Org-Id, with'],
    ['org_not_the_only_one', 'X-Tenant', null, 'client: send X-Tenant, with the id of one of them'],
    ['cross_site_request', 'Origin: http://localhost:3000', 'http://localhost:5173', 'Vite: `server.proxy`'],
    ['cross_site_request', 'Sec-Fetch-Site: same-origin or none', 'same-site, http://localhost:5173', '`server.proxy`'],
    ['cross_site_request', 'Sec-Fetch-Site: same-origin or none', 'same-site, https://a.example', 'port or subdomain'],
    [
      'cross_site_request',
      'Origin: http://a.example',
      'https://a.example',
      "`publicUrl: 'https://a.example'`, of `cookie` or of `createLogin`",
    ],
    ['cross_site_request', 'Sec-Fetch-Site: same-origin or none', 'same-site', 'port or subdomain'],
    ['cross_site_request', 'Sec-Fetch-Site or Origin', 'neither', 'no browser sent it'],
    ['key_servers_failing', null, 'https://a.example/jwks.json: 404', 'is the path …/.well-known/jwks.json?'],
    ['key_servers_failing', null, 'https://a.example/.well-known/jwks.json: 404', 'is the URL right?'],
    ['key_servers_failing', null, 'http://127.0.0.1:9/jwks: ECONNREFUSED', 'nothing listens there'],
    ['key_servers_failing', null, 'https://a.example/jwks: ENOTFOUND', 'no machine has this name'],
    ['key_servers_failing', null, 'https://a.example/jwks: DEPTH_ZERO_SELF_SIGNED_CERT', 'NODE_EXTRA_CA_CERTS'],
    ['key_servers_failing', null, 'https://a.example/jwks: UNABLE_TO_VERIFY_LEAF_SIGNATURE', 'NODE_EXTRA_CA_CERTS'],
    ['key_servers_failing', null, 'https://a.example/jwks: CERT_HAS_EXPIRED', 'of another time: renew it'],
    ['key_servers_failing', null, 'https://a.example/jwks: ERR_TLS_CERT_ALTNAME_INVALID', 'is for another name'],
    ['key_servers_failing', null, 'https://a.example/jwks: ERR_SSL_WRONG_VERSION_NUMBER', 'is the port right?'],
    ['key_servers_failing', null, 'https://a.example/jwks: timeout', 'no answer from there'],
    ['key_servers_failing', null, 'https://a.example/jwks: not_json', 'no JWK Set'],
    ['key_servers_failing', null, 'https://a.example/jwks: no_usable_key', 'look at `algorithms`'],
    ['role_unknown', 'member, admin', 'Admin', 'upper and lower case?'],
    ['session_issuer_other', 'contacts', 'Contacts', 'upper and lower case?'],
    ['invitation_without_verified_email', null, 'none', '`profile: { load: userInfo() }` of the provisioner'],
    ['invitation_without_verified_email', null, 'not verified', 'say so by its `emails`'],
  ])('%s: %s, got %s', (reason, expected, got, said) => {
    expect(lineOf({ reason, expected, got }).split(' — ')[1]).toContain(said)
  })

  it('and nothing is made up where nothing is near', () => {
    const line = lineOf({ reason: 'token_issuer_unknown', expected: 'https://id.example', got: 'https://evil.test/' })
    expect(line.split(' — ')[1]).toMatch(/^host: write the issuer/)
    for (const [expected = null, got = null] of [
      ['Sec-Fetch-Site: same-origin or none', 'cross-site'],
      ['Sec-Fetch-Site: same-origin or none', 'cross-site, null'],
      ['Origin: http://a.example', 'http://a.example, http://a.example'],
    ])
      expect(lineOf({ reason: 'cross_site_request', expected, got })).not.toContain('a proxy ends TLS')
  })
})

describe('a line', () => {
  it('says what came, what was wanted and what to try', () => {
    const values = { expected: 'https://acme.eu.auth0.com', got: 'https://acme.eu.auth0.com/' }
    expect(lineOf({ reason: 'token_issuer_unknown', ...values })).toBe(
      '401 token_issuer_unknown: the token says "https://acme.eu.auth0.com/", trusted is "https://acme.eu.auth0.com" — a trailing slash? (GET /me)',
    )
  })

  it('is aligned and coloured where that is wanted, and the same text', () => {
    const more = { reason: 'token_key_unknown', expected: 'ES256', got: 'none of 2 keys' } as const
    const colored = lineOf(more, { color: true })
    expect(colored.startsWith(`\u001b[33m401\u001b[39m token_key_unknown:${' '.repeat(17)}no key fits`)).toBe(true)
    // biome-ignore lint/suspicious/noControlCharactersInRegex: that is what is taken out
    expect(colored.replace(/\u001b\[\d+m/g, '').replace(/ +/g, ' ')).toBe(lineOf(more))
  })

  it('names a fault by the code or the name of what was thrown, never by its message', () => {
    const cause = Object.assign(new Error('password hunter2 at 10.1.2.3'), { code: 'ECONNREFUSED' })
    const line = lineOf({ outcome: 'failed', code: 'temporarily_unavailable', reason: 'storage_unavailable', cause })
    expect(line).toMatch(/^503 storage_unavailable: .*\[ECONNREFUSED\] — /)
    expect(lineOf({ outcome: 'failed', code: null, reason: 'internal_error', cause: new TypeError('x') })).toMatch(
      /^500 internal_error: .*\[TypeError\]/,
    )
    expect(line).not.toContain('hunter2')
  })

  it('of a host’s own reason says its values', () => {
    expect(lineOf({ code: 'forbidden', reason: 'plan_too_small', expected: 'pro', got: 'free' })).toBe(
      '403 plan_too_small: refused by a rule of the host (got free, expected pro) (GET /me)',
    )
  })

  it('breaks no line and shows no token of a path', () => {
    const line = lineOf({ reason: 'not_a_member', path: `/a\n\u001b[31m/eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.abc` })
    for (const part of ['\n', '\u001b', 'eyJ']) expect(line).not.toContain(part)
  })
})

it('requests that were let in are told of where that is asked for', () => {
  const let_in = {
    outcome: 'allowed',
    code: null,
    principal: { kind: 'user', id: 'u1' },
    orgId: 'o1',
    role: 'admin',
  } as const
  const write = vi.fn()
  explain({ write })(record(let_in))
  expect(write).not.toHaveBeenCalled()
  expect(lineOf(let_in, { allowed: true })).toBe('ok allowed: user u1 in o1 as admin (GET /me)')
})

it.each([{ colour: true }, { write: 'x' }, { allowed: 'yes' }])('%j is an OptionsError', (options) => {
  expect(() => explain(options as never)).toThrow(OptionsError)
})

it('goes to standard error by default, through a real auth, without the token', async () => {
  const issuer = await createTokenIssuer({ algorithms: ['HS256'] })
  const issuers = [
    { issuer: `${issuer.issuer}/`, keys: [{ kind: 'secret', secret: issuer.secret }], audience: null } as const,
  ]
  const auth = createAuth({ verifier: createJwtVerifier({ issuers }), onDecision: explain() })
  const printed = vi.spyOn(console, 'error').mockImplementation(() => undefined)
  const token = await issuer.sign()
  const request = fakeRequest({ headers: { authorization: `Bearer ${token}` } })
  await expect(auth.authenticate(request)).rejects.toMatchObject({ reason: 'token_issuer_unknown' })
  const lines = printed.mock.calls.map(([line]) => String(line))
  printed.mockRestore()
  expect(lines).toHaveLength(1)
  expect(lines[0]).toContain(`401 token_issuer_unknown`)
  expect(lines[0]).toContain('a trailing slash?')
  for (const part of token.split('.')) expect(lines[0]).not.toContain(part)
})
