/** Audit cases of the Authorization header: its form, its repetition, its token, and where no token is looked for. */
import { type AuditCase, bearer, casesOf, type Line, ownAnswer } from './audit-case.ts'
import type { AuditWorld } from './audit-world.ts'

/** The cases. */
export async function credentialCases(world: AuditWorld): Promise<readonly AuditCase[]> {
  return [...formCases(world), ...repetitionCases(world), ...(await tokenCases(world)), ...headCases(world)]
}

function formCases({ tokens, absent, invalid, ada, refused }: AuditWorld): readonly AuditCase[] {
  const token = tokens.ada
  const malformed = refused('bad_request')
  const line = (value: string): readonly Line[] => [['Authorization', value]]
  return casesOf('form', [
    ['none', 'GET /user', [], absent],
    ['valid', 'GET /user', [bearer(token)], ada],
    ['below', 'GET /below', [bearer(token)], ada],
    ['below-none', 'GET /below', [], absent],
    ['route', 'GET /route', [bearer(token)], ada],
    ['route-none', 'GET /route', [], absent],
    ['lower', 'GET /user', line(`bearer ${token}`), ada],
    ['upper', 'GET /user', line(`BEARER ${token}`), ada],
    ['spaces', 'GET /user', line(`Bearer    ${token}`), ada],
    ['field-case', 'GET /user', [['aUTHORIZATION', `Bearer ${token}`]], ada],
    ['basic', 'GET /user', line(`Basic ${token}`), absent],
    ['token', 'GET /user', line(`Token ${token}`), absent],
    ['dpop', 'GET /user', line(`DPoP ${token}`), absent],
    ['raw', 'GET /user', line(token), absent],
    ['empty', 'GET /user', line(''), absent],
    ['scheme-only', 'GET /user', line('Bearer'), malformed],
    ['blank', 'GET /user', line('Bearer   '), malformed],
    ['space-inside', 'GET /user', line(`Bearer ${token} x`), malformed],
    ['tab', 'GET /user', line(`Bearer\t${token}`), malformed],
    ['comma', 'GET /user', line('Bearer a,b'), malformed],
    ['comma-last', 'GET /user', line(`Bearer ${token},`), malformed],
    ['comma-first', 'GET /user', line(`Bearer ,${token}`), malformed],
    ['quoted', 'GET /user', line(`Bearer "${token}"`), invalid],
    ['percent', 'GET /user', line('Bearer %'), invalid],
    ['latin1', 'GET /user', line('Bearer t\xf6ken'), invalid],
    // Digest has commas of its own.
    ['digest', 'GET /user', line('Digest a="b", c="d"'), absent, { expectedOnFetch: malformed }],
  ])
}

function repetitionCases({ tokens, absent, invalid, refused }: AuditWorld): readonly AuditCase[] {
  const token = tokens.ada
  const malformed = refused('bad_request')
  const [good, bad, large] = [bearer(token), bearer('x.y.z'), bearer('a'.repeat(8193))]
  return [
    ...casesOf('repeated', [
      ['same', 'GET /user', [good, good], malformed],
      ['case', 'GET /user', [good, ['authorization', `Bearer ${token}`]], malformed],
      ['good-bad', 'GET /user', [good, bad], malformed],
      ['bad-good', 'GET /user', [bad, good], malformed],
      ['basic', 'GET /user', [good, ['Authorization', 'Basic eDp5']], malformed],
      ['optional', 'GET /anybody', [good, good], malformed],
    ]),
    // Size comes before form.
    ...casesOf('size', [
      ['one', 'GET /user', [large], invalid],
      ['two', 'GET /user', [good, large], invalid],
    ]),
    ...casesOf('elsewhere', [
      ['query', `GET /user?access_token=${token}`, [], absent],
      ['proxy', 'GET /user', [['Proxy-Authorization', `Bearer ${token}`]], absent],
      ['header', 'GET /user', [['X-Access-Token', token]], absent],
      ['cookie', 'GET /user', [['Cookie', `token=${token}`]], absent],
    ]),
  ]
}

async function tokenCases({ issuer, tokens, tokenOf, invalid, refused }: AuditWorld): Promise<readonly AuditCase[]> {
  const [head = '', payload = '', signature = ''] = tokens.ada.split('.')
  const flipped = `${tokens.ada.slice(0, -4)}${signature.endsWith('AAAA') ? 'BBBB' : 'AAAA'}`
  const none = `${Buffer.from('{"alg":"none"}').toString('base64url')}.${payload}.`
  const foreign = await issuer.sign({ sub: 'ada', aud: 'somebody-else' })
  const early = await issuer.sign({ sub: 'ada', nbf: Math.floor(Date.now() / 1000) + 3600 })
  const other = await issuer.sign({ sub: 'ada', iss: 'https://other.test' })
  const throttled = refused('rate_limit_exceeded', { retryAfterSeconds: 11 })
  const busy = refused('temporarily_unavailable', { retryAfterSeconds: 7 })
  return casesOf('token', [
    ['garbage', 'GET /user', [bearer('x.y.z')], invalid],
    ['two-parts', 'GET /user', [bearer(`${head}.${payload}`)], invalid],
    ['signature', 'GET /user', [bearer(flipped)], invalid],
    ['none', 'GET /user', [bearer(none)], invalid],
    ['audience', 'GET /user', [bearer(foreign)], invalid],
    ['early', 'GET /user', [bearer(early)], invalid],
    ['issuer', 'GET /user', [bearer(other)], invalid],
    ['expired', 'GET /user', [bearer(tokens.expired)], refused('token_expired')],
    ['not-synced', 'GET /user', [bearer(tokens.stranger)], refused('user_not_synced')],
    ['disabled', 'GET /user', [bearer(await tokenOf('gone'))], refused('forbidden')],
    ['odd-role', 'GET /user', [bearer(await tokenOf('odd'))], refused('forbidden')],
    ['throttled', 'GET /user', [bearer(await tokenOf('throttled'))], throttled],
    ['busy', 'GET /user', [bearer(await tokenOf('busy'))], busy],
  ])
}

function headCases({ tokens, absent, invalid, ada, refused }: AuditWorld): readonly AuditCase[] {
  const line = bearer(tokens.ada)
  return [
    ...casesOf('head', [
      ['none', 'HEAD /user', [], absent],
      ['valid', 'HEAD /user', [line], ada],
      ['below', 'HEAD /below', [bearer('x.y.z')], invalid],
      ['route', 'HEAD /route', [line], ada],
      ['refused', 'HEAD /admin', [line], refused('forbidden')],
    ]),
    ...casesOf('method', [['other', 'PATCH /things/1', [], ownAnswer(404)]]),
  ]
}
