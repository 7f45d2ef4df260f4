/** What a benchmark gives back: sections of groups of rows, as they lie in the JSON. Plain values, no behaviour. */

/** Minimum, median and maximum over the rounds. */
export interface Spread {
  readonly min: number
  readonly median: number
  readonly max: number
}

/** One contender in one group. */
export interface Row {
  readonly name: string
  /** The figure itself, in the group's unit. */
  readonly value: Spread
  /** The figure against that of the group's base in the same round; `null` where nothing is compared. */
  readonly ratio: Spread | null
  /** What the median of the ratio (of the value, where there is no ratio) should reach. */
  readonly goal?: number
  /** What it must reach. */
  readonly gate?: number
}

/** Contenders that did the same work in turn, in one figure. */
export interface Group {
  /** The case, as a heading; groups of one title are one table of the page. */
  readonly title: string
  /** Which of them this is. Default: the measure. */
  readonly column?: string
  /** The figure: `processor time a call`, `calls a second`. */
  readonly measure: string
  /** `µs`, `1/s`, `B`, `kB`, `ms`, or empty for a count. */
  readonly unit: string
  /** Which way is better. */
  readonly better: 'lower' | 'higher'
  /** The row that ratios are against, by its name. */
  readonly against: string | null
  readonly rounds: number
  readonly rows: readonly Row[]
}

/** One part of the benchmark: a process of its own. */
export interface Section {
  readonly title: string
  /** What was done, in sentences; what is not claimed, too. */
  readonly about: string
  readonly groups: readonly Group[]
  /** What could not be measured, and contenders that answered wrong: each a sentence. */
  readonly missing: readonly string[]
}

/** How a section is to be measured. */
export interface BenchOptions {
  /** Few rounds, small populations: all sections together in under two minutes. */
  readonly quick: boolean
  /** Tell what is done now; called every few seconds at least. */
  readonly progress: (doing: string) => void
}

/** A contender refused a good credential or passed a bad one: the benchmark ends, and its exit code is 1. */
export class WrongAnswer extends Error {
  override readonly name = 'WrongAnswer'
}
