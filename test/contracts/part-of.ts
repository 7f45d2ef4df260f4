/** A part of a suite: the cases whose ids are wanted, for a test that needs no other. */
import type { Contract } from '../../src/testing/contracts/contract.ts'

/** The cases of a suite whose ids are wanted. */
export function partOf<Made>(contract: Contract<Made>, isWanted: (id: string) => boolean): Contract<Made> {
  return {
    cases: (make, options) => contract.cases(make, options).filter(({ id }) => isWanted(id)),
    leftOut: (options) => contract.leftOut(options).filter(({ id }) => isWanted(id)),
  }
}

/** The name of the suite that a case is of. */
export function suiteOf(id: string): string {
  return id.split('/')[0] ?? ''
}
