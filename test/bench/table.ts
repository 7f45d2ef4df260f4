/** Results as text for a terminal: 80 columns, coloured where it is one. */
import { styleText } from 'node:util'
import type { Group, Row, Section } from './section.ts'
import { boundOf, describeMeasure, formatFigure, type Verdict, verdictOf } from './verdict.ts'

type InspectColor = Parameters<typeof styleText>[0]

const NAME = 28
const VALUE = 11
const RATIO = 8
const RANGE = 15

const MARKS = {
  goal: ['✓ goal', 'green'],
  gate: ['~ gate', 'yellow'],
  missed: ['✗ gate', 'red'],
} as const satisfies Record<Exclude<Verdict, null>, readonly [string, InspectColor]>

/** A section as lines. */
export function printSection(section: Section, colours: boolean): string {
  const paint = (format: InspectColor, text: string): string => (colours ? styleText(format, text) : text)
  const groups = section.groups.map((group) => printGroup(group, paint))
  const missing = wrap(section.missing.join(' ')).map((line) => `  ${paint('dim', line)}`)
  return ['', paint('inverse', ` ${section.title} `), ...groups, ...missing].join('\n')
}

// Lines that fit beside two blanks.
function wrap(text: string): string[] {
  return text.match(/\S.{0,76}(?!\S)/g) ?? []
}

type Paint = (format: InspectColor, text: string) => string

function printGroup(group: Group, paint: Paint): string {
  const { title, column, against, rounds } = group
  const base = against === null ? '' : `; × ${against}; ${rounds} rounds`
  const head = [
    paint('bold', column === undefined ? title : `${title}: ${column}`),
    ...wrap(`${describeMeasure(group)}${base}`).map((line) => paint('dim', line)),
  ]
  return ['', ...head, ...group.rows.map((row) => printRow(group, row, paint))].join('\n')
}

function printRow(group: Group, row: Row, paint: Paint): string {
  const { median, min, max } = row.ratio ?? row.value
  const unit = row.ratio === null ? group.unit : '×'
  const isBase = row.name === group.against
  const range = isBase || min === max ? '' : `${formatFigure(min, unit)}–${formatFigure(max, unit)}`
  const figures = [
    formatFigure(row.value.median, group.unit).padStart(VALUE),
    (isBase ? '1' : row.ratio === null ? '' : formatFigure(median)).padStart(RATIO),
    range.padStart(RANGE),
  ]
  const verdict = verdictOf(group, row)
  const mark = verdict === null ? '' : `  ${markOf(group, row, verdict, paint)}`
  return `  ${row.name.padEnd(NAME)}${figures.join('')}${mark}`.trimEnd()
}

function markOf(group: Group, row: Row, verdict: Exclude<Verdict, null>, paint: Paint): string {
  const [word, colour] = MARKS[verdict]
  return paint(colour, `${word} ${boundOf(group, row, verdict)}`)
}
