/** Results as a picture: a panel of bars for each case, as an SVG that is readable on light and dark pages. */
import type { Results } from './results.ts'
import type { Group, Row } from './section.ts'
import { formatFigure } from './verdict.ts'

const WIDTH = 980
const MARGIN = 24
const COLUMN = (WIDTH - 3 * MARGIN) / 2
const HEAD = 46
const LINE = 22
const LABELS = 168
const FIGURES = 46
/** Above the panels, and between two of them. */
const TOP = 64
const GAP = 22

// Section, title and column of what is shown, under a heading: the left half, then the right.
type Panel = readonly [heading: string, word: string, title: string, column?: string]
const LEFT: readonly Panel[] = [
  ['A request over HTTP: Express', 'http', 'Express'],
  ['A request over HTTP: Koa', 'http', 'Koa'],
  ['A request over HTTP: Hono', 'http', 'Hono'],
]
const RIGHT: readonly Panel[] = [
  ['A token seen before, one of 10,000', 'warm', 'Cached', '10,000 tokens'],
  ['A token seen for the first time: HS256', 'cold', 'One at a time', 'HS256'],
  ['A token seen for the first time: RS256', 'cold', 'One at a time', 'RS256'],
  ['A good token after five forged ones', 'flood', '5 forged ones before each'],
]

const STYLE = `
  .card { fill: #ffffff; stroke: #d0d7de }
  text { font: 12px system-ui, sans-serif; fill: #1f2328 }
  .title { font-size: 17px; font-weight: 600 }
  .head { font-size: 13px; font-weight: 600 }
  .soft { fill: #59636e }
  .number { font-variant-numeric: tabular-nums }
  .peer { fill: #a8b1bb }
  .ours { fill: #1f6feb }
  .base { stroke: #59636e; stroke-dasharray: 3 3 }
  .range { stroke: #1f2328; opacity: .55 }
  @media (prefers-color-scheme: dark) {
    .card { fill: #0d1117; stroke: #3d444d }
    text { fill: #f0f6fc }
    .soft { fill: #9198a1 }
    .peer { fill: #59636e }
    .ours { fill: #4493f8 }
    .base { stroke: #9198a1 }
    .range { stroke: #f0f6fc }
  }`

/** The picture. */
export function chartOf(results: Results): string {
  const [left, right] = [drawnOf(results, LEFT), drawnOf(results, RIGHT)]
  const height = TOP + Math.max(heightOf(left), heightOf(right)) + MARGIN - GAP
  const { machine, versions, date } = results
  const about = `Node ${versions['Node']}, ${machine.cores} cores, ${date}; medians, the lines from minimum to maximum of the rounds`
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" role="img" aria-labelledby="title about">
<title id="title">sallyport beside its peers</title>
<desc id="about">${escapeText(descriptionOf([...left, ...right]))}</desc>
<style>${STYLE}
</style>
<rect class="card" x=".5" y=".5" width="${WIDTH - 1}" height="${height - 1}" rx="8"/>
<text class="title" x="${MARGIN}" y="32">sallyport beside its peers</text>
<text class="soft" x="${MARGIN}" y="50">${escapeText(about)}</text>
${stack(left, MARGIN)}
${stack(right, 2 * MARGIN + COLUMN)}
</svg>
`
}

interface Drawn {
  readonly heading: string
  readonly group: Group
}

// Without those whose section the run left out.
function drawnOf({ sections }: Results, panels: readonly Panel[]): Drawn[] {
  return panels.flatMap(([heading, word, title, column]) => {
    const group = sections[word]?.groups.find((each) => each.title === title && each.column === column)
    return group === undefined ? [] : [{ heading, group }]
  })
}

function heightOf(panels: readonly Drawn[]): number {
  return panels.reduce((sum, { group }) => sum + HEAD + group.rows.length * LINE + GAP, 0)
}

function stack(panels: readonly Drawn[], x: number): string {
  let y = TOP
  const drawn: string[] = []
  for (const panel of panels) {
    drawn.push(`<g transform="translate(${x} ${y})">\n${drawPanel(panel)}\n</g>`)
    y += heightOf([panel])
  }
  return drawn.join('\n')
}

function drawPanel({ heading, group }: Drawn): string {
  const { measure, against, better, rows } = group
  const room = COLUMN - LABELS - FIGURES
  const longest = Math.max(1, ...rows.map((row) => figureOf(row).median)) * 1.08
  const scale = (value: number): number => Math.round((Math.min(value, longest) / longest) * room * 10) / 10
  const base = LABELS + scale(1)
  const what = `${measure}, × ${against}; ${better === 'lower' ? 'less' : 'more'} is better`
  return [
    `<text class="head" y="14">${escapeText(heading)}</text>`,
    `<text class="soft" y="30">${escapeText(what)}</text>`,
    ...rows.map((row, index) => drawRow(row, HEAD + index * LINE, scale)),
    `<line class="base" x1="${base}" x2="${base}" y1="${HEAD - 6}" y2="${HEAD + rows.length * LINE - 4}"/>`,
  ].join('\n')
}

function drawRow(row: Row, y: number, scale: (value: number) => number): string {
  const { min, median, max } = figureOf(row)
  const middle = y + 7
  const kind = row.name.startsWith('sallyport') ? 'ours' : 'peer'
  const range =
    min === max
      ? ''
      : `<line class="range" x1="${LABELS + scale(min)}" x2="${LABELS + scale(max)}" y1="${middle}" y2="${middle}"/>`
  return `<text x="${LABELS - 8}" y="${y + 11}" text-anchor="end">${escapeText(row.name)}</text>\
<rect class="${kind}" x="${LABELS}" y="${y}" width="${Math.max(1, scale(median))}" height="14" rx="2"/>${range}\
<text class="number" x="${COLUMN}" y="${y + 11}" text-anchor="end">${formatFigure(median)}</text>`
}

function figureOf({ ratio, value }: Row): { min: number; median: number; max: number } {
  return ratio ?? value
}

function descriptionOf(panels: readonly Drawn[]): string {
  return panels
    .map(({ heading, group: { measure, against, rows } }) => {
      const figures = rows.map((row) => `${row.name} ${formatFigure(figureOf(row).median)}`)
      return `${heading} (${measure}, against ${against}): ${figures.join(', ')}.`
    })
    .join(' ')
}

function escapeText(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
}
