import { createRemoteJWKSet, decodeJwt, jwtVerify } from 'jose'
import { afterAll, describe, expect, it } from 'vitest'
import { type SupabaseIssuer, startSupabaseIssuer } from '../../src/testing/supabase-issuer.ts'
import { PATIENCE_MS } from '../patience.ts'

const ADA = { email: 'ada@example.test', password: 'correct horse', claims: { user_metadata: { name: 'Ada' } } }
const supabase = await startSupabaseIssuer({ users: [ADA] })
afterAll(() => supabase.close())

interface Grant {
  access_token: string
  refresh_token: string
  expires_in: number
  expires_at: number
  token_type: string
  user: { id: string; email: string }
}

async function post(grantType: string, body: unknown, headers = {}, at: SupabaseIssuer = supabase) {
  const response = await fetch(`${at.url}/auth/v1/token?grant_type=${grantType}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: typeof body === 'string' ? body : JSON.stringify(body),
    signal: AbortSignal.timeout(PATIENCE_MS),
  })
  return { status: response.status, body: (await response.json()) as Grant }
}

const signIn = async (at = supabase): Promise<Grant> => (await post('password', ADA, {}, at)).body

describe('sign in by password', () => {
  it('gives a token that verifies by the published keys', async () => {
    const grant = await signIn()
    expect(grant).toMatchObject({ token_type: 'bearer', expires_in: 3600, user: { email: ADA.email } })
    const { payload, protectedHeader } = await jwtVerify(
      grant.access_token,
      createRemoteJWKSet(new URL(supabase.jwksUrl)),
      { issuer: `${supabase.url}/auth/v1`, audience: 'authenticated', subject: grant.user.id },
    )
    expect(protectedHeader.alg).toBe('ES256')
    expect(payload).toMatchObject({
      email: ADA.email,
      role: 'authenticated',
      aal: 'aal1',
      user_metadata: { name: 'Ada' },
    })
    expect(payload.exp).toBe(grant.expires_at)
  })

  it.each([
    ['a wrong password', 'password', { ...ADA, password: 'wrong' }, 'invalid_credentials', 'Invalid login credentials'],
    [
      'an unknown user',
      'password',
      { ...ADA, email: 'x@example.test' },
      'invalid_credentials',
      'Invalid login credentials',
    ],
    ['no e-mail', 'password', { password: 'p' }, 'validation_failed', 'missing email or phone'],
    ['no JSON', 'password', '{', 'bad_json', 'Could not parse request body as JSON'],
    ['no refresh token', 'refresh_token', {}, 'validation_failed', 'refresh_token required'],
    ['an unknown refresh token', 'refresh_token', { refresh_token: 'x' }, 'refresh_token_not_found', /Not Found$/],
  ])('%s is a 400 that says why', async (_, grantType, body, code, message) => {
    expect(await post(grantType, body)).toEqual({
      status: 400,
      body: { code: 400, error_code: code, msg: expect.stringMatching(message) },
    })
  })
})

describe('refresh tokens', () => {
  it('rotate: each works once, the session stays', async () => {
    const first = await signIn()
    const second = (await post('refresh_token', { refresh_token: first.refresh_token })).body
    expect(second.refresh_token).not.toBe(first.refresh_token)
    const session = (grant: Grant) => decodeJwt<{ session_id: string }>(grant.access_token).session_id
    expect(session(second)).toBe(session(first))
    const third = await post('refresh_token', { refresh_token: second.refresh_token })
    expect(third.status).toBe(200)
  })

  it('used twice, the whole session ends', async () => {
    const first = await signIn()
    const second = (await post('refresh_token', { refresh_token: first.refresh_token })).body
    const again = await post('refresh_token', { refresh_token: first.refresh_token })
    expect(again).toMatchObject({ status: 400, body: { error_code: 'refresh_token_already_used' } })
    expect((await post('refresh_token', { refresh_token: second.refresh_token })).status).toBe(400)
  })

  it('of two used at once one wins', async () => {
    const { refresh_token } = await signIn()
    const answers = await Promise.all([1, 2].map(() => post('refresh_token', { refresh_token })))
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 400])
  })

  it('end with sign-out', async () => {
    const { refresh_token, user } = await signIn()
    supabase.signOut(user.id)
    expect((await post('refresh_token', { refresh_token })).body).toMatchObject({
      error_code: 'refresh_token_not_found',
    })
  })
})

it('lets in who is added later, by their address in any case', async () => {
  const eve = supabase.addUser({ email: 'eve@example.test', password: 'p' })
  const { body } = await post('password', { email: 'EVE@example.test', password: 'p' })
  expect(body.user.id).toBe(eve.id)
})

it('answers 404 to anything else', async () => {
  expect((await fetch(`${supabase.url}/auth/v1/user`)).status).toBe(404)
  expect((await post('magic', {})).status).toBe(404)
  expect((await fetch(supabase.jwksUrl, { method: 'POST' })).status).toBe(404)
})

it('a legacy project signs by its secret and publishes nothing', async () => {
  const secret = 's'.repeat(40)
  const legacy = await startSupabaseIssuer({ users: [ADA], algorithm: 'HS256', secret, expiresInSeconds: 60 })
  try {
    const keys = async () => ((await (await fetch(legacy.jwksUrl)).json()) as { keys: unknown[] }).keys
    const { access_token, expires_in } = await signIn(legacy)
    expect(expires_in).toBe(60)
    expect((await jwtVerify(access_token, new TextEncoder().encode(secret))).protectedHeader.alg).toBe('HS256')
    expect(await keys()).toEqual([])
  } finally {
    await legacy.close()
  }
})

it('the clock decides the times, the gateway its key', async () => {
  const now = Date.parse('2026-01-02T03:04:05Z')
  const own = await startSupabaseIssuer({ users: [ADA], clock: () => now, apiKey: 'anon' })
  try {
    expect((await post('password', ADA, {}, own)).status).toBe(401)
    const { body } = await post('password', ADA, { apikey: 'anon' }, own)
    expect(decodeJwt(body.access_token)).toMatchObject({ iat: now / 1000, exp: now / 1000 + 3600 })
  } finally {
    await own.close()
  }
})

it('counts who signs in and who refreshes', async () => {
  const before = supabase.requests
  const { refresh_token } = await signIn()
  await post('refresh_token', { refresh_token })
  await fetch(supabase.jwksUrl)
  const { password, refresh } = supabase.requests
  expect([password - before.password, refresh - before.refresh]).toEqual([1, 1])
})

it('is slow or down when told, and keeps its sessions', async () => {
  const { refresh_token } = await signIn()
  await supabase.slow()
  expect((await post('password', { ...ADA, password: 'wrong' })).status).toBe(400)
  await supabase.down()
  await expect(fetch(supabase.jwksUrl, { headers: { connection: 'close' } })).rejects.toThrow()
  await supabase.ok()
  expect((await post('refresh_token', { refresh_token })).status).toBe(200)
})

it('a misspelt option is a TypeError', async () => {
  await expect(startSupabaseIssuer({ user: [] } as never)).rejects.toThrow('unknown option')
  await expect(startSupabaseIssuer({ users: [{ email: 'a@b.test' }] } as never)).rejects.toThrow(TypeError)
})
