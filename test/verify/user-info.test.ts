// The UserInfo endpoint: found by metadata or written out, asked with the token, believed about the token's own subject alone.
import { describe, expect, it } from 'vitest'
import { createTokenIssuer } from '../../src/testing/token-issuer.ts'
import { type UserInfoOptions, userInfo } from '../../src/verify/user-info.ts'

const ISSUER = 'https://login.test'
const URL_TEXT = 'https://login.test/userinfo'
const issuer = await createTokenIssuer({ issuer: ISSUER, algorithms: ['HS256'] })
const token = await issuer.sign({ sub: 'ada' })
const PROFILE = { sub: 'ada', email: 'ada@example.test', email_verified: true, name: 'Ada' }

interface Asked {
  readonly url: string
  readonly init: RequestInit | undefined
}

async function ask(
  answers: Readonly<Record<string, () => Response>>,
  options: UserInfoOptions = { url: URL_TEXT },
  iss = ISSUER,
) {
  const asked: Asked[] = []
  const load = userInfo({
    fetch: async (input, init) => {
      asked.push({ url: String(input), init })
      return answers[String(input)]?.() ?? new Response('', { status: 404 })
    },
    ...options,
  })
  const loading = load(token, { issuer: iss }, new AbortController().signal)
  const outcome = await loading.catch((error: Error) => error.message)
  return { outcome, asked, urls: asked.map(({ url }) => url) }
}

const answering = (body: unknown, status = 200) => ({ [URL_TEXT]: () => Response.json(body, { status }) })

describe('userInfo', () => {
  it('asks with the token as a bearer, follows no redirect, and reads three claims', async () => {
    const { outcome, asked } = await ask(answering({ ...PROFILE, admin: true }))
    expect(outcome).toEqual({ email: 'ada@example.test', emailVerified: true, name: 'Ada' })
    expect(asked).toHaveLength(1)
    expect(asked[0]?.init).toMatchObject({ headers: { authorization: `Bearer ${token}` }, redirect: 'manual' })
  })

  it('finds the endpoint by the metadata of the issuer', async () => {
    const place = `${ISSUER}/.well-known/openid-configuration`
    const metadata = { [place]: () => Response.json({ issuer: ISSUER, userinfo_endpoint: URL_TEXT }) }
    const { outcome, urls, asked } = await ask({ ...answering(PROFILE), ...metadata }, {})
    expect(outcome).toMatchObject({ email: 'ada@example.test' })
    expect(urls).toEqual([place, URL_TEXT])
    expect(JSON.stringify(asked[0])).not.toContain(token)
  })

  it.each<[string, unknown, object]>([
    ['nothing but the subject', { sub: 'ada' }, { email: undefined, emailVerified: undefined, name: undefined }],
    ['a text for verified', { ...PROFILE, email_verified: 'true' }, { emailVerified: false }],
    [
      'other types',
      { sub: 'ada', email: 7, name: ['Ada'], email_verified: null },
      { email: undefined, name: undefined, emailVerified: false },
    ],
  ])('takes %s', async (_, body, expected) => {
    expect((await ask(answering(body))).outcome).toEqual(expect.objectContaining(expected))
  })

  it.each<[string, Readonly<Record<string, () => Response>>, string]>([
    ['another subject', answering({ ...PROFILE, sub: 'eve' }), 'userinfo_subject'],
    ['no subject', answering({ email: 'ada@example.test' }), 'userinfo_subject'],
    ['a subject of another type', answering({ ...PROFILE, sub: ['ada'] }), 'userinfo_subject'],
    ['a refusal', answering({}, 401), 'userinfo_unread'],
    ['a failure', answering({}, 500), 'userinfo_unread'],
    [
      'a redirect',
      { [URL_TEXT]: () => new Response(null, { status: 302, headers: { location: '/x' } }) },
      'userinfo_unread',
    ],
    ['a list', answering([PROFILE]), 'userinfo_not_object'],
    ['a signed answer', { [URL_TEXT]: () => new Response('a.b.c') }, 'userinfo_not_json'],
    ['too much', answering({ ...PROFILE, x: 'x'.repeat(300_000) }), 'userinfo_too_large'],
  ])('rejects %s', async (_, answers, word) => {
    const expected = word === 'userinfo_unread' ? /^userinfo_(?:401|500|302)$/ : new RegExp(`^${word}$`)
    expect((await ask(answers)).outcome).toMatch(expected)
  })

  it.each<[string, string, string]>([
    ['a name that is no URL', 'login.test', 'userinfo_issuer'],
    ['plain http', 'http://login.test', 'userinfo_issuer'],
    ['an address within', 'http://169.254.169.254', 'userinfo_issuer'],
    ['metadata of nobody', ISSUER, 'status'],
  ])('asks nobody the token of an issuer with %s', async (_, iss, word) => {
    const { outcome, asked } = await ask(answering(PROFILE), {}, iss)
    expect(outcome).toBe(word)
    expect(JSON.stringify(asked)).not.toContain(token)
  })

  it('goes no further than the metadata is trusted', async () => {
    const place = `${ISSUER}/.well-known/openid-configuration`
    for (const userinfo_endpoint of ['http://login.test/userinfo', 'http://127.0.0.1/userinfo', 7, undefined]) {
      const { outcome, urls } = await ask({ [place]: () => Response.json({ issuer: ISSUER, userinfo_endpoint }) }, {})
      expect(outcome).toBe('metadata_userinfo_endpoint')
      expect(urls).toEqual([place])
    }
  })

  it('asks hosts of a private network by plain http where they are named', async () => {
    const url = 'http://keycloak.internal/userinfo'
    expect(() => userInfo({ url })).toThrow(/userInfo: option "url" must be an https URL/)
    const answers = { [url]: () => Response.json(PROFILE) }
    const options = { url, insecureHosts: ['keycloak.internal'] }
    expect((await ask(answers, options)).outcome).toMatchObject({ email: 'ada@example.test' })
  })

  it.each<[object, RegExp]>([
    [{ url: 'ftp://x.test' }, /url/],
    [{ insecureHosts: ['a:80'] }, /insecureHosts\.0/],
    [{ insecureHosts: 'a' }, /insecureHosts/],
    [{ fetch: true }, /fetch/],
    [{ timeoutSeconds: 1 }, /timeoutSeconds/],
  ])('construction refuses %j', (options, message) => {
    expect(() => userInfo(options as UserInfoOptions)).toThrow(message)
  })
})
