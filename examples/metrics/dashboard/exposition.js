/** The text format of Prometheus, read; and what two readings say of the time between them. */

const LINE = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)$/
const LABEL = /(\w+)="((?:[^"\\]|\\.)*)"/g

/** The samples of a page: name, labels, value. */
export function readSamples(text) {
  return text.split('\n').flatMap((line) => {
    const [, name, labels = '', value] = LINE.exec(line) ?? []
    if (name === undefined) return []
    const read = [...labels.matchAll(LABEL)].map(([, label, said]) => [label, plain(said)])
    return [{ name, labels: Object.fromEntries(read), value: Number(value) }]
  })
}

function plain(text) {
  return text.replace(/\\(.)/g, (_, letter) => (letter === 'n' ? '\n' : letter))
}

/** By how much each sample has grown; a counter that is smaller than it was has begun again. */
export function growth(before, now) {
  const keyOf = ({ name, labels }) => JSON.stringify([name, labels])
  const known = new Map(before.map((sample) => [keyOf(sample), sample.value]))
  return now.map((sample) => {
    const was = known.get(keyOf(sample)) ?? 0
    return { ...sample, value: sample.value < was ? sample.value : sample.value - was }
  })
}

/** How much there is, by a label. */
export function sumBy(samples, label) {
  const sums = new Map()
  for (const { labels, value } of samples) sums.set(labels[label], (sums.get(labels[label]) ?? 0) + value)
  return sums
}

/** The quantile of a histogram's buckets, as `histogram_quantile` has it: linear within a bucket. `null` of nothing. */
export function quantile(fraction, buckets) {
  const sorted = buckets
    .map(({ labels, value }) => ({ bound: labels.le === '+Inf' ? Number.POSITIVE_INFINITY : Number(labels.le), value }))
    .sort((one, other) => one.bound - other.bound)
  const total = sorted.at(-1)?.value ?? 0
  if (total === 0) return null
  const rank = fraction * total
  const at = sorted.findIndex(({ value }) => value >= rank)
  const below = sorted[at - 1] ?? { bound: 0, value: 0 }
  const { bound, value } = sorted[at]
  if (bound === Number.POSITIVE_INFINITY) return below.bound
  return below.bound + ((bound - below.bound) * (rank - below.value)) / (value - below.value || 1)
}
