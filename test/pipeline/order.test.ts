/**
 * The order of checks, always the same: size, form, signature, claims, kind of caller, user, org selector, org, role,
 * scope. Defects in that order; a request with two of them is refused for the earlier one.
 */
import { describe, expect, it } from 'vitest'
import { readJson } from '../../src/http/read-json.ts'
import type { AccessRule } from '../../src/request.ts'
import type { SignOptions, TokenClaims } from '../../src/testing/token-issuer.ts'
import { fakeRequest } from './fake-request.ts'
import { createWorld, NOWHERE, reasonOf, refusalOf, SERVICE_SECRET } from './world.ts'

/** A request in the making: good in everything until a defect touches it. */
interface Draft {
  claims: TokenClaims
  how: SignOptions
  /** The Authorization lines, from the token. */
  lines: (token: string) => readonly string[]
  padding: string
  headers: Record<string, string>
  access: AccessRule
  disabled: boolean
  role: string
  params: Record<string, string>
}

interface Defect {
  readonly name: string
  readonly reason: string
  apply(draft: Draft): void
  /** Another defect that stands in the same place of a request. */
  readonly excludes?: string
}

const AS_SELECTOR = [{ kind: 'pathParam', name: 'org' }] as const

const DEFECTS: readonly Defect[] = [
  {
    name: 'an oversize token',
    reason: 'bearer_token_too_long',
    apply: (draft) => Object.assign(draft, { padding: 'x'.repeat(9000) }),
  },
  {
    name: 'a repeated header',
    reason: 'authorization_repeated',
    apply: (draft) => Object.assign(draft, { lines: (token: string) => [`Bearer ${token}`, `Bearer ${token}`] }),
  },
  {
    name: 'two kinds of credential',
    reason: 'credential_ambiguous',
    apply: (draft) => Object.assign(draft.headers, { 'x-telephony-secret': SERVICE_SECRET }),
  },
  {
    name: 'a wrong signature',
    reason: 'token_signature_invalid',
    apply: (draft) => Object.assign(draft, { how: { key: new Uint8Array(32) } }),
  },
  {
    name: 'a foreign audience',
    reason: 'token_audience_other',
    apply: (draft) => Object.assign(draft, { claims: { ...draft.claims, aud: 'another' } }),
  },
  {
    name: 'an expired token',
    reason: 'token_expiry_passed',
    apply: (draft) => Object.assign(draft, { claims: { ...draft.claims, exp: 1 } }),
  },
  {
    name: 'a kind not accepted',
    reason: 'caller_kind_not_accepted',
    apply: (draft) => Object.assign(draft, { access: { ...draft.access, accept: ['service', 'apiKey'] } }),
  },
  {
    name: 'a disabled user',
    reason: 'user_disabled',
    apply: (draft) => Object.assign(draft, { disabled: true }),
  },
  {
    name: 'a malformed org',
    reason: 'org_id_malformed',
    excludes: 'a stranger’s org',
    apply: (draft) => Object.assign(draft.headers, { 'x-org-id': 'no id' }),
  },
  {
    name: 'two different orgs',
    reason: 'org_selectors_differ',
    excludes: 'a malformed org',
    apply: (draft) => {
      draft.access = { ...draft.access, selectors: AS_SELECTOR }
      draft.params['org'] = 'ffffffff-ffff-4fff-8fff-ffffffffffff'
    },
  },
  {
    name: 'a stranger’s org',
    reason: 'not_a_member',
    apply: (draft) => Object.assign(draft.headers, { 'x-org-id': NOWHERE }),
  },
  {
    name: 'a role too low',
    reason: 'role_too_low',
    apply: (draft) => Object.assign(draft, { access: { ...draft.access, role: 'owner' } }),
  },
]

async function reasonWith(defects: readonly Defect[]): Promise<string | null> {
  const world = createWorld()
  const orgId = await world.org('acme')
  const draft: Draft = {
    claims: { sub: 'ada' },
    how: {},
    lines: (token) => [`Bearer ${token}`],
    padding: '',
    headers: { 'x-org-id': orgId },
    access: {},
    disabled: false,
    role: 'member',
    params: { org: orgId },
  }
  // Later defects first, so that the earlier one has the last word over what they share.
  for (const defect of [...defects].reverse()) defect.apply(draft)
  const { id } = await world.person('ada', { [orgId]: draft.role })
  if (draft.disabled) await world.storage.users.setDisabled(id, true)
  const token = (await world.sign(draft.claims, draft.how)) + draft.padding
  const request = { headers: { ...draft.headers, authorization: draft.lines(token) }, params: draft.params }
  const work = world.authenticate(request, draft.access)
  if (defects.length > 0) return reasonOf(work)
  await work
  return null
}

const PAIRS = DEFECTS.flatMap((first, at) =>
  DEFECTS.slice(at + 1)
    .filter((second) => first.excludes !== second.name && second.excludes !== first.name)
    .map((second): readonly [string, string, Defect, Defect] => [first.name, second.name, first, second]),
)

describe('the order of checks', () => {
  it('lets a request without a defect in', async () => {
    expect(await reasonWith([])).toBeNull()
  })

  it.each(DEFECTS)('refuses $name alone', async (defect) => {
    expect(await reasonWith([defect])).toBe(defect.reason)
  })

  it.each(PAIRS)('%s comes before %s', async (_first, _second, first, second) => {
    expect(await reasonWith([first, second])).toBe(first.reason)
  })

  it('says the earliest of all defects at once', async () => {
    const compatible = DEFECTS.filter(({ name }) => name !== 'two different orgs')
    expect(await reasonWith(compatible)).toBe('bearer_token_too_long')
  })
})

