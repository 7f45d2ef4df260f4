/** Audit cases of credentials: the Authorization header, the session cookie with its cross-site rule, secrets, API keys. */
import { type AuditCase, bearer, casesOf, type Line, orgLine, ownAnswer, typeLine } from './audit-case.ts'
import { type AuditWorld, handled, SERVICE_SECRET } from './audit-world.ts'

export async function credentialCases(world: AuditWorld): Promise<readonly AuditCase[]> {
  const parts = [headerCases, tokenCases, sessionCases, serviceCases, keyCases, machineCases].map((casesIn) =>
    casesIn(world),
  )
  return (await Promise.all(parts)).flat()
}

function headerCases({ tokens, absent, invalid, ada, refused }: AuditWorld): readonly AuditCase[] {
  const token = tokens.ada
  const malformed = refused('bad_request')
  const line = (value: string): readonly Line[] => [['Authorization', value]]
  const [good, bad, large] = [bearer(token), bearer('x.y.z'), bearer('a'.repeat(8193))]
  return [
    ...casesOf('form', [
      ['GET /user', ada, { valid: [good], 'field-case': [['aUTHORIZATION', `Bearer ${token}`]] }],
      ['GET /user', ada, { lower: line(`bearer ${token}`), upper: line(`BEARER ${token}`) }],
      ['GET /user', ada, { spaces: line(`Bearer    ${token}`) }],
      ['GET /below', ada, { below: [good] }],
      ['GET /route', ada, { route: [good] }],
      ['GET /below', absent, { 'below-none': [] }],
      ['GET /route', absent, { 'route-none': [] }],
      ['GET /user', absent, { none: [], raw: line(token), empty: line(''), basic: line(`Basic ${token}`) }],
      ['GET /user', absent, { token: line(`Token ${token}`), dpop: line(`DPoP ${token}`) }],
      ['GET /user', malformed, { 'scheme-only': line('Bearer'), blank: line('Bearer   ') }],
      ['GET /user', malformed, { 'space-inside': line(`Bearer ${token} x`), tab: line(`Bearer\t${token}`) }],
      ['GET /user', malformed, { comma: line('Bearer a,b'), 'comma-last': line(`Bearer ${token},`) }],
      ['GET /user', malformed, { 'comma-first': line(`Bearer ,${token}`) }],
      ['GET /user', invalid, { quoted: line(`Bearer "${token}"`), percent: line('Bearer %') }],
      ['GET /user', invalid, { latin1: line('Bearer t\xf6ken') }],
      // Digest has commas of its own.
      ['GET /user', absent, { digest: line('Digest a="b", c="d"') }, { expectedOnFetch: malformed }],
    ]),
    ...casesOf('repeated', [
      ['GET /user', malformed, { same: [good, good], case: [good, ['authorization', `Bearer ${token}`]] }],
      ['GET /user', malformed, { 'good-bad': [good, bad], 'bad-good': [bad, good] }],
      ['GET /user', malformed, { basic: [good, ['Authorization', 'Basic eDp5']] }],
      ['GET /anybody', malformed, { optional: [good, good] }],
    ]),
    // Size comes before form.
    ...casesOf('size', [['GET /user', invalid, { one: [large], two: [good, large] }]]),
    ...casesOf('elsewhere', [
      [`GET /user?access_token=${token}`, absent, { query: [] }],
      ['GET /user', absent, { proxy: [['Proxy-Authorization', `Bearer ${token}`]] }],
      ['GET /user', absent, { header: [['X-Access-Token', token]], cookie: [['Cookie', `token=${token}`]] }],
    ]),
  ]
}

