/**
 * What is counted of a decision: labels from closed sets, so that nothing a client sends makes a series of its own. Shared by
 * whatever counts.
 */
import type { Decision } from '../context.ts'
import { statusOfCode } from '../errors.ts'
import { aFunction, aListOf, also, aName, aRecordOf, optional, type Shape } from '../lib/parse-options.ts'
import { notify, printThrown } from '../lib/standard-error.ts'
import { REFUSAL_REASONS } from '../reasons.ts'

/** Options of whatever counts decisions. */
export interface LabelOptions {
  /** The host's own reasons that are counted by name, beside the library's; each other one is counted as `other`. */
  readonly reasons?: readonly string[] | undefined
  /**
   * Further labels of the counter of decisions, by name: each makes of a decision its value, or `null` for none. Few values
   * only (a region, the plan of an organization): every combination is a series that is kept for good.
   */
  readonly labels?: Readonly<Record<string, (decision: Decision) => string | null>> | undefined
}

/** The labels of one decision. */
export interface DecisionLabels {
  readonly outcome: Decision['outcome']
  /** `null` where the request was let in. */
  readonly reason: string | null
  /** What a refusal or a fault was answered with; `null` where the handler answered. */
  readonly status: number | null
  /** The kind of the caller; `null` where that was not reached. */
  readonly caller: string | null
  /** The host's own, by name; one that has no value is left out. */
  readonly own: Readonly<Record<string, string>>
}

/** What a label says of whatever is not in its set. */
export const OTHER = 'other'

/** The steps that are timed. */
export const STEPS = ['verify', 'users', 'orgs'] as const

/** Upper bounds for how long a step takes, in seconds: a cached token takes microseconds, a query milliseconds. */
export const DURATION_BOUNDS: readonly number[] = [
  0.000_01, 0.000_05, 0.000_1, 0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5,
  10,
]

const CALLERS: ReadonlySet<string> = new Set(['user', 'apiKey', 'machine', 'service'])

/** How {@link LabelOptions} are checked; of the host's labels, by what `isName` asks of a name, else the message. */
export function labelShape(isName: (name: string) => boolean, message: string): Shape<LabelOptions> {
  const record = aRecordOf<(decision: Decision) => string | null>(aFunction())
  return {
    reasons: optional(aListOf(aName())),
    labels: optional(also(record, (labels) => Object.keys(labels).every(isName), message)),
  }
}

/** Make what reads the labels of a decision. */
export function createLabelReader({ reasons = [], labels = {} }: LabelOptions): (decision: Decision) => DecisionLabels {
  const known: ReadonlySet<string> = new Set([...REFUSAL_REASONS, ...reasons])
  const own = Object.entries(labels)
  return (decision) => {
    const { outcome, code, reason, principal } = decision
    const isLetIn = outcome === 'allowed' || outcome === 'anonymous'
    return {
      outcome,
      reason: isLetIn ? null : within(known, reason),
      status: isLetIn ? null : statusOfCode(code),
      caller: principal === null ? null : within(CALLERS, principal.kind),
      own: own.length === 0 ? NONE : Object.fromEntries(own.flatMap(([name, of]) => toOwn(name, of, decision))),
    }
  }
}

const NONE: Readonly<Record<string, string>> = Object.freeze({})

function within(set: ReadonlySet<string>, value: string | null): string {
  return value !== null && set.has(value) ? value : OTHER
}

// A label that can't be had is no reason not to count the decision.
function toOwn(name: string, of: (decision: Decision) => unknown, decision: Decision): [string, string][] {
  try {
    const value = of(decision)
    if (value === null || value === undefined) return []
    // What is no text may be a promise, and one that nobody waits for must not end the process.
    if (typeof value !== 'string') notify(`label ${name}`, () => value, decision)
    // Halves of characters are written as one and the same: two series of one name would be no page.
    return [[name, typeof value === 'string' ? value.replace(/\p{Cs}/gu, '\u{fffd}') : OTHER]]
  } catch (error) {
    printThrown(`label ${name}`, error)
    return [[name, OTHER]]
  }
}
