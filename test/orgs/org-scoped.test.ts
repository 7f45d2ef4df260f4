/** Rows reached through the acting organization only: the same answer for "not yours" and "not there". */
import { describe, expect, it } from 'vitest'
import { isAuthError, toAuthResponse } from '../../src/errors.ts'
import { createOrgScoped } from '../../src/orgs/org-scoped.ts'
import { createPostgresStorage } from '../../src/storage/postgres.ts'
import { createSqliteStorage, migrate } from '../../src/storage/sqlite.ts'
import { createTestDatabase, openPool } from '../postgres.ts'
import { createSqlitePath, SQLITE_DRIVERS } from '../sqlite.ts'

interface Note {
  readonly id: string
  readonly org: string
}
const ROWS: readonly Note[] = ['a', 'b', 'c'].map((id, index) => ({ id, org: index < 2 ? 'one' : 'two' }))
const one = { org: { id: 'one' } }

const notes = createOrgScoped({
  find: ({ orgId }, id: string) => ROWS.find((row) => row.id === id && row.org === orgId) ?? null,
  list: async ({ orgId }) => ROWS.filter(({ org }) => org === orgId),
  remove: async ({ orgId }, id: string) => ROWS.some((row) => row.id === id && row.org === orgId),
  touch: async () => true,
  findLoosely: async (_scope, id: string) => ROWS.find((row) => row.id === id),
  whoAsks: ({ context }) => context,
})

async function bytesOf(asked: Promise<unknown>): Promise<string> {
  const error = await asked.then(
    () => null,
    (thrown: unknown) => thrown,
  )
  if (!isAuthError(error)) throw new Error('expected a refusal', { cause: error })
  return JSON.stringify(toAuthResponse(error))
}

describe('createOrgScoped', () => {
  it('finds, lists and removes what is of this organization', async () => {
    expect(await notes(one).find('a')).toEqual(ROWS[0])
    expect(await notes(one).list()).toEqual(ROWS.slice(0, 2))
    expect([await notes(one).remove('b'), await notes(one).touch()]).toEqual([true, true])
    expect(await notes(one).whoAsks()).toBe(one)
  })

  it('answers another organization’s row and no row by the same bytes: 404', async () => {
    const answers = await Promise.all([
      bytesOf(notes(one).find('c')),
      bytesOf(notes(one).find('z')),
      bytesOf(notes(one).remove('c')),
      bytesOf(notes(one).remove('z')),
    ])
    expect(new Set(answers).size).toBe(1)
    expect(JSON.parse(answers[0] ?? '')).toMatchObject({ status: 404, body: expect.stringContaining('"not_found"') })
  })

  it('does not take undefined for found: it is the 404 of no row', async () => {
    expect(await notes(one).findLoosely('a')).toEqual(ROWS[0])
    expect(await bytesOf(notes(one).findLoosely('z'))).toBe(await bytesOf(notes(one).find('z')))
  })

  it('with orgIdOf, a function that forgets its where shows nothing of another organization', async () => {
    const forgetful = createOrgScoped(
      { find: (_scope, id: string) => ROWS.find((row) => row.id === id) ?? null, list: () => ROWS },
      { orgIdOf: (row: Note) => row.org },
    )
    expect(await forgetful(one).list()).toEqual(ROWS.slice(0, 2))
    expect(await bytesOf(forgetful(one).find('c'))).toBe(await bytesOf(forgetful(one).find('z')))
    expect(await forgetful(one).find('a')).toEqual(ROWS[0])
  })

  it('is bound to nothing without an organization', () => {
    for (const org of [null, { id: '' }]) expect(() => notes({ org })).toThrow('the context has no organization')
  })

  it('refuses what are no functions', () => {
    for (const wrong of [{}, { find: 1 }]) expect(() => createOrgScoped(wrong as never)).toThrow(TypeError)
  })

  it('hands through what a function throws', async () => {
    const failing = createOrgScoped({ find: () => Promise.reject(new Error('the database is down')) })
    await expect(failing(one).find()).rejects.toThrow('the database is down')
  })
})

type Ask = (text: string, values: readonly string[]) => Promise<readonly { id: string }[]>

/** The matrix of a store: every organization's row, asked for by every organization. */
function itKeepsOrgsApart(make: () => Promise<{ ask: Ask; newOrg(): Promise<string> }>): void {
  it('3 organizations × 3 rows: each sees its own and no other', async () => {
    const { ask, newOrg } = await make()
    const orgs = await Promise.all([1, 2, 3].map(newOrg))
    const documents = createOrgScoped({
      insert: ({ orgId }, id: string) =>
        ask('INSERT INTO documents (id, org_id) VALUES ($1, $2) RETURNING id', [id, orgId]),
      find: async ({ orgId }, id: string) =>
        (await ask('SELECT id FROM documents WHERE id = $1 AND org_id = $2', [id, orgId]))[0] ?? null,
      remove: async ({ orgId }, id: string) =>
        (await ask('DELETE FROM documents WHERE id = $1 AND org_id = $2 RETURNING id', [id, orgId])).length > 0,
    })
    for (const org of orgs) await documents({ org: { id: org } }).insert(`of ${org}`)
    for (const caller of orgs) {
      for (const owner of orgs) {
        const mine = documents({ org: { id: caller } })
        if (caller === owner) expect(await mine.find(`of ${owner}`)).toEqual({ id: `of ${owner}` })
        else expect(await bytesOf(mine.remove(`of ${owner}`))).toBe(await bytesOf(mine.find('nothing')))
      }
    }
    for (const org of orgs) expect(await documents({ org: { id: org } }).remove(`of ${org}`)).toBe(true)
  })
}

const TABLE = 'CREATE TABLE documents (id text PRIMARY KEY, org_id text NOT NULL)'

describe('on PostgreSQL', () =>
  itKeepsOrgsApart(async () => {
    const pool = openPool(await createTestDatabase(), { max: 2 })
    await pool.query(TABLE)
    const { orgs } = createPostgresStorage({ pool })
    return {
      ask: async (text, values) => (await pool.query<{ id: string }>(text, [...values])).rows,
      newOrg: async () => (await orgs.insert({ name: 'Acme' })).id,
    }
  }))

describe.each(SQLITE_DRIVERS)('on SQLite by $name', ({ open }) =>
  itKeepsOrgsApart(async () => {
    const database = open(createSqlitePath())
    await migrate({ database })
    database.exec(TABLE)
    const { orgs } = createSqliteStorage({ database })
    return {
      ask: async (text, values) =>
        (database.prepare(text.replace(/\$\d/g, '?')).all(...values) as { id: string }[]).map(({ id }) => ({ id })),
      newOrg: async () => (await orgs.insert({ name: 'Acme' })).id,
    }
  }),
)
