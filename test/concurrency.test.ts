/**
 * Many at once, over real sockets: first logins, two tabs of one person in two orgs, people who must not see each other.
 * And revocation in process: what was taken away is refused on the very next request.
 */
import { afterAll, describe, expect, it } from 'vitest'
import { closeHosts, expectFirstLogins, mixed, startHost, tokensOf } from './many-at-once.ts'
import { describeRevocation } from './pipeline/revocation-cases.ts'

afterAll(closeHosts)

describe('first logins over HTTP', () => {
  // 50 × 100 on one of them in concurrency.long.test.ts, on all in concurrency.prove.ts.
  it.each(['express', 'koa', 'hono'] as const)('20 people × 20 parallel first requests on %s', (framework) =>
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

// A thousand of each in concurrency.long.test.ts.
describeRevocation(100)
