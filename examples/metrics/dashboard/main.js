/** The dashboard: reads `/metrics` once a second, and shows the last two minutes of it. */
import { areaChart, rangeChart, spell } from './charts.js'
import { growth, quantile, readSamples, sumBy } from './exposition.js'

const EVERY_MS = 1000
const PLACES = 120
const OUTCOMES = [
  ['allowed', 'let in'],
  ['anonymous', 'anonymous'],
  ['refused', 'refused'],
  ['failed', 'failed'],
]
const STEPS = ['verify', 'users', 'orgs']
const DECISIONS = 'sallyport_decisions_total'
const BUCKETS = 'sallyport_step_duration_seconds_bucket'

// The readings that are shown, each with when it was taken.
const readings = []

const place = (id) => document.getElementById(id)
const named = (samples, name) => samples.filter((sample) => sample.name === name)

async function read() {
  const answer = await fetch('/metrics', { headers: { accept: 'text/plain' } })
  if (!answer.ok) throw new Error(`answered ${answer.status}`)
  readings.push({ at: performance.now(), samples: readSamples(await answer.text()) })
  if (readings.length > PLACES + 1) readings.shift()
}

function show() {
  const [first, last] = [readings[0], readings.at(-1)]
  const seconds = (last.at - first.at) / 1000
  const grown = growth(first.samples, last.samples)
  const decisions = named(grown, DECISIONS)
  const byOutcome = sumBy(decisions, 'outcome')
  const countOf = (outcome) => byOutcome.get(outcome) ?? 0
  const total = OUTCOMES.reduce((sum, [outcome]) => sum + countOf(outcome), 0)
  const shareOf = (outcome) => (total === 0 ? '–' : `${Number(((100 * countOf(outcome)) / total).toPrecision(3))} %`)
  const steps = STEPS.map((name) => {
    const buckets = named(grown, BUCKETS).filter(({ labels }) => labels.step === name)
    return { name, p50: quantile(0.5, buckets), p95: quantile(0.95, buckets) }
  })

  place('tiles').replaceChildren(
    tile('requests a second', (total / seconds).toFixed(1)),
    tile('let in', shareOf('allowed'), 'allowed'),
    tile('refused', shareOf('refused'), 'refused'),
    tile('failed', String(countOf('failed')), 'failed'),
  )
  const series = OUTCOMES.map(([name]) => ({ name, values: ratesOf(name) }))
  place('legend').replaceChildren(...OUTCOMES.map(([name, said]) => legendEntry(name, said, countOf(name))))
  const label = `Requests a second over ${Math.round(seconds)} seconds: ${OUTCOMES.map(([name, said]) => `${said} ${countOf(name)}`).join(', ')}`
  place('rates').replaceChildren(
    areaChart(series, { places: PLACES, label, seconds: EVERY_MS / 1000, width: place('rates').clientWidth }),
  )
  place('reasons').replaceChildren(...reasonBars(decisions))
  const spoken = steps.map(({ name, p50, p95 }) => (p50 === null ? name : `${name} ${spell(p50)}, ${spell(p95)}`))
  const options = { label: `Median and 95th percentile: ${spoken.join('; ')}`, width: place('steps').clientWidth }
  place('steps').replaceChildren(rangeChart(steps, options), stepLegend())
}

function ratesOf(outcome) {
  return readings.slice(1).map(({ at, samples }, i) => {
    const before = readings[i]
    const grown = growth(named(before.samples, DECISIONS), named(samples, DECISIONS))
    return (1000 * (sumBy(grown, 'outcome').get(outcome) ?? 0)) / (at - before.at)
  })
}

function reasonBars(decisions) {
  const rows = decisions.filter(({ labels, value }) => labels.reason !== '' && value > 0)
  const merged = new Map()
  for (const { labels, value } of rows) {
    const { reason, status, outcome } = labels
    const known = merged.get(reason) ?? { reason, status, outcome, value: 0 }
    merged.set(reason, { ...known, value: known.value + value })
  }
  const sorted = [...merged.values()].sort((one, other) => other.value - one.value).slice(0, 8)
  if (sorted.length === 0) return [h('p', 'soft', 'None.')]
  const most = sorted[0].value
  return sorted.map(({ reason, status, outcome, value }) => {
    const bar = h('span', `bar ${outcome}`)
    bar.style.width = `${(100 * value) / most}%`
    return h(
      'div',
      'row',
      h('span', 'status', status),
      h('code', '', reason),
      h('span', 'track', bar),
      h('b', '', String(value)),
    )
  })
}

function tile(said, value, kind = '') {
  return h('div', `tile ${kind}`, h('b', '', value), h('span', '', said))
}

function legendEntry(name, said, count) {
  return h('span', 'entry', h('i', `swatch ${name}`), `${said} `, h('b', '', String(count)))
}

function stepLegend() {
  return h(
    'div',
    'legend',
    h('span', 'entry', h('i', 'swatch p50'), 'median'),
    h('span', 'entry', h('i', 'swatch p95'), '95th percentile'),
  )
}

function h(tag, kind, ...children) {
  const element = document.createElement(tag)
  if (kind !== '') element.className = kind.trim()
  element.append(...children)
  return element
}

async function tick() {
  try {
    await read()
    if (readings.length > 1) show()
    const seconds = Math.round((readings.at(-1).at - readings[0].at) / 1000)
    place('state').textContent = readings.length > 1 ? `the last ${seconds} s, live` : 'Reading /metrics…'
    document.body.classList.remove('stale')
  } catch (error) {
    place('state').textContent = `/metrics can't be read: ${error.message}`
    document.body.classList.add('stale')
  }
  setTimeout(tick, EVERY_MS)
}

void tick()
