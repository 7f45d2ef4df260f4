/** At full size: a crash between any two steps of an act on people leaves all of it or nothing, and who begins anew completes it. */
import { describe, expect, it } from 'vitest'
import { programOf } from '../program.ts'
import { postgresSite, sqliteSite } from '../storage/crash-sites.ts'
import { ACTS } from './crash-acts.ts'
import { crashActs } from './crash-runs.ts'

const TIMES = 20
const child = await programOf('test/people/crash-child.ts')

describe.each(Object.keys(ACTS))(`kill -9 between any two steps of %s, ${TIMES} times each`, (name) => {
  it.each([
    ['PostgreSQL', postgresSite],
    ['SQLite', sqliteSite],
  ])('%s', async (_name, makeSite) => {
    const { steps, crashes, committed, wrong } = await crashActs(await makeSite(), child, name, TIMES)
    expect(wrong).toEqual([])
    expect(crashes).toBe(steps * TIMES)
    // Those that stopped after their COMMIT.
    expect(committed).toBeGreaterThanOrEqual(10)
    console.log(name, _name, { steps, crashes, committed, wrong: wrong.length })
  })
})
