/** The error table, written out: what a client sees of each code, byte for byte, in both formats. */
import { inspect } from 'node:util'
import { describe, expect, it } from 'vitest'
import {
  AUTH_ERRORS,
  AuthError,
  type AuthErrorCode,
  type AuthErrorDetails,
  type ChallengeOptions,
  isAuthError,
  refused,
  toAuthResponse,
  withChallenge,
} from '../src/errors.ts'
import { bytesOf, ROWS } from './refusal-bytes.ts'

const CODES = Object.keys(ROWS) as AuthErrorCode[]

describe('the table', () => {
  it('has the codes that clients were promised, and no other', () => {
    expect(Object.keys(AUTH_ERRORS).sort()).toEqual([...CODES].sort())
    expect(Object.isFrozen(AUTH_ERRORS)).toBe(true)
    expect(CODES.every((code) => Object.isFrozen(AUTH_ERRORS[code]))).toBe(true)
  })

  it.each(CODES)('%s is these bytes (E1)', (code) => {
    expect(toAuthResponse(new AuthError(code, { reason: 'internal', cause: new Error('secret') }))).toEqual(
      bytesOf(code),
    )
  })

  it.each(CODES)('%s as problem details (RFC 9457): the same status, code and headers', (code) => {
    const { status, headers, body } = toAuthResponse(new AuthError(code), 'problem')
    const plain = bytesOf(code)
    expect(status).toBe(plain.status)
    expect(headers).toEqual([['Content-Type', 'application/problem+json'], ...plain.headers.slice(1)])
    const { message: title } = (JSON.parse(plain.body) as { error: { message: string } }).error
    expect(body).toBe(JSON.stringify({ type: `urn:sallyport:${code}`, title, status, code }))
  })
})

it.each(['nope', '', 'toString', '__proto__', undefined, Symbol('x')])('there is no code %s, whoever asks', (code) => {
  expect(() => new AuthError(code as never)).toThrow(TypeError)
  expect(() => new AuthError(code as never)).toThrow(`AuthError: ${String(code)} is not a code of AUTH_ERRORS`)
})

describe('what a refusal may add', () => {
  it('no credential was sent: Bearer alone (RFC 6750 §3.1)', () => {
    expect(toAuthResponse(new AuthError('unauthorized', { absent: true }))).toEqual(
      bytesOf('unauthorized', { challenge: 'Bearer' }),
    )
    expect(toAuthResponse(new AuthError('token_expired', { absent: true }))).toEqual(bytesOf('token_expired'))
  })

  it('the scopes that a route needs', () => {
    const challenge = 'Bearer error="insufficient_scope", scope="a:read a:write"'
    expect(toAuthResponse(new AuthError('insufficient_scope', { scopes: ['a:read', 'a:write'] }))).toEqual(
      bytesOf('insufficient_scope', { challenge }),
    )
  })

  it.each([['a"b'], ['a\r\nX-Y: z'], ['a b'], ['é'], [''], ['\\'], [7]])(
    'no scope that is %j: it would end its quotes',
    (scope) => {
      expect(() => new AuthError('insufficient_scope', { scopes: ['things:read', scope as string] })).toThrow(
        new TypeError('AuthError: scopes must be scope tokens (RFC 6749 §3.3)'),
      )
    },
  )

  it('that it is a token which lacks a scope', () => {
    const { body } = toAuthResponse(new AuthError('insufficient_scope', { token: true }))
    expect(body).toBe('{"error":{"code":"insufficient_scope","message":"The access token lacks the required scope."}}')
    expect(toAuthResponse(new AuthError('forbidden', { token: true }))).toEqual(bytesOf('forbidden'))
  })

  it('the field that is wrong, in both formats', () => {
    const error = new AuthError('validation_error', { field: 'role' })
    expect(toAuthResponse(error)).toEqual(bytesOf('validation_error', { field: 'role' }))
    expect(JSON.parse(toAuthResponse(error, 'problem').body ?? '')).toMatchObject({ status: 400, field: 'role' })
    expect(error.field).toBe('role')
  })

  it('the host’s sync path, whatever characters it has', () => {
    const { body } = toAuthResponse(new AuthError('user_not_synced', { syncPath: '/v2/$&/"sync' }))
    expect(JSON.parse(body ?? '')).toEqual({
      error: { code: 'user_not_synced', message: 'user account not synced, call POST /v2/$&/"sync first' },
    })
  })

  it.each([
    [0, '1'],
    [-5, '1'],
    [0.2, '1'],
    [1, '1'],
    [29.01, '30'],
    [900, '900'],
  ])('Retry-After of %d seconds is %s', (retryAfterSeconds, retryAfter) => {
    expect(toAuthResponse(new AuthError('keys_unavailable', { retryAfterSeconds }))).toEqual(
      bytesOf('keys_unavailable', { retryAfter }),
    )
  })
})

