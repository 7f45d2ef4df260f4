import { describe, expect, it } from 'vitest'
import { createUserOrgResolver } from '../../src/orgs/org-resolver.ts'
import { header, pathParam } from '../../src/orgs/selector.ts'
import type { Access } from '../../src/request.ts'
import { fakeRequest } from './fake-request.ts'
import { createWorld, SERVICE_SECRET, type WorldOptions } from './world.ts'

const NO_COOKIE: WorldOptions = { auth: () => ({ cookie: undefined }) }
const BEHIND_A_GATEWAY: WorldOptions = {
  auth: () => ({ cookie: undefined, apiKeys: undefined, gateway: { header: 'X-Gateway-Token' } }),
}
const MACHINES: WorldOptions = { auth: ({ machines }) => ({ machines }) }
const NO_SELECTOR: WorldOptions = {
  auth: ({ memberships }) => ({
    orgs: createUserOrgResolver({ memberships: memberships, orgIdOf: () => null }) as never,
  }),
}

// [what, access, Vary, world]
const CASES: readonly (readonly [string, Access, string | null, WorldOptions?])[] = [
  ['a route in an org', { optional: true }, 'Authorization, Cookie, X-Org-Id'],
  ['a route that reads no org', { optional: true, needs: 'user' }, 'Authorization, Cookie'],
  ['a route of the identity', { optional: true, needs: 'identity' }, 'Authorization, Cookie'],
  ['no cookie configured', { optional: true }, 'Authorization, X-Org-Id', NO_COOKIE],
  ['a gateway', { optional: true }, 'X-Gateway-Token, X-Org-Id', BEHIND_A_GATEWAY],
  ['an org that no header names', { optional: true }, 'Authorization, Cookie', NO_SELECTOR],
  [
    'a header selector of the route, in another case, and one more',
    { optional: true, selectors: [header('x-org-id'), header('X-Team'), pathParam('org')] },
    'Authorization, Cookie, X-Org-Id, X-Team',
  ],
  [
    'every service',
    { optional: true, accept: ['user', 'service'], needs: 'user' },
    'Authorization, Cookie, X-Telephony-Secret, X-Billing-Secret',
  ],
  ['a machine', { optional: true, accept: ['user', 'machine'] }, 'Authorization, Cookie, X-Org-Id', MACHINES],
  ['one service', { optional: true, accept: ['service:billing'] }, 'Authorization, Cookie, X-Billing-Secret, X-Org-Id'],
  ['a public route', 'public', null],
]

describe('what is let in varies by every header that its route reads', () => {
  it.each(CASES)('%s', async (_what, access, vary, options) => {
    const authorized = await createWorld(options as WorldOptions | undefined).auth.authorizer(access as Access)(
      fakeRequest(),
    )
    expect(authorized.responseHeaders()).toEqual(vary === null ? [] : [['Vary', vary]])
  })

  it.each([
    ['a user by header', async (world: ReturnType<typeof createWorld>) => (await world.person('ada')).headers],
    [
      'a user by cookie',
      async (world: ReturnType<typeof createWorld>) => ({ cookie: `session=${await world.sign({ sub: 'ada' })}` }),
    ],
    ['a service', async () => ({ 'x-telephony-secret': SERVICE_SECRET })],
    ['nobody', async () => ({})],
  ])('whoever came: %s', async (_who, headersOf) => {
    const world = createWorld()
    const enter = world.auth.authorizer({ accept: ['user', 'service'], needs: 'user', optional: true })
    const authorized = await enter(fakeRequest({ headers: await headersOf(world) }))
    expect(authorized.responseHeaders().at(-1)).toEqual([
      'Vary',
      'Authorization, Cookie, X-Telephony-Secret, X-Billing-Secret',
    ])
  })
})
