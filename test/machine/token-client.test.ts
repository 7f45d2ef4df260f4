// A machine account over a real issuer: when it asks, how often, what callers see while the issuer is away.
import { isTokenClientError } from 'sallyport/machine'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { until } from '../patience.ts'
import { createClient, createClock, startIssuer, startService, thrownBy } from './bench.ts'

const HOUR = 3600

/** From here on no time passes but what is told: how long a call waits is no matter of how fast the machine is. */
const holdTimers = (): void => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
afterEach(() => void vi.useRealTimers())

/** Some turns of the event loop: whatever is ready by itself comes before their end. */
async function turns(count: number): Promise<string> {
  for (let turn = 0; turn < count; turn += 1) await new Promise((resolve) => setImmediate(resolve))
  return `nothing after ${count} turns`
}

describe('renewal', () => {
  it('asks once for 1,000 parallel calls, at first and at each of three expiries; no 401 reaches the caller', async () => {
    const clock = createClock()
    const issuer = await startIssuer(HOUR, clock)
    const service = await startService(issuer, clock)
    const { client, events } = createClient(issuer, { clock, origins: [service.url] })
    const seen = new Set<string>()
    for (let expiry = 0; expiry <= 3; expiry += 1) {
      // Every tenth really calls: all of them do in the proof.
      const statuses = await Promise.all(
        Array.from({ length: 1000 }, async (_, caller) => {
          if (caller % 10 !== 0) return void seen.add(await client.token())
          const answer = await client.fetch(`${service.url}/api/me`)
          expect(await answer.json()).toEqual({ email: 'bot@example.test' })
          return answer.status
        }),
      )
      expect(new Set(statuses)).toEqual(new Set([undefined, 200]))
      expect(seen.size).toBe(expiry + 1)
      expect(issuer.requests).toMatchObject({ password: 1, refresh: expiry })
      clock.tick(HOUR)
    }
    expect(service.refused).toBe(0)
    expect(events.map((event) => (event.type === 'renewed' ? event.source : event.type))).toEqual([
      'password',
      'refresh_token',
      'refresh_token',
      'refresh_token',
    ])
  })

  it('renews between 70 and 80 % of the life; one call stays for it where no timer began it, the others don’t', async () => {
    const clock = createClock()
    const issuer = await startIssuer(HOUR, clock)
    const { client, events } = createClient(issuer, { clock })
    const first = await client.token()
    clock.tick(0.69 * HOUR)
    expect(await client.token()).toBe(first)
    expect(issuer.requests.refresh).toBe(0)
    clock.tick(0.12 * HOUR)
    holdTimers()
    const tokens = await Promise.all(Array.from({ length: 1000 }, () => client.token()))
    expect(tokens.filter((token) => token !== first)).toEqual([await client.token()])
    expect(events).toHaveLength(2)
    expect(issuer.requests).toMatchObject({ password: 1, refresh: 1 })
  })

  it('spreads the moment by chance', async () => {
    const moments = new Set<number>()
    for (let client = 0; client < 12; client += 1) {
      const clock = createClock()
      const { client, events } = createClient({ url: 'http://127.0.0.1:1' }, { clock, fetch: async () => grant() })
      await client.token()
      clock.tick(0.7 * HOUR)
      let at = 0.7
      for (; events.length < 2 && at < 0.81; at += 0.01) {
        await client.token()
        await new Promise((resolve) => setImmediate(resolve))
        clock.tick(0.01 * HOUR)
      }
      expect(at).toBeLessThan(0.82)
      moments.add(Math.round(at * 100))
    }
    expect(moments.size).toBeGreaterThan(2)
  })

  it('renews by itself while it is used, and stops when it is not', async () => {
    const clock = createClock()
    const { client, asked } = createGranted(clock)
    await client.token()
    await client.token()
    clock.tick(DUE_SECONDS)
    await until(() => asked() === 2)
    // Nobody asked since: no further renewal comes.
    clock.tick(60)
    await new Promise((resolve) => setTimeout(resolve, 1500))
    expect(asked()).toBe(2)
  })

  it('keeps nobody for longer than a moment while the token lives', async () => {
    const clock = createClock()
    const issuer = await startIssuer(HOUR, clock)
    const { client, events } = createClient(issuer, { clock, timeoutSeconds: 300 })
    const first = await client.token()
    await issuer.fault('hang')
    clock.tick(0.85 * HOUR)
    expect(await Promise.all(Array.from({ length: 10 }, () => client.token()))).toEqual(Array(10).fill(first))
    // The renewal hangs still.
    expect(events.map(({ type }) => type)).toEqual(['renewed'])
    await until(() => issuer.requests.refresh > 0)
    expect(issuer.requests.refresh).toBe(1)
  })

  it('lets nobody wait for a renewal that its timer began', async () => {
    const clock = createClock()
    const { client, events, asked, answer } = createGranted(clock)
    const first = await client.token()
    await client.token()
    answer(false)
    clock.tick(DUE_SECONDS)
    await until(() => asked() === 2)
    // The renewal hangs: who waited for it would be here after all those turns of the event loop.
    for (let call = 0; call < 100; call += 1) expect(await Promise.race([client.token(), turns(3)])).toBe(first)
    answer(true)
    await until(() => events.length === 2)
    expect(await client.token()).not.toBe(first)
  })

  it('hands out no token within the margin of its end', async () => {
    const clock = createClock()
    const issuer = await startIssuer(HOUR, clock)
    const { client } = createClient(issuer, { clock, marginSeconds: 60 })
    const first = await client.token()
    await issuer.fault('status-500')
    clock.tick(HOUR - 62)
    expect(await client.token()).toBe(first)
    clock.tick(2)
    expect(await thrownBy(client.token())).toMatchObject({ code: 'token_unavailable', reason: 'status', status: 500 })
  })
})

