/** A gateway's header on every framework: the same bytes for what came once, twice, joined, from another site, or not at all. */
import { createAuth, createJwtVerifier, jsonResponse, type Route } from 'sallyport'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createTokenIssuer } from '../../src/testing/token-issuer.ts'
import { HOSTS, type HostName, type Listening, listen } from '../support/hosts.ts'
import { exchange } from '../support/raw-http.ts'

const issuer = await createTokenIssuer({ algorithms: ['HS256'] })
const token = await issuer.sign({ sub: 'ada' })
const auth = createAuth({
  verifier: createJwtVerifier({
    issuers: [{ issuer: issuer.issuer, keys: [{ kind: 'secret', secret: issuer.secret }], audience: issuer.audience }],
  }),
  gateway: { header: 'Cf-Access-Jwt-Assertion' },
})
const routes = (['GET', 'POST'] as const).map(
  (method): Route =>
    auth.route({
      method,
      path: '/me',
      access: {},
      handle: ({ identity }) => jsonResponse(200, { subject: identity.subject }),
    }),
)

const header = `Cf-Access-Jwt-Assertion: ${token}\r\n`
const REQUESTS: readonly (readonly [what: string, method: string, lines: string, status: number])[] = [
  ['a token', 'GET', header, 200],
  ['a token beside Authorization', 'GET', `${header}Authorization: Bearer x y\r\n`, 200],
  ['Authorization alone', 'GET', `Authorization: Bearer ${token}\r\n`, 401],
  ['nothing', 'GET', '', 401],
  ['a token twice', 'GET', header + header, 400],
  ['two tokens in one line', 'GET', `Cf-Access-Jwt-Assertion: ${token}, ${token}\r\n`, 400],
  ['a token with a scheme', 'GET', `Cf-Access-Jwt-Assertion: Bearer ${token}\r\n`, 400],
  ['a forged token', 'GET', `Cf-Access-Jwt-Assertion: ${token.slice(0, -4)}AAAA\r\n`, 401],
  ['our own page', 'POST', `${header}Sec-Fetch-Site: same-origin\r\nContent-Length: 0\r\n`, 200],
  ['another site', 'POST', `${header}Sec-Fetch-Site: cross-site\r\nContent-Length: 0\r\n`, 403],
  ['no word on the site', 'POST', `${header}Content-Length: 0\r\n`, 403],
]

const asked = new Map<string, readonly (readonly [number, string, string | undefined])[]>()
const listening: Listening[] = []

beforeAll(async () => {
  for (const name of Object.keys(HOSTS) as HostName[]) {
    const host = await listen(HOSTS[name]({ auth: auth as never, routes }))
    listening.push(host)
    const answers: [number, string, string | undefined][] = []
    for (const [, method, lines] of REQUESTS) {
      const text = `${method} /me HTTP/1.1\r\nHost: app.test\r\nConnection: close\r\n${lines}\r\n`
      const { status, body, headers } = await exchange(host.port, Buffer.from(text))
      answers.push([status, body.toString(), headers.find(([field]) => field === 'vary')?.[1]])
    }
    asked.set(name, answers)
  }
})
afterAll(() => Promise.all(listening.map(({ close }) => close())))

describe.each(Object.keys(HOSTS))('%s', (name) => {
  it.each(REQUESTS.map(([what, , , status], index) => [what, status, index] as const))(
    'answers %s with %i',
    (_, status, index) => {
      const [got, , vary] = asked.get(name)?.[index] ?? []
      expect(got).toBe(status)
      if (status === 200) expect(vary).toBe('Cf-Access-Jwt-Assertion')
    },
  )

  it('answers as Express does', () => {
    expect(asked.get(name)).toEqual(asked.get('express 5'))
  })
})
