// Real seconds: 1,000 callers without pause through one client, over three expiries and an outage.
import { isTokenClientError } from 'sallyport/machine'
import { expect, it } from 'vitest'
import { createClient, startIssuer, startService } from './bench.ts'

const LIFE_SECONDS = 4
const CALLERS = 1000

it(`serves ${CALLERS} callers over three expiries by one renewal each; none sees a 401`, async () => {
  const issuer = await startIssuer(LIFE_SECONDS)
  const service = await startService(issuer, Date.now)
  const { client, events } = createClient(issuer, { origins: [service.url] })
  const end = Date.now() + 3.5 * LIFE_SECONDS * 1000
  const statuses = new Map<number, number>()
  let [calls, tokens] = [0, 0]
  await Promise.all(
    Array.from({ length: CALLERS }, async (_, caller) => {
      while (Date.now() < end) {
        // Every twentieth really calls; the others would measure the service.
        if (caller % 20 === 0) {
          const { status, body } = await client.fetch(`${service.url}/api/me`)
          await body?.cancel()
          statuses.set(status, (statuses.get(status) ?? 0) + 1)
          calls += 1
        } else {
          await client.token()
          tokens += 1
        }
        await new Promise((resolve) => setTimeout(resolve, 20))
      }
    }),
  )
  console.log(`${calls} calls, ${tokens} tokens, ${issuer.requests.refresh} renewals, statuses`, statuses)
  expect([...statuses.keys()]).toEqual([200])
  expect(service.refused).toBe(0)
  expect(issuer.requests.password).toBe(1)
  // A token of 4 s, of which 3 are certain, is renewed after 2.1 to 2.4 s, and each time by one request.
  const moments = events.map(({ at }) => at.getTime())
  for (const [index, moment] of moments.slice(1).entries()) {
    const rest = moment - (moments[index] as number)
    expect(rest).toBeGreaterThan(2000)
    expect(rest).toBeLessThan(LIFE_SECONDS * 1000)
  }
  expect(issuer.requests.refresh).toBeGreaterThanOrEqual(3)
  expect(events.filter(({ type }) => type === 'renewed')).toHaveLength(1 + issuer.requests.refresh)
  expect(calls).toBeGreaterThan(1000)
})

it('bridges an outage while the token lives, says so when it has ended, and comes back', async () => {
  const issuer = await startIssuer(LIFE_SECONDS)
  const service = await startService(issuer, Date.now)
  const { client } = createClient(issuer, { origins: [service.url], timeoutSeconds: 1 })
  const outcomes: string[] = []
  const started = Date.now()
  let back = Number.POSITIVE_INFINITY
  // The service has its keys before the same server goes away.
  expect((await client.fetch(`${service.url}/api/me`)).status).toBe(200)
  await issuer.fault('refused')
  while (Date.now() < started + 4 * LIFE_SECONDS * 1000) {
    if (Date.now() > started + 2 * LIFE_SECONDS * 1000 && back === Number.POSITIVE_INFINITY) {
      await issuer.fault('ok')
      back = Date.now()
    }
    const outcome = await client.fetch(`${service.url}/api/me`).then(
      async ({ status, body }) => {
        await body?.cancel()
        return String(status)
      },
      (error: unknown) => (isTokenClientError(error) ? error.code : String(error)),
    )
    if (outcomes.at(-1) !== outcome) outcomes.push(outcome)
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
  expect(outcomes).toEqual(['200', 'token_unavailable', '200'])
  expect(service.refused).toBe(0)
})
