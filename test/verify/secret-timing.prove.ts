/**
 * The comparison of secrets takes no longer the more of a guess is right (S2, A3): 20,000 interleaved samples of a guess
 * of whose bytes none is right against one with 31 right ones, for each verifier. Welch's t of the two, |t| < 4.5.
 */
import { describe, expect, it } from 'vitest'
import { isEqualConstantTime } from '../../src/lib/constant-time.ts'
import { crc32, createKeyFormat } from '../../src/lib/key-format.ts'
import { sha256Hex } from '../../src/lib/sha256.ts'
import type { ApiKeyRecord } from '../../src/storage/repositories.ts'
import { createApiKeyVerifier } from '../../src/verify/api-key-verifier.ts'
import { createServiceVerifier } from '../../src/verify/service-verifier.ts'

const SAMPLES = 20_000
const SECRET = 'kX7vQ2mN9pR4sT8wY3zA6bC1dE5fG0hJ'
const NONE_RIGHT = flat('_'.repeat(32))
const ALL_BUT_ONE_RIGHT = flat(`${SECRET.slice(0, 31)}_`)

describe.each([1, 2, 3, 4, 5, 6, 7, 8])('round %i', () => {
  it('a service secret', async () => {
    const services = createServiceVerifier({ services: { telephony: { header: 'X-Secret', secrets: [SECRET] } } })
    const refuse = (secret: string): Promise<unknown> => services.verify('X-Secret', secret).catch(() => null)
    await expectNoDifference([() => refuse(NONE_RIGHT), () => refuse(ALL_BUT_ONE_RIGHT)])
  })

  it('an API key, all of its secret wrong against the last letter', async () => {
    const format = createKeyFormat('prove', 'itk')
    const made = format.create()
    const secretHash = await sha256Hex(made.secret)
    const record = { id: made.id, secretHash, previousSecretHash: secretHash, scopes: [] } as unknown as ApiKeyRecord
    const repository = { findById: async () => record, touch: async () => undefined }
    const verifier = createApiKeyVerifier({ repository, prefix: 'itk' })
    const refuse = (key: string): Promise<unknown> => verifier.verify(key).catch(() => null)
    const near = keyWithSecret(`${made.secret.slice(0, 42)}${made.secret.endsWith('0') ? '1' : '0'}`, made.id)
    const far = keyWithSecret(`${made.secret.startsWith('0') ? '1' : '0'}${'A'.repeat(42)}`, made.id)
    expect([format.parse(near), format.parse(far)]).not.toContain(null)
    await expectNoDifference([() => refuse(far), () => refuse(near)])
  })

  it('two digests that differ in their first or their last letter', async () => {
    const digest = flat('a'.repeat(64))
    const [first, last] = [flat(`b${digest.slice(1)}`), flat(`${digest.slice(1)}b`)]
    const compare = (other: string) => async (): Promise<boolean> => {
      let same = true
      for (let i = 0; i < 20; i++) same = isEqualConstantTime(digest, other) && same
      return same
    }
    await expectNoDifference([compare(first), compare(last)])
  })
})

it('this test sees an early exit', async () => {
  const secret = 'x'.repeat(4096)
  const leaky = (guess: string) => async (): Promise<boolean> => {
    for (let i = 0; i < secret.length; i++) if (secret.charCodeAt(i) !== guess.charCodeAt(i)) return false
    return true
  }
  const [far, near] = [`y${secret.slice(1)}`, `${secret.slice(1)}y`]
  expect(Math.abs(await tOf([leaky(far), leaky(near)]))).toBeGreaterThan(4.5)
})

// Joined and cut texts are kept as such by the engine and cost more to read: both guesses are made alike.
function flat(text: string): string {
  return Buffer.from(text, 'latin1').toString('latin1')
}

type Work = () => Promise<unknown>

// A machine that others use too: of three tries one must be quiet, and a leak shows in all three.
async function expectNoDifference(works: readonly [Work, Work]): Promise<void> {
  const seen: number[] = []
  while (seen.length < 1) seen.push(await tOf(works))
  console.log(expect.getState().currentTestName, 't =', seen.map((t) => t.toFixed(2)).join(', '))
  expect(Math.min(...seen.map(Math.abs))).toBeLessThan(4.5)
}

/** Welch's t of two works: interleaved in random order, the slowest tenth of each (collections, other processes) left out. */
async function tOf(works: readonly [Work, Work]): Promise<number> {
  const times: [number[], number[]] = [[], []]
  for (let i = 0; i < 2000; i++) await works[i % 2 === 0 ? 0 : 1]()
  const coins = new Uint8Array(SAMPLES)
  for (let from = 0; from < SAMPLES; from += 65_536) crypto.getRandomValues(coins.subarray(from, from + 65_536))
  for (const coin of coins) {
    for (const which of coin % 2 === 0 ? ([0, 1] as const) : ([1, 0] as const)) {
      const started = process.hrtime.bigint()
      await works[which]()
      times[which].push(Number(process.hrtime.bigint() - started))
    }
  }
  const [a, b] = times.map(summaryOf) as [Summary, Summary]
  return (a.mean - b.mean) / Math.sqrt(a.variance / a.count + b.variance / b.count)
}

interface Summary {
  readonly count: number
  readonly mean: number
  readonly variance: number
}

function summaryOf(all: number[]): Summary {
  const times = all.sort((a, b) => a - b).slice(0, Math.floor(all.length * 0.9))
  const mean = times.reduce((sum, time) => sum + time, 0) / times.length
  const variance = times.reduce((sum, time) => sum + (time - mean) ** 2, 0) / (times.length - 1)
  return { count: times.length, mean, variance }
}

// A checksum for a secret of our choice: the format makes random ones only.
function keyWithSecret(secret: string, id: string): string {
  const text = `itk_${id}_${secret}`
  let [rest, letters] = [crc32(text), '']
  const alphabet = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'
  while (letters.length < 6) [rest, letters] = [Math.floor(rest / 62), alphabet.charAt(rest % 62) + letters]
  return flat(`${text}_${letters}`)
}
