/** The counters: each decision counted once, by closed sets of labels, as a page that a real parser reads. */
import parsePrometheusText from 'parse-prometheus-text-format'
import { createMetrics, OptionsError } from 'sallyport'
import { describe, expect, it } from 'vitest'
import type { Decision } from '../../src/context.ts'
import { REFUSAL_REASONS } from '../../src/reasons.ts'
import { createDice } from '../storage/sql-pools.ts'
import { BROKEN, decisionOf, EXPIRED, FAILED, NO_KEYS } from './decisions.ts'

const linesOf = (body: string, name: string): string[] => body.split('\n').filter((line) => line.startsWith(name))

it('counts decisions by outcome, reason, status and kind of caller', () => {
  const metrics = createMetrics()
  const anonymous = decisionOf({ outcome: 'anonymous', principal: null, timings: {} })
  for (const decision of [decisionOf(), decisionOf(), anonymous, EXPIRED, FAILED, BROKEN, NO_KEYS]) {
    metrics.record(decision)
  }
  expect(linesOf(metrics.page().body, 'sallyport_decisions_total')).toEqual([
    'sallyport_decisions_total{outcome="allowed",reason="",status="",caller="user"} 2',
    'sallyport_decisions_total{outcome="anonymous",reason="",status="",caller=""} 1',
    'sallyport_decisions_total{outcome="refused",reason="token_expiry_passed",status="401",caller=""} 1',
    'sallyport_decisions_total{outcome="failed",reason="storage_unavailable",status="503",caller=""} 1',
    'sallyport_decisions_total{outcome="failed",reason="internal_error",status="500",caller="user"} 1',
    'sallyport_decisions_total{outcome="refused",reason="key_servers_failing",status="503",caller=""} 1',
  ])
})

it('sorts how long steps took into buckets, in seconds; a bound belongs to its bucket', () => {
  const metrics = createMetrics({ buckets: [0.001, 0.5, 2] })
  for (const verify of [1, 1.001, 500, 2001]) metrics.record(decisionOf({ timings: { verify } }))
  expect(linesOf(metrics.page().body, 'sallyport_step_duration_seconds').slice(0, 6)).toEqual([
    'sallyport_step_duration_seconds_bucket{step="verify",le="0.001"} 1',
    'sallyport_step_duration_seconds_bucket{step="verify",le="0.5"} 3',
    'sallyport_step_duration_seconds_bucket{step="verify",le="2.0"} 3',
    'sallyport_step_duration_seconds_bucket{step="verify",le="+Inf"} 4',
    'sallyport_step_duration_seconds_sum{step="verify"} 2.503001',
    'sallyport_step_duration_seconds_count{step="verify"} 4',
  ])
})

it('writes a page that a parser of Prometheus text reads, of any decisions and labels', () => {
  const dice = createDice(13)
  const pick = <T>(list: ArrayLike<T>): T => list[Math.floor(dice() * list.length)] as T
  const text = (): string => Array.from({ length: 6 }, () => pick('"\\\n{}=, aé')).join('')
  const metrics = createMetrics({ prefix: 'app_auth', labels: { org: ({ orgId }) => orgId } })
  const all = [decisionOf(), EXPIRED, FAILED, BROKEN, NO_KEYS]
  const given = Array.from({ length: 300 }, (): Decision => ({ ...pick(all), orgId: text() }))
  for (const decision of given) metrics.record(decision)
  const families = parsePrometheusText(metrics.page().body)
  expect(families.map(({ name, type }) => [name, type])).toEqual([
    ['app_auth_decisions_total', 'COUNTER'],
    ['app_auth_step_duration_seconds', 'HISTOGRAM'],
  ])
  const counts = families[0]?.metrics.map(({ value }) => Number(value)) ?? []
  expect(counts.reduce((sum, each) => sum + each, 0)).toBe(300)
  const said = new Set(families[0]?.metrics.map(({ labels }) => labels?.['org'] ?? ''))
  expect(said).toEqual(new Set(given.map(({ orgId }) => orgId)))
})

it('is OpenMetrics for who asks for it', () => {
  const metrics = createMetrics()
  const page = metrics.page('application/openmetrics-text;version=1.0.0,text/plain;q=0.5')
  expect(page.contentType).toBe('application/openmetrics-text; version=1.0.0; charset=utf-8')
  expect(page.body.endsWith('# EOF\n')).toBe(true)
  expect(metrics.page('text/html').contentType).toBe('text/plain; version=0.0.4; charset=utf-8')
})

