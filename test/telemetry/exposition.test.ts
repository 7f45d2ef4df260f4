/** Metrics as text: both formats by their rules, and which one a request gets. */
import { describe, expect, it } from 'vitest'
import { chooseFormat, type MetricFamily, toBound, toExposition } from '../../src/telemetry/exposition.ts'

const COUNTER: MetricFamily = {
  name: 'a_decisions',
  type: 'counter',
  help: 'A back\\slash, a "quote",\na line.',
  samples: [
    { suffix: '_total', labels: {}, value: 1 },
    { suffix: '_total', labels: { org: 'a\\b "c"\nd', reason: '' }, value: 12.5 },
  ],
}
const HISTOGRAM: MetricFamily = {
  name: 'a_step_duration_seconds',
  type: 'histogram',
  help: 'How long.',
  unit: 'seconds',
  samples: [{ suffix: '_bucket', labels: { le: '+Inf' }, value: 0 }],
}

it('writes the text format 0.0.4', () => {
  expect(toExposition([COUNTER, HISTOGRAM], 'text/plain')).toBe(
    [
      '# HELP a_decisions_total A back\\\\slash, a "quote",\\na line.',
      '# TYPE a_decisions_total counter',
      'a_decisions_total 1',
      'a_decisions_total{org="a\\\\b \\"c\\"\\nd",reason=""} 12.5',
      '# HELP a_step_duration_seconds How long.',
      '# TYPE a_step_duration_seconds histogram',
      'a_step_duration_seconds_bucket{le="+Inf"} 0',
      '',
    ].join('\n'),
  )
})

it('writes OpenMetrics 1.0: families without _total, units, escaped quotes, an end', () => {
  expect(toExposition([COUNTER, HISTOGRAM], 'application/openmetrics-text')).toBe(
    [
      '# HELP a_decisions A back\\\\slash, a \\"quote\\",\\na line.',
      '# TYPE a_decisions counter',
      'a_decisions_total 1',
      'a_decisions_total{org="a\\\\b \\"c\\"\\nd",reason=""} 12.5',
      '# HELP a_step_duration_seconds How long.',
      '# TYPE a_step_duration_seconds histogram',
      '# UNIT a_step_duration_seconds seconds',
      'a_step_duration_seconds_bucket{le="+Inf"} 0',
      '# EOF',
      '',
    ].join('\n'),
  )
})

it.each([
  [0.0001, '0.0001'],
  [0.25, '0.25'],
  [1, '1.0'],
  [10, '10.0'],
  [Number.POSITIVE_INFINITY, '+Inf'],
])('writes the bound %s as %s', (bound, text) => {
  expect(toBound(bound)).toBe(text)
})

const PROMETHEUS_2 =
  'application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1'
const PROMETHEUS_3 =
  'application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.5,application/openmetrics-text;version=0.0.1;q=0.4,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.3,text/plain;version=0.0.4;q=0.2,*/*;q=0.1'

describe('the format by Accept', () => {
  it.each([
    ['Prometheus 2', PROMETHEUS_2],
    ['Prometheus 3', PROMETHEUS_3],
    ['the type alone', 'application/openmetrics-text'],
    ['as much as plain text', 'text/plain, application/openmetrics-text'],
    ['upper case', 'Application/OpenMetrics-Text; Version=1.0.0'],
  ])('is OpenMetrics: %s', (_, accept) => {
    expect(chooseFormat(accept)).toBe('application/openmetrics-text')
  })

  it.each([
    ['no header', ''],
    ['curl', '*/*'],
    ['a browser', 'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8'],
    ['less than plain text', 'application/openmetrics-text;q=0.2,text/plain;q=0.5'],
    ['not acceptable', 'application/openmetrics-text;q=0'],
    ['a weight that is none', 'application/openmetrics-text;q=much'],
    ['another version', 'application/openmetrics-text;version=2.0.0'],
    ['what is no header', ';;,=,;q='],
  ])('is plain text: %s', (_, accept) => {
    expect(chooseFormat(accept)).toBe('text/plain')
  })
})
