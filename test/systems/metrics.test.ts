/** The metrics example as a process: its page counts its own traffic, by outcome and reason, and it ends when told to. */
import { expect, it } from 'vitest'
import { until } from '../patience.ts'
import { startProcess } from './app-process.ts'

interface Sample {
  readonly name: string
  readonly labels: Readonly<Record<string, string>>
  readonly value: number
}

// A script of the page, which is not compiled.
const SCRIPT = new URL('../../examples/metrics/dashboard/exposition.js', import.meta.url)
const { growth, quantile, readSamples, sumBy } = (await import(SCRIPT.href)) as {
  growth(before: readonly Sample[], now: readonly Sample[]): Sample[]
  quantile(fraction: number, buckets: readonly Sample[]): number | null
  readSamples(text: string): Sample[]
  sumBy(samples: readonly Sample[], label: string): Map<string, number>
}

it('serves a page that counts, and a dashboard; ends at SIGTERM', async () => {
  const app = await startProcess(['examples/metrics/main.ts'], { PORT: '0' })
  try {
    await until(async () => {
      const outcomes = sumBy(readSamples(await (await fetch(`${app.url}/metrics`)).text()), 'outcome')
      return outcomes.has('allowed') && outcomes.has('refused')
    })
    const page = await fetch(app.url)
    expect(page.headers.get('content-security-policy')).toContain("default-src 'none'")
    expect(await page.text()).toContain('/dashboard/main.js')
  } finally {
    expect(await app.end()).toMatchObject({ code: 0, stderr: '' })
  }
})

const sample = (value: number, labels: Record<string, string> = {}): Sample => ({ name: 'a', labels, value })

it('reads labels as they are escaped', () => {
  expect(readSamples('# HELP a x\na{b="c\\"d\\\\\\n",e=""} 1.5\na 2\n')).toEqual([
    sample(1.5, { b: 'c"d\\\n', e: '' }),
    sample(2),
  ])
})

it('knows by how much a counter has grown, also where it has begun again', () => {
  const [before, now] = [
    [sample(5), sample(9, { b: '1' })],
    [sample(7), sample(2, { b: '1' }), sample(3, { b: '2' })],
  ]
  expect(growth(before, now).map(({ value }) => value)).toEqual([2, 2, 3])
})

it.each([
  ['half of one bucket', 0.5, [0, 10, 10], 1.5],
  ['the first bucket', 0.5, [10, 10, 10], 0.5],
  ['beyond all bounds', 0.95, [0, 0, 10], 2],
  ['nothing', 0.5, [0, 0, 0], null],
])('finds a quantile: %s', (_, fraction, [one, two, all], expected) => {
  const buckets = [sample(one ?? 0, { le: '1.0' }), sample(two ?? 0, { le: '2.0' }), sample(all ?? 0, { le: '+Inf' })]
  expect(quantile(fraction, buckets)).toBe(expected)
})
