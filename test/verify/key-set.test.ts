// K3–K10: when keys are fetched, how long they serve, what replaces them. The server has no sockets, the clock no hurry.
import { describe, expect, it, vi } from 'vitest'
import { createFixedKeySet, createKeySet } from '../../src/verify/key-set.ts'
import { until } from '../patience.ts'
import { createBench, createTestClock, down, settle, verdictOf } from './bench.ts'

const HOUR = 3600
const LIVE = { expiresInSeconds: 40 * HOUR }

describe('fresh keys', () => {
  it('asks once for 200 parallel first requests', async () => {
    const { issuer, server, verifier } = await createBench()
    const tokens = await Promise.all(Array.from({ length: 200 }, (_, n) => issuer.sign({ sub: `u${n}` })))
    const identities = await Promise.all(tokens.map((token) => verifier.verify(token)))
    expect(identities.map(({ subject }) => subject)).toEqual(tokens.map((_, n) => `u${n}`))
    expect(server.calls).toBe(1)
  })

  it('asks nobody again until 80 % of their age, then once, in the background', async () => {
    const { clock, issuer, server, verifier } = await createBench()
    const token = await issuer.sign({}, LIVE)
    await verifier.verify(token)
    clock.tick(479)
    await verifier.verify(token)
    expect(server.calls).toBe(1)
    clock.tick(1)
    let release = (): void => {}
    const held = new Promise<void>((resolve) => {
      release = resolve
    })
    const answer = server.answer
    server.answer = async () => {
      await held
      return await answer()
    }
    // The refresh hangs; nobody waits for it, and nobody starts a second one.
    await Promise.all(Array.from({ length: 50 }, () => verifier.verify(token)))
    expect(server.calls).toBe(2)
    release()
    await settle()
    clock.tick(479)
    await verifier.verify(token)
    expect(server.calls).toBe(2)
  })

  it('counts their age from when they were asked for, not from when they came', async () => {
    const { clock, issuer, server, verifier } = await createBench()
    const answer = server.answer
    server.answer = () => {
      clock.tick(100)
      return answer()
    }
    const token = await issuer.sign({}, LIVE)
    await verifier.verify(token)
    server.answer = answer
    clock.tick(380)
    await verifier.verify(token)
    expect(server.calls).toBe(2)
  })

  it('keeps what was verified by a key that is still there after a refresh', async () => {
    const { clock, issuer, server, verifier } = await createBench({ cache: { ttlSeconds: 3600 } })
    const token = await issuer.sign({}, LIVE)
    const first = await verifier.verify(token)
    clock.tick(480)
    await verifier.verify(token)
    await settle()
    expect(server.calls).toBe(2)
    expect(await verifier.verify(token)).toBe(first)
  })

  it('serves an expired key at once after a quiet night within maxStale, and refreshes', async () => {
    const { clock, issuer, server, verifier, events } = await createBench()
    const token = await issuer.sign({}, LIVE)
    await verifier.verify(token)
    clock.tick(50 * 60)
    expect(await verdictOf(verifier.verify(token))).toBe('ok')
    await settle()
    expect(server.calls).toBe(2)
    expect(events.map(({ type }) => type)).toEqual(['fetch_ok', 'stale_served', 'fetch_ok'])
  })

  it('fetches anew after a longer quiet, without a rest, although the last fetch was good', async () => {
    const { clock, issuer, server, verifier } = await createBench({}, { maxAgeSeconds: 2, maxStaleSeconds: 0 })
    const token = await issuer.sign({}, LIVE)
    await verifier.verify(token)
    clock.tick(3)
    expect(await verdictOf(verifier.verify(token))).toBe('ok')
    expect(server.calls).toBe(2)
  })
})

