/** Decisions counted, as a page that Prometheus reads. Hands on text; whoever serves it decides who may see it. */
import type { Decision } from '../context.ts'
import {
  aFilledListOf,
  also,
  aMatch,
  aNumber,
  maker,
  optional,
  ownOf,
  parseOptions,
  type Shape,
} from '../lib/parse-options.ts'
import {
  createLabelReader,
  type DecisionLabels,
  DURATION_BOUNDS,
  type LabelOptions,
  labelShape,
  OTHER,
  STEPS,
} from './decision-labels.ts'
import { CONTENT_TYPES, chooseFormat, type Sample, toBound, toExposition } from './exposition.ts'

/** Options of {@link createMetrics}. */
export interface MetricsOptions extends LabelOptions {
  /** What the names of the metrics begin with. Default `sallyport`. */
  readonly prefix?: string | undefined
  /** Upper bounds of the histogram, in seconds, ascending. Default: eighteen, from 0.01 ms to 10 s. */
  readonly buckets?: readonly number[] | undefined
}

/** A page for a scraper. */
export interface MetricsPage {
  /** For the header `Content-Type`. */
  readonly contentType: string
  /** The text, in the format that the header names. */
  readonly body: string
}

/** What {@link createMetrics} makes: both members work without their object. */
export interface Metrics {
  /** Count a decision: for `onDecision`. About a microsecond, and no I/O. */
  record(decision: Decision): void
  /**
   * Write the page.
   *
   * @param accept the request's `Accept` header: OpenMetrics 1.0 where that prefers it, else Prometheus' text format 0.0.4
   */
  page(accept?: string | null | undefined): MetricsPage
}

const NAME = /^[a-zA-Z_][a-zA-Z0-9_]*$/
const TAKEN = ['outcome', 'reason', 'status', 'caller', 'le', 'step']

// As many as the metrics of OpenTelemetry keep of one instrument.
const MOST_SERIES = 2000

const shape = (): Shape<MetricsOptions> => ({
  ...labelShape(
    (name) => NAME.test(name) && !name.startsWith('__') && !TAKEN.includes(name),
    `must have names of letters, digits and "_", and none of ${TAKEN.join(', ')}`,
  ),
  prefix: optional(aMatch(NAME, 'must be letters, digits and "_"')),
  buckets: optional(also(aFilledListOf(aNumber(0, 86_400)), isAscending, 'must be ascending')),
})

function isAscending(bounds: readonly number[]): boolean {
  return bounds.every((bound, index) => index === 0 || bound > (bounds[index - 1] as number))
}

interface Series {
  readonly labels: Readonly<Record<string, string>>
  count: number
}

interface Histogram {
  /** How many fell into each bucket, the last one being what is above all bounds. */
  readonly counts: number[]
  sum: number
}

/**
 * Count decisions for a page that Prometheus, or whatever reads its formats, scrapes: how many by outcome, reason, status and
 * kind of caller, and how long each step took. Labels are of closed sets: no user, organization, path or issuer, unless
 * `labels` says so; from 2,000 series on a new value of those is counted as `other`.
 *
 * - `<prefix>_decisions_total{outcome, reason, status, caller}`: counter. `reason` and `status` are empty where a request was let in.
 * - `<prefix>_step_duration_seconds{step}`: histogram; steps are `verify`, `users`, `orgs`.
 *
 * @throws OptionsError for a wrong option
 * @example
 * const metrics = createMetrics()
 * const auth = createAuth({ issuers, storage, roles, onDecision: metrics.record })
 * app.get('/metrics', (req, res) => {
 *   const { contentType, body } = metrics.page(req.headers.accept)
 *   res.type(contentType).send(body)
 * })
 */
export const createMetrics: (options?: MetricsOptions) => Metrics = /* @__PURE__ */ maker(
  'createMetrics().record',
  makeMetrics,
)

function makeMetrics(options: MetricsOptions = {}): Metrics {
  const parsed = parseOptions('createMetrics', shape(), options)
  const { prefix = 'sallyport', buckets: bounds = DURATION_BOUNDS, labels = {} } = parsed
  const labelsOf = createLabelReader(parsed)
  const names = Object.keys(labels)
  const decisions = new Map<string, Series>()
  const steps = new Map(
    STEPS.map((step): [string, Histogram] => [step, { counts: Array(bounds.length + 1).fill(0), sum: 0 }]),
  )

  function seriesOf(read: DecisionLabels, own: (name: string) => string): Series {
    const values = { ...textOf(read), ...Object.fromEntries(names.map((name) => [name, own(name)])) }
    const key = JSON.stringify(Object.values(values))
    const known = decisions.get(key)
    if (known !== undefined) return known
    if (names.length > 0 && decisions.size >= MOST_SERIES && names.some((name) => own(name) !== OTHER)) {
      return seriesOf(read, () => OTHER)
    }
    const series = { labels: values, count: 0 }
    decisions.set(key, series)
    return series
  }

  return Object.freeze({
    record(decision: Decision) {
      const read = labelsOf(decision)
      seriesOf(read, (name) => ownOf(read.own, name) ?? '').count++
      for (const [step, milliseconds] of Object.entries(decision.timings)) {
        const histogram = steps.get(step)
        if (histogram !== undefined) observe(histogram, bounds, milliseconds / 1000)
      }
    },
    page(accept?: string | null) {
      const format = chooseFormat(accept ?? '')
      const body = toExposition(
        [
          {
            name: `${prefix}_decisions`,
            type: 'counter',
            help: 'Requests that were let in, refused or failed.',
            samples: [...decisions.values()].map(({ labels, count }) => ({ suffix: '_total', labels, value: count })),
          },
          {
            name: `${prefix}_step_duration_seconds`,
            type: 'histogram',
            help: 'How long each step of a request took.',
            unit: 'seconds',
            samples: [...steps].flatMap(([step, histogram]) => toSamples(step, histogram, bounds)),
          },
        ],
        format,
      )
      return { contentType: CONTENT_TYPES[format], body }
    },
  })
}

// An empty label is as good as none (OpenMetrics 1.0): all series of a metric have the same ones.
function textOf({ outcome, reason, status, caller }: DecisionLabels): Record<string, string> {
  return { outcome, reason: reason ?? '', status: status === null ? '' : String(status), caller: caller ?? '' }
}

function observe(histogram: Histogram, bounds: readonly number[], seconds: number): void {
  const at = bounds.findIndex((bound) => seconds <= bound)
  const index = at === -1 ? bounds.length : at
  histogram.counts[index] = (histogram.counts[index] as number) + 1
  histogram.sum += seconds
}

function toSamples(step: string, { counts, sum }: Histogram, bounds: readonly number[]): Sample[] {
  let total = 0
  const buckets = counts.map((count, index): Sample => {
    total += count
    const le = toBound(bounds[index] ?? Number.POSITIVE_INFINITY)
    return { suffix: '_bucket', labels: { step, le }, value: total }
  })
  return [
    ...buckets,
    { suffix: '_sum', labels: { step }, value: sum },
    { suffix: '_count', labels: { step }, value: total },
  ]
}
