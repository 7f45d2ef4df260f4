/** Audit cases of the Authorization header: its form, its repetition, its token, and where no token is looked for. */
import { answersOf, bearer } from './answers.ts'
import { type AuditCase, auditCase, ownAnswer } from './audit-case.ts'
import type { AuditWorld } from './audit-world.ts'

/** The cases. */
export async function credentialCases(world: AuditWorld): Promise<readonly AuditCase[]> {
  const token = await world.tokenOf('ada')
  return [
    ...formCases(world, token),
    ...repetitionCases(world, token),
    ...(await tokenCases(world, token)),
    ...headCases(world, token),
  ]
}

function formCases(world: AuditWorld, token: string): AuditCase[] {
  const { absent, invalid, ada, refused } = answersOf(world)
  const malformed = refused('bad_request')
  const line = (value: string): [string, string][] => [['Authorization', value]]
  return [
    auditCase(['form/none', 'no credential', 'GET /user'], [], absent),
    auditCase(['form/valid', 'one good token', 'GET /user'], [bearer(token)], ada),
    auditCase(['form/below', 'one good token, read by getAuth', 'GET /below'], [bearer(token)], ada),
    auditCase(['form/below-none', 'no credential, below middleware', 'GET /below'], [], absent),
    auditCase(['form/route', 'one good token on a Route', 'GET /route'], [bearer(token)], ada),
    auditCase(['form/route-none', 'no credential on a Route', 'GET /route'], [], absent),
    auditCase(['form/lower', 'the scheme in lower case', 'GET /user'], line(`bearer ${token}`), ada),
    auditCase(['form/upper', 'the scheme in upper case', 'GET /user'], line(`BEARER ${token}`), ada),
    auditCase(['form/spaces', 'several spaces after it', 'GET /user'], line(`Bearer    ${token}`), ada),
    auditCase(['form/field-case', 'an odd field name', 'GET /user'], [['aUTHORIZATION', `Bearer ${token}`]], ada),
    auditCase(['form/basic', 'Basic is no credential', 'GET /user'], line(`Basic ${token}`), absent),
    auditCase(['form/token', 'Token is no credential', 'GET /user'], line(`Token ${token}`), absent),
    auditCase(['form/dpop', 'DPoP is no credential', 'GET /user'], line(`DPoP ${token}`), absent),
    auditCase(['form/raw', 'a token without a scheme', 'GET /user'], line(token), absent),
    auditCase(['form/empty', 'an empty header', 'GET /user'], line(''), absent),
    auditCase(['form/scheme-only', 'no token', 'GET /user'], line('Bearer'), malformed),
    auditCase(['form/blank', 'a blank token', 'GET /user'], line('Bearer   '), malformed),
    auditCase(['form/space-inside', 'a space inside', 'GET /user'], line(`Bearer ${token} x`), malformed),
    auditCase(['form/tab', 'a tab after the scheme', 'GET /user'], line(`Bearer\t${token}`), malformed),
    auditCase(['form/comma', 'a comma inside', 'GET /user'], line('Bearer a,b'), malformed),
    auditCase(['form/comma-last', 'a comma behind', 'GET /user'], line(`Bearer ${token},`), malformed),
    auditCase(['form/comma-first', 'a comma before', 'GET /user'], line(`Bearer ,${token}`), malformed),
    auditCase(['form/quoted', 'a quoted token', 'GET /user'], line(`Bearer "${token}"`), invalid),
    auditCase(['form/percent', 'a broken percent-escape', 'GET /user'], line('Bearer %'), invalid),
    auditCase(['form/latin1', 'characters beyond ASCII', 'GET /user'], line('Bearer t\xf6ken'), invalid),
    auditCase(['form/digest', 'Digest has commas of its own', 'GET /user'], line('Digest a="b", c="d"'), absent, {
      expectedOnFetch: malformed,
    }),
  ]
}