describe('an outage', () => {
  it('is bridged for maxStale: no refusal at +59 min, 503 at +61, back within 31 s', async () => {
    const { clock, issuer, server, verifier, events } = await createBench()
    const token = await issuer.sign({}, LIVE)
    await verifier.verify(token)
    server.answer = down
    clock.tick(600)
    for (let minute = 0; minute < 59; minute += 1) {
      clock.tick(60)
      expect(await verdictOf(verifier.verify(token))).toBe('ok')
      await settle()
    }
    expect(events.filter(({ type }) => type === 'stale_served')).toHaveLength(1)
    clock.tick(120)
    await expect(verifier.verify(token)).rejects.toMatchObject({
      code: 'keys_unavailable',
      reason: 'key_servers_failing',
      status: 503,
      headers: { 'Retry-After': expect.stringMatching(/^([1-9]|[12]\d|30)$/) },
    })
    expect(verifier.isReady?.()).toBe(false)
    server.answer = () => Response.json(issuer.jwks())
    clock.tick(31)
    expect(await verdictOf(verifier.verify(token))).toBe('ok')
  })

  it('asks three times a minute at most at 1,000 requests a second, and less often with time', async () => {
    const { clock, issuer, server, verifier } = await createBench()
    const token = await issuer.sign({}, LIVE)
    await verifier.verify(token)
    server.answer = down
    clock.tick(600)
    const before = server.calls
    const perMinute: number[] = []
    for (let minute = 0; minute < 30; minute += 1) {
      const start = server.calls
      for (let second = 0; second < 60; second += 1) {
        clock.tick(1)
        expect(await verdictOf(verifier.verify(token))).toBe('ok')
        await Promise.resolve()
      }
      perMinute.push(server.calls - start)
    }
    expect(Math.max(...perMinute)).toBeLessThanOrEqual(3)
    // 30, 60, 120, 240, 300, 300 … seconds: at most 10 in half an hour, at least one every five minutes.
    expect(server.calls - before).toBeLessThanOrEqual(10)
    expect(server.calls - before).toBeGreaterThanOrEqual(6)
  })

  it('with maxStale 0 ends with the keys', async () => {
    const { clock, issuer, server, verifier } = await createBench({}, { maxStaleSeconds: 0 })
    const token = await issuer.sign({}, LIVE)
    await verifier.verify(token)
    server.answer = down
    clock.tick(599)
    expect(await verdictOf(verifier.verify(token))).toBe('ok')
    await settle()
    clock.tick(1)
    expect(await verdictOf(verifier.verify(token))).toBe('keys_unavailable:key_servers_failing')
  })

  it('at a cold start is 503 for tokens that need a key, 401 for malformed ones, and asks once in 30 s', async () => {
    const { clock, issuer, server, verifier } = await createBench()
    server.answer = () => Promise.reject(new TypeError('fetch failed'))
    expect(await verdictOf(verifier.verify('not.a.token'))).toMatch(/^unauthorized:/)
    expect(server.calls).toBe(0)
    for (let n = 0; n < 20; n += 1) {
      const verifying = verifier.verify(await issuer.sign({ sub: `u${n}` }))
      await expect(verifying).rejects.toMatchObject({ code: 'keys_unavailable', headers: { 'Retry-After': '30' } })
    }
    expect(server.calls).toBe(1)
    clock.tick(29)
    await expect(verifier.verify(await issuer.sign())).rejects.toMatchObject({ headers: { 'Retry-After': '1' } })
    server.answer = () => Response.json(issuer.jwks())
    expect(await verdictOf(verifier.verify(await issuer.sign()))).toBe('keys_unavailable:key_servers_failing')
    clock.tick(1)
    expect(await verdictOf(verifier.verify(await issuer.sign()))).toBe('ok')
  })

  it('never holds a new key back for more than 30 s, however long it lasted', async () => {
    const { clock, issuer, server, verifier } = await createBench()
    await verifier.verify(await issuer.sign())
    server.answer = down
    // Twenty minutes of failures, so that background rests have grown to their longest.
    for (let n = 0; n < 40; n += 1) {
      clock.tick(30)
      await verifier.verify(await issuer.sign())
      await settle()
    }
    await issuer.rotate('ES256')
    const token = await issuer.sign()
    expect(await verdictOf(verifier.verify(token))).toBe('keys_unavailable:key_servers_failing')
    server.answer = () => Response.json(issuer.jwks())
    clock.tick(30)
    expect(await verdictOf(verifier.verify(token))).toBe('ok')
  })
})

