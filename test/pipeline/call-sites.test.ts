/** Checks that are called at more than one line: a case for each line, so that taking one call away is noticed. */
import { describe, expect, it } from 'vitest'
import type { AuthContext, UserResolver } from '../../src/context.ts'
import { createUserOrgResolver } from '../../src/orgs/org-resolver.ts'
import { testApiKeyContext, testContext } from '../../src/testing/principals.ts'
import { createKeyWorld } from './refusals/refusals-of-api-keys.ts'
import { createWorld, NOWHERE, reasonOf } from './world.ts'

describe('roles where it needs user', () => {
  const withRole = (role: string) => {
    const user = { id: 'u1', email: null, disabled: false }
    const users: UserResolver = async () => ({ user, role })
    return createWorld({ auth: () => ({ users: users as never }) })
  }

  it('a stored role off the ladder is refused where the route asks for none', async () => {
    const world = withRole('constructor')
    const headers = { authorization: `Bearer ${await world.sign()}` }
    expect(await reasonOf(world.authenticate({ headers }, { needs: 'user' }))).toBe('role_unknown')
  })

  it('the user’s own role is held to the route’s', async () => {
    const world = withRole('member')
    const headers = { authorization: `Bearer ${await world.sign()}` }
    expect(await world.authenticate({ headers }, { needs: 'user', role: 'member' })).toMatchObject({ role: 'member' })
    expect(await reasonOf(world.authenticate({ headers }, { needs: 'user', role: 'admin' }))).toBe('role_too_low')
  })

  it('a user without a role is refused where the route asks for one', async () => {
    const world = createWorld()
    const { headers } = await world.person('ada', { [await world.org('acme')]: 'owner' })
    expect(await reasonOf(world.authenticate({ headers }, { needs: 'user', role: 'viewer' }))).toBe('role_unknown')
  })
})

describe('a role without an organization', () => {
  it('is none: a route that asks for one refuses', async () => {
    const world = createWorld({ unnamed: 'none' })
    const { headers } = await world.person('ada', { [await world.org('acme')]: 'owner' })
    expect(await world.authenticate({ headers })).toMatchObject({ org: null, role: null })
    expect(await reasonOf(world.authenticate({ headers }, { role: 'viewer' }))).toBe('role_unknown')
  })
})

describe('CSRF on a public route', () => {
  it('is refused with and without the cookie', async () => {
    const { authenticate } = createWorld()
    const cross = { 'sec-fetch-site': 'cross-site' }
    expect(await reasonOf(authenticate({ method: 'POST', headers: cross }, 'public'))).toBe('cross_site_request')
    const headers = { ...cross, cookie: 'session=x' }
    expect(await reasonOf(authenticate({ method: 'POST', headers }, 'public'))).toBe('cross_site_request')
    expect(await authenticate({ method: 'POST' }, 'public')).toBeNull()
    expect(await authenticate({ headers: cross }, 'public')).toBeNull()
  })
})

describe('guards', () => {
  const { auth } = createWorld()
  const viewer = testContext({ role: 'viewer' }) as unknown as AuthContext

  it('each asks for somebody first', async () => {
    for (const guard of [auth.requireUser, auth.requireOrg, auth.requireRole('viewer'), auth.requirePermission('a')]) {
      expect(await reasonOf(() => (guard as (context: null) => unknown)(null))).toBe('guard_anonymous')
    }
  })

  it('hold roles and permissions as the pipeline does', async () => {
    expect(await reasonOf(() => auth.requireRole('admin')(viewer))).toBe('role_too_low')
    const key = testApiKeyContext({ role: 'admin', permissions: ['things:read'] }) as AuthContext
    expect(await reasonOf(() => auth.requirePermission('things:write')(key))).toBe('scope_missing')
    expect(await reasonOf(() => auth.requirePermission('things:write')(viewer))).toBe('permission_not_of_role')
  })
})

describe('the org on the user’s own record', () => {
  it('is judged by form, and by whose key it is', async () => {
    const own = '6f9619ff-8b86-4d01-b42d-00cf4fc964ff'
    const world = createWorld({
      auth: ({ memberships }) =>
        ({ orgs: createUserOrgResolver({ memberships: memberships, orgIdOf: () => own }) }) as unknown as object,
    })
    const { headers } = await world.person('ada')
    const access = { accept: ['user', 'apiKey'], selectors: [{ kind: 'pathParam', name: 'org' }] } as const
    expect(await reasonOf(world.authenticate({ headers, params: { org: '{}' } }, access))).toBe('org_id_malformed')
    const key = { authorization: `Bearer ${world.apiKey({ orgId: own })}` }
    expect(await reasonOf(world.authenticate({ headers: key, params: { org: NOWHERE } }, access))).toBe(
      'key_of_another_org',
    )
  })
})

describe('API keys', () => {
  it('are found again by whoever changes them: a wrong id, one of another org, one lost to a race', async () => {
    const { keys, as, issue, storage } = await createKeyWorld()
    const { id } = await issue()
    for (const wrong of ['abcdefABCDEF', 'no id']) {
      expect(await reasonOf(keys.rotate(as('admin'), wrong))).toBe('api_key_not_found')
      expect(await reasonOf(keys.revoke(as('admin'), wrong))).toBe('api_key_not_found')
    }
    const stranger = testContext({ org: { id: NOWHERE }, role: 'admin' }) as unknown as AuthContext
    expect(await reasonOf(keys.rotate(stranger, id))).toBe('api_key_not_found')
    expect(await reasonOf(keys.revoke(stranger, id))).toBe('api_key_not_found')
    storage.apiKeys.rotate = async () => null
    expect(await reasonOf(keys.rotate(as('admin'), id))).toBe('api_key_not_found')
  })

  it('are made by roles of the ladder only', async () => {
    const { keys, as } = await createKeyWorld()
    expect(await reasonOf(keys.issue(as('constructor'), { name: 'ci' }))).toBe('role_unknown')
    const { keys: own, as: asOwn, storage, orgId } = await createKeyWorld({ installation: true })
    storage.memberships.findActing = async () => ({ org: { id: orgId, name: '', createdAt: new Date() }, role: 'x' })
    expect(await reasonOf(own.issue(asOwn('admin'), { name: 'ci', orgId }))).toBe('role_unknown')
  })
})
