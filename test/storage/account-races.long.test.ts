/** The races of local login on one database, as often as it takes to be sure. */
import { describe, it } from 'vitest'
import { keepsOneAdmin, knowsEndedSessions, PLACES } from './account-places.ts'

describe.each(PLACES)('$name', (place) => {
  it('keeps one admin of two who demote, disable or remove each other by two pools, 200 times', () =>
    keepsOneAdmin(place, 200))

  it('knows 1,000 of 1,000 sessions as ended at once in the other pool', () => knowsEndedSessions(place, 1000))
})