describe('an unknown kid', () => {
  const stranger = { header: { kid: 'nobody' } }

  it('asks at most once in 30 s, counted from the last attempt; 401 while the last fetch was good', async () => {
    const { clock, issuer, server, verifier } = await createBench()
    await verifier.verify(await issuer.sign())
    const token = await issuer.sign({}, stranger)
    clock.tick(29)
    expect(await verdictOf(verifier.verify(token))).toBe('unauthorized:token_key_unknown')
    expect(server.calls).toBe(1)
    clock.tick(1)
    expect(await verdictOf(verifier.verify(token))).toBe('unauthorized:token_key_unknown')
    expect(server.calls).toBe(2)
  })

  it('is 503 in the rest after a failed fetch, while known kids go on', async () => {
    const { clock, issuer, server, verifier } = await createBench()
    const known = await issuer.sign()
    await verifier.verify(known)
    server.answer = down
    clock.tick(30)
    const unknown = await issuer.sign({}, stranger)
    expect(await verdictOf(verifier.verify(unknown))).toBe('keys_unavailable:key_servers_failing')
    clock.tick(5)
    expect(await verdictOf(verifier.verify(unknown))).toBe('keys_unavailable:key_servers_failing')
    expect(await verdictOf(verifier.verify(known))).toBe('ok')
    expect(server.calls).toBe(2)
  })

  it('is 401 again once a fetch was good', async () => {
    const { clock, issuer, server, verifier } = await createBench()
    const token = await issuer.sign({}, stranger)
    server.answer = down
    expect(await verdictOf(verifier.verify(token))).toBe('keys_unavailable:key_servers_failing')
    server.answer = () => Response.json(issuer.jwks())
    clock.tick(30)
    expect(await verdictOf(verifier.verify(token))).toBe('unauthorized:token_key_unknown')
    clock.tick(1)
    expect(await verdictOf(verifier.verify(token))).toBe('unauthorized:token_key_unknown')
  })

  it('is not what a forged signature under a known kid is: 401, also while the server fails', async () => {
    const { clock, issuer, server, verifier } = await createBench()
    const [header, payload] = (await issuer.sign({}, LIVE)).split('.')
    await verifier.verify(await issuer.sign())
    const forged = `${header}.${payload}.${'A'.repeat(86)}`
    for (const answer of [() => Response.json(issuer.jwks()), down]) {
      server.answer = answer
      clock.tick(30)
      const verdicts = Array.from({ length: 1000 }, () => verdictOf(verifier.verify(forged)))
      expect(new Set(await Promise.all(verdicts))).toEqual(new Set(['unauthorized:token_signature_invalid']))
    }
    // One request in each rest: the key might have been replaced under its kid.
    expect(server.calls).toBe(3)
  })

  it('waits for the fetch that runs, and starts none of its own', async () => {
    const { clock, issuer, server, verifier } = await createBench()
    await verifier.verify(await issuer.sign())
    await issuer.rotate('ES256')
    clock.tick(30)
    const verdicts = Array.from({ length: 20 }, async () => verdictOf(verifier.verify(await issuer.sign())))
    expect(new Set(await Promise.all(verdicts))).toEqual(new Set(['ok']))
    expect(server.calls).toBe(2)
  })
})

