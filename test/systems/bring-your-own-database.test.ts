/** Somebody else's schema by Kysely: the contract suites that it did not write, and a request through the whole pipeline. */
import { Kysely, PostgresDialect, sql } from 'kysely'
import { createTokenIssuer, storageContract } from 'sallyport/testing'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createFleetAuth } from '../../examples/bring-your-own-database/auth.ts'
import { SCHEMA_SQL, type Schema } from '../../examples/bring-your-own-database/schema.ts'
import { createFleetStorage } from '../../examples/bring-your-own-database/storage.ts'
import { PATIENCE_MS } from '../patience.ts'
import { fakeRequest } from '../pipeline/fake-request.ts'
import { createTestDatabase, openPool } from '../postgres.ts'

const pool = openPool(await createTestDatabase('empty'), { max: 5 })
const db = new Kysely<Schema>({ dialect: new PostgresDialect({ pool }) })
const storage = createFleetStorage(db)
beforeAll(async () => {
  await pool.query(SCHEMA_SQL)
})
// The pool is the test's own, and ended by it.
afterAll(async () => expect(pool.totalCount).toBeLessThanOrEqual(5))

const probe = {
  disableUser: (id: string) =>
    db.updateTable('person').set({ deleted_at: new Date() }).where('person_no', '=', id).execute(),
  deleteOrg: (id: string) =>
    db.updateTable('company').set({ closed_at: new Date() }).where('company_no', '=', id).execute(),
  async countUsers({ issuer, subject }: { issuer: string; subject: string }) {
    const { rows } = await sql<{ count: number }>`select count(*)::int as count from person
      where login_issuer = ${issuer} and login_subject = ${subject}`.execute(db)
    return rows[0]?.count ?? -1
  },
}

describe('the contract, all of it', () => {
  expect(storageContract.leftOut({}).map(({ id }) => id)).toEqual(['memberships/one-per-user'])
  for (const { id, name, run } of storageContract.cases(() => ({ storage, probe }), {
    // Whole numbers as text: one in the form of an id that no row has.
    newId: () => String(2 ** 50 + Math.floor(Math.random() * 2 ** 40)),
    timeoutSeconds: PATIENCE_MS / 1000,
  }))
    it.concurrent(`${id}: ${name}`, run)
})

describe('a request', async () => {
  const issuer = await createTokenIssuer({ algorithms: ['HS256'] })
  const auth = createFleetAuth(storage, {
    issuer: issuer.issuer,
    keys: [{ kind: 'secret', secret: issuer.secret }],
    audience: issuer.audience,
  })
  const ask = async (sub: string, company?: string) => {
    const token = await issuer.sign({ sub, email: `${sub}@example.test` })
    const named = company === undefined ? {} : { 'x-company': company }
    return auth.authenticate(fakeRequest({ headers: { authorization: `Bearer ${token}`, ...named } }))
  }

  it('makes person, company and staff at first sight, once, with what the hook wrote', async () => {
    const contexts = await Promise.all(Array.from({ length: 50 }, () => ask('ada')))
    expect(new Set(contexts.map(({ user, org }) => `${user.id} ${org.id}`)).size).toBe(1)
    const { org, role } = await ask('ada')
    expect([org.title, role]).toEqual(['Fleet of ada@example.test', 'owner'])
    expect(org.id).toMatch(/^[1-9][0-9]*$/)
  })

  it('acts in the company that its number names; another’s, none and a UUID are refused', async () => {
    const [ada, bob] = [await ask('ada'), await ask('bob')]
    expect((await ask('ada', ada.org.id)).org.id).toBe(ada.org.id)
    for (const other of [bob.org.id, '9223372036854775807', '9999999999999999999']) {
      await expect(ask('ada', other)).rejects.toMatchObject({ code: 'forbidden' })
    }
    for (const malformed of ['0', '-1', '1e3', crypto.randomUUID()]) {
      await expect(ask('ada', malformed)).rejects.toMatchObject({ code: 'invalid_org_id' })
    }
  })

  it('is refused on the very next one where the person was deleted, softly', async () => {
    const { user } = await ask('cid')
    await probe.disableUser(user.id)
    await expect(ask('cid')).rejects.toMatchObject({ code: 'forbidden' })
  })
})
