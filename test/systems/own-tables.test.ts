/** docs/own-tables.md, step by step: its tables, its storage, the contract suites, and a first request. */
import { readFileSync } from 'node:fs'
import type { Express } from 'express'
import type pg from 'pg'
import { createProvisioner } from 'sallyport'
import type { AuthStorage } from 'sallyport/storage'
import { createTokenIssuer, startJwksServer, testIdentity } from 'sallyport/testing'
import { afterAll, beforeAll, expect, it, vi } from 'vitest'
import { createTestDatabase, openPool } from '../postgres.ts'
import { expectNamed } from '../query-builders/unique-email.ts'
import { openSnippets } from '../readme/snippets.ts'
import { listen } from '../support/hosts.ts'

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

it('answers as the page says', async () => {
  const provider = await startJwksServer((issuer) =>
    createTokenIssuer({ issuer, audience: 'my-api', algorithms: ['ES256'] }),
  )
  process.env['ISSUER'] = provider.url
  const fresh = await createTestDatabase('empty')
  await openPool(fresh).query(tables)
  process.env['DATABASE_URL'] = fresh
  const own = openSnippets()
  const { app } = await own.load<{ app: Express }>('own-app.ts')
  const server = await listen(app as never)
  const ask = async (sub: string, headers: Record<string, string> = {}): Promise<string> => {
    const authorization = `Bearer ${await provider.issuer.sign({ sub, email: `${sub}@example.test` })}`
    const answer = await fetch(`${server.url}/api/team`, { headers: { ...headers, authorization } })
    return `${answer.status} ${await answer.text()}`
  }
  const [, block = ''] = /^```\n(GET \/api\/team[\s\S]*?)^```$/m.exec(page) ?? []
  const rows = [...block.matchAll(/^GET \/api\/team +(?:X-Team: (\d+) +)?(\d{3} .*)$/gm)]
  expect(rows).toHaveLength(3)
  try {
    expect([await ask('ada'), await ask('bob')]).toEqual([1, 2].map((team) => `200 {"team":"${team}","role":"owner"}`))
    for (const [, team, answer] of rows) {
      expect(await ask('ada', team === undefined ? {} : { 'X-Team': team })).toBe(answer)
    }
    expect(await ask('ada', { 'X-Team': '3' })).toBe(await ask('ada', { 'X-Team': '2' }))
  } finally {
    await server.close()
    await provider.close()
    own.remove()
  }
})

it('a constraint that makes e-mails unique is named: by the case of the contract, the record, and the line', async () => {
  const { createOwnStorage } = await load<{ createOwnStorage(pool: pg.Pool): AuthStorage }>('own-storage.ts')
  const strict = openPool(await createTestDatabase('empty'), { max: 5 })
  await strict.query(tables)
  await strict.query('ALTER TABLE users ADD UNIQUE (email)')
  await expectNamed(createOwnStorage(strict), 'users_email_key')
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