describe('a rotation', () => {
  it('under the same kid is picked up within 30 s, and the key before it is out', async () => {
    const { clock, issuer, server, verifier } = await createBench()
    const old = await issuer.sign({}, LIVE)
    await verifier.verify(old)
    const kid = issuer.jwks().keys.find(({ alg }) => alg === 'ES256')?.kid
    await issuer.rotate('ES256', { overlap: false })
    const keys = issuer.jwks().keys.map((key) => (key.alg === 'ES256' ? { ...key, kid } : key))
    server.answer = () => Response.json({ keys })
    clock.tick(30)
    expect(await verdictOf(verifier.verify(await issuer.sign({}, { ...LIVE, header: { kid } })))).toBe('ok')
    expect(await verdictOf(verifier.verify(old))).toBe('unauthorized:token_signature_invalid')
    expect(server.calls).toBe(2)
  })

  it('with overlap: both keys serve', async () => {
    const { clock, issuer, verifier } = await createBench()
    const old = await issuer.sign({}, LIVE)
    await verifier.verify(old)
    await issuer.rotate('ES256')
    clock.tick(30)
    expect(await verdictOf(verifier.verify(await issuer.sign()))).toBe('ok')
    expect(await verdictOf(verifier.verify(old))).toBe('ok')
  })

  it.each([null, {}])(
    'of a sudden: the old key ends with the next good fetch, also for cached tokens (cache %j)',
    async (cache) => {
      const { clock, issuer, verifier } = await createBench({ cache })
      const old = await issuer.sign({}, LIVE)
      await verifier.verify(old)
      await issuer.rotate('ES256', { overlap: false })
      expect(await verdictOf(verifier.verify(old))).toBe('ok')
      clock.tick(30)
      expect(await verdictOf(verifier.verify(await issuer.sign()))).toBe('ok')
      expect(await verdictOf(verifier.verify(old))).toBe('unauthorized:token_key_unknown')
    },
  )

  it('rolled back: the first key serves again', async () => {
    const { clock, issuer, verifier } = await createBench({ cache: {} })
    const first = issuer.key('ES256')
    const old = await issuer.sign({}, LIVE)
    await verifier.verify(old)
    await issuer.rotate('ES256', { overlap: false })
    clock.tick(30)
    await verifier.verify(await issuer.sign())
    await issuer.rotate('ES256', { overlap: false, key: first })
    clock.tick(30)
    expect(await verdictOf(verifier.verify(await issuer.sign()))).toBe('ok')
    expect(await verdictOf(verifier.verify(old))).toBe('ok')
  })

  it('that reuses a kid for another key ends the old one', async () => {
    const { clock, issuer, server, verifier } = await createBench({ cache: {} })
    const old = await issuer.sign({}, LIVE)
    await verifier.verify(old)
    const { kid } = issuer.key('ES256')
    const next = await issuer.rotate('ES256', { overlap: false })
    server.answer = () => Response.json({ keys: [{ ...next.publicJwk, kid }] })
    clock.tick(480)
    await verifier.verify(old)
    await settle()
    expect(await verdictOf(verifier.verify(old))).toBe('unauthorized:token_signature_invalid')
    expect(await verdictOf(verifier.verify(await issuer.sign({}, { kid })))).toBe('ok')
  })

  it('taken back while cached tokens alone arrive still ends the old key', async () => {
    const { clock, issuer, server, verifier } = await createBench({ cache: { ttlSeconds: 3600 } })
    const old = await issuer.sign({}, LIVE)
    await verifier.verify(old)
    await issuer.rotate('ES256', { overlap: false })
    clock.tick(480)
    // A cache hit counts as a use of the key set: it starts the refresh.
    await verifier.verify(old)
    await settle()
    expect(server.calls).toBe(2)
    expect(await verdictOf(verifier.verify(old))).toBe('unauthorized:token_key_unknown')
  })

  it('does not let cached tokens outlive stale keys', async () => {
    const { clock, issuer, server, verifier } = await createBench(
      { cache: { ttlSeconds: 3600 } },
      { maxStaleSeconds: 60 },
    )
    const token = await issuer.sign({}, LIVE)
    await verifier.verify(token)
    server.answer = down
    clock.tick(661)
    expect(await verdictOf(verifier.verify(token))).toBe('keys_unavailable:key_servers_failing')
  })
})

describe('an answer without a usable key', () => {
  it.each([
    ['no keys', { keys: [] }],
    ['no array', { keys: { a: 1 } }],
    ['no member', {}],
    ['an array', []],
    ['a symmetric key', { keys: [{ kty: 'oct', k: 'AAAA', kid: 'x', alg: 'HS256' }] }],
  ])('never replaces good keys: %s', async (_, body) => {
    const { clock, issuer, server, verifier, events } = await createBench()
    const token = await issuer.sign({}, LIVE)
    await verifier.verify(token)
    server.answer = () => Response.json(body)
    clock.tick(500)
    await verifier.verify(token)
    await settle()
    expect(events.at(-1)).toMatchObject({ type: 'fetch_failed', issuer: issuer.issuer, url: expect.any(String) })
    expect(await verdictOf(verifier.verify(token))).toBe('ok')
    expect(await verdictOf(verifier.verify(await issuer.sign({}, { header: { kid: 'new' } })))).toMatch(
      /^keys_unavailable/,
    )
  })
})

