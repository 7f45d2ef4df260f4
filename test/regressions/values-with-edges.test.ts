/**
 * A secret or URL as environments bring it: with the newline of `echo`, the carriage return of a Windows file, the quotes of
 * an env file. It could only mean that everything is refused later: it is refused at construction, and never shown.
 */
import { describe, expect, it } from 'vitest'
import { createAuth, createJwtVerifier, createServiceVerifier, oidc, supabase } from '../../src/index.ts'
import { loadSigningSecret } from '../../src/login/index.ts'
import { createTokenClient } from '../../src/machine/index.ts'

const SECRET = 'Zx81-kd93-hhwq-0192-qqqq-lsdk-29sk'
const URL_TEXT = 'https://abc.example.test'
const EDGES: readonly (readonly [string, (text: string) => string])[] = [
  ['a newline', (text) => `${text}\n`],
  ['a carriage return', (text) => `${text}\r`],
  ['both', (text) => `${text}\r\n`],
  ['a space before', (text) => ` ${text}`],
  ['a space after', (text) => `${text} `],
  ['a tab', (text) => `\t${text}`],
  ['a no-break space', (text) => `${text}\u00a0`],
  ['a byte order mark', (text) => `\ufeff${text}`],
  ['a zero byte', (text) => `${text}\0`],
  ['double quotes', (text) => `"${text}"`],
  ['single quotes', (text) => `'${text}'`],
]

const issuer = (more: object) =>
  createJwtVerifier({ issuers: [{ issuer: URL_TEXT, keys: [], ...more, audience: null }] })
const secretSource = (secret: string) => ({ kind: 'secret', secret }) as const
const client = (grant: object) => createTokenClient({ grant: grant as never, origins: [] })
const machine = { kind: 'clientCredentials', clientId: 'id', clientSecret: SECRET, tokenUrl: URL_TEXT }
const person = { kind: 'supabase', url: URL_TEXT, apiKey: 'key', email: 'bot@example.test', password: SECRET }
const jwks = [{ kind: 'jwks', url: URL_TEXT }] as const

const OPTIONS: readonly (readonly [string, string, (text: string) => unknown])[] = [
  ['a secret of HS256', SECRET, (text) => issuer({ keys: [secretSource(text)] })],
  ['the former one', SECRET, (text) => issuer({ keys: [{ kind: 'secret', secret: [`${SECRET}x`, text] }] })],
  ['the secret of Supabase', SECRET, (secret) => issuer(supabase({ issuer: URL_TEXT, secret }))],
  ['the URL of Supabase', URL_TEXT, (url) => supabase({ url })],
  ['the issuer of Supabase', URL_TEXT, (text) => issuer(supabase({ url: URL_TEXT, issuer: text }))],
  ['an issuer', URL_TEXT, (text) => issuer({ issuer: text, keys: jwks })],
  ['an issuer of discovery', URL_TEXT, (text) => oidc({ issuer: text, audience: null })],
  ['a URL of metadata', URL_TEXT, (url) => issuer({ keys: [{ kind: 'discovery', url }] })],
  ['a URL of keys', URL_TEXT, (url) => issuer({ keys: [{ kind: 'jwks', url }] })],
  ['an audience', 'api', (audience) => createJwtVerifier({ issuers: [{ issuer: URL_TEXT, keys: jwks, audience }] })],
  [
    'a service secret',
    SECRET,
    (text) => createServiceVerifier({ services: { a: { header: 'X-A', secrets: [text] } } }),
  ],
  ['a client secret', SECRET, (clientSecret) => client({ ...machine, clientSecret })],
  ['a client id', 'id-of-a-client', (clientId) => client({ ...machine, clientId })],
  ['a token URL', URL_TEXT, (tokenUrl) => client({ ...machine, tokenUrl })],
  ['an audience to ask for', 'api', (audience) => client({ ...machine, audience })],
  ['a password', SECRET, (password) => client({ ...person, password })],
  ['an API key of Supabase', 'key-of-the-project', (apiKey) => client({ ...person, apiKey })],
  ['an e-mail to sign in with', 'bot@example.test', (email) => client({ ...person, email })],
  ['an origin', URL_TEXT, (origin) => createTokenClient({ grant: machine as never, origins: [origin] })],
  ['a public URL', URL_TEXT, (publicUrl) => createAuth({ cookie: { name: 'a', publicUrl } } as never)],
]

describe.each(OPTIONS)('%s', (_, text, make) => {
  it.each(EDGES)('with %s', (_edge, edged) => {
    let error: unknown
    try {
      make(edged(text))
    } catch (thrown) {
      error = thrown
    }
    expect(error).toBeInstanceOf(TypeError)
    const { message } = error as TypeError
    if (text === SECRET) expect(message).not.toContain(SECRET)
  })
})

it.each(EDGES)('the signing secret of a login with %s', async (_, edged) => {
  const hex = '0123456789abcdef'.repeat(4)
  const options = { hex: edged(hex), file: '/nowhere/secret', onWarning: () => undefined }
  const error: unknown = await loadSigningSecret(options).catch((thrown: unknown) => thrown)
  expect(error).toBeInstanceOf(TypeError)
  expect((error as TypeError).message).not.toContain(hex)
})

it('the public URL is what createAuth minds there', () => {
  expect(() => createAuth({ cookie: { name: 'a', publicUrl: `${URL_TEXT}\n` } } as never)).toThrow(/publicUrl/)
  expect(() => createAuth({ cookie: { name: 'a', publicUrl: URL_TEXT } } as never)).not.toThrow(/publicUrl/)
})

it.each(['it is "quoted" within, and long enough for this', `"begins with one of them, and is long enough`])(
  'a quote that is a letter like any other is taken: %s',
  (secret) => {
    expect(() => issuer({ keys: [secretSource(secret)] })).not.toThrow()
  },
)
