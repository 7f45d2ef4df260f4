// P2, T1, M12: an issuer that has taken another one's place: whose identities its tokens name, and what stays its own.
import { createAuth, createProvisioner } from 'sallyport'
import { createMemoryStorage } from 'sallyport/memory'
import { describe, expect, it } from 'vitest'
import type { Decision, Identity } from '../../src/context.ts'
import { createTokenIssuer, type TokenIssuer } from '../../src/testing/token-issuer.ts'
import { createIssuerLookUp } from '../../src/verify/issuer-look-up.ts'
import type { IssuerOptions } from '../../src/verify/issuer-options.ts'
import { createJwtVerifier, type JwtVerifierOptions } from '../../src/verify/jwt-verifier.ts'
import { userInfo } from '../../src/verify/user-info.ts'
import { fakeRequest } from '../pipeline/fake-request.ts'
import { createTestClock, verdictOf } from './bench.ts'

const OLD = 'https://old.test'
const NEW = 'https://login.new.test'
const clock = createTestClock()
const issuerOf = (issuer: string): Promise<TokenIssuer> =>
  createTokenIssuer({ issuer, audience: `api of ${issuer}`, algorithms: ['ES256'], clock })
const [before, after] = await Promise.all([issuerOf(OLD), issuerOf(NEW)])

const trust = ({ issuer, audience, jwks }: TokenIssuer): IssuerOptions => {
  return { issuer, audience, keys: [{ kind: 'jwks', keys: jwks().keys }] }
}
const MOVED: IssuerOptions = { ...trust(after), identityIssuer: OLD }
const both = (over: Partial<IssuerOptions> = {}, more: Partial<JwtVerifierOptions> = {}) =>
  createJwtVerifier({ issuers: [trust(before), { ...MOVED, ...over }], clock, ...more })

