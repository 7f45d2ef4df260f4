// T1, T6, K1 at construction: what may stand in `issuers`, what a secret must not be, where keys may come from; the presets.
import { generateKeyPairSync } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { createTokenIssuer } from '../../src/testing/token-issuer.ts'
import type { IssuerOptions, KeySource } from '../../src/verify/issuer-options.ts'
import { oidc, supabase } from '../../src/verify/issuer-presets.ts'
import { createJwtVerifier } from '../../src/verify/jwt-verifier.ts'
import { createKeyServer, createTestClock, verdictOf } from './bench.ts'

const ISSUER = 'https://issuer.test/auth/v1'
const SECRET = 'kZ8vQ2mX7cL4nR9tB3wY6pD1sF5gH0jK'
const SAMPLE = 'super-secret-jwt-token-with-at-least-32-characters-long'

const build = (...keys: readonly unknown[]): unknown => buildFor(ISSUER, ...keys)
const buildFor = (issuer: string | null, ...keys: readonly unknown[]): unknown =>
  createJwtVerifier({ issuers: [{ ...({ issuer, keys } as IssuerOptions), audience: null }] })

describe('sources of keys', () => {
  it.each<[string, readonly unknown[], RegExp]>([
    ['none', [], /must not be empty/],
    ['null', [null], /kind/],
    ['no kind', [{ url: 'https://x.test' }], /kind/],
    ['an unknown kind', [{ kind: 'pem', pem: '' }], /kind/],
    ['a kind on the prototype', [Object.create({ kind: 'secret', secret: SECRET })], /kind/],
    ['an unknown option', [{ kind: 'secret', secret: SECRET, algorithm: 'HS512' }], /algorithm/],
    ['neither url nor keys', [{ kind: 'jwks' }], /url/],
    ['both url and keys', [{ kind: 'jwks', url: 'https://x.test', keys: [] }], /url/],
    ['no algorithm', [{ kind: 'jwks', url: 'https://x.test', algorithms: [] }], /algorithms/],
    ['HS256 by JWK Set', [{ kind: 'jwks', url: 'https://x.test', algorithms: ['HS256'] }], /algorithms/],
    ['HS512 by JWK Set', [{ kind: 'jwks', url: 'https://x.test', algorithms: ['HS512'] }], /algorithms/],
    ['ES256K', [{ kind: 'jwks', url: 'https://x.test', algorithms: ['ES256K'] }], /algorithms/],
    ['an age of 0', [{ kind: 'jwks', url: 'https://x.test', maxAgeSeconds: 0 }], /maxAgeSeconds/],
    ['stale for over a day', [{ kind: 'jwks', url: 'https://x.test', maxStaleSeconds: 86_401 }], /maxStaleSeconds/],
    ['no key of use', [{ kind: 'jwks', keys: [{ kty: 'oct', k: 'AAAA' }] }], /no public key/],
    [
      'the same secret twice',
      [
        { kind: 'secret', secret: SECRET },
        { kind: 'secret', secret: SECRET },
      ],
      /twice/,
    ],
    ['three secrets', [{ kind: 'secret', secret: [SECRET, `${SECRET}1`, `${SECRET}2`] }], /one or two/],
    ['no secret', [{ kind: 'secret', secret: [] }], /one or two/],
  ])('%s', (_, keys, message) => {
    expect(() => build(...keys)).toThrow(TypeError)
    expect(() => build(...keys)).toThrow(message)
  })

  it('discovery without an issuer is refused', () => {
    expect(() => buildFor(null, { kind: 'discovery' })).toThrow(/needs an issuer/)
  })
})

