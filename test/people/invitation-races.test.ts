/** One invitation and several who want something of it, in memory. On every storage, as often as it takes: `invitation-races.long.test.ts`. */
import { it } from 'vitest'
import { raceFirstLogin, raceInviter, raceRevoke, raceTakers } from './invitation-races.ts'
import { newMemory } from './world.ts'

it.each([
  ['accepted while it is revoked: one of the two', raceRevoke, 40],
  ['accepted while its inviter is removed or may give less', raceInviter, 40],
  ['fifty takers at once: one', raceTakers, 3],
  ['a first login and the acceptance of one person at once', raceFirstLogin, 20],
] as const)('%s', async (_, race, rounds) => {
  const storage = newMemory()
  await race([storage, storage], rounds)
})
