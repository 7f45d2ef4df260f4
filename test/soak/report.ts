/** What became of a soak: counts as they come in, and at the end the table, what is broken, and the exit code. Pure. */

/** An answer that was none of the right ones. */
export interface Wrong {
  readonly kind: string
  readonly server: string
  readonly got: string
  readonly right: string
  /** Seconds after the start. */
  readonly at: number
  /** What the server's own record says, where it keeps one. */
  readonly reason?: string | undefined
}

/** What a server says of itself. */
export interface Sample {
  readonly server: string
  /** Seconds after the start. */
  readonly at: number
  readonly rss: number
  readonly heap: number
  /** Milliseconds that its event loop was late: median, 99th percentile, most. */
  readonly delay: readonly [p50: number, p99: number, most: number]
}

/** How memory went while distinct bad input came, in one process. */
export interface FloodResult {
  readonly requests: number
  readonly seconds: number
  readonly grownBytes: number
  readonly wrong: readonly string[]
}

/** All that was seen. */
export interface Seen {
  readonly seed: number
  readonly seconds: number
  /** Of each kind of request how often each status came. */
  readonly answers: ReadonlyMap<string, ReadonlyMap<string, number>>
  readonly wrong: readonly Wrong[]
  readonly wrongCount: number
  /** Wrong answers that are 5xx. */
  readonly undeclared: number
  /** Unhandled rejections, uncaught exceptions and warnings of servers. */
  readonly unhandled: readonly string[]
  readonly samples: readonly Sample[]
  /** What the soak did to them, and how often. */
  readonly events: ReadonlyMap<string, number>
  readonly flood: FloodResult | null
}

/** What is printed, and what is broken. */
export interface Report {
  readonly lines: readonly string[]
  readonly broken: readonly string[]
}

/**
 * How much the median memory of the last quarter may lie above that of the second one. Engines go on compiling, which is some
 * percent; of the heap 10 % are 2 MB, so that 300 bytes that each request leaves behind are found.
 */
const MEMORY_FACTOR = 1.1
/** Below that much time in each quarter memory says nothing: engines and pools are still warming up. */
export const MEMORY_SECONDS = 100
/** What distinct bad input may leave behind: of a million that are 30 bytes each, less than anything kept of one would take. */
const FLOOD_BYTES = 30 * 1024 * 1024
const SHOWN = 16

/** Write the report. */
export function reportOf(seen: Seen): Report {
  const total = [...seen.answers.values()].flatMap((statuses) => [...statuses.values()]).reduce((sum, n) => sum + n, 0)
  const memory = memoryOf(seen)
  const flood = floodOf(seen.flood)
  const broken = [
    ...(total === 0 ? ['no request was made'] : []),
    ...(seen.wrongCount > 0 ? [`${seen.wrongCount} wrong answers`] : []),
    ...(seen.undeclared > 0 ? [`${seen.undeclared} undeclared 5xx`] : []),
    ...(seen.unhandled.length > 0 ? [`${seen.unhandled.length} unhandled rejections, exceptions or warnings`] : []),
    ...memory.broken,
    ...flood.broken,
  ]
  const lines = [
    `seed ${seen.seed}, ${seen.seconds} s, ${total} requests`,
    '',
    ...tableOf(seen.answers),
    '',
    `done to them: ${[...seen.events].map(([what, times]) => `${what} ${times}`).join(', ') || 'nothing'}`,
    `wrong answers ${seen.wrongCount}, undeclared 5xx ${seen.undeclared}, unhandled ${seen.unhandled.length}`,
    ...memory.lines,
    ...flood.lines,
    ...seen.wrong.filter(isShown).slice(0, SHOWN).flatMap(describeWrong),
    ...seen.unhandled.slice(0, SHOWN).map((text) => `unhandled: ${text}`),
    ...(broken.length === 0
      ? ['all is well']
      : [`BROKEN: ${broken.join('; ')}; again by npm run soak -- --seed ${seen.seed}`]),
  ]
  return { lines, broken }
}