describe('identityIssuer', () => {
  it.each([0, 1])('makes identities of both issuers the same, with the cache on and off (%i)', async (isOff) => {
    const verifier = both({}, isOff === 1 ? { cache: null } : {})
    for (const [issuer, tokenIssuer] of [[before, OLD] as const, [after, NEW] as const, [after, NEW] as const]) {
      const { subject, ...identity } = await verifier.verify(await issuer.sign({ sub: 'ada' }))
      expect([subject, identity.issuer, identity.tokenIssuer]).toEqual(['ada', OLD, tokenIssuer])
    }
  })

  it('may name an issuer that is not listed any more, and one of its own other names', async () => {
    const alone = createJwtVerifier({ issuers: [MOVED], clock })
    expect((await alone.verify(await after.sign())).issuer).toBe(OLD)
    expect(await verdictOf(alone.verify(await before.sign()))).toBe('unauthorized:token_issuer_unknown')
    const renamed = createJwtVerifier({ issuers: [{ ...MOVED, issuer: [NEW, OLD] }], clock })
    for (const iss of [NEW, OLD]) {
      const { issuer, tokenIssuer } = await renamed.verify(await after.sign({ iss }))
      expect([issuer, tokenIssuer]).toEqual([OLD, NEW])
    }
  })

  it('may name what its own name differs from by a slash alone', async () => {
    const verifier = createJwtVerifier({ issuers: [{ ...trust(after), identityIssuer: `${NEW}/` }], clock })
    expect((await verifier.verify(await after.sign())).issuer).toBe(`${NEW}/`)
  })

  it('keeps keys, audience and checks with the issuer that signs', async () => {
    const asked: string[] = []
    const check = (name: string) => (identity: Identity) => asked.push(`${name} ${identity.tokenIssuer}`) > 0
    const issuers = [
      { ...trust(before), check: check('old') },
      { ...MOVED, check: check('new'), accepts: ({ vip }: { vip?: unknown }) => vip === true },
    ]
    const verifier = createJwtVerifier({ issuers, clock })
    const forged = await before.sign({ iss: NEW, aud: after.audience, vip: true })
    expect(await verdictOf(verifier.verify(forged))).toMatch(/^unauthorized:(?!token_issuer)/)
    const back = await after.sign({ iss: OLD, aud: before.audience })
    expect(await verdictOf(verifier.verify(back))).toMatch(/^unauthorized:(?!token_issuer)/)
    const misdirected = await after.sign({ aud: before.audience, vip: true })
    expect(await verdictOf(verifier.verify(misdirected))).toBe('unauthorized:token_audience_other')
    expect(asked).toEqual([])
    expect(await verdictOf(verifier.verify(await after.sign()))).toMatch(/^forbidden:/)
    const good = await after.sign({ vip: true })
    for (const token of [good, good, await before.sign()]) expect(await verdictOf(verifier.verify(token))).toBe('ok')
    expect(asked).toEqual([`new ${NEW}`, `new ${NEW}`, `new ${NEW}`, `old ${OLD}`])
  })

  it('has readiness and key events call each issuer by its own name', async () => {
    const keys = [{ kind: 'jwks', url: 'https://keys.test/new' }] as const
    const events: unknown[] = []
    const down = async () => new Response('', { status: 500 })
    const verifier = both({ keys }, { fetch: down, onKeyEvent: ({ issuer }) => events.push(issuer) })
    await verifier.warmUp?.()
    expect(verifier.readiness?.().down).toEqual([NEW])
    expect(new Set(events)).toEqual(new Set([NEW]))
  })

  it.each<[string, readonly Partial<IssuerOptions>[], string, RegExp]>([
    ['blank', [{ ...MOVED, identityIssuer: ' ' }], '0', /blank/],
    ['null', [{ ...MOVED, identityIssuer: null as never }], '0', /must be of type string/],
    ['a list', [{ ...MOVED, identityIssuer: [OLD] as never }], '0', /must be of type string/],
    ['a pattern', [{ ...MOVED, identityIssuer: 'https://{tid}.test' }], '0', /exact/],
    ['its own name', [{ ...MOVED, identityIssuer: NEW }], '0', /another name/],
    ['its own first name', [{ ...MOVED, issuer: [NEW, 'https://x.test'], identityIssuer: NEW }], '0', /another name/],
    ['of a pattern', [{ ...MOVED, issuer: 'https://login.test/{tid}' }], '0', /exact names/],
    ['where no issuer is checked', [{ ...MOVED, issuer: null }], '0', /exact names/],
    ['a listed one but for its last slash', [trust(before), { ...MOVED, identityIssuer: `${OLD}/` }], '1', /letter/],
    ['a listed one in another case', [trust(before), { ...MOVED, identityIssuer: OLD.toUpperCase() }], '1', /letter/],
    ['another name of one, but for its last slash', [{ issuer: ['https://a.test', `${OLD}/`] }, MOVED], '1', /letter/],
    [
      'what another one names, but for its last slash',
      [{ ...trust(after), issuer: 'https://b.test', identityIssuer: `${OLD}/` }, MOVED],
      '0',
      /letter/,
    ],
    ['not the first name of a listed one', [{ issuer: ['https://first.test', OLD] }, MOVED], '1', /the first name/],
    ['one that names a third', [MOVED, { issuer: OLD, identityIssuer: 'https://third.test' }], '0', /another one/],
    ['one that names it in turn', [MOVED, { issuer: OLD, identityIssuer: NEW }], '0', /another one/],
    [
      'one that names a third by its other name',
      [MOVED, { issuer: ['https://a.test', OLD], identityIssuer: 'x' }],
      '0',
      /another one/,
    ],
  ])('must not be %s', (_, given, index, message) => {
    const issuers = given.map((each) => ({ ...trust(before), ...each }))
    const making = (): unknown => createJwtVerifier({ issuers })
    expect(making).toThrow(TypeError)
    expect(making).toThrow(
      new RegExp(
        `createJwtVerifier: option "issuers\\.${index}\\.identityIssuer" ${message.source.replace(/^/, '.*')}`,
      ),
    )
  })

  it('is nothing that a look-up may answer: nobody who is looked up becomes somebody else', async () => {
    const lookUp = createIssuerLookUp({ mayBe: () => true, find: async () => MOVED })
    const verifier = createJwtVerifier({ issuers: [trust(before)], lookUp, clock })
    await expect(verifier.verify(await after.sign())).rejects.toThrow(/identityIssuer" must be left out/)
  })
})

describe('a caller of an issuer that has taken another one’s place', () => {
  const world = (over: Partial<IssuerOptions> = {}) => {
    const storage = createMemoryStorage()
    const decisions: Decision[] = []
    const asked: string[] = []
    const metadata = (issuer: string) => ({ issuer, userinfo_endpoint: `${issuer}/userinfo` })
    const load = userInfo({
      fetch: async (input) => {
        const url = String(input)
        asked.push(url)
        const { origin } = new URL(url)
        return Response.json(url.endsWith('/userinfo') ? { sub: 'ada', name: 'Ada' } : metadata(origin))
      },
    })
    const auth = createAuth({
      verifier: both({ machines: [{ name: 'deploy', when: { sub: 'ci' }, orgId: null, permissions: [] }], ...over }),
      storage,
      machines: storage.machines,
      roles: ['member', 'owner'],
      users: createProvisioner({ storage, profile: { load } }),
      onDecision: (decision) => void decisions.push(decision),
    })
    const authenticate = async (token: string, access: object = {}) =>
      (await auth.authorizer(access)(fakeRequest({ headers: { authorization: `Bearer ${token}` } }))).context
    return { storage, decisions, asked, authenticate }
  }

  it('is the user of the old issuer, and no second one is made', async () => {
    const { storage, decisions, authenticate } = world()
    const first = await authenticate(await before.sign({ sub: 'ada' }))
    const again = await authenticate(await after.sign({ sub: 'ada' }))
    const idOf = (context: unknown) => (context as { user: { id: string } }).user.id
    expect(idOf(again)).toBe(idOf(first))
    expect(await storage.users.count()).toBe(1)
    expect(decisions.map(({ issuer, outcome }) => [issuer, outcome])).toEqual([
      [OLD, 'allowed'],
      [NEW, 'allowed'],
    ])
  })

  it('is made one of the old issuer, and asked for at the issuer that signed', async () => {
    const { storage, asked, authenticate } = world()
    await authenticate(await after.sign({ sub: 'ada' }))
    expect(asked).toEqual([`${NEW}/.well-known/openid-configuration`, `${NEW}/userinfo`])
    expect(await storage.users.findByIdentity({ issuer: OLD, subject: 'ada' }, { kind: 'unnamed' })).not.toBeNull()
    expect(await storage.users.findByIdentity({ issuer: NEW, subject: 'ada' }, { kind: 'unnamed' })).toBeNull()
  })

  it('is a machine by the rules of the issuer that signs, and by the row of the old one', async () => {
    const { storage, decisions, authenticate } = world()
    const org = await storage.orgs.insert({ name: 'acme' })
    const row = { issuer: OLD, name: 'nightly', orgId: org.id, role: 'member', permissions: null }
    await storage.machines.insert({ ...row, subject: 'cron' })
    const access = { accept: ['machine'], needs: 'identity' }
    const machine = (sub: string) => ({ sub, client_id: sub })
    for (const issuer of [before, after]) {
      expect(await authenticate(await issuer.sign(machine('cron')), access)).toMatchObject({
        machine: { name: 'nightly' },
      })
    }
    const written = await authenticate(await after.sign(machine('ci')), access)
    expect(written).toMatchObject({ machine: { name: 'deploy' } })
    await expect(authenticate(await before.sign(machine('ci')), access)).rejects.toMatchObject({
      reason: 'machine_unknown',
    })
    expect(decisions.map(({ issuer }) => issuer)).toEqual([OLD, NEW, NEW, OLD])
  })

  it('is written down by nobody’s name where the token does not verify', async () => {
    const { decisions, authenticate } = world()
    await expect(authenticate(`${await after.sign()}x`)).rejects.toMatchObject({ code: 'unauthorized' })
    expect(decisions.map(({ issuer }) => issuer)).toEqual([null])
  })
})
