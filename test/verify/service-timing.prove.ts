// S2, by the clock: a secret that is right for 31 bytes takes as long as one that is wrong from the first.
import { expect, it } from 'vitest'
import { createServiceVerifier } from '../../src/verify/service-verifier.ts'

const SECRET = 'kZ8vQ2mX7cL4nR9tB3wY6pD1sF5gH0jK'

// Welch's t over the middle of each sample: what the scheduler adds at the top says nothing about the code.
function welch(a: readonly number[], b: readonly number[]): number {
  const middle = (list: readonly number[]): number[] =>
    list.toSorted((x, y) => x - y).slice(0, Math.floor(list.length * 0.9))
  const [x, y] = [middle(a), middle(b)].map((list) => {
    const mean = list.reduce((sum, value) => sum + value, 0) / list.length
    return { mean, error: list.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (list.length - 1) / list.length }
  }) as [{ mean: number; error: number }, { mean: number; error: number }]
  return (x.mean - y.mean) / Math.sqrt(x.error + y.error)
}

it('20,000 interleaved samples: |t| < 4.5', async () => {
  const verifier = createServiceVerifier({ services: { telephony: { header: 'X-Secret', secrets: [SECRET] } } })
  const guesses = [`!${SECRET.slice(1)}`, `${SECRET.slice(0, 31)}!`]
  const samples: [number[], number[]] = [[], []]
  for (let n = 0; n < 24_000; n += 1) {
    const side = n % 2
    const start = process.hrtime.bigint()
    await verifier.verify('X-Secret', guesses[side] as string).catch(() => {})
    if (n >= 4000) samples[side as 0 | 1].push(Number(process.hrtime.bigint() - start))
  }
  expect(Math.abs(welch(...samples))).toBeLessThan(4.5)
})
