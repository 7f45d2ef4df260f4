// What an issuer's options make of its tokens: where things are said, who is a machine, who may call at all.
import { describe, expect, it } from 'vitest'
import type { Identity } from '../../src/context.ts'
import { AuthError } from '../../src/errors.ts'
import { createTokenIssuer } from '../../src/testing/token-issuer.ts'
import type { IssuerOptions } from '../../src/verify/issuer-options.ts'
import { createJwtVerifier } from '../../src/verify/jwt-verifier.ts'
import { verdictOf } from './bench.ts'

const issuer = await createTokenIssuer({ algorithms: ['HS256'] })
const TRUSTED = { issuer: issuer.issuer, keys: [{ kind: 'secret' as const, secret: issuer.secret }], audience: null }
const verifierOf = (more: Partial<IssuerOptions>) => createJwtVerifier({ issuers: [{ ...TRUSTED, ...more }] })
const identify = async (more: Partial<IssuerOptions>, claims: object): Promise<Identity<never>> =>
  verifierOf(more).verify(await issuer.sign({ email: undefined, ...claims }))

describe('where tokens say what', () => {
  it.each<[string, IssuerOptions['claims'], object, object]>([
    ['the standard places', undefined, { email: 'a@b.test', email_verified: true, name: 'Ada' }, {}],
    [
      'other names',
      { email: 'mail', emailVerified: 'mailOk', name: 'nick' },
      { mail: 'a@b.test', mailOk: true, nick: 'Ada' },
      {},
    ],
    [
      'paths',
      { email: ['user', 'email'], emailVerified: ['user', 'ok'], name: ['user', 'name'], subject: ['user', 'id'] },
      { sub: undefined, user: { email: 'a@b.test', ok: true, name: 'Ada', id: 'u7' } },
      { subject: 'u7' },
    ],
    [
      'functions',
      { email: ({ m }) => `${m}@b.test`, emailVerified: () => true, name: () => 'Ada', subject: ({ oid }) => oid },
      { m: 'a', oid: 'o1' },
      { subject: 'o1' },
    ],
  ])('%s', async (_, claims, token, more) => {
    const expected = { email: 'a@b.test', emailVerified: true, name: 'Ada', scopes: null, ...more }
    expect(await identify({ claims }, token)).toMatchObject(expected)
  })

  it.each<[string, unknown, unknown]>([
    ['a name', 'Ada Lovelace', 'Ada Lovelace'],
    ['blanks around it', ' Ada ', 'Ada'],
    ['a name of many tongues', '李 · José 👩‍🚀', '李 · José 👩‍🚀'],
    ['an empty one', '', null],
    ['a blank one', '  ', null],
    ['one of 256', 'x'.repeat(256), null],
    ['a line feed in it', 'Ada\nadmin', null],
    ['half a pair', 'Ada\ud800', null],
    ['another type', { first: 'Ada' }, null],
  ])('%s is a name or none', async (_, name, expected) => {
    expect((await identify({}, { name })).name).toBe(expected)
  })

  it('an e-mail is verified by what the place says, true alone, and never by the standard one beside it', async () => {
    const claims = { emailVerified: 'emailVerified' }
    const read = async (token: object) => (await identify({ claims }, { email: 'a@b.test', ...token })).emailVerified
    expect(await read({ emailVerified: true })).toBe(true)
    expect(await read({ emailVerified: 'true' })).toBe(false)
    expect(await read({ email_verified: true })).toBeNull()
  })

  it('an e-mail from elsewhere is not verified by the standard place, which can deny it', async () => {
    const read = async (claims: IssuerOptions['claims'], verified: unknown, emails?: IssuerOptions['emails']) => {
      const token = { email: 'me@evil.test', email_verified: verified, preferred_username: 'ada@b.test' }
      const { email, emailVerified } = await identify({ claims, emails }, token)
      return [email, emailVerified]
    }
    const elsewhere = { email: 'preferred_username' }
    expect(await read(elsewhere, true)).toEqual(['ada@b.test', null])
    expect(await read(elsewhere, false)).toEqual(['ada@b.test', false])
    expect(await read(elsewhere, true, 'confirmed')).toEqual(['ada@b.test', true])
    expect(await read(elsewhere, false, 'confirmed')).toEqual(['ada@b.test', false])
    expect(await read({ ...elsewhere, emailVerified: 'email_verified' }, true)).toEqual(['ada@b.test', true])
    expect(await read({ email: 'email' }, true)).toEqual(['me@evil.test', true])
  })

  it('what a function throws passes through', async () => {
    const claims = { subject: () => expect.fail('mine') }
    await expect(identify({ claims }, {})).rejects.toThrow('mine')
  })

  it.each(['subject', 'email', 'emailVerified', 'name', 'scopes'] as const)(
    'a function that answers later is the host’s fault, and what it rejects with ends no process: %s',
    async (place) => {
      const claims = { [place]: () => Promise.reject(new Error('late')) }
      await expect(identify({ claims }, {})).rejects.toThrow('option "claims" must answer at once, not by a promise')
    },
  )

  it.each<[string, object, RegExp]>([
    ['an unknown place', { claims: { phone: 'phone' } }, /unknown option "issuers\.0\.claims\.phone"/],
    ['an empty name', { claims: { subject: '' } }, /claims\.subject" must be the name/],
    ['an empty path', { claims: { email: [] } }, /claims\.email" must be the name/],
    ['a path with a number', { claims: { name: ['a', 0] } }, /claims\.name" must be the name/],
    ['null', { claims: { scopes: null } }, /claims\.scopes" must be the name/],
    ['a mark that is no function', { machine: true }, /machine" must be a function/],
  ])('construction refuses %s', (_, options, message) => {
    expect(() => verifierOf(options)).toThrow(message)
  })
})

describe('a machine', () => {
  it.each<[string, object, string]>([
    ['by RFC 9068', { sub: 'c', client_id: 'c' }, 'machine'],
    ['by azp', { sub: 'c', azp: 'c' }, 'machine'],
    ['by cid', { sub: 'c', cid: 'c' }, 'machine'],
    ['at Auth0', { sub: 'c@clients', azp: 'c' }, 'machine'],
    ['by its grant', { gty: ['client_credentials'] }, 'machine'],
    ['at Entra', { idtyp: 'app' }, 'machine'],
    ['by no client', { sub: 'u' }, 'person'],
    ['by another client', { sub: 'u', client_id: 'c' }, 'person'],
    ['by a client that is no text', { sub: '7', client_id: 7 }, 'person'],
  ])('is known %s: %j is a %s', async (_, claims, kind) => {
    expect((await identify({}, claims)).kind).toBe(kind)
  })

  it('is what the issuer’s own mark says, and nothing else then', async () => {
    const machine = ({ uid }: Readonly<Record<string, unknown>>): boolean => uid === undefined
    expect((await identify({ machine }, { sub: 'c' })).kind).toBe('machine')
    expect((await identify({ machine }, { sub: 'c', client_id: 'c', uid: 'u' })).kind).toBe('person')
  })

  it.each([undefined, null, 1, 'yes', Promise.resolve(false)])(
    'is not what a mark answers by %j: the host’s fault, and nobody comes in',
    async (answer) => {
      await expect(identify({ machine: () => answer as never }, {})).rejects.toThrow(
        'option "machine" must answer true or false',
      )
    },
  )

  it('is not what a mark rejects with, which nobody leaves unheard', async () => {
    const machine = () => Promise.reject(new Error('late')) as never
    await expect(identify({ machine }, {})).rejects.toThrow('must answer true or false, not a promise')
  })

  it('is judged by claims that verified, and told by the cache as the first time', async () => {
    const seen: unknown[] = []
    const verifier = verifierOf({ machine: (claims) => seen.push(claims) > 0 })
    const token = await issuer.sign()
    expect(await verdictOf(verifier.verify(await issuer.sign({}, { key: new Uint8Array(32).fill(7) })))).toMatch(
      /signature/,
    )
    expect(seen).toHaveLength(0)
    for (let i = 0; i < 2; i += 1) expect((await verifier.verify(token)).kind).toBe('machine')
    expect(seen).toHaveLength(1)
  })

  it('is asked by check and accepts as a person is', async () => {
    const kinds: string[] = []
    const client = { sub: 'c', client_id: 'c' }
    const check = ({ kind }: Identity): boolean => kinds.push(kind) > 0
    await identify({ check }, client)
    expect(kinds).toEqual(['machine'])
    const refused = await verdictOf(identify({ accepts: ({ roles }) => roles !== undefined }, client))
    expect(refused).toBe('forbidden:token_kind_not_accepted')
    const accepts = (): never => {
      throw new AuthError('forbidden', { reason: 'mine' })
    }
    expect(await verdictOf(identify({ accepts }, client))).toBe('forbidden:mine')
  })
})

it('scopes and who acts stand in the identity, frozen', async () => {
  const claims = { scope: 'read write', act: { sub: 'agent', iss: 'https://agents.test' } }
  const identity = await identify({ claims: { scopes: 'scope' } }, claims)
  expect(identity).toMatchObject({
    scopes: ['read', 'write'],
    actor: { subject: 'agent', issuer: 'https://agents.test', actor: null },
  })
  expect(Object.isFrozen(identity.scopes)).toBe(true)
  expect((await identify({ claims: { scopes: 'scope' } }, {})).scopes).toEqual([])
  expect((await identify({}, claims)).scopes).toBeNull()
})

describe('an identity is a plain value', () => {
  const END = 2_000_000_000
  const NAMED = ['aal', 'role'] as const
  const verifier = createJwtVerifier({ issuers: [{ ...TRUSTED, audience: 'api' }], claims: NAMED, cache: null })
  const read = async () =>
    verifier.verify(
      await issuer.sign({ sub: 's', aud: 'api', exp: END, aal: 'aal1', jti: undefined, email: undefined }),
    )
  const PLAIN = {
    ...{ issuer: issuer.issuer, tokenIssuer: issuer.issuer, subject: 's', kind: 'person', machine: null },
    ...{ audience: ['api'], email: null, emailVerified: null, name: null, scopes: null, actor: null, tokenId: null },
    ...{ expiresAt: new Date(END * 1000), claims: { aal: 'aal1' } },
  }

  it('to toEqual, to JSON, to a spread, to structuredClone, to a copy of its descriptors', async () => {
    const identity = await read()
    expect(identity).toEqual(PLAIN)
    expect(JSON.stringify(identity)).toBe(JSON.stringify(PLAIN))
    expect(Object.keys(identity)).toEqual(Object.keys(PLAIN))
    expect({ ...identity }).toEqual(PLAIN)
    expect(structuredClone({ ...identity, claims: null })).toEqual({ ...PLAIN, claims: null })
    expect(Object.create({}, Object.getOwnPropertyDescriptors(identity))).toEqual(PLAIN)
    expect(Object.getPrototypeOf(identity)).toBe(Object.prototype)
    expect(Object.getPrototypeOf(identity.claims)).toBeNull()
  })

  it('frozen, whose end is a fresh Date at each look, also through an heir or a proxy', async () => {
    const identity = await read()
    for (const each of [identity, identity.audience, identity.claims]) expect(Object.isFrozen(each)).toBe(true)
    for (const each of [identity, Object.create(identity) as typeof identity, new Proxy(identity, {})]) {
      expect(each.expiresAt).not.toBe(identity.expiresAt)
      each.expiresAt.setTime(0)
      expect(each.expiresAt).toEqual(PLAIN.expiresAt)
    }
  })

  it('whose lists are one with those of others that say the same', async () => {
    const [one, two] = [await read(), await read()]
    expect(one).not.toBe(two)
    expect(one.audience).toBe(two.audience)
    expect((await identify({}, {})).claims).toBe((await identify({}, {})).claims)
  })
})
