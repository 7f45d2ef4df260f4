/** The same as the long run, in memory and a few times. */
import { describe, it } from 'vitest'
import { newMemory } from '../people/world.ts'
import { expectNoInstallationKeyLeft, expectNoKeyLeft, INSTALLATION_WAYS, WAYS } from './maker-removed.ts'

describe('whoever is gone leaves no key that they make meanwhile', () => {
  it.each(Object.entries(WAYS))('of an organization, who %s', (_, go) => {
    const storage = newMemory({})
    return expectNoKeyLeft([storage, storage], go, 3)
  })

  it.each(Object.entries(INSTALLATION_WAYS))('of the installation, who %s', (_, maker) => {
    const storage = newMemory({})
    return expectNoInstallationKeyLeft([storage, storage], maker, 3)
  })
})
