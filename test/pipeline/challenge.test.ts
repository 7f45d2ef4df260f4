/** What an auth's challenges say beside why: the realm, what the request asks, where tokens are to be had. */
import { createAuth, createRoles, OptionsError } from 'sallyport'
import { describe, expect, it } from 'vitest'
import type { Auth } from '../../src/auth.ts'
import { AuthError, type ChallengeOptions } from '../../src/errors.ts'
import type { Access } from '../../src/request.ts'
import { type FakeRequestOptions, fakeRequest } from './fake-request.ts'
import { createWorld, issuer, refusalOf, type World } from './world.ts'

const URL_TEXT = 'https://api.example.com/.well-known/oauth-protected-resource'
const ALL: ChallengeOptions = { realm: 'notes', scope: 'asked', resourceMetadata: URL_TEXT }
const ABSENT = {}
const INVALID: FakeRequestOptions = { headers: { authorization: 'Bearer a.b.c' } }
const TWICE: FakeRequestOptions = { headers: { authorization: ['Bearer a', 'Bearer b'] } }

const BOUND = {
  issuer: issuer.issuer,
  keys: [{ kind: 'secret', secret: issuer.secret }] as const,
  audience: issuer.audience,
  claims: { scopes: 'scope' },
}

const roles = createRoles({ reader: ['notes:read'], writer: ['reader', 'notes:write'], owner: ['writer'] })

function worldOf(challenge?: ChallengeOptions): World {
  return createWorld({ auth: () => ({ roles, apiKeys: undefined, challenge }) as never })
}

const challengeOf = (auth: Pick<Auth, 'toResponse'>, error: AuthError): string | undefined =>
  auth.toResponse(error).headers.find(([name]) => name === 'WWW-Authenticate')?.[1]

async function refused(
  world: World,
  request: FakeRequestOptions,
  ...accesses: readonly Access[]
): Promise<string | undefined> {
  const source = {}
  let error: AuthError | undefined
  for (const access of accesses) {
    const attempt = world.authenticate({ ...request, source }, access)
    error = await attempt.then(
      () => undefined,
      (thrown: AuthError) => thrown,
    )
  }
  return error && challengeOf(world.auth, error)
}

const read: Access = { permissions: ['notes:read'] }
const write: Access = { permissions: ['notes:write'] }
const PLACE = `realm="notes"`
const WHERE = `resource_metadata="${URL_TEXT}"`