describe('refresh tokens', () => {
  it('sends the password once where the refresh token is refused', async () => {
    const clock = createClock()
    const issuer = await startIssuer(HOUR, clock)
    const { client, events } = createClient(issuer, { clock })
    await client.token()
    for (const expected of [2, 3]) {
      // The session ends at the issuer; the account is as it was.
      const claims = JSON.parse(atob((await client.token()).split('.')[1] as string)) as { sub: string }
      issuer.signOut(claims.sub)
      clock.tick(HOUR)
      await Promise.all(Array.from({ length: 100 }, () => client.token()))
      expect(issuer.requests).toMatchObject({ password: expected, refresh: expected - 1 })
    }
    expect(events.map(({ type }) => type)).toEqual([
      'renewed',
      'refresh_refused',
      'renewed',
      'refresh_refused',
      'renewed',
    ])
    expect(events[1]).toMatchObject({ reason: 'refresh_token_not_found' })
  })

  it('keeps the refresh token through an outage, and never sends the password for it', async () => {
    const clock = createClock()
    const issuer = await startIssuer(HOUR, clock)
    const { client } = createClient(issuer, { clock })
    await client.token()
    clock.tick(HOUR)
    for (const fault of ['status-500', 'status-429', 'html', 'reset'] as const) {
      await issuer.fault(fault, 'refresh')
      await thrownBy(client.token())
      clock.tick(120)
    }
    await issuer.fault('ok')
    await client.token()
    expect(issuer.requests).toMatchObject({ password: 1, refresh: 5 })
  })

  it('keeps the refresh token where something in front of the issuer refuses, and asks again soon', async () => {
    const clock = createClock()
    const issuer = await startIssuer(HOUR, clock)
    let walled = false
    const wall: typeof fetch = async (input, init) =>
      walled ? new Response('<html><h1>403 Forbidden</h1></html>', { status: 403 }) : await fetch(input, init)
    const { client, events } = createClient(issuer, { clock, fetch: wall })
    await client.token()
    walled = true
    clock.tick(HOUR)
    const error = await thrownBy(client.token())
    expect(error).toMatchObject({ code: 'token_unavailable', reason: 'status', status: 403, retryAfterSeconds: 1 })
    walled = false
    clock.tick(1)
    await client.token()
    expect(issuer.requests).toMatchObject({ password: 1, refresh: 1 })
    expect(events.map(({ type }) => type)).toEqual(['renewed', 'failed', 'renewed'])
  })

  it('sends a refused refresh token never again, also where the password could not be tried', async () => {
    const clock = createClock()
    const issuer = await startIssuer(HOUR, clock)
    const { client } = createClient(issuer, { clock })
    const claims = JSON.parse(atob((await client.token()).split('.')[1] as string)) as { sub: string }
    issuer.signOut(claims.sub)
    await issuer.fault('status-500', 'password')
    clock.tick(HOUR)
    expect(await thrownBy(client.token())).toMatchObject({ code: 'token_unavailable', status: 500 })
    await issuer.fault('ok')
    clock.tick(1)
    await client.token()
    expect(issuer.requests).toMatchObject({ password: 3, refresh: 1 })
  })

  it('signs in anew where the answer to a refresh was lost: the issuer calls the token used', async () => {
    const clock = createClock()
    const issuer = await startIssuer(HOUR, clock)
    const { client, events } = createClient(issuer, { clock })
    await client.token()
    clock.tick(HOUR)
    await issuer.fault('reset-in-body', 'refresh')
    expect(await thrownBy(client.token())).toMatchObject({ code: 'token_unavailable', reason: 'network' })
    await issuer.fault('ok')
    clock.tick(2)
    await client.token()
    expect(events.at(-2)).toMatchObject({ type: 'refresh_refused', reason: 'refresh_token_already_used' })
    expect(issuer.requests).toMatchObject({ password: 2, refresh: 2 })
  })
})