async function tokenCases(world: AuditWorld): Promise<readonly AuditCase[]> {
  const { issuer, tokens, tokenOf, absent, invalid, ada, refused } = world
  const [head = '', payload = '', signature = ''] = tokens.ada.split('.')
  const flipped = `${tokens.ada.slice(0, -4)}${signature.endsWith('AAAA') ? 'BBBB' : 'AAAA'}`
  const none = `${Buffer.from('{"alg":"none"}').toString('base64url')}.${payload}.`
  const foreign = await issuer.sign({ sub: 'ada', aud: 'somebody-else' })
  const early = await issuer.sign({ sub: 'ada', nbf: Math.floor(Date.now() / 1000) + 3600 })
  const other = await issuer.sign({ sub: 'ada', iss: 'https://other.test' })
  const [gone, odd] = [bearer(await tokenOf('gone')), bearer(await tokenOf('odd'))]
  const [throttled, busy] = [bearer(await tokenOf('throttled')), bearer(await tokenOf('busy'))]
  const [line, bad] = [bearer(tokens.ada), bearer('x.y.z')]
  return [
    ...casesOf('token', [
      ['GET /user', invalid, { garbage: [bad], 'two-parts': [bearer(`${head}.${payload}`)] }],
      ['GET /user', invalid, { signature: [bearer(flipped)], none: [bearer(none)] }],
      ['GET /user', invalid, { audience: [bearer(foreign)], early: [bearer(early)], issuer: [bearer(other)] }],
      ['GET /user', refused('token_expired'), { expired: [bearer(tokens.expired)] }],
      ['GET /user', refused('user_not_synced'), { 'not-synced': [bearer(tokens.stranger)] }],
      ['GET /user', refused('forbidden'), { disabled: [gone], 'odd-role': [odd] }],
      ['GET /user', refused('rate_limit_exceeded', { retryAfterSeconds: 11 }), { throttled: [throttled] }],
      ['GET /user', refused('temporarily_unavailable', { retryAfterSeconds: 7 }), { busy: [busy] }],
    ]),
    ...casesOf('head', [
      ['HEAD /user', absent, { none: [] }],
      ['HEAD /user', ada, { valid: [line] }],
      ['HEAD /below', invalid, { below: [bad] }],
      ['HEAD /route', ada, { route: [line] }],
      ['HEAD /admin', refused('forbidden'), { refused: [line] }],
    ]),
    ...casesOf('method', [['PATCH /things/1', ownAnswer(404), { other: [] }]]),
  ]
}

function sessionCases({ tokens, absent, invalid, ada, refused }: AuditWorld): readonly AuditCase[] {
  const session = (token: string): Line => ['Cookie', `session=${token}`]
  const two = (value: string): Line => ['Cookie', `session=${tokens.ada}; a=b; session=${value}`]
  const site = (value: string): Line => ['Sec-Fetch-Site', value]
  const origin = (value: string): Line => ['Origin', value]
  const [good, bad, cross, evil] = [
    session(tokens.ada),
    session('x.y.z'),
    site('cross-site'),
    origin('https://evil.test'),
  ]
  const [refusal, open] = [refused('forbidden'), handled({ ok: true })]
  return [
    ...casesOf('cookie', [
      ['GET /user', ada, { valid: [good], same: [two(tokens.ada)] }],
      ['GET /user', invalid, { bad: [bad], tossed: [two('x.y.z')], 'bearer-first': [bearer('x.y.z'), good] }],
      ['GET /user', refused('token_expired'), { expired: [session(tokens.expired)] }],
      ['GET /user', absent, { empty: [session('')], 'basic-first': [['Authorization', 'Basic eDp5'], good] }],
      ['GET /anybody', invalid, { optional: [bad] }],
    ]),
    ...casesOf('cross-site', [
      ['POST /user', ada, { same: [good, site('same-origin')], typed: [good, site('none')] }],
      ['POST /user', ada, { bearer: [bearer(tokens.ada), cross] }],
      ['POST /user', refusal, { cross: [good, cross], 'same-site': [good, site('same-site')], silent: [good] }],
      ['POST /user', refusal, { twice: [good, site('same-origin'), site('same-origin')], stale: [bad, cross] }],
      ['POST /user', refusal, { origin: [good, evil], null: [good, origin('null')] }],
      // GET and HEAD are safe, an upgrade is not; a public route is guarded too, without a session too.
      ['GET /user', ada, { get: [good, cross] }],
      ['HEAD /user', ada, { head: [good, cross] }],
      ['GET /user', refusal, { upgrade: [good, cross, ['Upgrade', 'websocket']] }],
      ['POST /public', refusal, { public: [good, cross], login: [evil] }],
      ['POST /public', open, { script: [] }],
      ['GET /public', open, { read: [good, cross] }],
    ]),
  ]
}

