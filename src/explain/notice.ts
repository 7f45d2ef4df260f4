/**
 * The line that is printed of a refusal or a fault where somebody builds a service and nothing listens: that of `explain()`, but
 * without the address of what could not be reached, and of a refusal that repeats not each.
 */
import { createExplainer } from './explain.ts'
import type { Explainer, Noticed } from './load-explainer.ts'

const MS = 1000
const REPEAT_MS = 3 * MS
const MINUTE_MS = 60 * MS
const MOST_REFUSALS = 200

const EVERY_ONE = 'onDecision: explain() prints every one'
const REPEATS = `sallyport: in development the same refusal is printed once in 3 s; ${EVERY_ONE}`
const TOO_MANY = `sallyport: ${MOST_REFUSALS} different refusals in a minute, others are not printed until it is over; ${EVERY_ONE}`

/** Make what makes the lines; under the first it is said that some are left out. */
export function createNotice(): Explainer {
  const lineOf = createExplainer({ isPlaced: false })
  const countLeftOut = createRepeats()
  let below = `\n${REPEATS}`
  return (noticed) => {
    const leftOut = noticed.fault === null ? countLeftOut(keyOf(noticed), noticed.now) : 0
    if (typeof leftOut !== 'number') return leftOut
    const before = leftOut === 0 ? '' : `; ${leftOut} more like it since the last one`
    const lines = `sallyport: ${lineOf(noticed)}${before}${below}`
    below = ''
    return lines
  }
}

// By what was wanted and what came; of a time that has passed each differs by the time of day.
function keyOf({ reason, expected, got }: Noticed): string {
  return JSON.stringify([reason, expected, got]).replace(/[\d-]+T[\d:.]+Z/g, '')
}

// How many like it were left out since it was said last; `null`: it is to be left out; a line: there are too many others.
type Repeats = (key: string, now: number) => number | string | null

function createRepeats(): Repeats {
  const said = new Map<string, { at: number; leftOut: number }>()
  let began = 0
  let isFull = false
  return (key, now) => {
    const last = said.get(key)
    if (last !== undefined && Math.abs(now - last.at) < REPEAT_MS) {
      last.leftOut += 1
      return null
    }
    if (last === undefined && said.size >= MOST_REFUSALS) {
      if (Math.abs(now - began) < MINUTE_MS) {
        const line = isFull ? null : TOO_MANY
        isFull = true
        return line
      }
      said.clear()
    }
    if (said.size === 0) {
      began = now
      isFull = false
    }
    said.set(key, { at: now, leftOut: 0 })
    return last?.leftOut ?? 0
  }
}