describe('the order, in the other credentials', () => {
  it('an API key: verified, then accepted, then org, role, scope', async () => {
    const world = createWorld()
    const orgId = await world.org('acme')
    const key = { authorization: `Bearer ${world.apiKey({ orgId, role: 'viewer' })}` }
    const access = { accept: ['apiKey'], role: 'member', permissions: ['things:read'] } as const
    const ask = (headers: Record<string, string>, rule: AccessRule = access) =>
      reasonOf(world.authenticate({ headers }, rule))
    expect(await ask({ authorization: 'Bearer tk_no', 'x-org-id': '{}' }, {})).toBe('test_key_unknown')
    expect(await ask({ ...key, 'x-org-id': '{}' }, {})).toBe('caller_kind_not_accepted')
    expect(await ask({ ...key, 'x-org-id': '{}' })).toBe('org_id_malformed')
    expect(await ask({ ...key, 'x-org-id': NOWHERE })).toBe('key_of_another_org')
    expect(await ask({ ...key, 'x-org-id': orgId })).toBe('role_too_low')
    expect(await ask(key, { ...access, role: 'viewer' })).toBe('scope_missing')
  })

  it('a service: size, form, secret, kind', async () => {
    const { authenticate } = createWorld()
    const long = 'x'.repeat(9000)
    const ask = (lines: string | string[], more = {}) =>
      reasonOf(authenticate({ headers: { 'x-telephony-secret': lines, ...more } }))
    expect(await ask([long, long])).toBe('service_secret_too_long')
    expect(await ask(['a', 'b'], { authorization: 'Bearer a b' })).toBe('service_header_repeated')
    expect(await ask('a', { authorization: 'Bearer a b' })).toBe('bearer_token_malformed')
    expect(await ask('a', { authorization: 'Bearer ab' })).toBe('credential_ambiguous')
    expect(await ask('a')).toBe('service_secret_wrong')
    expect(await ask(SERVICE_SECRET)).toBe('caller_kind_not_accepted')
  })

  it('size comes before form across headers', async () => {
    const { authenticate } = createWorld()
    const long = 'x'.repeat(9000)
    const headers = { 'x-telephony-secret': ['a', 'a'], authorization: `Bearer ${long}` }
    expect(await reasonOf(authenticate({ headers }))).toBe('bearer_token_too_long')
    const both = { 'x-telephony-secret': ['a', 'a'], 'x-billing-secret': long }
    expect(await reasonOf(authenticate({ headers: both }))).toBe('service_secret_too_long')
  })

  it('a cookie: size, ambiguity, cross-site, then the token', async () => {
    const { authenticate, sign } = createWorld()
    const ask = (cookie: string, method = 'POST') =>
      reasonOf(authenticate({ method, headers: { cookie, 'sec-fetch-site': 'cross-site' } }))
    expect(await ask(`session=${'x'.repeat(9000)}`)).toBe('cookie_too_long')
    expect(await ask('session=a; session=b')).toBe('cookie_ambiguous')
    expect(await ask(`session=${await sign({ exp: 1 })}`)).toBe('cross_site_request')
    expect(await ask(`session=${await sign({ exp: 1 })}`, 'GET')).toBe('token_expiry_passed')
  })

  it('a body: media type, size, content', async () => {
    const post = (type: string, text: string) =>
      fakeRequest({
        method: 'POST',
        headers: { 'content-type': type },
        body: text.length > 16_384 ? { kind: 'too_large' } : { kind: 'bytes', bytes: new TextEncoder().encode(text) },
      })
    const long = `[${'1,'.repeat(9000)}1]`
    expect(await reasonOf(readJson(post('text/plain', long)))).toBe('body_not_json')
    expect(await reasonOf(readJson(post('application/json', long)))).toBe('body_too_large')
    expect(await reasonOf(readJson(post('application/json', '{')))).toBe('body_not_an_object')
  })
})

describe('what the contract names', () => {
  it('a bad token with a malformed org header is 401', async () => {
    const { authenticate } = createWorld()
    const refusal = await refusalOf(authenticate({ headers: { authorization: 'Bearer x.y.z', 'x-org-id': '{}' } }))
    expect(refusal.status).toBe(401)
  })

  it('a stale cookie on a cross-site POST is 403', async () => {
    const { authenticate, sign } = createWorld()
    const headers = { cookie: `session=${await sign({ exp: 1 })}`, origin: 'https://evil.test', host: 'here.test' }
    expect((await refusalOf(authenticate({ method: 'POST', headers }))).status).toBe(403)
  })

  it('a first login with a stranger’s org header creates the user and its own org, and is 403', async () => {
    const { authenticate, sign, org, storage } = createWorld()
    const authorization = `Bearer ${await sign({ sub: 'new' })}`
    const refusal = await refusalOf(
      authenticate({ headers: { authorization, 'x-org-id': await org('of a stranger') } }),
    )
    expect([refusal.status, refusal.reason]).toEqual([403, 'not_a_member'])
    expect([await storage.users.count(), await storage.orgs.count()]).toEqual([1, 2])
    expect(await authenticate({ headers: { authorization } })).toMatchObject({ kind: 'user', role: 'owner' })
    expect(await storage.users.count()).toBe(1)
  })

  it('a first login with a malformed org header creates the user too, and is 400', async () => {
    const { authenticate, sign, storage } = createWorld()
    const headers = { authorization: `Bearer ${await sign({ sub: 'new' })}`, 'x-org-id': '' }
    expect((await refusalOf(authenticate({ headers }))).status).toBe(400)
    expect(await storage.users.count()).toBe(1)
  })
})