function serviceCases({ tokens, orgs: { a, b }, absent, invalid, refused }: AuditWorld): readonly AuditCase[] {
  const secret = (value: string): Line => ['X-Telephony-Secret', value]
  const [open, malformed] = [handled({ caller: 'service' }), refused('bad_request')]
  const [good, user] = [secret(SERVICE_SECRET), bearer(tokens.ada)]
  const sent = [good, typeLine('application/json')]
  const [acted, strange] = [handled({ org: a }, [orgLine(a)]), '99999999-9999-4999-8999-999999999999']
  const naming = (orgId: unknown) => ({ body: JSON.stringify({ org_id: orgId }) })
  return [
    ...casesOf('service', [
      ['GET /service', open, { valid: [good] }],
      ['GET /telephony', open, { named: [good] }],
      ['GET /service', absent, { none: [] }],
      ['GET /service', invalid, { wrong: [secret('x'.repeat(40))], empty: [secret('')] }],
      ['GET /service', malformed, { twice: [good, good], comma: [secret(`${SERVICE_SECRET},x`)], both: [good, user] }],
      ['GET /service', refused('forbidden'), { user: [user] }],
      ['GET /user', refused('forbidden'), { elsewhere: [good] }],
      // A user who was let in by the mount before.
      ['GET /user-service', refused('forbidden', {}, [orgLine(a)]), { second: [user] }],
    ]),
    ...casesOf('act', [
      ['POST /act', acted, { valid: sent, agrees: [...sent, orgLine(a)] }, naming(a)],
      ['POST /act', acted, { upper: sent }, naming(a.toUpperCase())],
      ['POST /act', refused('forbidden'), { unknown: sent }, naming(strange)],
      ['POST /act', refused('invalid_org_id'), { malformed: sent }, naming('7')],
      ['POST /act', refused('invalid_org_id'), { number: sent }, naming(7)],
      ['POST /act', refused('org_selector_conflict'), { conflict: [...sent, orgLine(b)] }, naming(a)],
    ]),
  ]
}

function keyCases({ orgs: { a, b }, invalid, refused }: AuditWorld): readonly AuditCase[] {
  const open = handled({ caller: 'apiKey', org: a, role: 'member', permissions: ['things:read'] }, [orgLine(a)])
  const key = bearer('adk_reading')
  const lacking = refused('insufficient_scope', { scopes: ['things:read'] })
  return casesOf('key', [
    ['GET /keys', open, { valid: [key], own: [key, orgLine(a)] }],
    ['GET /keys', lacking, { scope: [bearer('adk_nothing')] }],
    ['GET /keys', invalid, { unknown: [bearer('adk_unknown')] }],
    ['GET /keys', refused('forbidden'), { other: [key, orgLine(b)] }],
    ['GET /user', refused('forbidden'), { elsewhere: [key] }],
  ])
}

async function machineCases({ orgs: { a, b }, tokens, machineOf, refused }: AuditWorld): Promise<readonly AuditCase[]> {
  const machine = async (name: string): Promise<Line> => bearer(await machineOf(name))
  const [ci, deploy, off, unknown] = [
    await machine('ci'),
    await machine('deploy'),
    await machine('off'),
    await machine('CI'),
  ]
  const permissions = ['things:read']
  const open = handled({ caller: 'machine', org: a, role: 'member', permissions }, [orgLine(a)])
  const [named, refusal] = [handled({ caller: 'machine', permissions }), refused('forbidden')]
  return casesOf('machine', [
    ['GET /machine', open, { valid: [ci], own: [ci, orgLine(a)] }],
    [
      'GET /machine',
      refusal,
      { other: [ci, orgLine(b)], disabled: [off], unknown: [unknown], user: [bearer(tokens.ada)] },
    ],
    ['GET /deploy', named, { named: [deploy] }],
    ['GET /deploy', refusal, { 'other-name': [ci] }],
    ['GET /user', refusal, { elsewhere: [ci] }],
    ['GET /identity', refusal, { identity: [ci] }],
    ['GET /anybody', refusal, { optional: [ci] }],
  ])
}
