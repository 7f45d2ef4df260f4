/** One invitation and several who want something of it, on memory, PostgreSQL and SQLite, each over two pools or handles. */
import { describe, it } from 'vitest'
import { raceFirstLogin, raceInviter, raceRevoke, raceTakers } from './invitation-races.ts'
import { STORAGE_PAIRS } from './storage-pairs.ts'

describe.each(STORAGE_PAIRS)('%s', (_, open) => {
  it.each([
    ['accepted while it is revoked: one of the two, 100 times', raceRevoke, 100],
    ['accepted while its inviter is removed or may give less, 100 times', raceInviter, 100],
    ['fifty takers at once: one, 10 times', raceTakers, 10],
    ['a first login and the acceptance of one person at once, 50 times', raceFirstLogin, 50],
  ] as const)('%s', async (_title, race, rounds) => {
    await race(await open(), rounds)
  })
})
