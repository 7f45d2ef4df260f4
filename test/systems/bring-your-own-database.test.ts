/** Somebody else's schema by Kysely: the contract suites that it did not write, and a request through the whole pipeline. */
import { readdirSync, readFileSync } from 'node:fs'
import { Hono } from 'hono'
import { Kysely, PostgresDialect, sql } from 'kysely'
import { createAdapter } from 'sallyport/hono'
import { createTokenIssuer, storageContract } from 'sallyport/testing'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createFleetPeople } from '../../examples/bring-your-own-database/people/routes.ts'
import { INVITES_SQL } from '../../examples/bring-your-own-database/people/schema.ts'
import { createFleetPeopleStorage } from '../../examples/bring-your-own-database/people/storage.ts'
import { createFleetAuth } from '../../examples/bring-your-own-database/pipeline/auth.ts'
import { SCHEMA_SQL } from '../../examples/bring-your-own-database/pipeline/schema.ts'
import { createFleetStorage } from '../../examples/bring-your-own-database/pipeline/storage.ts'
import { PATIENCE_MS } from '../patience.ts'
import { fakeRequest } from '../pipeline/fake-request.ts'
import { createTestDatabase, openPool } from '../postgres.ts'

const ISSUER = 'https://issuer.test'
const pool = openPool(await createTestDatabase('empty'), { max: 5 })
const db = new Kysely<unknown>({ dialect: new PostgresDialect({ pool }) })
const storage = createFleetStorage(db, ISSUER)
const peopleStorage = createFleetPeopleStorage(db, ISSUER)
beforeAll(async () => {
  await pool.query(SCHEMA_SQL)
  await pool.query(INVITES_SQL)
})
// The pool is the test's own, and ended by it.
afterAll(async () => expect(pool.totalCount).toBeLessThanOrEqual(5))

const probe = {
  disableUser: (id: string) => sql`UPDATE person SET deleted_at = now() WHERE person_no = ${id}`.execute(db),
  deleteOrg: (id: string) => sql`UPDATE company SET closed_at = now() WHERE company_no = ${id}`.execute(db),
  async countUsers({ subject }: { subject: string }) {
    const { rows } = await sql<{ count: number }>`SELECT count(*)::int FROM person WHERE login = ${subject}`.execute(db)
    return rows[0]?.count ?? -1
  },
}

const options = {
  // Whole numbers as text: one in the form of an id that no row has.
  newId: () => String(2 ** 50 + Math.floor(Math.random() * 2 ** 40)),
  issuers: [ISSUER],
  without: ['apiKeys', 'givenOrgIds'] as const,
  timeoutSeconds: PATIENCE_MS / 1000,
}

describe('the contract of what the pipeline asks', () => {
  const people = ['userAdmin', 'organizationAdmin', 'membershipAdmin', 'invitations', 'setEmail'] as const
  const less = { ...options, without: [...options.without, ...people] }
  for (const { id, name, run } of storageContract.cases(() => ({ storage, probe }), less))
    it.concurrent(`${id}: ${name}`, run)
})

describe('the contract, all of it', () => {
  it('but for what this storage has no such thing as', () => {
    const why = new Set(storageContract.leftOut(options).map((each) => each.why))
    expect([...why].sort()).toEqual([
      'holds only where a user has at most one membership',
      'needs API keys in the transactions of the storage',
      'needs identities of any issuer',
      'needs identities of two issuers',
      'needs organizations whose id the host gives',
    ])
  })
  for (const { id, name, run } of storageContract.cases(() => ({ storage: peopleStorage, probe }), options))
    it.concurrent(`${id}: ${name}`, run)
})

describe('how long it is', () => {
  const root = new URL('../../examples/bring-your-own-database/', import.meta.url)
  const count = (path: string): number => readFileSync(new URL(path, root), 'utf8').split('\n').length - 1

  it('at most 200 lines for what the pipeline asks, and 450 for all of it', () => {
    const files = readdirSync(root, { recursive: true, encoding: 'utf8' }).filter((path) => path.endsWith('.ts'))
    expect(count('pipeline/storage.ts') + count('pipeline/database.ts')).toBeLessThanOrEqual(200)
    expect(files.reduce((sum, path) => sum + count(path), 0)).toBeLessThanOrEqual(450)
  })

  it('no file of the pipeline imports one of people', () => {
    for (const path of readdirSync(new URL('pipeline/', root)))
      expect(readFileSync(new URL(`pipeline/${path}`, root), 'utf8')).not.toContain('people/')
  })
})

