/** L7, L8, L11: the session's format, and that it is interchangeable with no other token, in neither direction. */
import { SignJWT } from 'jose'
import { describe, expect, it } from 'vitest'
import { createSessions, type SessionSettings } from '../../src/login/session.ts'
import { createMemoryAccounts } from '../../src/storage/memory.ts'
import { createJwtVerifier } from '../../src/verify/jwt-verifier.ts'
import { reasonOf, refusalOf } from '../pipeline/world.ts'
import { createLoginWorld, SECRET, START } from './login-world.ts'

const TEXT = 'a-secret-of-sixty-four-letters-that-two-verifiers-share-by-error'
const SHARED = new TextEncoder().encode(TEXT)
const clock = (): number => START
const ACCOUNT = { id: 'acc-1', sessionVersion: 3 }
const create = (more: Partial<SessionSettings> = {}) =>
  createSessions({
    ...{ secret: SECRET, service: 'ironflow', sessionSeconds: 86_400, clock },
    ...{ repository: createMemoryAccounts().sessions, ...more },
  })
const { issue, verifier } = create()

const partOf = (token: string, part: 0 | 1): Record<string, unknown> =>
  JSON.parse(Buffer.from(token.split('.')[part] as string, 'base64url').toString())

describe('a session', () => {
  it('says its type, its service, whose it is, of which version, and when it ends', async () => {
    const token = await issue(ACCOUNT)
    const id = partOf(token, 1)['jti'] as string
    expect(partOf(token, 0)).toEqual({ alg: 'HS256', typ: 'session+jwt' })
    const [iat, exp] = [START / 1000, START / 1000 + 86_400]
    expect(partOf(token, 1)).toEqual({ ver: 3, iss: 'ironflow', aud: 'ironflow', sub: 'acc-1', jti: id, iat, exp })
    expect(Buffer.from(id, 'base64url')).toHaveLength(16)
    const identity = await verifier.verify(token)
    expect(identity).toMatchObject({ issuer: 'ironflow', subject: 'acc-1', tokenId: id, email: null })
    expect(identity.claims.ver).toBe(3)
    expect(identity.expiresAt).toEqual(new Date(exp * 1000))
    expect(Object.isFrozen(identity)).toBe(true)
  })

  it('is another one at each login: 1,000 ids, none twice', async () => {
    const ids = await Promise.all(Array.from({ length: 1000 }, async () => partOf(await issue(ACCOUNT), 1)['jti']))
    expect(new Set(ids).size).toBe(1000)
  })

  it('ends after 24 hours, with the leeway of 5 seconds', async () => {
    const token = await issue(ACCOUNT)
    const at = (seconds: number) => create({ clock: () => START + seconds * 1000 }).verifier.verify(token)
    expect((await at(86_404)).subject).toBe('acc-1')
    expect((await refusalOf(at(86_405))).code).toBe('token_expired')
    expect(await reasonOf(at(-6))).toBe('token_issued_in_future')
  })

  it('is good with its own secret and service only', async () => {
    const token = await issue(ACCOUNT)
    const other = (secret: Uint8Array, service: string) => create({ secret, service }).verifier.verify(token)
    expect(await reasonOf(other(new Uint8Array(32), 'ironflow'))).toBe('session_signature_invalid')
    expect(await reasonOf(other(SECRET, 'Ironflow'))).toBe('session_issuer_other')
  })

  it('does not change with the bytes it was made of', async () => {
    const secret = SECRET.slice()
    const mine = create({ secret })
    secret.fill(0)
    expect((await mine.verifier.verify(await issue(ACCOUNT))).subject).toBe('acc-1')
  })
})

const CLAIMS = { iss: 'ironflow', aud: 'ironflow', sub: 'acc-1', exp: START / 1000 + 60, ver: 0, jti: 'A'.repeat(22) }

function sign(claims: object, header: object = {}, secret: Uint8Array = SECRET): Promise<string> {
  return new SignJWT(claims as never).setProtectedHeader({ alg: 'HS256', typ: 'session+jwt', ...header }).sign(secret)
}

