/** Whether a row reaches what it should, in words. */
import type { Group, Row } from './section.ts'

/** `goal`: what it should reach; `gate`: only what it must; `missed`: not even that; `null`: nothing was set. */
export type Verdict = 'goal' | 'gate' | 'missed' | null

/** Hold a row to its goal and gate. */
export function verdictOf({ better }: Group, { value, ratio, goal, gate }: Row): Verdict {
  const figure = (ratio ?? value).median
  const reaches = (bound: number | undefined): boolean =>
    bound !== undefined && (better === 'lower' ? figure <= bound : figure >= bound)
  if (goal === undefined && gate === undefined) return null
  if (reaches(goal)) return 'goal'
  return reaches(gate) ? 'gate' : 'missed'
}

/** The bound that a verdict is about, as `≤ 0.25`. */
export function boundOf({ better }: Group, { goal, gate }: Row, verdict: Verdict): string {
  const bound = verdict === 'goal' ? goal : (gate ?? goal)
  return `${better === 'lower' ? '≤' : '≥'} ${bound}`
}

/** What a group's figures are, with their unit. */
export function describeMeasure({ measure, unit }: Group): string {
  return unit === '' || unit === '1/s' ? measure : `${measure} (${unit})`
}

/** A figure with as many digits as it is worth. */
export function formatFigure(value: number, unit = '×'): string {
  if (!Number.isFinite(value)) return '–'
  if (unit === '' || unit === 'B') return Math.round(value).toLocaleString('en')
  const digits = Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 10 ? 1 : 2
  return value.toLocaleString('en', { minimumFractionDigits: digits, maximumFractionDigits: digits })
}
