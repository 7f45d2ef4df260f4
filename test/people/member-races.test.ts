/** Members who change each other at the same moment, in memory. On every storage, as often as it takes: `member-races.long.test.ts`. */
import { it } from 'vitest'
import { raceAddAndDisable, raceAddAndRemove, raceOverOne, raceOwners } from './member-races.ts'
import { newMemory } from './world.ts'

it.each([
  ['two owners who demote, remove and leave each other: one is left', raceOwners],
  ['an admin who adds while they are removed or demoted grants nothing afterwards', raceAddAndRemove],
  ['somebody who is disabled while they are added: a member from before, or not found', raceAddAndDisable],
  ['one user added, changed and removed by several at once', raceOverOne],
])('%s', async (_, race) => {
  const storage = newMemory()
  await race([storage, storage], 90)
})