describe('the challenge of an auth', () => {
  const url = 'https://api.example.com/.well-known/oauth-protected-resource'
  const all: ChallengeOptions = { realm: 'notes', scope: 'asked', resourceMetadata: url }
  const asked = ['a:read', 'a:write']
  const absent = { absent: true }
  const expired = 'error="invalid_token", error_description="The access token expired"'

  const TABLE: readonly (readonly [AuthErrorCode, AuthErrorDetails, ChallengeOptions, string | undefined])[] = [
    ['unauthorized', absent, {}, 'Bearer'],
    ['unauthorized', absent, { realm: 'notes' }, 'Bearer realm="notes"'],
    ['unauthorized', absent, { scope: 'asked' }, 'Bearer scope="a:read a:write"'],
    ['unauthorized', absent, { resourceMetadata: url }, `Bearer resource_metadata="${url}"`],
    ['unauthorized', absent, all, `Bearer realm="notes", scope="a:read a:write", resource_metadata="${url}"`],
    ['unauthorized', {}, {}, 'Bearer error="invalid_token"'],
    [
      'unauthorized',
      {},
      all,
      `Bearer realm="notes", error="invalid_token", scope="a:read a:write", resource_metadata="${url}"`,
    ],
    [
      'unauthorized',
      { scopes: ['b', 'a:read'] },
      { scope: 'asked' },
      'Bearer error="invalid_token", scope="a:read a:write b"',
    ],
    ['unauthorized', { scopes: ['b'] }, {}, 'Bearer error="invalid_token"'],
    ['token_expired', {}, all, `Bearer realm="notes", ${expired}, scope="a:read a:write", resource_metadata="${url}"`],
    ['bad_request', {}, all, `Bearer realm="notes", error="invalid_request", resource_metadata="${url}"`],
    ['insufficient_scope', {}, {}, 'Bearer error="insufficient_scope"'],
    ['insufficient_scope', { scopes: ['b'] }, {}, 'Bearer error="insufficient_scope", scope="a:read a:write b"'],
    [
      'insufficient_scope',
      { scopes: ['b'] },
      all,
      `Bearer realm="notes", error="insufficient_scope", scope="a:read a:write b", resource_metadata="${url}"`,
    ],
    ['forbidden', {}, all, undefined],
    ['temporarily_unavailable', {}, all, undefined],
  ]

  it.each(TABLE)('%s, %j, by %j: %s', (code, details, challenge, expected) => {
    const error = withChallenge(new AuthError(code, details), challenge, asked)
    const headers = toAuthResponse(error).headers
    expect(headers.filter(([name]) => name === 'WWW-Authenticate')).toEqual(
      expected === undefined ? [] : [['WWW-Authenticate', expected]],
    )
    const plain = toAuthResponse(new AuthError(code, details))
    const others = (lines: typeof headers) => lines.filter(([name]) => name !== 'WWW-Authenticate')
    expect(others(headers)).toEqual(others(plain.headers))
    expect(toAuthResponse(error).body).toBe(plain.body)
    expect(toAuthResponse(error, 'problem').headers.slice(1)).toEqual(headers.slice(1))
    expect(Object.entries(error.headers)).toEqual(headers.slice(1))
    expect([...error.getResponse().headers].sort()).toEqual(
      headers.map(([name, value]) => [name.toLowerCase(), value]).sort(),
    )
  })

  it('is that of the auth that refused by the error last, and what the route asks stays where nothing is said of it', () => {
    const error = withChallenge(new AuthError('unauthorized'), { realm: 'one' }, ['a'])
    withChallenge(error, { realm: 'two', scope: 'asked' })
    expect(error.headers['WWW-Authenticate']).toBe('Bearer realm="two", error="invalid_token", scope="a"')
    withChallenge(error, {}, [])
    expect(toAuthResponse(error)).toEqual(bytesOf('unauthorized'))
  })

  it('shows in nothing but the headers, and a frozen error stays what it is', () => {
    const plain = new AuthError('unauthorized')
    const error = withChallenge(new AuthError('unauthorized'), all, asked)
    expect(JSON.stringify(error)).toBe(JSON.stringify(plain))
    expect(inspect(error)).not.toContain('notes')
    const frozen = Object.freeze(new AuthError('unauthorized'))
    expect(toAuthResponse(withChallenge(frozen, all, asked))).toEqual(bytesOf('unauthorized'))
  })
})