describe('key URLs (K1)', () => {
  it.each([
    'http://keys.test/jwks',
    'http://127.0.0.1.evil.test/jwks',
    'http://localhost.evil.test/jwks',
    'http://128.0.0.1/jwks',
    'http://[::2]/jwks',
    'http://0.0.0.0/jwks',
    'ftp://keys.test/jwks',
    'file:///etc/passwd',
    'data:application/json,{}',
    'https://user@keys.test/jwks',
    'https://user:pass@keys.test/jwks',
    'https://keys.test/jwks#x',
    'https://keys.test/jwks#',
    ' https://keys.test/jwks',
    'https://keys.test/jw\nks',
    'https:\\\\keys.test\\jwks',
    '/jwks',
    '',
    undefined,
    7,
    new URL('https://keys.test/jwks'),
  ])('%s is refused', (url) => {
    expect(() => build({ kind: 'jwks', url })).toThrow(/createJwtVerifier.*"issuers\.0\.keys\.0\.url"/)
    if (url !== undefined) expect(() => build({ kind: 'discovery', url })).toThrow(/createJwtVerifier.*url/)
  })

  it('says nothing of a password in the URL', () => {
    expect(() => build({ kind: 'jwks', url: 'https://user:hunter2@keys.test' })).toThrow(/^(?!.*hunter2)/)
  })

  it.each([
    'https://keys.test/jwks?tenant=1',
    'http://127.0.0.1:54321/jwks',
    'http://127.8.9.10/jwks',
    'http://[::1]:3000/jwks',
    'http://localhost/jwks',
    'http://acme.LOCALHOST:3000/jwks',
  ])('%s is taken', (url) => {
    expect(() => build({ kind: 'jwks', url })).not.toThrow()
  })
})

