/**
 * Where the routes of API keys ask for a permission, whoever has it by a role that their organization made could not even list or
 * revoke keys: 403, as if there were no such role.
 */
import { expect, it } from 'vitest'
import { createApiKeys } from '../../src/api-keys/api-keys.ts'
import { createRouteFinder } from '../../src/http/route-path.ts'
import { createRoles } from '../../src/permissions/roles.ts'
import { fakeRequest } from '../pipeline/fake-request.ts'
import { createWorld, reasonOf } from '../pipeline/world.ts'

const roles = createRoles({ owner: ['keys:write', 'things:read'] })

async function start() {
  const customRoles = { find: async (_orgId: string, role: string) => (role === 'security' ? ['keys:write'] : null) }
  const world = createWorld({ auth: () => ({ roles, customRoles }) })
  const apiKeys = createApiKeys({ storage: world.storage, roles, prefix: 'tk' })
  const find = createRouteFinder(apiKeys.routes({ permissions: ['keys:write'] }))
  const orgId = await world.org('acme')
  const [owner, officer] = [
    await world.person('ada', { [orgId]: 'owner' }),
    await world.person('grace', { [orgId]: 'security' }),
  ]
  const call = async ({ headers }: typeof owner, method: string, path: string, body?: object) => {
    const found = find(method, path)
    if (found === null) throw new Error(`no route: ${method} ${path}`)
    const bytes = new TextEncoder().encode(JSON.stringify(body))
    const request = fakeRequest({
      ...{ method, path, params: found.params, headers: { 'content-type': 'application/json', ...headers } },
      ...(body !== undefined && { body: { kind: 'bytes', bytes } }),
    })
    const { context } = await world.auth.authorizer(found.route.access as never)(request)
    return found.route.handle(context as never, request)
  }
  return { owner, officer, call }
}

it('lists and revokes keys, and makes and rotates none, since it includes no role that a key can have', async () => {
  const { owner, officer, call } = await start()
  const made = { name: 'ci', role: 'owner' }
  const { data } = JSON.parse((await call(owner, 'POST', '/api/keys', made)).body ?? '')
  expect(await reasonOf(call(officer, 'POST', '/api/keys', { ...made, scopes: ['keys:write'] }))).toBe('role_unknown')
  expect(await reasonOf(call(officer, 'POST', `/api/keys/${data.id}/rotate`))).toBe('role_unknown')
  const listed = await call(officer, 'GET', '/api/keys')
  expect([listed.status, JSON.parse(listed.body ?? '').data[0].id]).toEqual([200, data.id])
  expect(await call(officer, 'DELETE', `/api/keys/${data.id}`)).toMatchObject({ status: 204 })
  expect(await call(owner, 'GET', '/api/keys')).toMatchObject({ status: 200, body: '{"data":[]}' })
})