describe('what a label can be', () => {
  it('is a reason of the library, a written one of the host, else other', () => {
    const metrics = createMetrics({ reasons: ['trial_over'] })
    for (const reason of [...REFUSAL_REASONS, 'trial_over', 'the id 4711', 'x'.repeat(900)]) {
      metrics.record({ ...EXPIRED, reason })
    }
    metrics.record({ ...EXPIRED, reason: null })
    const lines = linesOf(metrics.page().body, 'sallyport_decisions_total')
    expect(lines).toHaveLength(REFUSAL_REASONS.length + 2)
    expect(lines.at(-1)).toContain('reason="other",status="401",caller=""} 3')
    expect(lines.join()).toContain('reason="trial_over"')
  })

  it('is no kind of caller that does not exist, and the status of a code that does', () => {
    const metrics = createMetrics()
    metrics.record(decisionOf({ principal: { kind: 'robot', id: '1' } as never }))
    metrics.record({ ...EXPIRED, code: 'of_another_copy' })
    expect(linesOf(metrics.page().body, 'sallyport_decisions_total')).toEqual([
      'sallyport_decisions_total{outcome="allowed",reason="",status="",caller="other"} 1',
      'sallyport_decisions_total{outcome="refused",reason="token_expiry_passed",status="500",caller=""} 1',
    ])
  })

  it('is what the host makes of a decision; empty for none, other where that fails or is no text', () => {
    const labels = {
      org: ({ orgId }: Decision) => orgId,
      broken: () => {
        throw new Error('no')
      },
      number: () => 4 as never,
    }
    const metrics = createMetrics({ labels })
    metrics.record(decisionOf({ orgId: 'o"1' }))
    metrics.record(decisionOf({ orgId: null }))
    expect(linesOf(metrics.page().body, 'sallyport_decisions_total')).toEqual([
      'sallyport_decisions_total{outcome="allowed",reason="",status="",caller="user",org="o\\"1",broken="other",number="other"} 1',
      'sallyport_decisions_total{outcome="allowed",reason="",status="",caller="user",org="",broken="other",number="other"} 1',
    ])
  })

  it('is none of what every object has, one series for all halves of characters, and of a promise waited for by nobody other', () => {
    const told = ['\ud800', '\udfff', '\u{1f600}', null]
    const labels = {
      constructor: () => null,
      plan: () => told.shift() ?? null,
      late: () => Promise.reject('no') as never,
    }
    const metrics = createMetrics({ labels })
    for (let i = 0; i < 4; i++) metrics.record(decisionOf())
    expect(
      linesOf(metrics.page().body, 'sallyport_decisions_total').map((line) => /constructor.*$/.exec(line)?.[0]),
    ).toEqual([
      'constructor="",plan="\u{fffd}",late="other"} 2',
      'constructor="",plan="\u{1f600}",late="other"} 1',
      'constructor="",plan="",late="other"} 1',
    ])
  })

  it('is other from 2,000 series on, and nothing is lost of the count', () => {
    const metrics = createMetrics({ labels: { org: ({ orgId }) => orgId } })
    for (let i = 0; i < 3000; i++) metrics.record(decisionOf({ orgId: `o-${i}` }))
    metrics.record(decisionOf({ orgId: 'o-1' }))
    const lines = linesOf(metrics.page().body, 'sallyport_decisions_total')
    expect(lines).toHaveLength(2001)
    expect(lines.at(-1)).toContain('org="other"} 1000')
    expect(lines[1]).toContain('org="o-1"} 2')
  })
})

it('counts nothing twice where both members are handed on alone', () => {
  const { record, page } = createMetrics()
  record(decisionOf({ timings: {} }))
  expect(linesOf(page(null).body, 'sallyport_decisions_total')).toHaveLength(1)
})

it.each([
  ['an unknown option', { lables: {} }, 'lables'],
  ['a prefix with a dash', { prefix: 'my-app' }, 'prefix'],
  ['buckets that do not ascend', { buckets: [1, 1] }, 'buckets'],
  ['no bucket', { buckets: [] }, 'buckets'],
  ['a bucket that is no number', { buckets: [Number.NaN] }, 'buckets.0'],
  ['a label that is there already', { labels: { reason: () => '' } }, 'labels'],
  ['a label of the format itself', { labels: { le: () => '' } }, 'labels'],
  ['a reserved label', { labels: { __name__: () => '' } }, 'labels'],
  ['a label with a dot', { labels: { 'a.b': () => '' } }, 'labels'],
  ['a label that is no function', { labels: { org: 'orgId' } }, 'labels.org'],
  ['a reason that is no text', { reasons: [1] }, 'reasons.0'],
])('refuses %s', (_, options, option) => {
  const error = catching(() => createMetrics(options as never))
  expect(error).toBeInstanceOf(OptionsError)
  expect((error as OptionsError).option).toBe(option)
})

function catching(run: () => unknown): unknown {
  try {
    run()
    return null
  } catch (error) {
    return error
  }
}
