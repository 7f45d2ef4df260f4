/**
 * The routes of API keys stood in an auth of other roles than the keys', which `createAuth` had no chance to refuse: whoever has its
 * lowest role, `admin`, made keys of the highest one that is called so.
 */
import { expect, it } from 'vitest'
import { createApiKeys } from '../../src/api-keys/api-keys.ts'
import { createRouteFinder } from '../../src/http/route-path.ts'
import { createRoles } from '../../src/permissions/roles.ts'
import { createProvisioner } from '../../src/users/provisioner.ts'
import { fakeRequest } from '../pipeline/fake-request.ts'
import { createWorld } from '../pipeline/world.ts'

async function make(rolesOfAuth: readonly string[]): Promise<unknown> {
  const world = createWorld({
    auth: (storage) => ({
      roles: createRoles(rolesOfAuth, { 'things:read': 'admin' }),
      users: createProvisioner({ storage, ownerRole: 'admin' }) as never,
    }),
  })
  const roles = createRoles(['viewer', 'admin'], { 'things:read': 'admin' })
  const apiKeys = createApiKeys({ storage: world.storage, roles, prefix: 'tk' })
  const orgId = await world.org('acme')
  const { headers } = await world.person('mallory', { [orgId]: 'admin' })
  const found = createRouteFinder(apiKeys.routes({ role: 'admin' }))('POST', '/api/keys')
  const bytes = new TextEncoder().encode(JSON.stringify({ name: 'ci', role: 'admin' }))
  const request = fakeRequest({
    ...{ method: 'POST', path: '/api/keys', headers: { 'content-type': 'application/json', ...headers } },
    body: { kind: 'bytes', bytes },
  })
  const { context } = await world.auth.authorizer(found?.route.access as never)(request)
  return found?.route.handle(context as never, request)
}

it('no key is made by a role of another ladder; that is a fault of the host', async () => {
  await expect(make(['admin', 'director'])).rejects.toThrow(
    'createApiKeys: the auth of this request has the roles admin, director, option "roles" has viewer, admin',
  )
})

it('and by one of the same, made apart, as ever', async () => {
  expect(await make(['viewer', 'admin'])).toMatchObject({ status: 201 })
})
