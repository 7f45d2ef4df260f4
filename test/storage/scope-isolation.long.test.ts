/** A thousand interleavings of scopes on one client, on each kind of database. */
import { describe, expect, it } from 'vitest'
import { openObedientOwner, openScopedPglite, openSuperuser } from './scope-databases.ts'
import { interleave } from './scope-interleavings.ts'

describe.each([
  ['PostgreSQL, a superuser’s pool with a role', openSuperuser],
  ['PostgreSQL, an obedient owner', openObedientOwner],
  ['PGlite', openScopedPglite],
] as const)('%s', (_name, open) => {
  it('1,000 interleavings of two to five scopes: each sees its own or is refused, and what was reported done is there', async () => {
    const database = await open()
    const wrong: unknown[] = []
    let [done, refused] = [0, 0]
    for (let seed = 1; seed <= 1000; seed++) {
      const { foreign, untrue, ...more } = await interleave(database, seed)
      if (foreign > 0 || untrue.length > 0) wrong.push({ seed, foreign, untrue })
      done += more.done
      refused += more.refused
    }
    expect(wrong).toEqual([])
    expect(Math.min(done, refused)).toBeGreaterThan(500)
    await database.close()
  })
})