describe('keys without a kid, and tokens without one', () => {
  const without = { kid: null }

  it('tries up to two keys of the algorithm, and refuses three', async () => {
    const { clock, issuer, verifier } = await createBench()
    const first = await issuer.sign({}, { ...LIVE, ...without })
    expect(await verdictOf(verifier.verify(first))).toBe('ok')
    await issuer.rotate('ES256')
    const second = await issuer.sign({}, { ...LIVE, ...without })
    clock.tick(30)
    expect(await verdictOf(verifier.verify(second))).toBe('ok')
    expect(await verdictOf(verifier.verify(first))).toBe('ok')
    await issuer.rotate('ES256')
    clock.tick(480)
    await verifier.verify(first)
    await settle()
    expect(await verdictOf(verifier.verify(first))).toBe('unauthorized:token_key_ambiguous')
    expect(await verdictOf(verifier.verify(await issuer.sign({}, { algorithm: 'EdDSA', ...without })))).toBe('ok')
  })

  it('asks again for a kidless token no key fits, under the same 30 s rule', async () => {
    const { clock, issuer, server, verifier } = await createBench()
    await verifier.verify(await issuer.sign({}, without))
    await issuer.rotate('ES256', { overlap: false })
    const token = await issuer.sign({}, without)
    expect(await verdictOf(verifier.verify(token))).toBe('unauthorized:token_signature_invalid')
    expect(server.calls).toBe(1)
    clock.tick(30)
    expect(await verdictOf(verifier.verify(token))).toBe('ok')
    expect(server.calls).toBe(2)
  })

  it('refuses a kidless token no key fits as 401, also while the server is down', async () => {
    const { clock, issuer, server, verifier } = await createBench()
    await verifier.verify(await issuer.sign({}, without))
    server.answer = down
    clock.tick(30)
    const [header, payload] = (await issuer.sign({}, without)).split('.')
    const forged = `${header}.${payload}.${'A'.repeat(86)}`
    expect(await verdictOf(verifier.verify(forged))).toBe('unauthorized:token_signature_invalid')
  })

  it('takes duplicate kids with different keys up to two, and the same key twice as one', async () => {
    const { clock, issuer, server, verifier } = await createBench()
    const one = issuer.key('ES256').publicJwk
    const two = (await issuer.rotate('ES256')).publicJwk
    const three = (await issuer.rotate('ES256')).publicJwk
    const token = await issuer.sign({}, { ...LIVE, kid: 'same' })
    const serve = (...keys: object[]): void => {
      server.answer = () => Response.json({ keys: keys.map((key) => ({ ...key, kid: 'same' })) })
    }
    serve(one, three, one, { ...three, use: 'sig' }, one)
    expect(await verdictOf(verifier.verify(token))).toBe('ok')
    serve(one, two, three)
    clock.tick(480)
    await verifier.verify(token)
    await settle()
    expect(await verdictOf(verifier.verify(token))).toBe('unauthorized:token_key_ambiguous')
  })

  it('does not match a kid to a key without one', async () => {
    const { issuer, server, verifier } = await createBench()
    server.answer = () => Response.json({ keys: [{ ...issuer.key('ES256').publicJwk, kid: undefined }] })
    expect(await verdictOf(verifier.verify(await issuer.sign()))).toBe('unauthorized:token_key_unknown')
    expect(await verdictOf(verifier.verify(await issuer.sign({}, without)))).toBe('ok')
  })
})

describe('a clock that is set back', () => {
  it('neither freezes the cool-down nor makes old keys young', async () => {
    const { clock, issuer, server, verifier } = await createBench({ clockToleranceSeconds: 300 })
    await verifier.verify(await issuer.sign())
    clock.tick(-24 * HOUR)
    await issuer.rotate('ES256', { overlap: false })
    const token = await issuer.sign({}, LIVE)
    // At the jump time stands still; from there it goes on, so 30 s are 30 s.
    expect(await verdictOf(verifier.verify(token))).toBe('unauthorized:token_key_unknown')
    clock.tick(30)
    expect(await verdictOf(verifier.verify(token))).toBe('ok')
    clock.tick(480)
    await verifier.verify(token)
    await settle()
    expect(server.calls).toBe(3)
  })
})