describe('an issuer that is down', () => {
  it('is not noticed while the token lives, then is a clear error, then is forgotten', async () => {
    const clock = createClock()
    const issuer = await startIssuer(HOUR, clock)
    const service = await startService(issuer, clock)
    const { client, events } = createClient(issuer, { clock, origins: [service.url] })
    await client.fetch(`${service.url}/api/me`)
    await issuer.fault('refused')
    for (clock.tick(0.81 * HOUR); events.length < 6; clock.tick(60)) {
      const seen = events.length
      expect((await client.fetch(`${service.url}/api/me`)).status).toBe(200)
      await until(() => events.length > seen)
    }
    clock.tick(HOUR)
    const error = await thrownBy(client.fetch(`${service.url}/api/me`))
    expect(isTokenClientError(error)).toBe(true)
    expect(error).toMatchObject({ code: 'token_unavailable', reason: 'network', systemCode: 'ECONNREFUSED' })
    expect(String(error)).toBe(
      'TokenClientError: No token: its issuer cannot be reached or gives no usable answer (network, ECONNREFUSED).',
    )
    await issuer.fault('ok')
    clock.tick(60)
    expect((await client.fetch(`${service.url}/api/me`)).status).toBe(200)
    expect(service.refused).toBe(0)
  })

  it('is left alone between tries: 6,000 calls in ten minutes are fewer than 30 requests', async () => {
    const clock = createClock()
    const issuer = await startIssuer(HOUR, clock)
    await issuer.fault('status-500')
    const { client, events } = createClient(issuer, { clock })
    for (let second = 0; second < 600; second += 1) {
      await Promise.allSettled(Array.from({ length: 10 }, () => client.token()))
      clock.tick(1)
    }
    expect(issuer.requests.password).toBeGreaterThan(9)
    expect(issuer.requests.password).toBeLessThan(30)
    const rests = events.map((event) => (event.type === 'failed' ? (event.retryAfterSeconds ?? 0) : 0))
    expect(Math.max(...rests)).toBeLessThanOrEqual(60)
    expect(rests[0]).toBe(1)
    expect(new Set(rests.slice(7)).size).toBeGreaterThan(1)
  })

  it('gets the wait it asks for, within reason', async () => {
    const clock = createClock()
    let asked = 0
    let wait = '120'
    const fetch = async (): Promise<Response> => {
      asked += 1
      return new Response('{}', { status: 503, headers: { 'retry-after': wait } })
    }
    const { client } = createClient({ url: 'http://127.0.0.1:1' }, { clock, fetch })
    expect(await thrownBy(client.token())).toMatchObject({ retryAfterSeconds: 120, status: 503 })
    clock.tick(119)
    expect(await thrownBy(client.token())).toMatchObject({ retryAfterSeconds: 1 })
    expect(asked).toBe(1)
    clock.tick(1)
    wait = new Date(clock() + 200_000).toUTCString()
    expect(await thrownBy(client.token())).toMatchObject({ retryAfterSeconds: 200 })
    clock.tick(200)
    wait = '999999999'
    expect(await thrownBy(client.token())).toMatchObject({ retryAfterSeconds: 900 })
    expect(asked).toBe(3)
  })

  it('that refuses the account is asked again after half a minute at most every five', async () => {
    const clock = createClock()
    const issuer = await startIssuer(HOUR, clock)
    issuer.addUser({ email: 'other@example.test', password: 'x' })
    const { client } = createClient(issuer, {
      clock,
      grant: {
        kind: 'supabase',
        url: `${issuer.url}/`,
        apiKey: 'canary-api-key-77aa',
        email: 'other@example.test',
        password: 'y',
      },
    })
    expect(await thrownBy(client.token())).toMatchObject({
      code: 'token_refused',
      reason: 'invalid_credentials',
      status: 400,
    })
    for (let minute = 0; minute < 60; minute += 1) {
      clock.tick(60)
      await thrownBy(client.token())
    }
    expect(issuer.requests.password).toBeGreaterThan(9)
    expect(issuer.requests.password).toBeLessThan(32)
  })

  it.each(['hang', 'hang-in-body', 'drip'] as const)('that answers by %s costs the time-out, once', async (fault) => {
    const issuer = await startIssuer(HOUR)
    await issuer.fault(fault)
    const { client } = createClient(issuer, { timeoutSeconds: 5 })
    holdTimers()
    const calls = Promise.all(Array.from({ length: 100 }, () => thrownBy(client.token())))
    await until(() => issuer.requests.password === 1)
    vi.advanceTimersByTime(4999)
    expect(await Promise.race([calls, turns(3)])).toBe('nothing after 3 turns')
    vi.advanceTimersByTime(1)
    const errors = await calls
    for (const error of errors) expect(error).toMatchObject({ code: 'token_unavailable', reason: 'timeout' })
    expect(issuer.requests.password).toBe(1)
  })

  it('gives up on a fetch that ignores its signal', async () => {
    const { client } = createClient(
      { url: 'http://127.0.0.1:1' },
      { timeoutSeconds: 0.2, fetch: () => new Promise<Response>(() => {}) },
    )
    expect(await thrownBy(client.token())).toMatchObject({ code: 'token_unavailable', reason: 'timeout' })
  })

  it('gives up on a request whose runtime ended it without a word', async () => {
    const clock = createClock()
    let asked = 0
    // What a worker does to a request in the background: it never ends, and its timers never fire.
    const fetch = (): Promise<Response> => {
      asked += 1
      return asked === 2 ? new Promise(() => {}) : Promise.resolve(grant())
    }
    const { client, events } = createClient({ url: 'http://127.0.0.1:1' }, { clock, fetch, timeoutSeconds: 60 })
    const first = await client.token()
    clock.tick(0.9 * HOUR)
    holdTimers()
    const stays = client.token()
    await vi.advanceTimersByTimeAsync(1000)
    expect(await stays).toBe(first)
    clock.tick(62)
    expect(await client.token()).not.toBe(first)
    expect(asked).toBe(3)
    expect(events.map(({ type }) => type)).toEqual(['renewed', 'renewed'])
  })
})

