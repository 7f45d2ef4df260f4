/** What `npm run soak` is told. */
import { parseArgs } from 'node:util'

export interface SoakOptions {
  readonly seconds: number
  readonly seed: number
  /** How many distinct bad inputs come in process; 0: none. */
  readonly flood: number
}

/** @throws RangeError for what is no number, TypeError for an unknown option */
export function parseSoakOptions(args: readonly string[]): SoakOptions {
  const { values } = parseArgs({
    args: [...args],
    options: {
      quick: { type: 'boolean', default: false },
      seconds: { type: 'string' },
      seed: { type: 'string' },
      flood: { type: 'string' },
    },
  })
  const { quick } = values
  return {
    seconds: numberOf('seconds', values.seconds ?? (quick ? '20' : '120'), 5, 86_400),
    seed: numberOf('seed', values.seed ?? String(Date.now() % 2 ** 31), 0, 2 ** 32),
    flood: numberOf('flood', values.flood ?? (quick ? '100000' : '1000000'), 0, 100_000_000),
  }
}

function numberOf(name: string, text: string, least: number, most: number): number {
  const value = Number(text)
  if (Number.isInteger(value) && value >= least && value <= most) return value
  throw new RangeError(`--${name} must be a whole number from ${least} to ${most}`)
}
