/** docs/own-tables.md, step by step: its tables, its storage, the contract suites, and a first request. */
import { readFileSync } from 'node:fs'
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import type pg from 'pg'
import { createProvisioner } from 'sallyport'
import type { AuthStorage } from 'sallyport/storage'
import { type JwksServer, testIdentity } from 'sallyport/testing'
import { afterAll, beforeAll, expect, it, vi } from 'vitest'
import { until } from '../patience.ts'
import { createTestDatabase, openPool } from '../postgres.ts'
import { expectNamed } from '../query-builders/unique-email.ts'
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

it('answers as the page says', async () => {
  const own = openSnippets()
  const printed: string[] = []
  const log = vi.spyOn(console, 'log').mockImplementation((line) => void printed.push(String(line)))
  const { provider } = await own.load<{ provider: JwksServer }>('own-idp.ts').finally(() => log.mockRestore())
  const exported = Object.fromEntries(printed.map((line) => line.replace(/^export /, '').split('=', 2)))
  expect(Object.keys(exported)).toEqual(['ISSUER', 'ADA', 'BOB'])
  process.env['ISSUER'] = exported['ISSUER']
  process.env['PORT'] = '0'
  const fresh = await createTestDatabase('empty')
  await openPool(fresh).query(tables)
  process.env['DATABASE_URL'] = fresh
  const { server } = await own.load<{ server: Server }>('own-app.ts')
  await until(() => server.listening)
  const base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const ask = async (name: string, headers: Record<string, string> = {}): Promise<string> => {
    const authorization = `Bearer ${exported[name.toUpperCase()]}`
    const answer = await fetch(`${base}/api/team`, { headers: { ...headers, authorization } })
    return `${answer.status} ${await answer.text()}`
  }
  const [, block = ''] = /^```\n(GET \/api\/team[\s\S]*?)^```$/m.exec(page) ?? []
  const rows = [...block.matchAll(/^GET \/api\/team +(Ada|Bob) +(?:X-Team: (\d+) +)?(\d{3} .*)$/gm)]
  expect(rows).toHaveLength(4)
  try {
    for (const [, name = '', team, answer] of rows) {
      expect(await ask(name, team === undefined ? {} : { 'X-Team': team })).toBe(answer)
    }
    expect(await ask('Ada', { 'X-Team': '3' })).toBe(await ask('Ada', { 'X-Team': '2' }))
  } finally {
    server.closeAllConnections()
    server.close()
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
