import { afterAll, beforeEach, expect, it } from 'vitest'
import { PATIENCE_MS } from '../patience.ts'
import { startFaultySupabase } from './faulty-supabase.ts'

const ADA = { email: 'ada@example.test', password: 'correct horse' }
const supabase = await startFaultySupabase({ users: [ADA] })
afterAll(() => supabase.close())
beforeEach(() => supabase.fault('ok'))

async function post(grantType: string, body: object) {
  const response = await fetch(`${supabase.url}/auth/v1/token?grant_type=${grantType}`, {
    method: 'POST',
    body: JSON.stringify(body),
    signal: AbortSignal.timeout(PATIENCE_MS),
  })
  return { status: response.status, body: (await response.json()) as { refresh_token: string } }
}

const signIn = async () => (await post('password', ADA)).body

it('counts each endpoint', async () => {
  const before = supabase.requests
  const { refresh_token } = await signIn()
  await post('refresh_token', { refresh_token })
  await fetch(supabase.jwksUrl)
  const { password, refresh, jwks } = supabase.requests
  expect([password - before.password, refresh - before.refresh, jwks - before.jwks]).toEqual([1, 1, 1])
})

it('one endpoint fails, the others answer', async () => {
  await supabase.fault('status-503', 'password')
  expect((await post('password', ADA)).status).toBe(503)
  expect((await fetch(supabase.jwksUrl)).status).toBe(200)
  await supabase.fault('status-500')
  expect((await fetch(supabase.jwksUrl)).status).toBe(500)
  await expect(supabase.fault('nonsense' as never)).rejects.toThrow(TypeError)
})

it('a fault in front of the endpoint spends nothing, a spoilt answer does', async () => {
  const first = await signIn()
  for (const mode of ['status-503', 'reset', 'html', 'redirect-loop'] as const) {
    await supabase.fault(mode, 'refresh')
    await post('refresh_token', { refresh_token: first.refresh_token }).catch(() => null)
  }
  await supabase.fault('ok')
  const second = await post('refresh_token', { refresh_token: first.refresh_token })
  expect(second.status).toBe(200)
  const { refresh_token } = second.body
  await supabase.fault('reset-in-body', 'refresh')
  await expect(post('refresh_token', { refresh_token })).rejects.toThrow()
  await supabase.fault('ok')
  expect((await post('refresh_token', { refresh_token })).body).toMatchObject({
    error_code: 'refresh_token_already_used',
  })
})

it('a slow refusal is still a refusal', async () => {
  await supabase.fault('slow', 'password')
  expect((await post('password', { ...ADA, password: 'wrong' })).status).toBe(400)
})

it('is away when refused, and back', async () => {
  await supabase.fault('refused')
  await expect(fetch(supabase.jwksUrl, { headers: { connection: 'close' } })).rejects.toThrow()
  await supabase.fault('ok')
  expect((await signIn()).refresh_token).toMatch(/./)
})
