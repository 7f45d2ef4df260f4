// Real seconds: 1,000 parallel calls at a time through one client, without pause, over three expiries, and an outage.
import { isTokenClientError } from 'sallyport/machine'
import { expect, it } from 'vitest'
import { createClient, startIssuer, startService } from './bench.ts'

const LIFE_SECONDS = 4
const CALLS = 1000

/** As many calls at once as the proof makes, how long they take here: a call that lies still for a token's life is refused. */
async function secondsOfOneRound(): Promise<number> {
  const issuer = await startIssuer(3600)
  const service = await startService(issuer, Date.now)
  const { client } = createClient(issuer, { origins: [service.url] })
  const call = async (): Promise<void> => void (await (await client.fetch(`${service.url}/api/me`)).body?.cancel())
  const started = performance.now()
  await Promise.all(Array.from({ length: CALLS }, call))
  return (performance.now() - started) / 1000
}

it(`serves ${CALLS} parallel calls over three expiries by one renewal each; none sees a 401`, async () => {
  const lifeSeconds = Math.max(LIFE_SECONDS, Math.ceil(5 * (await secondsOfOneRound())))
  // All but a second of it are certain; after 70 % of these at the earliest it is renewed.
  const soonestMs = 700 * (lifeSeconds - 1)
  const issuer = await startIssuer(lifeSeconds)
  const service = await startService(issuer, Date.now)
  let [inFlight, most] = [0, 0]
  const counting: typeof fetch = async (input, init) => {
    if (!String(input).startsWith(issuer.url)) return await fetch(input, init)
    inFlight += 1
    most = Math.max(most, inFlight)
    return await fetch(input, init).finally(() => {
      inFlight -= 1
    })
  }
  const { client, events } = createClient(issuer, { origins: [service.url], fetch: counting })
  const started = Date.now()
  const statuses = new Map<number, number>()
  let rounds = 0
  const call = async (): Promise<void> => {
    const { status, body } = await client.fetch(`${service.url}/api/me`)
    await body?.cancel()
    statuses.set(status, (statuses.get(status) ?? 0) + 1)
  }
  // Until the first token and each that followed it twice has ended, however slow the machine is.
  while (issuer.requests.refresh < 3 || Date.now() - started < 3 * lifeSeconds * 1000) {
    await Promise.all(Array.from({ length: CALLS }, call))
    rounds += 1
  }
  const seconds = (Date.now() - started) / 1000
  const { password, refresh } = issuer.requests
  console.log(
    `tokens of ${lifeSeconds} s: ${rounds} rounds in ${seconds} s, ${refresh} renewals, ${service.refused} tries again; statuses`,
    statuses,
  )
  expect([...statuses]).toEqual([[200, rounds * CALLS]])
  // One sign-in; then each token was traded for the next one once, one request at a time, and none before it was due.
  expect([password, most]).toEqual([1, 1])
  expect(events.map((event) => (event.type === 'renewed' ? event.source : event.type))).toEqual([
    'password',
    ...Array(refresh).fill('refresh_token'),
  ])
  expect(refresh).toBeGreaterThanOrEqual(3)
  expect(refresh).toBeLessThanOrEqual((seconds * 1000) / soonestMs)
})

it('bridges an outage while the token lives, says so when it has ended, and comes back', async () => {
  // A tenth of its life before its end a token is handed out no more: a call may stall for two seconds.
  const issuer = await startIssuer(5 * LIFE_SECONDS)
  const service = await startService(issuer, Date.now)
  const { client } = createClient(issuer, { origins: [service.url] })
  const outcomes: string[] = []
  const call = async (): Promise<string> => {
    const outcome = await client.fetch(`${service.url}/api/me`).then(
      async ({ status, body }) => {
        await body?.cancel()
        return String(status)
      },
      (error: unknown) => (isTokenClientError(error) ? error.code : String(error)),
    )
    if (outcomes.at(-1) !== outcome) outcomes.push(outcome)
    await new Promise((resolve) => setTimeout(resolve, 10))
    return outcome
  }
  // The service has its keys before the same server goes away.
  await call()
  await issuer.fault('refused')
  const late = Date.now() + 60_000
  while ((await call()) === '200' && Date.now() < late);
  await issuer.fault('ok')
  while ((await call()) !== '200' && Date.now() < late);
  expect(outcomes).toEqual(['200', 'token_unavailable', '200'])
})
