// A gateway before the service hands on who signed in there: its header is the credential, and Authorization is none.
import { expect, it } from 'vitest'
import { createWorld } from './world.ts'

const behind = () =>
  createWorld({
    auth: () => ({
      cookie: undefined,
      apiKeys: undefined,
      gateway: { header: 'X-Gateway-Token', publicUrl: 'https://app.test' },
    }),
  })

it('a token in its header is a user’s, verified as any other', async () => {
  const world = behind()
  const { token, id } = await world.person('ada')
  const header = { 'x-gateway-token': token }
  expect(await world.authenticate({ headers: header }, { needs: 'user' })).toMatchObject({ kind: 'user', user: { id } })
  const refused = world.authenticate({ headers: { 'x-gateway-token': 'a.b.c' } }, { needs: 'user' })
  await expect(refused).rejects.toMatchObject({ code: 'unauthorized' })
})

it('Authorization says nothing, and what it holds is no second credential', async () => {
  const world = behind()
  const { token } = await world.person('ada')
  const bearer = { authorization: `Bearer ${token}` }
  await expect(world.authenticate({ headers: bearer }, { needs: 'user' })).rejects.toMatchObject({
    reason: 'credential_missing',
    expected: expect.not.stringContaining('Authorization'),
  })
  const both = { ...bearer, 'x-gateway-token': token }
  expect(await world.authenticate({ headers: both }, { needs: 'user' })).toMatchObject({ kind: 'user' })
})

it('an unsafe request from another site is refused, by our own origin as the gateway shows it', async () => {
  const world = behind()
  const { token } = await world.person('ada')
  const send = (headers: Record<string, string>) =>
    world.authenticate({ method: 'POST', headers: { 'x-gateway-token': token, ...headers } }, { needs: 'user' })
  await expect(send({ origin: 'https://app.test' })).resolves.toMatchObject({ kind: 'user' })
  for (const headers of [{}, { origin: 'https://evil.test' }, { 'sec-fetch-site': 'cross-site' }]) {
    await expect(send(headers)).rejects.toMatchObject({ reason: 'cross_site_request' })
  }
})
