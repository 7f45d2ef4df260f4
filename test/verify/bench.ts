// What the tests of this step share: a clock to turn by hand, and a key server without sockets that counts who asks.

import type { Verifier } from '../../src/context.ts'
import { createTokenIssuer, type TokenIssuer } from '../../src/testing/token-issuer.ts'
import type { KeyEvent } from '../../src/verify/issuers.ts'
import { createJwtVerifier, type JwtVerifierOptions } from '../../src/verify/jwt-verifier.ts'

export const START: number = Date.UTC(2026, 0, 1)

export interface TestClock {
  (): number
  tick(seconds: number): void
}

export function createTestClock(start: number = START): TestClock {
  let now = start
  return Object.assign(() => now, {
    tick(seconds: number) {
      now += seconds * 1000
    },
  })
}

export interface KeyServer {
  readonly fetch: typeof fetch
  calls: number
  urls: string[]
  /** What to answer next and from then on. */
  answer: () => Response | Promise<Response>
}

export function createKeyServer(answer: () => unknown): KeyServer {
  const server: KeyServer = {
    calls: 0,
    urls: [],
    answer: () => Response.json(answer()),
    fetch: async (input) => {
      server.calls += 1
      server.urls.push(String(input))
      return await server.answer()
    },
  }
  return server
}

export const down = (): Response => new Response('down', { status: 500 })

export const KEYS_URL = 'https://keys.test/jwks.json'

export interface Bench {
  readonly clock: TestClock
  readonly issuer: TokenIssuer
  readonly server: KeyServer
  readonly events: KeyEvent[]
  readonly verifier: Verifier<never>
}

/** An issuer, its key server, and a verifier that knows the server by URL; the token cache is off unless asked for. */
export async function createBench(
  options: Partial<JwtVerifierOptions<never>> = {},
  source: { readonly maxAgeSeconds?: number; readonly maxStaleSeconds?: number } = {},
): Promise<Bench> {
  const clock = createTestClock()
  const issuer = await createTokenIssuer({ clock, algorithms: ['ES256', 'EdDSA', 'HS256'] })
  const server = createKeyServer(() => issuer.jwks())
  const events: KeyEvent[] = []
  const verifier = createJwtVerifier({
    issuers: [{ issuer: issuer.issuer, keys: [{ kind: 'jwks', url: KEYS_URL, ...source }], audience: issuer.audience }],
    cache: null,
    clock,
    fetch: server.fetch,
    onKeyEvent: (event) => events.push(event),
    ...options,
  })
  return { clock, issuer, server, events, verifier }
}

/** How a verification ended: `ok`, or `code:reason`. */
export async function verdictOf(verifying: Promise<unknown>): Promise<string> {
  return await verifying.then(
    () => 'ok',
    (error: { code?: string; reason?: string }) => `${error.code}:${error.reason}`,
  )
}

/** Let everything that is due run: promises, and what they start. */
export async function settle(): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, 5))
}
