/** Nobody leaves a key behind whom somebody removes, disables or erases while they make it: as often as it takes to be sure. */
import { describe, it } from 'vitest'
import { STORAGE_PAIRS } from '../people/storage-pairs.ts'
import { expectNoInstallationKeyLeft, expectNoKeyLeft, INSTALLATION_WAYS, WAYS } from './maker-removed.ts'

const CASES = Object.entries(WAYS).flatMap(([way, go]) =>
  (['rows', 'user-row'] as const).map((on) => ({ way, go, on })),
)

describe.each(STORAGE_PAIRS)('%s', (_, open) => {
  it.each(CASES)('leaves no key of somebody who $way, memberships on $on', async ({ go, on }) =>
    expectNoKeyLeft(await open(on), go, 100),
  )

  it.each(Object.entries(INSTALLATION_WAYS))('leaves no key of the installation of somebody who %s', async (_, maker) =>
    expectNoInstallationKeyLeft(await open(), maker, 100),
  )
})
