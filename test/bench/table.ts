/** Results as text for a terminal: 80 columns, coloured where it is one. */
import { styleText } from 'node:util'
import type { Group, Row, Section } from './section.ts'
import { boundOf, formatFigure, type Verdict, verdictOf } from './verdict.ts'

type InspectColor = Parameters<typeof styleText>[0]

const NAME = 27
const VALUE = 13
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
  const missing = section.missing.map((sentence) => paint('dim', `  ${sentence}`))
  return ['', paint('bold', section.title), ...groups, ...missing].join('\n')
}

type Paint = (format: InspectColor, text: string) => string

function printGroup(group: Group, paint: Paint): string {
  const { title, measure, against, rounds } = group
  const base = against === null ? '' : `, × ${against}`
  const head = `${title}: ${measure}${base} (${rounds} rounds)`
  return [``, paint('underline', head), ...group.rows.map((row) => printRow(group, row, paint))].join('\n')
}

function printRow(group: Group, row: Row, paint: Paint): string {
  const value = `${formatFigure(row.value.median)} ${group.unit}`.trimEnd()
  const { median, min, max } = row.ratio ?? row.value
  const ratio = row.ratio === null ? '' : formatFigure(median)
  const range = min === max ? '' : `${formatFigure(min)}–${formatFigure(max)}`
  const isBase = row.name === group.against
  const figures = [value.padStart(VALUE), (isBase ? '1' : ratio).padStart(RATIO), (isBase ? '' : range).padStart(RANGE)]
  const verdict = verdictOf(group, row)
  const mark = verdict === null ? '' : `  ${markOf(group, row, verdict, paint)}`
  return `  ${row.name.padEnd(NAME)}${figures.join('')}${mark}`
}

function markOf(group: Group, row: Row, verdict: Exclude<Verdict, null>, paint: Paint): string {
  const [word, colour] = MARKS[verdict]
  return paint(colour, `${word} ${boundOf(group, row, verdict)}`)
}
