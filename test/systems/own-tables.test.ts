/** docs/own-tables.md, step by step: its tables, its storage, the contract suites, and a first request. */
import { readFileSync } from 'node:fs'
import type pg from 'pg'
import { createProvisioner } from 'sallyport'
import type { AuthStorage } from 'sallyport/storage'
import { testIdentity } from 'sallyport/testing'
import { afterAll, beforeAll, expect, it, vi } from 'vitest'
import { createTestDatabase, openPool } from '../postgres.ts'
import { openSnippets } from '../readme/snippets.ts'

const page = readFileSync(new URL('../../docs/own-tables.md', import.meta.url), 'utf8')
const tables = /^```sql tables\.sql\n([\s\S]*?)^```$/m.exec(page)?.[1] ?? ''
const { load, remove } = openSnippets()
afterAll(remove)

let url: string
beforeAll(async () => {
  url = await createTestDatabase('empty')
  process.env['DATABASE_URL'] = url
  await openPool(url).query(tables)
})

it('the storage passes every case of the contract', async () => {
  const lines: string[] = []
  const log = vi.spyOn(console, 'log').mockImplementation((...words) => void lines.push(words.join(' ')))
  await load('storage.test.ts').finally(() => log.mockRestore())
  expect(lines.filter((line) => !line.startsWith('ok'))).toEqual([])
  expect(lines.length).toBe(57)
})

it('a first login makes a user and a team, once; the next look-up is one query', async () => {
  const { createOwnStorage } = await load<{ createOwnStorage(pool: pg.Pool): AuthStorage }>('own-storage.ts')
  const pool = openPool(url, { max: 5 })
  const storage = createOwnStorage(pool)
  const users = createProvisioner({ storage })
  const ada = testIdentity({ subject: 'ada' })
  const comers = await Promise.all(Array.from({ length: 10 }, () => users(ada, { kind: 'unnamed' })))
  expect(new Set(comers.map(({ user }) => user.id)).size).toBe(1)
  const asked = vi.spyOn(pool, 'query')
  expect(await users(ada, { kind: 'unnamed' })).toMatchObject({
    membership: { role: 'owner', org: { id: expect.stringMatching(/^\d+$/) } },
  })
  expect(asked).toHaveBeenCalledTimes(1)
})