function repetitionCases(world: AuditWorld, token: string): AuditCase[] {
  const { absent, invalid, refused } = answersOf(world)
  const malformed = refused('bad_request')
  const [good, bad] = [bearer(token), bearer('x.y.z')]
  const mixed: [string, string][] = [good as [string, string], ['authorization', `Bearer ${token}`]]
  return [
    auditCase(['repeated/same', 'the same line twice', 'GET /user'], [good, good], malformed),
    auditCase(['repeated/case', 'twice in two spellings', 'GET /user'], mixed, malformed),
    auditCase(['repeated/good-bad', 'a good one, then a bad one', 'GET /user'], [good, bad], malformed),
    auditCase(['repeated/bad-good', 'a bad one, then a good one', 'GET /user'], [bad, good], malformed),
    auditCase(
      ['repeated/basic', 'a good one, then Basic', 'GET /user'],
      [good, ['Authorization', 'Basic eDp5']],
      malformed,
    ),
    auditCase(['repeated/optional', 'twice where none is needed', 'GET /anybody'], [good, good], malformed),
    auditCase(['size/one', 'a credential over 8,192 bytes', 'GET /user'], [bearer('a'.repeat(8193))], invalid),
    auditCase(['size/two', 'size comes before form', 'GET /user'], [good, bearer('a'.repeat(8193))], invalid),
    auditCase(['elsewhere/query', 'a token in the query', `GET /user?access_token=${token}`], [], absent),
    auditCase(
      ['elsewhere/proxy', 'a token for a proxy', 'GET /user'],
      [['Proxy-Authorization', `Bearer ${token}`]],
      absent,
    ),
    auditCase(['elsewhere/header', 'a token in another header', 'GET /user'], [['X-Access-Token', token]], absent),
    auditCase(['elsewhere/cookie', 'a token in another cookie', 'GET /user'], [['Cookie', `token=${token}`]], absent),
  ]
}

async function tokenCases(world: AuditWorld, token: string): Promise<AuditCase[]> {
  const { invalid, ada, refused } = answersOf(world)
  const { issuer, tokenOf } = world
  const flipped = `${token.slice(0, -4)}${token.slice(-4) === 'AAAA' ? 'BBBB' : 'AAAA'}`
  const [, payload = ''] = token.split('.')
  const none = `${Buffer.from('{"alg":"none"}').toString('base64url')}.${payload}.`
  const expired = await issuer.sign({ sub: 'ada' }, { expiresInSeconds: -60 })
  const foreign = await issuer.sign({ sub: 'ada', aud: 'somebody-else' })
  const early = await issuer.sign({ sub: 'ada', nbf: Math.floor(Date.now() / 1000) + 3600 })
  const get = (id: string, name: string, jwt: string, expected: typeof ada): AuditCase =>
    auditCase([`token/${id}`, name, 'GET /user'], [bearer(jwt)], expected)
  return [
    get('garbage', 'no token at all', 'x.y.z', invalid),
    get('two-parts', 'two parts of a token', token.split('.').slice(0, 2).join('.'), invalid),
    get('signature', 'a wrong signature', flipped, invalid),
    get('none', 'no algorithm', none, invalid),
    get('audience', 'a token for somebody else', foreign, invalid),
    get('early', 'a token for later', early, invalid),
    get('issuer', 'a token of another issuer', await issuer.sign({ sub: 'ada', iss: 'https://other.test' }), invalid),
    get('expired', 'a good token that has expired', expired, refused('token_expired')),
    get('not-synced', 'a good token without a user row', await tokenOf('stranger'), refused('user_not_synced')),
    get('disabled', 'a disabled user', await tokenOf('gone'), refused('forbidden')),
    get('odd-role', 'a role that is not on the ladder', await tokenOf('odd'), refused('forbidden')),
    get(
      'throttled',
      'a 429 with its Retry-After',
      await tokenOf('throttled'),
      refused('rate_limit_exceeded', { retryAfterSeconds: 11 }),
    ),
    get(
      'busy',
      'a 503 with its Retry-After',
      await tokenOf('busy'),
      refused('temporarily_unavailable', { retryAfterSeconds: 7 }),
    ),
  ]
}

function headCases(world: AuditWorld, token: string): AuditCase[] {
  const { absent, invalid, ada, refused } = answersOf(world)
  return [
    auditCase(['head/none', 'HEAD without a credential', 'HEAD /user'], [], absent),
    auditCase(['head/valid', 'HEAD with a good token', 'HEAD /user'], [bearer(token)], ada),
    auditCase(['head/below', 'HEAD below middleware', 'HEAD /below'], [bearer('x.y.z')], invalid),
    auditCase(['head/route', 'HEAD is served by a GET Route', 'HEAD /route'], [bearer(token)], ada),
    auditCase(['head/refused', 'HEAD of a refusal', 'HEAD /admin'], [bearer(token)], refused('forbidden')),
    auditCase(['method/other', 'a method without a route', 'PATCH /things/1'], [], ownAnswer(404)),
  ]
}