/** The exit code of a report. */
export function exitCodeOf({ broken }: Report): 0 | 1 {
  return broken.length === 0 ? 0 : 1
}

function tableOf(answers: Seen['answers']): string[] {
  const width = Math.max(4, ...[...answers.keys()].map(({ length }) => length))
  const row = (kind: string, count: string, statuses: string): string =>
    `${kind.padEnd(width)}  ${count.padStart(8)}  ${statuses}`
  const rows = [...answers].sort().map(([kind, statuses]) => {
    const sum = [...statuses.values()].reduce((total, n) => total + n, 0)
    const each = [...statuses].sort().map(([status, count]) => `${status} × ${count}`)
    return row(kind, String(sum), each.join(', '))
  })
  return [row('kind', 'requests', 'answers'), ...rows]
}

function memoryOf({ samples, seconds }: Seen): Report {
  const lines: string[] = []
  const broken: string[] = []
  for (const server of [...new Set(samples.map((each) => each.server))].sort()) {
    const own = samples.filter((each) => each.server === server)
    const within = (from: number, until: number): readonly Sample[] =>
      own.filter(({ at }) => at >= seconds * from && at < seconds * until)
    const [early, late] = [within(0.25, 0.5), within(0.75, 1)]
    const figures = (['rss', 'heap'] as const).map((which) => {
      const [before, after] = [early, late].map((some) => median(some.map((each) => each[which])))
      if (before === undefined || after === undefined) return `${which} not measured`
      const isGrown = after > before * MEMORY_FACTOR
      if (isGrown && seconds >= MEMORY_SECONDS) broken.push(`${which} of ${server} grew to ${megabytes(after)}`)
      return `${which} ${megabytes(before)} → ${megabytes(after)}`
    })
    const [p50, p99] = [0, 1].map((index) => median(own.map(({ delay }) => delay[index] as number)) ?? 0)
    const most = Math.max(0, ...own.map(({ delay }) => delay[2]))
    const delays = [p50 ?? 0, p99 ?? 0, most].map((ms) => ms.toFixed(1)).join(' / ')
    lines.push(`${server}: ${figures.join(', ')}; event loop late by ${delays} ms (p50 / p99 / most)`)
  }
  if (seconds < MEMORY_SECONDS)
    lines.push(`memory is shown, not compared: under ${MEMORY_SECONDS} s all is still warming up`)
  return { lines, broken }
}

function floodOf(flood: FloodResult | null): Report {
  if (flood === null) return { lines: ['in process: not run'], broken: [] }
  const { requests, seconds, grownBytes, wrong } = flood
  const figures = `${requests} distinct bad inputs in ${seconds.toFixed(1)} s left ${megabytes(grownBytes)} behind`
  return {
    lines: [`in process: ${figures}, ${wrong.length} wrong answers`, ...wrong.slice(0, SHOWN)],
    broken: [
      ...(grownBytes >= FLOOD_BYTES ? [`distinct bad inputs left ${megabytes(grownBytes)} behind`] : []),
      ...(wrong.length > 0 ? [`${wrong.length} wrong answers in process`] : []),
    ],
  }
}

// The first two of a kind.
function isShown({ kind }: Wrong, index: number, all: readonly Wrong[]): boolean {
  return all.slice(0, index).filter((earlier) => earlier.kind === kind).length < 2
}

function describeWrong({ kind, server, got, right, at, reason }: Wrong): string[] {
  const told = reason === undefined ? [] : [`    its record: ${reason}`]
  return [`wrong: ${kind} on ${server} after ${at.toFixed(1)} s`, `    got ${got}`, `    right ${right}`, ...told]
}

function megabytes(bytes: number): string {
  return `${(bytes / 1024 / 1024).toFixed(1)} MB`
}

/** The middle of some numbers; `undefined` of none. */
export function median(numbers: readonly number[]): number | undefined {
  return [...numbers].sort((one, other) => one - other)[Math.floor(numbers.length / 2)]
}