describe('an AuthError', () => {
  it('renders by itself in every framework’s error handling', async () => {
    const error = new AuthError('unauthorized', { reason: 'why' })
    expect(error).toMatchObject({ status: 401, statusCode: 401, expose: true, reason: 'why', name: 'AuthError' })
    expect(error.headers).toEqual({ 'Cache-Control': 'no-store', 'WWW-Authenticate': 'Bearer error="invalid_token"' })
    expect(Object.isFrozen(error.headers)).toBe(true)
    const response = error.getResponse()
    const expected = bytesOf('unauthorized')
    expect(response.status).toBe(401)
    expect(await response.text()).toBe(expected.body)
    for (const [name, value] of expected.headers) expect(response.headers.get(name)).toBe(value)
  })

  it('is recognised by its brand, also from another copy of the package', () => {
    const copy = Object.assign(new Error('x'), { [Symbol.for('sallyport.AuthError')]: true })
    expect(isAuthError(new AuthError('forbidden'))).toBe(true)
    expect(isAuthError(copy)).toBe(true)
    for (const other of [null, undefined, 'AuthError', 401, {}, new Error('x'), { name: 'AuthError', status: 401 }]) {
      expect(isAuthError(other)).toBe(false)
    }
  })

  it('gives its code as reason where it was given none, and keeps its cause off the wire', () => {
    const error = new AuthError('not_found', { cause: new Error('select * from secrets') })
    expect(error.reason).toBe('not_found')
    expect((error.cause as Error).message).toBe('select * from secrets')
    expect(JSON.stringify(toAuthResponse(error)) + JSON.stringify(error)).not.toContain('secrets')
    expect(inspect(new AuthError('not_found'))).not.toContain('cause')
  })
})

describe('a refusal of the library’s own', () => {
  const framesOf = (error: Error): number => (error.stack ?? '').split('\n    at ').length - 1

  it('is an AuthError without a stack trace; one that a host makes has its own', () => {
    const own = refused('forbidden', { reason: 'why', expected: 'a', got: 'b' })
    expect(own).toMatchObject({ code: 'forbidden', reason: 'why', expected: 'a', got: 'b', status: 403 })
    expect([isAuthError(own), own instanceof AuthError, own instanceof Error]).toEqual([true, true, true])
    expect([framesOf(own), framesOf(new AuthError('forbidden')) > 0]).toEqual([0, true])
    expect(toAuthResponse(own)).toEqual(toAuthResponse(new AuthError('forbidden')))
  })

  it.each([[7], [0], [Number.POSITIVE_INFINITY], [undefined]])('leaves a limit of %s as it was', (limit) => {
    const { stackTraceLimit: usual } = Error
    try {
      Error.stackTraceLimit = limit as number
      refused('forbidden', { reason: 'why' })
      expect(() => refused('nope' as never, { reason: 'why' })).toThrow(TypeError)
      expect(Error.stackTraceLimit).toBe(limit)
    } finally {
      Error.stackTraceLimit = usual
    }
  })

  it('has a stack trace where nobody may say that it has none', () => {
    const property = Object.getOwnPropertyDescriptor(Error, 'stackTraceLimit') as PropertyDescriptor
    try {
      Object.defineProperty(Error, 'stackTraceLimit', { value: 10, writable: false, configurable: true })
      expect(framesOf(refused('forbidden', { reason: 'why' }))).toBeGreaterThan(0)
    } finally {
      Object.defineProperty(Error, 'stackTraceLimit', property)
    }
  })
})