describe('a refresh that its runtime ended without a word', () => {
  // What a worker does to a request in the background: it never ends, and its timers never fire.
  it('is given up by whoever comes next, one more being made in its place', async () => {
    const { clock, issuer, server, verifier } = await createBench()
    const token = await issuer.sign({}, LIVE)
    await verifier.verify(token)
    const { answer } = server
    server.answer = () => new Promise(() => {})
    clock.tick(500)
    await verifier.verify(token)
    await settle()
    expect(server.calls).toBe(2)
    server.answer = answer
    await issuer.rotate('ES256')
    clock.tick(7)
    expect(await verdictOf(verifier.verify(await issuer.sign({}, LIVE)))).toBe('ok')
    expect(server.calls).toBe(3)
  })

  it('is given up by those who wait for it, when its time is over', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    try {
      const { clock, issuer, server, verifier, events } = await createBench()
      const token = await issuer.sign({}, LIVE)
      await verifier.verify(token)
      const { answer } = server
      server.answer = () => new Promise(() => {})
      clock.tick(500)
      await verifier.verify(token)
      await until(() => server.calls === 2)
      vi.clearAllTimers()
      server.answer = answer
      await issuer.rotate('ES256')
      const waiting = verdictOf(verifier.verify(await issuer.sign({}, LIVE)))
      await until(() => vi.getTimerCount() > 0)
      await vi.advanceTimersByTimeAsync(6000)
      expect(await waiting).toBe('ok')
      expect(server.calls).toBe(3)
      expect(events.map(({ type }) => type)).toEqual(['fetch_ok', 'fetch_ok'])
    } finally {
      vi.useRealTimers()
    }
  })

  it('holds nobody up once the keys are too old to use', async () => {
    const { clock, issuer, server, verifier } = await createBench({}, { maxAgeSeconds: 10, maxStaleSeconds: 10 })
    const token = await issuer.sign({}, LIVE)
    await verifier.verify(token)
    const { answer } = server
    server.answer = () => new Promise(() => {})
    clock.tick(9)
    await verifier.verify(token)
    await settle()
    server.answer = answer
    clock.tick(12)
    expect(await verdictOf(verifier.verify(token))).toBe('ok')
    expect(server.calls).toBe(3)
  })

  it('does not let 1,000 unknown keys ask more than twice in 30 s', async () => {
    const { clock, issuer, server, verifier } = await createBench()
    await verifier.verify(await issuer.sign())
    clock.tick(30)
    server.answer = () => new Promise(() => {})
    const begun = server.calls
    for (let second = 0; second < 29; second += 1) {
      void verdictOf(verifier.verify(await issuer.sign({}, { header: { kid: `nobody-${second}` } })))
      await settle()
      clock.tick(1)
    }
    expect(server.calls - begun).toBe(2)
    verifier.close?.()
  })
})

describe('a server that has been failing for long', () => {
  it('is asked again after five minutes at the latest', async () => {
    const { clock, issuer, server, verifier } = await createBench({}, { maxStaleSeconds: 86_400 })
    const token = await issuer.sign({}, LIVE)
    await verifier.verify(token)
    server.answer = down
    clock.tick(600)
    for (let failures = 1; failures <= 12; failures += 1) {
      await verifier.verify(token)
      await settle()
      expect(server.calls).toBe(1 + failures)
      clock.tick(300)
    }
  })
})