describe('a request', async () => {
  const issuer = await createTokenIssuer({ algorithms: ['HS256'], issuer: ISSUER })
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

describe('its people', async () => {
  const tokens = await createTokenIssuer({ algorithms: ['HS256'], issuer: ISSUER })
  const issuer = {
    issuer: ISSUER,
    keys: [{ kind: 'secret', secret: tokens.secret }],
    audience: tokens.audience,
  } as const
  const mails: unknown[] = []
  const { auth, routes } = createFleetPeople(peopleStorage, issuer, ({ invitation, org, inviter }) =>
    mails.push([invitation.email, org.title, inviter.email]),
  )
  const app = new Hono()
  createAdapter(auth).mount(app, routes)
  const mailOf = (name: string): string => `${name}@people.test`
  const ask = async (name: string, line: string, json?: object): Promise<readonly [number, unknown]> => {
    const [method = '', path = ''] = line.split(' ')
    const token = await tokens.sign({ sub: `people ${name}`, email: mailOf(name), email_verified: true })
    const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' }
    const answer = await app.request(path, { method, headers, ...(json && { body: JSON.stringify(json) }) })
    const text = await answer.text()
    return [answer.status, text === '' ? null : JSON.parse(text)]
  }
  const numbersOf = async (name: string): Promise<readonly string[]> => {
    const [, body] = await ask(name, 'GET /api/members')
    return (body as { members: { user_id: string }[] }).members.map((member) => member.user_id)
  }

  it('are added, invited, given other positions and removed; the last owner stays', async () => {
    const [ada = ''] = await numbersOf('ada')
    const [bob = ''] = await numbersOf('bob')
    expect(await ask('ada', 'POST /api/members', { user_id: bob, role: 'driver' })).toEqual([
      201,
      { member: { user_id: bob, role: 'driver' } },
    ])
    expect((await ask('ada', 'POST /api/members', { user_id: bob, role: 'driver' }))[0]).toBe(409)
    expect((await ask('ada', 'POST /api/members', { user_id: '9'.repeat(30), role: 'driver' }))[0]).toBe(404)

    const [, invited] = await ask('ada', 'POST /api/invitations', { email: mailOf('cid'), role: 'dispatcher' })
    const { id } = (invited as { invitation: { id: string } }).invitation
    expect(mails).toEqual([[mailOf('cid'), `Fleet of ${mailOf('ada')}`, mailOf('ada')]])
    const title = `Fleet of ${mailOf('ada')}`
    // The very first request of somebody: no company of their own is made.
    expect(await ask('cid', `POST /api/invitations/${id}/accept`)).toMatchObject([
      200,
      { membership: { company: { title }, role: 'dispatcher' } },
    ])
    expect((await ask('cid', `POST /api/invitations/${id}/accept`))[0]).toBe(404)
    const [, , cid = ''] = await numbersOf('cid')

    expect((await ask('cid', `PATCH /api/members/${ada}`, { role: 'driver' }))[0]).toBe(403)
    expect((await ask('cid', `PATCH /api/members/${bob}`, { role: 'owner' }))[0]).toBe(403)
    expect((await ask('cid', `PATCH /api/members/${bob}`, { role: 'dispatcher' }))[0]).toBe(200)
    expect((await ask('ada', `PATCH /api/members/${ada}`, { role: 'driver' }))[0]).toBe(409)
    expect((await ask('ada', `DELETE /api/members/${ada}`))[0]).toBe(409)
    expect((await ask('ada', `PATCH /api/members/${cid}`, { role: 'owner' }))[0]).toBe(200)
    expect((await ask('ada', `DELETE /api/members/${ada}`))[0]).toBe(204)
    expect(await numbersOf('cid')).toEqual([bob, cid])
  })
})
