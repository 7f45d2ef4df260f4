/** Nobody leaves a key behind whom somebody removes, disables or erases while they make it: as often as it takes to be sure. */
import { describe, it } from 'vitest'
import { STORAGE_PAIRS } from '../people/storage-pairs.ts'
import { expectNoKeyLeft, WAYS } from './maker-removed.ts'

const CASES = Object.entries(WAYS).flatMap(([way, go]) =>
  (['rows', 'user-row'] as const).map((on) => ({ way, go, on })),
)

describe.each(STORAGE_PAIRS)('%s', (_, open) => {
  it.each(CASES)('leaves no key of somebody who $way, memberships on $on', async ({ go, on }) =>
    expectNoKeyLeft(await open(on), go, 100),
  )
})