describe('hosts that may be asked by plain http', () => {
  const insecureHosts = ['keycloak.internal', '10.0.0.7']
  const make =
    (options: object, source: object, issuer = ISSUER) =>
    (): unknown =>
      createJwtVerifier({ issuers: [{ issuer, keys: [source as KeySource], audience: null }], ...options })

  it.each([
    { kind: 'jwks', url: 'http://keycloak.internal/certs' },
    { kind: 'jwks', url: 'http://keycloak.internal:8080/certs' },
    { kind: 'discovery', url: 'http://10.0.0.7/.well-known/openid-configuration' },
  ])('are those that the verifier names: $url', (source) => {
    expect(make({ insecureHosts }, source)).not.toThrow()
    expect(make({}, source)).toThrow(/keys\.0\.url" must be an https URL/)
    expect(make({ insecureHosts: [] }, source)).toThrow(
      /keys\.0\.url" must be an https URL; http is for loopback hosts and those in `insecureHosts`/,
    )
    const name = { url: source.url.replace('keycloak', 'x.keycloak').replace('10.0.0.7', '10.0.0.77') }
    expect(make({ insecureHosts }, { ...source, ...name })).toThrow(/keys\.0\.url" must be an https URL/)
  })

  it('serve presets too, and whoever finds them by discovery', async () => {
    const name = 'http://keycloak.internal/realms/a'
    const issuer = await createTokenIssuer({ issuer: name, algorithms: ['ES256'] })
    const urls: string[] = []
    const options = {
      issuers: [oidc({ issuer: name, audience: issuer.audience })],
      fetch: async (input: RequestInfo | URL) => {
        urls.push(String(input))
        return Response.json(urls.length === 1 ? { issuer: name, jwks_uri: `${name}/certs` } : issuer.jwks())
      },
    }
    expect(() => createJwtVerifier(options)).toThrow(/issuers\.0\.keys\.0\.url" must be an https URL/)
    const verifier = createJwtVerifier({ ...options, insecureHosts })
    expect(await verdictOf(verifier.verify(await issuer.sign()))).toBe('ok')
    expect(urls).toEqual([`${name}/.well-known/openid-configuration`, `${name}/certs`])
    const project = { url: 'http://keycloak.internal:8000', audience: issuer.audience }
    expect(() => createJwtVerifier({ issuers: [supabase(project)] })).toThrow(/keys\.0\.url" must be an https URL/)
    expect(() => createJwtVerifier({ issuers: [supabase(project)], insecureHosts })).not.toThrow()
  })

  it('never lead elsewhere: what https says must stay https', async () => {
    const issuer = await createTokenIssuer({ issuer: 'https://login.test', algorithms: ['ES256'] })
    const verifier = createJwtVerifier({
      issuers: [oidc({ issuer: issuer.issuer, audience: issuer.audience })],
      insecureHosts,
      fetch: async () => Response.json({ issuer: issuer.issuer, jwks_uri: 'http://keycloak.internal/certs' }),
    })
    expect(await verdictOf(verifier.verify(await issuer.sign()))).toBe('keys_unavailable:key_servers_failing')
  })

  it.each([
    '',
    ' ',
    '*',
    'Keycloak.internal',
    'http://keycloak.internal',
    'keycloak.internal:8080',
    'a/b',
    7,
    null,
    '*.internal ',
  ])('%j is no name of one', (host) => {
    expect(make({ insecureHosts: [host] }, { kind: 'jwks', url: 'https://keys.test' })).toThrow(/insecureHosts\.0/)
  })
})

describe('secrets (T6)', () => {
  const { publicKey: rsa } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const { publicKey: ec } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const { publicKey: ed } = generateKeyPairSync('ed25519')
  const jwk = JSON.stringify(ec.export({ format: 'jwk' }))

  it.each<[string, unknown]>([
    ['undefined', undefined],
    ['null', null],
    ['a number', 42],
    ['31 bytes that are no text', new Uint8Array(31)],
    ['bytes of another kind', new Uint16Array(32)],
    ['empty', ''],
    ['blank', ' '.repeat(40)],
    ['31 bytes', 'x'.repeat(31)],
    ['the text undefined', 'undefined'],
    ['the text null', ' null '],
    ['the sample of Supabase', SAMPLE],
    ['the sample in other clothes', ` ${SAMPLE.toUpperCase().replaceAll('-', '_')}`],
    ['the sample of jwt.io', 'your-256-bit-secret-your-256-bit-secret'],
    ['the newer sample of jwt.io', 'a-string-secret-at-least-256-bits-long'],
    ['a JWT', `eyJhbGciOiJIUzI1NiJ9.${Buffer.from('{"role":"anon"}').toString('base64url')}.c2lnbmF0dXJl`],
    ...[rsa, ec, ed].flatMap((key): [string, unknown][] => {
      const type = key.asymmetricKeyType
      const pem = key.export({ type: 'spki', format: 'pem' }).toString()
      const der = key.export({ type: 'spki', format: 'der' })
      const json = JSON.stringify(key.export({ format: 'jwk' }))
      return [
        [`${type} PEM`, pem],
        [`${type} PEM behind a space`, `  ${pem}`],
        [`${type} PEM behind a prefix`, `key=${pem}`],
        [`${type} PEM on one line`, pem.replaceAll('\n', '\\n')],
        [`${type} JWK`, json],
        [`${type} JWK behind a prefix`, `\ufeff x${json}`],
        [`${type} JWK, indented`, JSON.stringify(JSON.parse(json), null, 2)],
        [`${type} JWK, quoted`, JSON.stringify(json)],
        [`${type} JWK Set`, `{"keys":[${json}]}`],
        [`${type} DER in base64`, der.toString('base64')],
        [`${type} DER in base64 behind a prefix`, `key ${der.toString('base64')}`],
        [`${type} DER in hex`, der.toString('hex')],
        [`${type} DER as it is`, der.toString('latin1')],
        [`${type} PEM in base64`, Buffer.from(pem).toString('base64')],
        [`${type} PEM in base64, in lines`, Buffer.from(pem).toString('base64').replaceAll(/.{64}/g, '$&\n')],
        [`${type} PEM in base64 twice`, Buffer.from(Buffer.from(pem).toString('base64')).toString('base64')],
        [`${type} JWK in base64`, Buffer.from(json).toString('base64')],
        [`${type} JWK in base64url`, Buffer.from(json).toString('base64url')],
      ]
    }),
    ['PKCS #1 PEM', rsa.export({ type: 'pkcs1', format: 'pem' }).toString()],
    ['PKCS #1 DER in base64', rsa.export({ type: 'pkcs1', format: 'der' }).toString('base64')],
    ['a JWK Set without keys', `{ "keys" : [ ] }${' '.repeat(30)}`],
    ['an SSH key', `ssh-ed25519 AAAA${'C3NzaC1lZDI1NTE5'.repeat(3)}`],
  ])('%s is refused, unseen in the message', (_, secret) => {
    for (const given of [secret, [secret], [SECRET, secret]]) {
      let message = ''
      try {
        build({ kind: 'secret', secret: given })
      } catch (error) {
        expect(error).toBeInstanceOf(TypeError)
        message = (error as TypeError).message
      }
      expect(message).toMatch(/option "issuers\.0\.keys\.0\.secret"/)
      if (typeof secret === 'string' && secret.length > 8 && secret !== 'undefined')
        expect(message).not.toContain(secret)
    }
    expect(jwk).toContain('kty')
  })

  it.each([
    SECRET,
    'é'.repeat(16),
    'a phrase of several words, long enough for this',
    Buffer.alloc(48, 200).toString('base64'),
  ])('secret %# is taken', (secret) => {
    expect(() => build({ kind: 'secret', secret })).not.toThrow()
    expect(() => build({ kind: 'secret', secret: [secret, `${secret}x`] })).not.toThrow()
  })

  it('the sample is taken where every issuer is this very machine', () => {
    const local = { kind: 'secret', secret: SAMPLE }
    expect(() => buildFor('http://127.0.0.1:54321/auth/v1', local)).not.toThrow()
    expect(() => buildFor(null, local)).toThrow(/sample/)
    expect(() => buildFor('local', local)).toThrow(/sample/)
    expect(() =>
      createJwtVerifier({
        issuers: [
          { issuer: 'http://localhost/auth/v1', keys: [{ kind: 'secret', secret: SAMPLE }], audience: null },
          { issuer: ISSUER, keys: [{ kind: 'secret', secret: SECRET }], audience: null },
        ],
      }),
    ).toThrow(/sample/)
  })

  it('the sample is not taken where it would sign for the people of an issuer elsewhere', () => {
    const issuer = 'http://127.0.0.1:54321/auth/v1'
    const keys = [{ kind: 'secret', secret: SAMPLE }] as const
    const make = (identityIssuer: string) => () =>
      createJwtVerifier({ issuers: [{ issuer, identityIssuer, keys, audience: null }] })
    expect(make('https://abc.supabase.co/auth/v1')).toThrow(/"issuers\.0\.keys\.0\.secret".*sample/)
    expect(make('http://localhost:54321/auth/v1')).not.toThrow()
  })
})

describe('keys written out', () => {
  const pairs = {
    ec: generateKeyPairSync('ec', { namedCurve: 'P-256' }),
    ed25519: generateKeyPairSync('ed25519'),
    rsa: generateKeyPairSync('rsa', { modulusLength: 2048 }),
  }
  const key = (type: keyof typeof pairs) => ({ ...pairs[type].publicKey.export({ format: 'jwk' }) })
  const good = key('ec')

  it.each<[string, object]>([
    ['a point beside its curve', { ...good, y: good.x }],
    ['a coordinate that is none', { ...good, x: '!' }],
    ['an Ed25519 key of 16 bytes', { ...key('ed25519'), x: 'AAAAAAAAAAAAAAAAAAAAAA' }],
    ['an Ed25519 key of zeros alone, by which everybody signs', { ...key('ed25519'), x: 'A'.repeat(43) }],
    ['an RSA exponent of 72 bits', { ...key('rsa'), e: 'AQAAAAAAAAAB' }],
    ['an RSA modulus of 512 bits', { ...key('rsa'), n: 'A'.repeat(10) + '_'.repeat(76) }],
  ])('%s is said at construction, alone and beside a good one', (_, bad) => {
    for (const keys of [[bad], [good, bad]]) {
      expect(() => build({ kind: 'jwks', keys })).toThrow(/option "issuers\.0\.keys\.0\.keys"/)
      expect(() => build({ kind: 'jwks', keys })).toThrow(TypeError)
    }
  })

  it('three of one algorithm without kid are said at construction, as a token could be of any', () => {
    const [one, two, three] = [1, 2, 3].map(() =>
      generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey.export({ format: 'jwk' }),
    )
    expect(() => build({ kind: 'jwks', keys: [one, two, three] })).toThrow(/more than 2 keys of one algorithm/)
    expect(() => build({ kind: 'jwks', keys: [one, two, { ...two }, { ...three, kid: 'k3' }] })).not.toThrow()
    expect(() => build({ kind: 'jwks', keys: [one, two, key('rsa'), key('ed25519')] })).not.toThrow()
  })

  it('others than for signatures are passed over', () => {
    expect(() =>
      build({ kind: 'jwks', keys: [{ ...good, use: 'enc', y: good.x }, good, null, { kty: 'oct' }] }),
    ).not.toThrow()
  })
})

describe('supabase', () => {
  const encode = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url')
  const apiKeyOf = (role: string): string =>
    `${encode({ alg: 'HS256', typ: 'JWT' })}.${encode({ iss: 'supabase', ref: 'abc', role })}.${encode({ s: SECRET })}`

  it('writes what a host could write', () => {
    const people = { audience: 'authenticated', emails: 'as-claimed', people: 'own', accepts: expect.any(Function) }
    const jwks = { kind: 'jwks', url: 'https://abc.supabase.co/auth/v1/.well-known/jwks.json' }
    expect(supabase({ url: 'https://abc.supabase.co' })).toEqual({
      issuer: 'https://abc.supabase.co/auth/v1',
      keys: [jwks],
      ...people,
    })
    expect(
      supabase({
        url: 'https://abc.supabase.co/',
        secret: SECRET,
        maxAgeSeconds: 60,
        maxStaleSeconds: 0,
        algorithms: ['ES256'],
      }),
    ).toEqual({
      issuer: 'https://abc.supabase.co/auth/v1',
      keys: [
        { kind: 'secret', secret: SECRET },
        { ...jwks, maxAgeSeconds: 60, maxStaleSeconds: 0, algorithms: ['ES256'] },
      ],
      ...people,
    })
    expect(supabase({ secret: SECRET, issuer: 'https://auth.acme.test', url: undefined })).toEqual({
      issuer: 'https://auth.acme.test',
      keys: [{ kind: 'secret', secret: SECRET }],
      ...people,
    })
  })

  it.each<[object, RegExp]>([
    [{}, /required/],
    [{ issuer: 'https://x.test' }, /required/],
    [{ secret: SECRET }, /issuer/],
    [{ url: '' }, /url/],
    [{ url: 'ftp://abc.supabase.co' }, /https/],
    [{ url: 'https://abc.supabase.co?x' }, /query/],
    ...['/auth/v1', '/auth/v1/.well-known/jwks.json', '/rest/v1', '/AUTH/V1/x'].map((path): [object, RegExp] => [
      { url: `https://abc.supabase.co${path}` },
      new RegExp(`"url".*without ${path.slice(0, 8)}`),
    ]),
    [{ url: 'https://supabase.com/dashboard/project/abc' }, /dashboard/],
    ...['anon', 'service_role'].map((role): [object, RegExp] => [
      { url: 'https://abc.supabase.co', secret: [SECRET, apiKeyOf(role)] },
      /"secret" is an API key of the project/,
    ]),
    ...['sb_publishable_', 'sb_secret_'].map((prefix): [object, RegExp] => [
      { url: 'https://abc.supabase.co', secret: `${prefix}${SECRET}` },
      /"secret" is an API key of the project/,
    ]),
    [{ url: 'https://abc.supabase.co', audience: '' }, /"audience"/],
    [{ url: 'https://abc.supabase.co', maxAgeSeconds: 0 }, /"maxAgeSeconds"/],
    [{ url: 'https://abc.supabase.co', algorithms: ['HS256'] }, /"algorithms/],
    [{ url: 'https://abc.supabase.co/auth/v1/' }, /without \/auth\/v1/],
    [{ url: 'https://abc.supabase.co', emails: true }, /emails/],
    [{ url: 'https://abc.supabase.co', anonymous: true }, /anonymous/],
    [{ url: 'https://abc.supabase.co', apps: ['a '] }, /apps/],
    [{ url: 'https://abc.supabase.co', apps: 'a' }, /apps/],
    [{ url: 'https://abc.supabase.co', jwtSecret: SECRET }, /jwtSecret/],
  ])('refuses options %#', (options, message) => {
    expect(() => supabase(options)).toThrow(TypeError)
    expect(() => supabase(options)).toThrow(message)
  })

  it.each(['', undefined])('an empty secret is no missing one: %j', (secret) => {
    const make = (): unknown =>
      createJwtVerifier({ issuers: [supabase({ url: 'https://abc.supabase.co', secret, audience: null })] })
    if (secret === undefined) expect(make).not.toThrow()
    else expect(make).toThrow(/blank/)
  })

  it('accepts HS256 and asymmetric tokens side by side for one issuer', async () => {
    const url = 'https://abc.supabase.co'
    const issuer = await createTokenIssuer({ issuer: `${url}/auth/v1`, algorithms: ['ES256', 'RS256', 'HS256'] })
    const server = createKeyServer(() => issuer.jwks())
    const verifier = createJwtVerifier({
      issuers: [supabase({ url, secret: issuer.secret })],
      fetch: server.fetch,
    })
    expect(await verdictOf(verifier.verify(await issuer.sign({}, { algorithm: 'HS256' })))).toBe('ok')
    expect(server.calls).toBe(0)
    expect(await verdictOf(verifier.verify(await issuer.sign({}, { algorithm: 'ES256' })))).toBe('ok')
    expect(await verdictOf(verifier.verify(await issuer.sign({}, { algorithm: 'RS256' })))).toBe('ok')
    expect(server.urls).toEqual([`${url}/auth/v1/.well-known/jwks.json`])
  })
})

describe('oidc', () => {
  const NAME = 'https://login.test/tenant/'

  async function discover(
    metadata: object,
    issuerName = NAME,
  ): Promise<{ verdict: string; urls: string[]; reason?: string }> {
    const issuer = await createTokenIssuer({ issuer: issuerName, algorithms: ['ES256'] })
    const urls: string[] = []
    let reason: string | undefined
    const verifier = createJwtVerifier({
      issuers: [oidc({ issuer: issuerName, audience: 'authenticated' })],
      onKeyEvent: (event) => {
        if (event.type === 'fetch_failed') reason = event.reason
      },
      fetch: async (input) => {
        urls.push(String(input))
        return Response.json(String(input).endsWith('openid-configuration') ? metadata : issuer.jwks())
      },
    })
    const verdict = await verdictOf(verifier.verify(await issuer.sign()))
    return { verdict, urls, ...(reason === undefined ? {} : { reason }) }
  }

  it('writes what a host could write', () => {
    expect(oidc({ issuer: NAME, audience: 'api', algorithms: ['RS256'], maxAgeSeconds: 60 })).toEqual({
      issuer: NAME,
      keys: [{ kind: 'discovery', algorithms: ['RS256'], maxAgeSeconds: 60 }],
      audience: 'api',
    })
    expect(() => oidc({ issuer: 'ftp://login.test', audience: 'api' })).toThrow(/https/)
    const metadata = `${NAME}/.well-known/openid-configuration`
    expect(() => oidc({ issuer: metadata, audience: 'api' })).toThrow(/"issuer" is the name that tokens have as `iss`/)
    expect(() => oidc({ issuer: NAME, url: metadata, audience: 'api' })).not.toThrow()
    expect(() => oidc({ issuer: NAME } as never)).toThrow(/"audience"/)
    expect(() => oidc({ audience: 'api' } as never)).toThrow(/issuer/)
    expect(() => oidc({ issuer: NAME, audience: 'api', clientId: 'x' } as never)).toThrow(/clientId/)
  })

  it('finds the keys by the metadata, lazily, once', async () => {
    const { verdict, urls } = await discover({ issuer: NAME, jwks_uri: 'https://keys.test/jwks' })
    expect(verdict).toBe('ok')
    expect(urls).toEqual(['https://login.test/tenant/.well-known/openid-configuration', 'https://keys.test/jwks'])
  })

  it.each<[string, object, string]>([
    ['another issuer', { issuer: 'https://login.test/tenant', jwks_uri: 'https://keys.test/jwks' }, 'metadata_issuer'],
    ['no issuer', { jwks_uri: 'https://keys.test/jwks' }, 'metadata_issuer'],
    ['no key URL', { issuer: NAME }, 'metadata_jwks_uri'],
    ['a plain key URL', { issuer: NAME, jwks_uri: 'http://keys.test/jwks' }, 'metadata_jwks_uri'],
    ['a plain key URL of this machine', { issuer: NAME, jwks_uri: 'http://127.0.0.1:1/jwks' }, 'metadata_jwks_uri'],
    ['a plain key URL by name', { issuer: NAME, jwks_uri: 'HTTP://localhost/jwks' }, 'metadata_jwks_uri'],
    ['a key URL with a password', { issuer: NAME, jwks_uri: 'https://a:b@keys.test/jwks' }, 'metadata_jwks_uri'],
    ['a list', [], 'not_object'],
  ])('fails on metadata with %s, and asks no keys', async (_, metadata, reason) => {
    expect(await discover(metadata)).toEqual({
      verdict: 'keys_unavailable:key_servers_failing',
      urls: ['https://login.test/tenant/.well-known/openid-configuration'],
      reason,
    })
  })

  describe('where there is no metadata of OpenID Connect', () => {
    const find = async (issuerName: string, answers: Readonly<Record<string, () => Response>>) => {
      const issuer = await createTokenIssuer({ issuer: issuerName, algorithms: ['ES256'] })
      const urls: string[] = []
      const verifier = createJwtVerifier({
        issuers: [oidc({ issuer: issuerName, audience: 'authenticated' })],
        fetch: async (input) => {
          urls.push(String(input))
          if (String(input) === 'https://keys.test/jwks') return Response.json(issuer.jwks())
          return answers[String(input)]?.() ?? new Response('nothing here', { status: 404 })
        },
      })
      return { verdict: await verdictOf(verifier.verify(await issuer.sign())), urls }
    }

    it.each([
      ['https://login.test', 'https://login.test/.well-known/oauth-authorization-server'],
      ['https://login.test/', 'https://login.test/.well-known/oauth-authorization-server'],
      ['https://login.test:8443/a/b', 'https://login.test:8443/.well-known/oauth-authorization-server/a/b'],
      ['https://login.test/a/', 'https://login.test/.well-known/oauth-authorization-server/a'],
    ])('that of OAuth is asked, of %s before its path (RFC 8414 §3.1)', async (name, place) => {
      const { verdict, urls } = await find(name, {
        [place]: () => Response.json({ issuer: name, jwks_uri: 'https://keys.test/jwks' }),
      })
      expect(verdict).toBe('ok')
      expect(urls).toEqual([
        `${name.replace(/\/$/, '')}/.well-known/openid-configuration`,
        place,
        'https://keys.test/jwks',
      ])
    })

    it('must name exactly this issuer', async () => {
      const { verdict, urls } = await find('https://login.test/a', {
        'https://login.test/.well-known/oauth-authorization-server/a': () =>
          Response.json({ issuer: 'https://login.test', jwks_uri: 'https://keys.test/jwks' }),
      })
      expect(verdict).toBe('keys_unavailable:key_servers_failing')
      expect(urls).toHaveLength(2)
    })

    it.each([500, 401, 403, 410, 302])('and only where the answer is a 404: not at %i', async (status) => {
      const name = 'https://login.test'
      const { verdict, urls } = await find(name, {
        [`${name}/.well-known/openid-configuration`]: () => new Response('', { status }),
        [`${name}/.well-known/oauth-authorization-server`]: () =>
          Response.json({ issuer: name, jwks_uri: 'https://keys.test/jwks' }),
      })
      expect(verdict).toBe('keys_unavailable:key_servers_failing')
      expect(urls).toHaveLength(1)
    })

    it('and not where the host has written where the metadata is', async () => {
      const issuer = await createTokenIssuer({ issuer: 'https://login.test', algorithms: ['ES256'] })
      const urls: string[] = []
      const verifier = createJwtVerifier({
        issuers: [oidc({ issuer: issuer.issuer, audience: 'authenticated', url: 'https://meta.test/it' })],
        fetch: async (input) => {
          urls.push(String(input))
          return new Response('', { status: 404 })
        },
      })
      expect(await verdictOf(verifier.verify(await issuer.sign()))).toBe('keys_unavailable:key_servers_failing')
      expect(urls).toEqual(['https://meta.test/it'])
    })
  })

  it('may lead to plain http where the issuer itself is on this machine', async () => {
    const name = 'http://127.0.0.1:1/tenant'
    expect((await discover({ issuer: name, jwks_uri: 'http://localhost:1/jwks' }, name)).verdict).toBe('ok')
  })

  it('asks for the key URL with each refresh: a false one is gone as soon as it is mended', async () => {
    const issuer = await createTokenIssuer({ issuer: NAME, algorithms: ['ES256'] })
    const other = await createTokenIssuer({ issuer: NAME, algorithms: ['ES256'] })
    await other.rotate('ES256', { overlap: false })
    const clock = createTestClock(Date.now())
    let place = 'https://false.test/jwks'
    const asked: string[] = []
    const verifier = createJwtVerifier({
      issuers: [oidc({ issuer: NAME, audience: 'authenticated' })],
      cache: null,
      clock,
      fetch: async (input) => {
        asked.push(String(input))
        if (String(input).endsWith('openid-configuration')) return Response.json({ issuer: NAME, jwks_uri: place })
        return Response.json(String(input).startsWith('https://false.test') ? other.jwks() : issuer.jwks())
      },
    })
    const verify = async (): Promise<string> => verdictOf(verifier.verify(await issuer.sign()))
    expect(await verify()).toBe('unauthorized:token_key_unknown')
    place = 'https://keys.test/jwks'
    clock.tick(30)
    expect(await verify()).toBe('ok')
    expect(asked.filter((url) => url.endsWith('openid-configuration'))).toHaveLength(2)
  })
})
