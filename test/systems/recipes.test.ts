/** The recipes for query builders, run on a real PostgreSQL: policies hold, and the hook's row is in the transaction. */

import { createPostgresStorage, policySql, roleSql } from 'sallyport/postgres'
import { testIdentity } from 'sallyport/testing'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import * as drizzle from '../../examples/recipes/drizzle.ts'
import * as kysely from '../../examples/recipes/kysely.ts'
import { createTestDatabase, openPool } from '../postgres.ts'

const pool = openPool(await createTestDatabase(), { max: 3 })
const storage = createPostgresStorage({ pool })
beforeAll(async () => {
  await pool.query(`CREATE TABLE contacts (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), org_id uuid NOT NULL, name text NOT NULL);
    ${roleSql('tenant')} ${policySql({ table: 'contacts', column: 'org_id', role: 'tenant', system: 'all' })}`)
})
afterAll(() => pool.query('DROP OWNED BY tenant'))

describe.each([
  ['Drizzle', drizzle],
  ['Kysely', kysely],
])('%s', (name, { createUsers, listContacts, renameContact }) => {
  const users = createUsers(storage)
  const logIn = async (subject: string) => {
    const { user } = await users(testIdentity({ subject }), { kind: 'unnamed' })
    const [acting] = await storage.memberships.listActing({ kind: 'user', user })
    return { kind: 'user', user, org: acting?.org ?? null, role: acting?.role ?? null } as const
  }

  it('writes the hook’s row at the first login, once, and lists it to its organization alone', async () => {
    const [ada, bob] = [await logIn(`ada by ${name}`), await logIn(`bob by ${name}`)]
    await Promise.all(Array.from({ length: 10 }, () => logIn(`ada by ${name}`)))
    const [own, others] = [await listContacts(pool, ada), await listContacts(pool, bob)]
    expect([own.length, others.length]).toEqual([1, 1])
    const [contact] = own
    expect(contact?.name).toBe('Yourself')
    const id = contact?.id ?? ''
    expect(await renameContact(pool, bob, id, 'stolen')).toBeNull()
    expect(await renameContact(pool, ada, id, 'Ada')).toMatchObject({ id, name: 'Ada' })
    expect(await listContacts(pool, ada)).toMatchObject([{ id, name: 'Ada' }])
  })

  it('leaves no row of a login that failed', async () => {
    await pool.query('ALTER TABLE contacts ADD CONSTRAINT never CHECK (false) NOT VALID')
    await expect(logIn(`eve by ${name}`)).rejects.toThrow()
    await pool.query('ALTER TABLE contacts DROP CONSTRAINT never')
    expect(
      await storage.users.findByIdentity(testIdentity({ subject: `eve by ${name}` }), { kind: 'unnamed' }),
    ).toBeNull()
    expect((await listContacts(pool, await logIn(`eve by ${name}`))).length).toBe(1)
  })
})
