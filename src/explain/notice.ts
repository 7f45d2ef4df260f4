/**
 * The line that is printed of a refusal or a fault where somebody builds a service and nothing listens: that of `explain()`, but
 * without the address of what could not be reached.
 */
import { createExplainer } from './explain.ts'
import type { Explainer } from './load-explainer.ts'

const ONCE = 'sallyport: in development each refusal is printed once; onDecision: explain() prints every one'

/** Make what makes the lines; under the first it is said that there are no others of the kind. */
export function createNotice(): Explainer {
  const lineOf = createExplainer({ isPlaced: false })
  let below = `\n${ONCE}`
  return (explained) => {
    const lines = `sallyport: ${lineOf(explained)}${below}`
    below = ''
    return lines
  }
}
