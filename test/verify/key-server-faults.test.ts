// K2, K4, K8, K10 over real sockets: every way a key server can fail. Warm keys bridge the first hour after their expiry,
// then 503; a cold start is 503; half a minute after the server is well again so are we; nothing crashes.
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Verifier } from '../../src/context.ts'
import { createTokenIssuer } from '../../src/testing/token-issuer.ts'
import { createJwtVerifier } from '../../src/verify/jwt-verifier.ts'
import {
  type FaultyKeyServer,
  JWKS_FAULTS,
  type JwksFaultInfo,
  startFaultyKeyServer,
} from '../support/faulty-key-server.ts'
import { createTestClock, settle, type TestClock, verdictOf } from './bench.ts'

const HOUR = 3600
const UNAVAILABLE = 'keys_unavailable:key_servers_failing'
const crashes: unknown[] = []
const note = (error: unknown): void => void crashes.push(error)

beforeAll(() => {
  process.on('unhandledRejection', note)
  process.on('uncaughtException', note)
})

afterAll(async () => {
  await settle()
  process.off('unhandledRejection', note)
  process.off('uncaughtException', note)
  expect(crashes).toEqual([])
})

interface World {
  readonly clock: TestClock
  readonly server: FaultyKeyServer
  readonly verifier: Verifier
  /** What a verifier told of its key server so far, by type. */
  readonly news: readonly string[]
  sign(): Promise<string>
}

async function withWorld(run: (world: World) => Promise<void>): Promise<void> {
  const clock = createTestClock()
  const server = await startFaultyKeyServer(
    async (url) => await createTokenIssuer({ issuer: url, clock, algorithms: ['ES256'] }),
  )
  const { issuer } = server
  const news: string[] = []
  const verifier: Verifier = createJwtVerifier({
    issuers: [{ issuer: issuer.issuer, keys: [{ kind: 'jwks', url: server.jwksUrl }], audience: issuer.audience }],
    cache: null,
    clock,
    onKeyEvent: ({ type }) => news.push(type),
  })
  try {
    await run({ clock, server, verifier, news, sign: () => issuer.sign({}, { expiresInSeconds: 4 * HOUR }) })
  } finally {
    verifier.close?.()
    await server.close()
  }
}

/** Answers that only the time limit ends. */
const ENDLESS: readonly string[] = ['hang', 'hang-in-body', 'drip']

const of = (outcome: JwksFaultInfo['outcome']): readonly JwksFaultInfo[] =>
  JWKS_FAULTS.filter((fault) => fault.outcome === outcome)

it('knows 24 ways at least', () => {
  expect(JWKS_FAULTS.length).toBeGreaterThanOrEqual(24)
  expect(of('unavailable').length).toBeGreaterThanOrEqual(18)
})

describe.concurrent('a server that gives no usable answer', () => {
  it.each(of('unavailable'))('$mode: cold is 503, and well within 31 s of recovery', async ({ mode }) => {
    await withWorld(async ({ clock, server, verifier, sign }) => {
      await server.fault(mode)
      expect(await verdictOf(verifier.verify(await sign()))).toBe(UNAVAILABLE)
      expect(await verdictOf(verifier.verify('a.b.c'))).toMatch(/^unauthorized/)
      expect(server.requests).toBeLessThanOrEqual(1)
      expect(server.followedRedirects).toBe(0)
      await server.fault('ok')
      expect(await verdictOf(verifier.verify(await sign()))).toBe(UNAVAILABLE)
      clock.tick(31)
      expect(await verdictOf(verifier.verify(await sign()))).toBe('ok')
    })
  })

  it.each(of('unavailable'))('$mode: warm keys serve to +59 min, 503 at +61, then recovery', async ({ mode }) => {
    await withWorld(async ({ clock, server, verifier, news, sign }) => {
      expect(await verdictOf(verifier.verify(await sign()))).toBe('ok')
      await server.fault(mode)
      clock.tick(479)
      expect(await verdictOf(verifier.verify(await sign()))).toBe('ok')
      clock.tick(121)
      expect(await verdictOf(verifier.verify(await sign()))).toBe('ok')
      // Nobody waits for the refresh: one that hangs has not failed yet.
      if (ENDLESS.includes(mode)) expect(news).toEqual(['fetch_ok', 'stale_served'])
      for (const seconds of [60, 58 * 60]) {
        clock.tick(seconds)
        expect(await verdictOf(verifier.verify(await sign()))).toBe('ok')
      }
      clock.tick(120)
      expect(await verdictOf(verifier.verify(await sign()))).toBe(UNAVAILABLE)
      await server.fault('ok')
      clock.tick(31)
      expect(await verdictOf(verifier.verify(await sign()))).toBe('ok')
    })
  })
})

describe.concurrent('a server that answers oddly', () => {
  it.each(of('accepted'))('$mode: the good keys in it serve', async ({ mode }) => {
    await withWorld(async ({ server, verifier, sign }) => {
      await server.fault(mode)
      expect(await verdictOf(verifier.verify(await sign()))).toBe('ok')
      expect(server.followedRedirects).toBe(0)
    })
  })

  it.each(of('unknown-key'))('$mode: 401, for the set is sound', async ({ mode }) => {
    await withWorld(async ({ server, verifier, sign }) => {
      await server.fault(mode)
      expect(await verdictOf(verifier.verify(await sign()))).toBe('unauthorized:token_key_unknown')
      expect(server.followedRedirects).toBe(0)
    })
  })
})
