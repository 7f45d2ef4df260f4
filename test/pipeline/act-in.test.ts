import { describe, expect, it } from 'vitest'
import type { AuthContext } from '../../src/context.ts'
import { testServiceContext } from '../../src/testing/principals.ts'
import { fakeRequest } from './fake-request.ts'
import { createWorld, NOWHERE, reasonOf, SERVICE_SECRET, type World } from './world.ts'

const SECRET = { 'x-telephony-secret': SERVICE_SECRET }

async function enter(world: World, headers: Record<string, string> = {}): Promise<AuthContext> {
  return (await world.authenticate({ headers: { ...SECRET, ...headers } }, { accept: ['service'] })) as AuthContext
}

describe('actIn', () => {
  it('lets a service act in the org it names, in any case of the id, by one look-up', async () => {
    const world = createWorld()
    const orgId = await world.org('acme')
    const context = await enter(world)
    expect(world.calls).toEqual([])
    const acting = await world.auth.actIn(context as never, orgId.toUpperCase())
    expect(acting).toMatchObject({ kind: 'service', service: 'telephony', org: { id: orgId } })
    expect(acting).not.toHaveProperty('role')
    expect(Object.isFrozen(acting)).toBe(true)
    expect(world.calls).toEqual(['memberships.findActing'])
  })

  it('echoes the org from then on', async () => {
    const world = createWorld()
    const orgId = await world.org('acme')
    const authorized = await world.auth.authorizer({ accept: ['service'] })(fakeRequest({ headers: SECRET }))
    const vary = ['Vary', 'Authorization, Cookie, X-Telephony-Secret, X-Billing-Secret, X-Org-Id']
    expect(authorized.responseHeaders()).toEqual([vary])
    await world.auth.actIn(authorized.context as never, orgId)
    expect(authorized.responseHeaders()).toEqual([['X-Org-Id', orgId], vary])
  })

  it.each([undefined, null, 42, {}, [], '', 'acme', ' ', [NOWHERE]])(
    'refuses the id %j as malformed',
    async (orgId) => {
      const world = createWorld()
      expect(await reasonOf(world.auth.actIn((await enter(world)) as never, orgId))).toBe('act_in_org_id_malformed')
    },
  )

  it('refuses an unknown and a deleted org alike', async () => {
    const world = createWorld()
    const deleted = await world.org('gone')
    await world.storage.orgs.remove(deleted)
    for (const orgId of [NOWHERE, deleted]) {
      expect(await reasonOf(world.auth.actIn((await enter(world)) as never, orgId))).toBe('not_a_member')
    }
  })

  it('takes a header that names the same org, and no other', async () => {
    const world = createWorld()
    const [orgId, other] = [await world.org('acme'), await world.org('other')]
    const acts = async (header: string) =>
      world.auth.actIn((await enter(world, { 'x-org-id': header })) as never, orgId)
    expect(await acts(orgId.toUpperCase())).toMatchObject({ org: { id: orgId } })
    expect(await reasonOf(acts(other))).toBe('act_in_selector_differs')
    expect(await reasonOf(acts('{}'))).toBe('org_id_malformed')
    expect(await reasonOf(acts(''))).toBe('org_id_malformed')
  })

  it('holds a route’s own selector to the body too', async () => {
    const world = createWorld()
    const [orgId, other] = [await world.org('acme'), await world.org('other')]
    const selectors = [{ kind: 'pathParam', name: 'org' }] as const
    const request = fakeRequest({ headers: SECRET, params: { org: other } })
    const { context } = await world.auth.authorizer({ accept: ['service'], selectors })(request)
    expect(await reasonOf(world.auth.actIn(context as never, orgId))).toBe('act_in_selector_differs')
    expect(await world.auth.actIn(context as never, other)).toMatchObject({ org: { id: other } })
  })

  it('is for services that authenticated here: no user, no API key, no context made by hand', async () => {
    const world = createWorld()
    const orgId = await world.org('acme')
    const { headers } = await world.person('ada', { [orgId]: 'owner' })
    const key = { authorization: `Bearer ${world.apiKey({ orgId })}` }
    const real = await enter(world)
    for (const context of [
      await world.authenticate({ headers }),
      await world.authenticate({ headers }, { needs: 'identity' }),
      await world.authenticate({ headers: key }, { accept: ['apiKey'] }),
      testServiceContext('telephony'),
      { ...real },
    ]) {
      expect(await reasonOf(world.auth.actIn(context as never, orgId))).toBe('act_in_no_service')
    }
  })

  it('is our fault where the org resolver gives a service no organization', async () => {
    const world = createWorld({
      auth: () => ({
        orgs: {
          readSelection: () => ({ kind: 'unnamed' }),
          resolve: async () => ({ org: null, role: null }),
          toOrgId: (text: string) => text,
          responseHeader: null,
        } as never,
      }),
    })
    await expect(world.auth.actIn((await enter(world)) as never, 'a')).rejects.toThrow('gave a service no organization')
  })

  it('is our fault too where storage throws what a framework would answer by (E2)', async () => {
    const thrown = Object.assign(new Error('row not found'), { status: 404 })
    const world = createWorld({
      auth: () => ({
        orgs: {
          readSelection: () => ({ kind: 'unnamed' }),
          resolve: () => Promise.reject(thrown),
          toOrgId: (text: string) => text,
          responseHeader: null,
        } as never,
      }),
    })
    const refusal = world.auth.actIn((await enter(world)) as never, 'a')
    await expect(refusal).rejects.toMatchObject({ cause: thrown })
    await expect(refusal).rejects.not.toHaveProperty('status')
  })
})
