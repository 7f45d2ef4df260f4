/** At full size: a crash between any two steps of a first login leaves nothing or everything, and the next request completes it (P5). */
import { describe, expect, it } from 'vitest'
import { crashChild, crashEverywhere, crashJoins, JOIN_STEPS, STEPS } from './crash-runs.ts'
import { postgresSite, sqliteSite } from './crash-sites.ts'

const TIMES = 20
const child = await crashChild()

describe(`kill -9 at each of ${STEPS.length} step boundaries, ${TIMES} times`, () => {
  it.each([
    ['PostgreSQL', postgresSite],
    ['SQLite', sqliteSite],
  ])('%s', async (_name, makeSite) => {
    const { crashes, committed, wrong } = await crashEverywhere(await makeSite(), child, TIMES)
    expect(wrong).toEqual([])
    expect(crashes).toBe(STEPS.length * TIMES)
    // Those that stopped after their COMMIT.
    expect(committed).toBeGreaterThanOrEqual(10)
    console.log(_name, { crashes, committed, wrong: wrong.length })
  })
})

describe(`kill -9 at each of ${JOIN_STEPS.length} step boundaries of joining by an invitation, ${TIMES} times`, () => {
  it.each([
    ['PostgreSQL, by a first login', postgresSite, 'invited'],
    ['PostgreSQL, accepted as the first request', postgresSite, 'accepts'],
    ['SQLite, by a first login', sqliteSite, 'invited'],
    ['SQLite, accepted as the first request', sqliteSite, 'accepts'],
  ] as const)(
    '%s',
    async (_name, makeSite, kind) => {
      const { crashes, committed, wrong } = await crashJoins(await makeSite(), child, TIMES, kind)
      expect(wrong).toEqual([])
      expect(crashes).toBe(JOIN_STEPS.length * TIMES)
      expect(committed).toBeGreaterThanOrEqual(10)
    },
    900000,
  )
})