describe('the verifier over a key set', () => {
  it('warms up, tells readiness, and closes without asking again', async () => {
    const { clock, issuer, server, verifier } = await createBench()
    expect(verifier.isReady?.()).toBe(false)
    server.answer = down
    await verifier.warmUp?.()
    expect(verifier.isReady?.()).toBe(false)
    server.answer = () => Response.json(issuer.jwks())
    clock.tick(30)
    await verifier.warmUp?.()
    expect(verifier.isReady?.()).toBe(true)
    verifier.close?.()
    clock.tick(500)
    expect(await verdictOf(verifier.verify(await issuer.sign()))).toBe('ok')
    const unknown = await issuer.sign({}, { header: { kid: 'nobody' } })
    expect(await verdictOf(verifier.verify(unknown))).toBe('unauthorized:token_key_unknown')
    await settle()
    expect(server.calls).toBe(2)
  })

  it('ends a fetch in flight when it closes', async () => {
    let signal: AbortSignal | null | undefined
    const { issuer, verifier } = await createBench({
      fetch: (_, init) => {
        signal = init?.signal
        return new Promise(() => {})
      },
    })
    const verdict = verdictOf(verifier.verify(await issuer.sign()))
    await settle()
    expect(signal?.aborted).toBe(false)
    verifier.close?.()
    expect(signal?.aborted).toBe(true)
    expect(await verdict).toBe('keys_unavailable:key_servers_failing')
  })

  it('closed before its first fetch is 503, and asks nobody', async () => {
    const { issuer, server, verifier } = await createBench()
    verifier.close?.()
    expect(await verdictOf(verifier.verify(await issuer.sign()))).toBe('keys_unavailable:key_servers_failing')
    expect(server.calls).toBe(0)
  })

  it('asks no source that does not serve the algorithm of the token', async () => {
    const { issuer, server } = await createBench()
    const { createJwtVerifier } = await import('../../src/verify/jwt-verifier.ts')
    const verifier = createJwtVerifier({
      issuers: [
        {
          issuer: issuer.issuer,
          keys: [
            { kind: 'jwks', url: 'https://ec.test/keys', algorithms: ['ES256'] },
            { kind: 'jwks', url: 'https://ed.test/keys', algorithms: ['EdDSA'] },
          ],
          audience: issuer.audience,
        },
      ],
      clock: issuer.clock,
      fetch: server.fetch,
    })
    expect(await verdictOf(verifier.verify(await issuer.sign({}, { algorithm: 'EdDSA' })))).toBe('ok')
    expect(server.urls).toEqual(['https://ed.test/keys'])
  })

  it('goes on whatever the hook throws, at once or later', async () => {
    const thrown: unknown[] = []
    const note = (error: unknown): void => void thrown.push(error)
    process.on('unhandledRejection', note)
    for (const onKeyEvent of [
      () => {
        throw new Error('hook')
      },
      () => Promise.reject(new Error('hook')),
    ]) {
      const { issuer, verifier } = await createBench({ onKeyEvent: onKeyEvent as () => void })
      expect(await verdictOf(verifier.verify(await issuer.sign()))).toBe('ok')
    }
    await settle()
    process.off('unhandledRejection', note)
    expect(thrown).toEqual([])
  })

  it('keeps two sources of one issuer side by side: one down does not hide the other', async () => {
    const clock = createTestClock()
    const { issuer, server } = await createBench({ clock })
    const { createJwtVerifier } = await import('../../src/verify/jwt-verifier.ts')
    const verifier = createJwtVerifier({
      issuers: [
        {
          issuer: issuer.issuer,
          keys: [
            { kind: 'jwks', url: 'https://down.test/keys' },
            { kind: 'jwks', url: 'https://up.test/keys' },
          ],
          audience: issuer.audience,
        },
      ],
      clock,
      fetch: async (input, init) => (String(input).includes('down') ? down() : await server.fetch(input, init)),
    })
    expect(await verdictOf(verifier.verify(await issuer.sign()))).toBe('ok')
    // Whether the kid is one of the silent server's, nobody can say.
    const unknown = await issuer.sign({}, { header: { kid: 'nobody' } })
    expect(await verdictOf(verifier.verify(unknown))).toBe('keys_unavailable:key_servers_failing')
    expect(verifier.readiness?.()).toEqual({ isReady: true, down: [issuer.issuer] })
  })
})

describe('keys that never change', () => {
  it('of which none can be imported after all are no outage: there is no such key, and the set is not ready', async () => {
    const set = createFixedKeySet(new Set(['ES256'] as const), async () => [])
    expect(await set.refresh()).toBe(true)
    expect([...set.keys()]).toEqual([])
    expect(set.state()).toBe('lacking')
  })
})

describe('where nobody may be asked, nothing is waited for', () => {
  it('keys that never change, once they are there', async () => {
    const set = createFixedKeySet(new Set(['ES256'] as const), async () => [])
    expect(set.refresh()).toBeInstanceOf(Promise)
    await set.refresh()
    expect(set.refresh()).toBe(true)
  })

  it('a server that was asked a moment ago, whether it answers or not, or one that is asked no more', async () => {
    const clock = createTestClock()
    let load = async (): Promise<readonly []> => []
    const set = createKeySet({
      url: 'https://id.example/jwks',
      algorithms: new Set(),
      load: () => load(),
      maxAgeSeconds: 600,
      maxStaleSeconds: 3600,
      mayBeEmpty: true,
      time: clock,
      onNews: () => undefined,
    })
    expect([set.refresh(), await set.refresh(), set.refresh()]).toEqual([expect.any(Promise), true, true])
    clock.tick(30)
    load = async () => await Promise.reject(new Error('down'))
    expect([set.refresh(), await set.refresh(), set.refresh()]).toEqual([expect.any(Promise), false, false])
    clock.tick(30)
    set.close()
    expect(set.refresh()).toBe(false)
  })
})
