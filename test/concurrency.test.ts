/**
 * Many at once, over real sockets: first logins, two tabs of one person in two orgs, people who must not see each other.
 * And revocation in process: what was taken away is refused on the very next request.
 */
import { afterAll, describe, expect, it } from 'vitest'
import { closeHosts, expectFirstLogins, mixed, startHost, tokensOf } from './many-at-once.ts'
import { createWorld, reasonOf, type World } from './pipeline/world.ts'

afterAll(closeHosts)

describe('first logins over HTTP', () => {
  it('50 people × 100 parallel first requests: 5,000 answers, 50 users, 50 orgs, 50 hooks', () =>
    expectFirstLogins('express', 50, 100))

  // All 50 × 100 in concurrency.prove.ts.
  it.each(['koa', 'hono'] as const)('20 people × 20 parallel first requests on %s', (framework) =>
    expectFirstLogins(framework, 20, 20),
  )

  it('100 people × 5 parallel first requests: each gets its own id (P3)', async () => {
    const host = await startHost()
    const tokens = await tokensOf(100)
    const asked = mixed(
      tokens.flatMap((token, i) => Array.from({ length: 5 }, () => ({ token, subject: `person-${i}` }))),
    )
    const answers = await Promise.all(asked.map(({ token }) => host.get(token)))
    expect(answers.map(({ body }) => body.subject)).toEqual(asked.map(({ subject }) => subject))
    expect(new Set(answers.map(({ body }) => body.user)).size).toBe(100)
  })

  it('two tabs: one person, two orgs, 500 interleaved requests, no bleed', async () => {
    const host = await startHost()
    const [token = ''] = await tokensOf(1)
    const { body: own } = await host.get(token)
    const other = await host.storage.orgs.insert({ name: 'other' })
    await host.storage.memberships.insert({ orgId: other.id, userId: own.user, role: 'member' })
    const asked = mixed(Array.from({ length: 500 }, (_, i) => (i % 2 === 0 ? own.org : other.id)))
    const answers = await Promise.all(asked.map((orgId) => host.get(token, orgId)))
    expect(answers.map(({ body }) => body.org)).toEqual(asked)
    expect(answers.map(({ echo }) => echo)).toEqual(asked)
    expect(answers.every(({ body }) => body.role === (body.org === own.org ? 'owner' : 'member'))).toBe(true)
  })
})

describe('revocation: refused on the very next request', () => {
  const TRIALS = 1000

  // [what is taken away, how, the reason of the refusal]
  const changes: readonly (readonly [
    string,
    (world: World, orgId: string, userId: string) => Promise<unknown>,
    string,
  ])[] = [
    ['a membership', ({ storage }, orgId, userId) => storage.memberships.remove(orgId, userId), 'not_a_member'],
    ['a role', ({ storage }, orgId, userId) => storage.memberships.setRole(orgId, userId, 'member'), 'role_too_low'],
    ['a user', ({ storage }, _orgId, userId) => storage.users.setDisabled(userId, true), 'user_disabled'],
    ['an org', ({ storage }, orgId) => storage.orgs.remove(orgId), 'not_a_member'],
  ]

  it.each(changes)(`%s: ${TRIALS} of ${TRIALS}`, async (_what, takeAway, reason) => {
    const world = createWorld()
    let refused = 0
    for (let trial = 0; trial < TRIALS; trial++) {
      const orgId = await world.org(`org ${trial}`)
      const { id, headers } = await world.person(`person ${trial}`, { [orgId]: 'admin' })
      const request = { headers: { ...headers, 'x-org-id': orgId } }
      expect(await world.authenticate(request, { role: 'admin' })).toMatchObject({ role: 'admin' })
      await takeAway(world, orgId, id)
      if ((await reasonOf(world.authenticate(request, { role: 'admin' }))) === reason) refused++
    }
    expect(refused).toBe(TRIALS)
  })
})
