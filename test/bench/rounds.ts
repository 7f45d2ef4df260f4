/**
 * Interleaved rounds: every contender in turn, the order rotated, so that what the machine does meanwhile hits all of them.
 * Compared is within a round only; told are minimum, median and maximum over the rounds.
 */
import { type Group, type Row, type Spread, WrongAnswer } from './section.ts'

/** One call of a contender, the `index`th of its turn. What it answers is consumed. */
export type Call = (index: number) => unknown

/** Somebody who does the work. */
export interface Contender {
  readonly name: string
  /** Make ready for a turn, outside the clock: fresh verifiers, fresh token texts. */
  prepare(size: number): Call | Promise<Call>
  /** Whether calls answer at once, so that nobody waits for them. Default: each is awaited. */
  readonly synchronous?: boolean
  /** Another number of calls a turn than the others, for who is much slower or faster. */
  readonly size?: number
}

/** How to run them. */
export interface RoundOptions {
  readonly rounds: number
  /** Calls a turn. */
  readonly size: number
  /** How many calls are under way at once. Default 1. */
  readonly inFlight?: number
  /** Rounds that only warm compilers and caches up. Default 1. */
  readonly uncounted?: number
  /** Whether garbage is collected before each turn; with millions of entries that takes seconds. Default `true`. */
  readonly collects?: boolean
  readonly progress?: (doing: string) => void
}

/** What one contender needed for one call, in microseconds, round by round. */
export interface Samples {
  readonly name: string
  /** Processor time of the process, all threads. */
  readonly cpu: readonly number[]
  readonly wall: readonly number[]
}

/** Run the contenders; the first rounds count for nothing. */
export async function interleave(contenders: readonly Contender[], options: RoundOptions): Promise<Samples[]> {
  const samples = contenders.map(({ name }) => ({ name, cpu: [] as number[], wall: [] as number[] }))
  const uncounted = options.uncounted ?? 1
  for (let round = -uncounted; round < options.rounds; round++) {
    for (let turn = 0; turn < contenders.length; turn++) {
      const index = (turn + round + uncounted) % contenders.length
      const contender = contenders[index] as Contender
      options.progress?.(`round ${Math.max(0, round + 1)} of ${options.rounds}, ${contender.name}`)
      const { cpu, wall } = await takeTurn(contender, options)
      if (round < 0) continue
      samples[index]?.cpu.push(cpu)
      samples[index]?.wall.push(wall)
    }
  }
  return samples
}

async function takeTurn(contender: Contender, options: RoundOptions): Promise<{ cpu: number; wall: number }> {
  const size = contender.size ?? options.size
  const call = await contender.prepare(size)
  if (options.collects !== false) collectGarbage()
  const before = process.cpuUsage()
  const begun = process.hrtime.bigint()
  const answered = await callAll(call, size, contender.synchronous === true ? 0 : (options.inFlight ?? 1))
  const wall = Number(process.hrtime.bigint() - begun) / 1000
  const { user, system } = process.cpuUsage(before)
  // Every answer is looked at: none is worked out for nobody, and a call that gave none was no call.
  if (answered !== size) throw new WrongAnswer(`${contender.name}: ${size - answered} of ${size} calls had no answer`)
  return { cpu: (user + system) / size, wall: wall / size }
}

// How many gave an answer. With none under way at once: nobody waits.
async function callAll(call: Call, size: number, inFlight: number): Promise<number> {
  let answered = 0
  if (inFlight === 0) {
    for (let i = 0; i < size; i++) if (isAnswer(call(i))) answered++
    return answered
  }
  let next = 0
  const work = async (): Promise<void> => {
    while (next < size) if (isAnswer(await call(next++))) answered++
  }
  await Promise.all(Array.from({ length: inFlight }, work))
  return answered
}

function isAnswer(value: unknown): boolean {
  return value !== null && value !== undefined
}

/** Collect garbage, where the process was started with `--expose-gc`. */
export function collectGarbage(): void {
  const { gc } = globalThis as { gc?: () => void }
  gc?.()
}

/** Minimum, median and maximum of some values. */
export function spread(values: readonly number[]): Spread {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = (sorted.length - 1) / 2
  const at = (index: number): number => sorted[index] ?? Number.NaN
  return { min: at(0), median: (at(Math.floor(middle)) + at(Math.ceil(middle))) / 2, max: at(sorted.length - 1) }
}

/** Each value against the base's of the same round. */
export function ratios(values: readonly number[], base: readonly number[]): Spread {
  return spread(values.map((value, round) => value / (base[round] as number)))
}

/** What a row should and must reach. */
export interface Target {
  readonly goal: number
  readonly gate: number
}

/** Head of a group, and who is held to what. */
export interface GroupHead extends Pick<Group, 'title' | 'column'> {
  /** The base of the ratios; default: the first. */
  readonly against?: string
  readonly targets?: Readonly<Record<string, Target>>
}

/** A group of processor times a call: lower is better. */
export function cpuGroup(head: GroupHead, samples: readonly Samples[]): Group {
  const rows = rowsOf(
    head,
    samples.map(({ name, cpu }) => ({ name, values: cpu })),
  )
  return { ...rows, measure: 'processor time a call', unit: 'µs', better: 'lower' }
}

/** A group of calls a second: higher is better. */
export function speedGroup(head: GroupHead, samples: readonly Samples[]): Group {
  const rows = rowsOf(
    head,
    samples.map(({ name, wall }) => ({ name, values: wall.map((each) => 1_000_000 / each) })),
  )
  return { ...rows, measure: 'calls a second', unit: '1/s', better: 'higher' }
}

/** Rows and base of a group, of any figure. */
export function rowsOf(
  head: GroupHead,
  series: readonly { readonly name: string; readonly values: readonly number[] }[],
): Pick<Group, 'title' | 'column' | 'against' | 'rounds' | 'rows'> {
  const against = head.against ?? series[0]?.name ?? null
  const base = series.find(({ name }) => name === against)?.values ?? []
  const rows = series.map(({ name, values }): Row => {
    const row = { name, value: spread(values), ratio: ratios(values, base) }
    return { ...row, ...head.targets?.[name] }
  })
  const { title, column } = head
  return { title, ...(column === undefined ? {} : { column }), against, rounds: base.length, rows }
}
