/** Two charts as SVG: a stacked area over time, and a range for each step on a scale of powers of ten. */

const SVG = 'http://www.w3.org/2000/svg'

/** Make an SVG element; a text among its children is text. */
function s(tag, attributes, ...children) {
  const element = document.createElementNS(SVG, tag)
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, String(value))
  element.append(...children)
  return element
}

const AREA = { height: 230, left: 34, bottom: 22, top: 8 }

/** `series`: `{ name, values }`, the lowest first; one value for each reading, the newest last, `places` of them at most. */
export function areaChart(series, { places, label, seconds, width }) {
  const { height, left, bottom, top } = AREA
  const count = series[0]?.values.length ?? 0
  const totals = Array.from({ length: count }, (_, i) => series.reduce((sum, { values }) => sum + values[i], 0))
  const most = niceCeiling(Math.max(1, ...totals))
  const x = (i) => left + ((width - left) * (places - count + i)) / Math.max(1, places - 1)
  const y = (value) => top + (height - top - bottom) * (1 - value / most)

  const grid = [0, most / 2, most].flatMap((value) => [
    s('line', { class: 'grid', x1: left, x2: width, y1: y(value), y2: y(value) }),
    s('text', { class: 'tick', x: left - 6, y: y(value) + 4, 'text-anchor': 'end' }, String(value)),
  ])
  const times = [places - 1, places / 2 - 1, 0].map((back, i) =>
    s(
      'text',
      { class: 'tick', x: x(count - 1 - back), y: height - 4, 'text-anchor': ['start', 'middle', 'end'][i] },
      back === 0 ? 'now' : `${Math.round((back + 1) * seconds)} s ago`,
    ),
  )
  let base = Array(count).fill(0)
  const areas = series.map(({ name, values }) => {
    const tops = values.map((value, i) => base[i] + value)
    const upper = tops.map((value, i) => `${x(i)},${y(value)}`)
    const lower = base.map((value, i) => `${x(i)},${y(value)}`).reverse()
    base = tops
    return s('polygon', { class: `area ${name}`, points: [...upper, ...lower].join(' ') })
  })
  return s('svg', { width, height, role: 'img', 'aria-label': label }, ...grid, ...areas, ...times)
}

function niceCeiling(value) {
  const power = 10 ** Math.floor(Math.log10(value))
  return [1, 2, 4, 6, 10].map((factor) => factor * power).find((each) => each >= value)
}

const RANGE = { row: 56, left: 62, right: 20, top: 26 }
const DECADES = [0.00001, 0.0001, 0.001, 0.01, 0.1, 1]

/** `rows`: `{ name, p50, p95 }` in seconds, or `null` where nothing was measured. */
export function rangeChart(rows, { label, width }) {
  const { row, left, right, top } = RANGE
  const height = top + rows.length * row
  const [low, high] = [Math.log10(DECADES[0]), Math.log10(DECADES.at(-1))]
  const x = (seconds) => {
    const place = (Math.log10(Math.max(seconds, DECADES[0])) - low) / (high - low)
    return left + (width - left - right) * Math.min(1, place)
  }
  const grid = DECADES.flatMap((seconds) => [
    s('line', { class: 'grid', x1: x(seconds), x2: x(seconds), y1: top - 6, y2: height }),
    s('text', { class: 'tick', x: x(seconds), y: 12, 'text-anchor': 'middle' }, spell(seconds)),
  ])
  const marks = rows.flatMap(({ name, p50, p95 }, i) => {
    const y = top + i * row + row / 2
    const title = s('text', { class: 'name', x: 0, y: y + 5 }, name)
    if (p50 === null || p95 === null) return [title, s('text', { class: 'tick', x: left, y: y + 5 }, 'nothing yet')]
    return [
      title,
      s('line', { class: 'range', x1: x(p50), x2: x(p95), y1: y, y2: y }),
      s('circle', { class: 'p50', cx: x(p50), cy: y, r: 6 }),
      s('circle', { class: 'p95', cx: x(p95), cy: y, r: 6 }),
      s('text', { class: 'value', x: x(p50), y: y - 12, 'text-anchor': 'middle' }, spell(p50)),
      s('text', { class: 'value', x: x(p95), y: y + 23, 'text-anchor': 'middle' }, spell(p95)),
    ]
  })
  return s('svg', { width, height, role: 'img', 'aria-label': label }, ...grid, ...marks)
}

/** Seconds for people: `0.2 ms`, `12 ms`, `1.5 s`. */
export function spell(seconds) {
  if (seconds >= 1) return `${Number(seconds.toPrecision(2))} s`
  return `${Number((seconds * 1000).toPrecision(2))} ms`
}
