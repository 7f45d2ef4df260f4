/** A session lives on for some seconds beyond its end; its revocation was forgotten at the end, so that it lived again. */
import { expect, it } from 'vitest'
import { createLoginWorld } from '../login/login-world.ts'

it('stays refused in the leeway after its end, whatever else is revoked', async () => {
  const world = createLoginWorld({ sessionSeconds: 3600 })
  await world.account('user@example.com')
  const token = await world.signIn('user@example.com')
  world.now += 3_500_000
  const other = await world.signIn('user@example.com')
  await world.call('POST', '/auth/logout', { token })
  world.now += 103_000
  await world.call('POST', '/auth/logout', { token: other })
  expect(await world.call('GET', '/auth/validate', { token })).toMatchObject({ status: 401, reason: 'session_revoked' })
})
