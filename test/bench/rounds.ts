// Interleaved rounds: every contender in turn, the order rotated each round, so that what the machine does meanwhile hits
// all of them. Reported are ratios within a round, as minimum, median and maximum over the rounds.

/** One contender: `prepare` (not timed) gives a round's work, which is run `size` times. */
export interface Contender {
  readonly name: string
  prepare(): Promise<(index: number) => unknown>
}

/** What one contender needed for one operation, round by round. */
interface Measured {
  readonly wall: number[]
  readonly cpu: number[]
}

/** One line of a result: how a contender compares with the first one. */
export interface Comparison {
  readonly name: string
  /** Microseconds of processor time for one operation, the median over the rounds. */
  readonly cpuMicroseconds: number
  /** Processor time for one operation against the first contender's in the same round. */
  readonly cpuRatio: Spread
  /** Operations a second against the first contender's in the same round. */
  readonly speedRatio: Spread
}

/** Minimum, median, maximum. */
export type Spread = readonly [min: number, median: number, max: number]

/** Run the contenders and compare each with the first. */
export async function compare(contenders: readonly Contender[], rounds: number, size: number): Promise<Comparison[]> {
  const measured = new Map<Contender, Measured>(contenders.map((contender) => [contender, { wall: [], cpu: [] }]))
  for (let round = -1; round < rounds; round++) {
    for (let turn = 0; turn < contenders.length; turn++) {
      const contender = contenders[(turn + round + contenders.length) % contenders.length] as Contender
      const { wall, cpu } = await once(contender, size)
      // The first round warms the compiler up and counts for nothing.
      if (round < 0) continue
      measured.get(contender)?.wall.push(wall)
      measured.get(contender)?.cpu.push(cpu)
    }
  }
  const base = measured.get(contenders[0] as Contender) as Measured
  return contenders.map((contender) => {
    const { wall, cpu } = measured.get(contender) as Measured
    return {
      name: contender.name,
      cpuMicroseconds: spread(cpu)[1],
      cpuRatio: spread(cpu.map((value, i) => value / (base.cpu[i] as number))),
      speedRatio: spread(wall.map((value, i) => (base.wall[i] as number) / value)),
    }
  })
}

async function once(contender: Contender, size: number): Promise<{ wall: number; cpu: number }> {
  const work = await contender.prepare()
  ;(globalThis as { gc?: () => void }).gc?.()
  const cpuBefore = process.cpuUsage()
  const before = process.hrtime.bigint()
  for (let i = 0; i < size; i++) await work(i)
  const wall = Number(process.hrtime.bigint() - before) / 1000 / size
  const { user, system } = process.cpuUsage(cpuBefore)
  return { wall, cpu: (user + system) / size }
}

/** Minimum, median and maximum of some values. */
export function spread(values: readonly number[]): Spread {
  const sorted = [...values].sort((a, b) => a - b)
  const at = (share: number): number => sorted[Math.round(share * (sorted.length - 1))] ?? Number.NaN
  return [at(0), at(0.5), at(1)]
}