describe('a challenge', () => {
  it.each<[string, FakeRequestOptions, readonly Access[], string | undefined]>([
    ['no credential', ABSENT, [{}], `Bearer ${PLACE}, ${WHERE}`],
    ['no credential where something is asked', ABSENT, [read], `Bearer ${PLACE}, scope="notes:read", ${WHERE}`],
    ['a bad token', INVALID, [read], `Bearer ${PLACE}, error="invalid_token", scope="notes:read", ${WHERE}`],
    ['a malformed one', TWICE, [read], `Bearer ${PLACE}, error="invalid_request", ${WHERE}`],
    [
      'no credential at a second mount, which asks for more',
      ABSENT,
      [{ ...read, optional: true }, write],
      `Bearer ${PLACE}, scope="notes:read notes:write", ${WHERE}`,
    ],
    [
      'a bad token at a first mount, whose refusal was passed over',
      INVALID,
      [read, write],
      `Bearer ${PLACE}, error="invalid_token", scope="notes:write", ${WHERE}`,
    ],
  ])('%s', async (_what, request, accesses, expected) => {
    expect(await refused(worldOf(ALL), request, ...accesses)).toBe(expected)
  })

  it.each<[string, FakeRequestOptions, string]>([
    ['no credential', ABSENT, 'Bearer'],
    ['a bad token', INVALID, 'Bearer error="invalid_token"'],
    ['a malformed one', TWICE, 'Bearer error="invalid_request"'],
  ])('%s: nothing more where nothing was said', async (_what, request, expected) => {
    expect(await refused(worldOf(), request, read)).toBe(expected)
    expect(await refused(worldOf({}), request, read)).toBe(expected)
    expect(await refused(worldOf({ realm: undefined, scope: undefined }), request, read)).toBe(expected)
  })

  it('of a token that lacks a scope names all that the route asks', async () => {
    const auth = createAuth({ issuers: [BOUND], challenge: { realm: 'notes', resourceMetadata: URL_TEXT } })
    const token = await issuer.sign({ sub: 'ada' })
    const error = await refusalOf(
      auth.authenticate(fakeRequest({ headers: { authorization: `Bearer ${token}` } }), {
        permissions: ['notes:read', 'notes:write'],
      }),
    )
    expect(challengeOf(auth, error)).toBe(
      `Bearer ${PLACE}, error="insufficient_scope", scope="notes:read notes:write", ${WHERE}`,
    )
  })

  it('of a token that lacks a scope names what mounts before have asked, too: it takes a token for all of it', async () => {
    const auth = createAuth({ issuers: [BOUND] })
    const source = {}
    const headers = { authorization: `Bearer ${await issuer.sign({ sub: 'ada', scope: 'notes:read' })}` }
    const context = await auth.authenticate(fakeRequest({ headers, source }), { permissions: ['notes:read'] })
    const byMount = await refusalOf(
      auth.authenticate(fakeRequest({ headers, source }), { permissions: ['notes:write'] }),
    )
    const byGuard = await refusalOf(() => auth.requirePermission('notes:write')(context))
    auth.recordRefusal(source, byGuard)
    for (const error of [byMount, byGuard]) {
      expect(challengeOf(auth, error)).toBe('Bearer error="insufficient_scope", scope="notes:read notes:write"')
    }
    const silent = new AuthError('insufficient_scope')
    auth.recordRefusal(source, silent)
    expect(challengeOf(auth, silent)).toBe('Bearer error="insufficient_scope"')
  })

  it('stands on the refusal itself, for a framework that answers by it', async () => {
    const { auth } = worldOf(ALL)
    const error = await refusalOf(auth.authenticate(fakeRequest(ABSENT), read as never))
    const expected = `Bearer ${PLACE}, scope="notes:read", ${WHERE}`
    expect(error.headers['WWW-Authenticate']).toBe(expected)
    expect(error.getResponse().headers.get('www-authenticate')).toBe(expected)
  })

  it('of a refusal that a handler threw names what let the request in; a guard adds what it asks', async () => {
    const { auth } = worldOf(ALL)
    const source = {}
    const context = await auth.authenticate(fakeRequest({ source }), { ...read, optional: true } as never)
    const thrown = await refusalOf(() => auth.requirePermission('notes:write')(context as never))
    expect(auth.recordRefusal(source, thrown)).toBe(thrown)
    const expected = `Bearer ${PLACE}, scope="notes:read notes:write", ${WHERE}`
    expect(thrown.headers['WWW-Authenticate']).toBe(expected)
    expect(challengeOf(auth, thrown)).toBe(expected)
  })

  it('of a refusal that no mount has seen says what is so of all', () => {
    const { auth } = worldOf(ALL)
    const thrown = new AuthError('unauthorized')
    expect(auth.recordRefusal({}, thrown)).toBe(thrown)
    expect(thrown.headers['WWW-Authenticate']).toBe(`Bearer ${PLACE}, error="invalid_token", ${WHERE}`)
  })

  it('is that of the auth that answers: one and the same error, thrown by two', () => {
    const shared = new AuthError('unauthorized', { absent: true })
    expect(challengeOf(worldOf(ALL).auth, shared)).toBe(`Bearer ${PLACE}, ${WHERE}`)
    expect(challengeOf(worldOf({ realm: 'other' }).auth, shared)).toBe('Bearer realm="other"')
    expect(challengeOf(worldOf().auth, shared)).toBe('Bearer')
  })

  it.each(['forbidden', 'not_found', 'keys_unavailable'] as const)('%s has none', (code) => {
    expect(challengeOf(worldOf(ALL).auth, new AuthError(code))).toBeUndefined()
  })
})

it.each<[string, unknown, string]>([
  ['as text', 'notes', 'challenge'],
  ['a misspelt member', { resource_metadata: URL_TEXT }, 'challenge.resource_metadata'],
  ['a blank realm', { realm: ' ' }, 'challenge.realm'],
  ['an empty realm', { realm: '' }, 'challenge.realm'],
  ['a realm with a quote', { realm: 'a", error="b' }, 'challenge.realm'],
  ['a realm with a backslash', { realm: 'a\\' }, 'challenge.realm'],
  ['a realm with a line break', { realm: 'a\r\nX: y' }, 'challenge.realm'],
  ['a realm that is not ASCII', { realm: 'Pförtner' }, 'challenge.realm'],
  ['scopes as a switch', { scope: true }, 'challenge.scope'],
  ['scopes as a list', { scope: ['a'] }, 'challenge.scope'],
  ['a path', { resourceMetadata: '/.well-known/oauth-protected-resource' }, 'challenge.resourceMetadata'],
  ['plain http', { resourceMetadata: 'http://api.example.com/x' }, 'challenge.resourceMetadata'],
  ['a URL with a quote', { resourceMetadata: 'https://api.example.com/"x' }, 'challenge.resourceMetadata'],
  ['a URL with credentials', { resourceMetadata: 'https://a:b@api.example.com/' }, 'challenge.resourceMetadata'],
  ['a URL that is not ASCII', { resourceMetadata: 'https://api.exämple.com/' }, 'challenge.resourceMetadata'],
])('option challenge, %s: refused at construction', (_what, challenge, option) => {
  expect(() => worldOf(challenge as never)).toThrow(expect.objectContaining({ option, name: OptionsError.name }))
})
