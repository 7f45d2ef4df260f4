/**
 * The comparison of secrets takes no longer the more of a guess is right (S2, A3): 20,000 pairs of samples, in random order
 * within a pair, of a guess of whose bytes none is right and of one with 31 right ones; |t| < 4.5 for the mean difference.
 *
 * What the guess itself costs (to parse, to hash) is no secret and differs from guess to guess. So both samples of a pair
 * present the same guess, and what is kept differs: a secret that shares 0 of its bytes, or one that shares 31. Where things
 * lie in memory makes a difference of its own, the same for many samples: so there are 200 blocks of 100 pairs, each with a
 * guess and secrets of its own, and t is that of the 200 blocks' means.
 */
import { describe, expect, it } from 'vitest'
import { createApiKeyVerifier } from '../../src/api-keys/api-key-verifier.ts'
import { createKeyFormat } from '../../src/api-keys/key-format.ts'
import { AuthError, isAuthError } from '../../src/errors.ts'
import { sha256Hex } from '../../src/lib/digest.ts'
import { createServiceVerifier } from '../../src/services/service-verifier.ts'
import type { ApiKeyRecord } from '../../src/storage/repositories.ts'

const BLOCKS = 200
const PAIRS = 100
const ROUNDS = 3
const LETTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'

/** Judge a guess against the secret that shares 0 of its bytes (`0`) or 31 (`1`). */
type Judge = (which: 0 | 1, guess: string) => Promise<unknown>

const randomText = (length: number): string =>
  Array.from(crypto.getRandomValues(new Uint8Array(length)), (byte) => LETTERS.charAt(byte % LETTERS.length)).join('')

/** Of the same length, none of its letters the guess's. */
const sharingNone = (guess: string): string =>
  [...guess].map((letter) => LETTERS.charAt((LETTERS.indexOf(letter) + 7) % LETTERS.length)).join('')

/** The first 31 letters the guess's, the last not. */
const sharing31 = (guess: string): string => guess.slice(0, 31) + sharingNone(guess).slice(31)

async function judgeServices(guess: string): Promise<Judge> {
  const verifierOf = (secret: string): ReturnType<typeof createServiceVerifier> =>
    createServiceVerifier({ services: { telephony: { header: 'X-Secret', secrets: [secret] } } })
  const [none, most] = [verifierOf(sharingNone(guess)), verifierOf(sharing31(guess))]
  return (which, text) => (which === 0 ? none : most).verify('X-Secret', text).catch(refused)
}

async function judgeKeys(key: string): Promise<Judge> {
  const { id, secret } = createKeyFormat('prove', 'itk').parse(key) as { id: string; secret: string }
  const base62 = (at: number): string => (secret.charAt(at) === 'A' ? 'B' : 'A')
  const none = [...secret].map((_, at) => base62(at)).join('')
  const recordOf = async (stored: string): Promise<ApiKeyRecord> =>
    ({
      id,
      secretHash: await sha256Hex(stored),
      previousSecretHash: null,
      previousUntil: null,
      permissions: [],
    }) as unknown as ApiKeyRecord
  const records = [await recordOf(none), await recordOf(secret.slice(0, 42) + base62(42))] as const
  let kept: 0 | 1 = 0
  const repository = { findById: async () => records[kept], touch: async () => undefined }
  const format = createKeyFormat('prove', 'itk')
  const verify = createApiKeyVerifier({ repository, format, permissions: [], clock: Date.now })
  return (which, text) => {
    kept = which
    return verify(text).catch(refused)
  }
}

function refused(error: unknown): null {
  if (isAuthError(error) && error.code === 'unauthorized') return null
  throw error
}

// The same with an early exit, letter by letter: what this test must be able to see.
async function judgeLeaky(guess: string): Promise<Judge> {
  const secrets = [sharingNone(guess), sharing31(guess)] as const
  const verify = async (secret: string, text: string): Promise<void> => {
    for (let i = 0; i < secret.length; i++) {
      if (secret.charCodeAt(i) !== text.charCodeAt(i)) throw new AuthError('unauthorized', { reason: 'leaky' })
    }
  }
  return (which, text) => verify(secrets[which], text).catch(refused)
}

const letters = (): string => randomText(32)
const key = (): string => createKeyFormat('prove', 'itk').create().key

describe.each(Array.from({ length: ROUNDS }, (_, index) => index + 1))('round %i', () => {
  it('a service secret', async () => expectNoDifference(await tOf(judgeServices, letters)))

  it('an API key', async () => expectNoDifference(await tOf(judgeKeys, key)))

  it('an early exit is seen', async () => expect(await tOf(judgeLeaky, letters)).toBeGreaterThan(4.5))
})

function expectNoDifference(t: number): void {
  console.log(`${expect.getState().currentTestName}: t = ${t.toFixed(2)}`)
  expect(Math.abs(t)).toBeLessThan(4.5)
}

/** t of the blocks' mean differences. */
async function tOf(judgeOf: (guess: string) => Promise<Judge>, guessOf: () => string): Promise<number> {
  for (let i = 0; i < BLOCKS / 4; i++) await differenceIn(await judgeOf(guessOf()), guessOf())
  const means: number[] = []
  while (means.length < BLOCKS) {
    const guess = guessOf()
    means.push(await differenceIn(await judgeOf(guess), guess))
  }
  return meanOf(means) / Math.sqrt(varianceOf(means) / means.length)
}

/** The mean difference within the pairs of a block; the tenth that was slowest (collections, other processes) is left out. */
async function differenceIn(judge: Judge, guess: string): Promise<number> {
  const bytes = Buffer.from(guess, 'latin1')
  const sample = async (which: 0 | 1): Promise<number> => {
    // A text of its own each time, as each request has.
    const text = bytes.toString('latin1')
    const started = process.hrtime.bigint()
    await judge(which, text)
    return Number(process.hrtime.bigint() - started)
  }
  const pairs: (readonly [none: number, most: number])[] = []
  for (const coin of crypto.getRandomValues(new Uint8Array(PAIRS))) {
    const [first, second] = coin % 2 === 0 ? ([0, 1] as const) : ([1, 0] as const)
    const [a, b] = [await sample(first), await sample(second)]
    pairs.push(first === 0 ? [a, b] : [b, a])
  }
  const quiet = pairs.sort((a, b) => Math.max(...a) - Math.max(...b)).slice(0, PAIRS * 0.9)
  return meanOf(quiet.map(([none, most]) => most - none))
}

function meanOf(values: readonly number[]): number {
  return values.reduce((sum, each) => sum + each, 0) / values.length
}

function varianceOf(values: readonly number[]): number {
  const mean = meanOf(values)
  return values.reduce((sum, each) => sum + (each - mean) ** 2, 0) / (values.length - 1)
}