describe('what is none', () => {
  it.each([
    ['no type', {}, { typ: undefined }, 'token_type_refused'],
    ['type JWT', {}, { typ: 'JWT' }, 'token_type_refused'],
    ['type at+jwt', {}, { typ: 'at+jwt' }, 'token_type_refused'],
    ['a type that is no text', {}, { typ: 1 }, 'token_type_malformed'],
    ['another issuer', { iss: 'x' }, {}, 'session_issuer_other'],
    ['no issuer', { iss: undefined }, {}, 'session_issuer_other'],
    ['a list of issuers', { iss: ['ironflow'] }, {}, 'session_issuer_other'],
    ['another audience', { aud: 'authenticated' }, {}, 'token_audience_other'],
    ['no audience', { aud: undefined }, {}, 'token_audience_missing'],
    ['no id', { jti: undefined }, {}, 'session_claims_malformed'],
    ['a short id', { jti: 'abc' }, {}, 'session_claims_malformed'],
    ['an id of another alphabet', { jti: `${'A'.repeat(21)}+` }, {}, 'session_claims_malformed'],
    ['no version', { ver: undefined }, {}, 'session_claims_malformed'],
    ['a version as text', { ver: '0' }, {}, 'session_claims_malformed'],
    ['a negative version', { ver: -1 }, {}, 'session_claims_malformed'],
    ['half a version', { ver: 0.5 }, {}, 'session_claims_malformed'],
    ['no end', { exp: undefined }, {}, 'token_without_expiry'],
    ['no subject', { sub: undefined }, {}, 'token_subject_malformed'],
    ['an end that has passed', { exp: START / 1000 - 6 }, {}, 'token_expiry_passed'],
  ])('%s', async (_, claims, header, reason) => {
    expect(await reasonOf(verifier.verify(await sign({ ...CLAIMS, ...claims }, header)))).toBe(reason)
  })

  it.each(['application/session+jwt', 'SESSION+JWT'])('but the type may be written %s', async (typ) => {
    expect((await verifier.verify(await sign(CLAIMS, { typ }))).subject).toBe('acc-1')
  })

  it('any damage to any letter of it', async () => {
    const token = await issue(ACCOUNT)
    const damaged = Array.from(
      token,
      (letter, i) => token.slice(0, i) + (letter === 'A' ? 'B' : 'A') + token.slice(i + 1),
    )
    const results = await Promise.allSettled(damaged.map((each) => verifier.verify(each)))
    expect(results.filter(({ status }) => status === 'fulfilled')).toEqual([])
  })
})

describe('a session and an external JWT', () => {
  const external = createJwtVerifier({
    issuers: [{ issuer: 'ironflow', keys: [{ kind: 'secret', secret: TEXT }], audience: 'ironflow' }],
    clock,
  })
  const session = create({ secret: SHARED, sessionSeconds: 60 })

  it('are never taken for one another, even with one secret, one issuer and one audience', async () => {
    const token = await session.issue(ACCOUNT)
    expect((await session.verifier.verify(token)).subject).toBe('acc-1')
    expect(await reasonOf(external.verify(token))).toBe('token_type_refused')
    for (const typ of ['JWT', 'at+jwt', undefined]) {
      const jwt = await sign(CLAIMS, { typ }, SHARED)
      expect((await external.verify(jwt)).subject).toBe('acc-1')
      expect(await reasonOf(session.verifier.verify(jwt))).toBe('token_type_refused')
    }
  })

  it('are told apart by their accounts too: an identity without a version is none of its', async () => {
    const { storage, account } = createLoginWorld()
    const { id } = await account('ada@example.test')
    const { users } = create({ repository: storage.sessions })
    const identity = await external.verify(await sign({ ...CLAIMS, sub: id }, { typ: 'JWT' }, SHARED))
    expect(await reasonOf(users(identity as never, { kind: 'unnamed' }))).toBe('session_superseded')
  })
})

it('shows nothing of the secret', async () => {
  const { inspect } = await import('node:util')
  const secret = new TextEncoder().encode('canary-canary-canary-canary-canary')
  const { login } = createLoginWorld({ secret })
  const text = inspect({ login, sessions: create({ secret }) }, { depth: 9, showHidden: true }) + JSON.stringify(login)
  expect(text).not.toMatch(/canary|99, 97, 110, 97/)
})