describe('clocks', () => {
  it.each([-86_400, 86_400])('does not mind an issuer whose clock is off by %i seconds', async (off) => {
    const clock = createClock()
    const issuer = await startIssuer(HOUR, () => clock() + off * 1000)
    const { client } = createClient(issuer, { clock })
    const first = await client.token()
    clock.tick(0.6 * HOUR)
    expect(await client.token()).toBe(first)
    clock.tick(0.4 * HOUR)
    expect(await client.token()).not.toBe(first)
  })

  it('does not wait for hours where its own clock was set back', async () => {
    const clock = createClock()
    const issuer = await startIssuer(HOUR, () => Date.UTC(2026, 0, 1))
    const { client } = createClient(issuer, { clock })
    await client.token()
    clock.tick(-10 * HOUR)
    await client.token()
    clock.tick(HOUR)
    await client.token()
    expect(issuer.requests.refresh).toBe(1)
  })
})

describe('close', () => {
  it('ends everything: calls, the request under way, timers', async () => {
    const issuer = await startIssuer(HOUR)
    const { client, events } = createClient(issuer)
    await client.token()
    client.close()
    expect(await thrownBy(client.token())).toMatchObject({ code: 'client_closed' })

    await issuer.fault('hang')
    const other = createClient(issuer, { origins: ['http://127.0.0.1:1'] }).client
    const waiting = Promise.all([thrownBy(other.token()), thrownBy(other.fetch('http://127.0.0.1:1/'))])
    await until(() => issuer.requests.password === 2)
    other.close()
    other.close()
    expect(await waiting).toMatchObject([{ code: 'client_closed' }, { code: 'client_closed' }])
    expect(events).toHaveLength(1)
  })

  it('sends nothing where it comes in the same breath as the call', async () => {
    const issuer = await startIssuer(HOUR)
    const { client } = createClient(issuer)
    const waiting = thrownBy(client.token())
    client.close()
    expect(await waiting).toMatchObject({ code: 'client_closed' })
    expect(issuer.requests.password).toBe(0)
  })
})

describe('onEvent', () => {
  it('may throw or reject without anybody noticing', async () => {
    const issuer = await startIssuer(HOUR)
    for (const onEvent of [
      () => {
        throw new Error('a broken metric')
      },
      () => Promise.reject(new Error('a broken metric')),
    ]) {
      await expect(createClient(issuer, { onEvent }).client.token()).resolves.toMatch(/^ey/)
    }
  })
})

/** When the timer of a token that lives for two seconds has fired, and the token is still good. */
const DUE_SECONDS = 0.85

/** A client of tokens that live for two seconds by the test's own clock; its timer runs by the real one. */
function createGranted(clock: () => number) {
  let [asked, answers] = [0, true]
  let release = (): void => {}
  const fetch = async (): Promise<Response> => {
    asked += 1
    if (!answers)
      await new Promise<void>((resolve) => {
        release = resolve
      })
    return grant(2)
  }
  const bench = createClient({ url: 'http://127.0.0.1:1' }, { clock, fetch, timeoutSeconds: 60 })
  const answer = (whether: boolean): void => {
    answers = whether
    if (whether) release()
  }
  return { ...bench, asked: () => asked, answer }
}

function grant(expiresIn = HOUR): Response {
  return Response.json({
    access_token: crypto.randomUUID(),
    token_type: 'bearer',
    expires_in: expiresIn,
    refresh_token: 'r',
  })
}
