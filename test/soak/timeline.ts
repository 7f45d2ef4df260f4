/** Facts that change while requests run: what each may have been at some moment of a request, and every way to combine that. */

/** A change that has begun. From here on the new value may be so, and the old one still. */
export interface Change {
  /** It is so: the old value is no more. */
  done(): void
  /** It never came: nothing has changed. */
  undone(): void
}

interface Span<T> {
  readonly value: T
  /** When it was so at the earliest. */
  readonly from: number
  /** When it was so at the latest. */
  until: number
}

// Requests are compared seconds after they were answered.
const KEPT_MS = 120_000

/** One fact over time. Of one fact one change runs at a time. */
export class Timeline<T> {
  readonly #clock: () => number
  #spans: Span<T>[]
  #isChanging = false

  constructor(first: T, clock: () => number = Date.now) {
    this.#clock = clock
    this.#spans = [{ value: first, from: Number.NEGATIVE_INFINITY, until: Number.POSITIVE_INFINITY }]
  }

  /** What it is, once the change that runs is done. */
  get last(): T {
    return (this.#spans.at(-1) as Span<T>).value
  }

  /** Whether a change runs. */
  get isChanging(): boolean {
    return this.#isChanging
  }

  /** Begin a change, now or since an earlier moment. */
  begin(value: T, since: number = this.#clock()): Change {
    if (this.#isChanging) throw new Error('a change of this fact runs already')
    this.#isChanging = true
    const before = this.#spans.at(-1) as Span<T>
    const span = { value, from: since, until: Number.POSITIVE_INFINITY }
    this.#spans = [...this.#spans.filter(({ until }) => until > this.#clock() - KEPT_MS), span]
    return {
      done: () => {
        this.#isChanging = false
        before.until = this.#clock()
      },
      undone: () => {
        this.#isChanging = false
        this.#spans = this.#spans.filter((each) => each !== span)
      },
    }
  }

  /** All that it may have been at some moment between two. */
  between(from: number, until: number): readonly T[] {
    return [
      ...new Set(this.#spans.filter((span) => span.from <= until && span.until >= from).map(({ value }) => value)),
    ]
  }
}

/** Takes one of several values that are all possible. */
export type Choose = <T>(values: readonly T[]) => T

/** Run a decision once for each combination of what it chooses: all outcomes there can be. */
export function everyOutcome<T>(decide: (choose: Choose) => T): readonly T[] {
  const outcomes: T[] = []
  // Which value each choice takes this time, in the order in which they are made.
  const taken: { at: number; readonly of: number }[] = []
  do {
    let next = 0
    const outcome = decide((values) => {
      const choice = taken[next] ?? { at: 0, of: values.length }
      taken[next++] = choice
      return values[choice.at] as never
    })
    outcomes.push(outcome)
    while (taken.length > 0 && (taken.at(-1) as (typeof taken)[number]).at + 1 >= (taken.at(-1)?.of ?? 0)) taken.pop()
    const last = taken.at(-1)
    if (last !== undefined) last.at += 1
  } while (taken.length > 0)
  return outcomes
}
