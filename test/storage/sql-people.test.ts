/** What the ports of people cost on SQL: statements counted at the driver, each found by an index; who holds an organization. */
import { beforeAll, describe, expect, it } from 'vitest'
import { createPostgresStorage } from '../../src/storage/postgres.ts'
import type { StoredRepositories } from '../../src/storage/shipped-storage.ts'
import { createSqliteStorage, migrate } from '../../src/storage/sqlite.ts'
import { isConflictError } from '../../src/storage/storage-errors.ts'
import { newKeyOf } from '../../src/testing/contracts/api-keys/api-key-world.ts'
import { newInvitation } from '../invitation.ts'
import { createTestDatabase, openPool } from '../postgres.ts'
import { createSqlitePath, SQLITE_DRIVERS } from '../sqlite.ts'
import { countedDatabase, countedPool } from './sql-pools.ts'

/** What the rows are that are asked for. */
interface Rows {
  readonly orgId: string
  readonly userId: string
  readonly invitationId: string
}

const ADA = { issuer: 'https://issuer.test', subject: 'ada' }
const OTHER = { issuer: 'https://issuer.test', subject: 'other' }
const EMAIL = 'bob@example.test'
const HASH = 'a'.repeat(64)
const FREE = { ...ADA, subject: 'free' }

/** Each method with what it is asked, and how many statements that is. */
const CALLS: readonly (readonly [string, number, (asked: StoredRepositories, rows: Rows) => Promise<unknown>])[] = [
  ['users.setDisabled', 1, ({ users }, { userId }) => users.setDisabled(userId, false)],
  ['users.setEmail', 1, ({ users }, { userId }) => users.setEmail(userId, 'ada@example.test')],
  ['users.moveIdentity, taken', 2, ({ users }) => users.moveIdentity(ADA, OTHER).catch(() => 'refused')],
  ['users.moveIdentity, of nobody', 2, ({ users }) => users.moveIdentity(FREE, OTHER)],
  ['users.moveIdentity', 1, ({ users }) => users.moveIdentity(ADA, FREE)],
  ['users.anonymize', 1, ({ users }, { userId }) => users.anonymize(userId, ADA)],
  ['orgs.findLocked', 1, ({ orgs }, { orgId }) => orgs.findLocked(orgId)],
  ['orgs.rename', 1, ({ orgs }, { orgId }) => orgs.rename(orgId, 'Other')],
  ['memberships.find', 1, ({ memberships }, { orgId, userId }) => memberships.find(orgId, userId)],
  ['memberships.listByOrg', 1, ({ memberships }, { orgId }) => memberships.listByOrg(orgId)],
  ['memberships.setRole', 1, ({ memberships }, { orgId, userId }) => memberships.setRole(orgId, userId, 'admin')],
  [
    'invitations.insert',
    1,
    ({ invitations }, { orgId }) => invitations.insert(invitationOf(orgId, 'eve@example.test')),
  ],
  ['invitations.findById', 1, ({ invitations }, { invitationId }) => invitations.findById(invitationId)],
  ['invitations.findBySecretHash', 1, ({ invitations }) => invitations.findBySecretHash(HASH)],
  ['invitations.listByEmail', 1, ({ invitations }) => invitations.listByEmail(EMAIL, 100)],
  ['invitations.listByOrg', 1, ({ invitations }, { orgId }) => invitations.listByOrg(orgId)],
  ['invitations.removeOf', 1, ({ invitations }, { userId }) => invitations.removeOf(userId, null)],
  ['invitations.consume', 1, ({ invitations }, { invitationId }) => invitations.consume(invitationId)],
]

/** The same of an id that nothing has, well formed: as many statements, but where something more is told of what is there. */
const NOBODY: Rows = { orgId: crypto.randomUUID(), userId: crypto.randomUUID(), invitationId: crypto.randomUUID() }

function invitationOf(orgId: string, email: string) {
  return newInvitation({ orgId, email, role: 'member' })
}

async function fill({ users, orgs, memberships, invitations }: StoredRepositories): Promise<Rows> {
  const { user } = await users.upsertByIdentity({ ...ADA, email: null })
  await users.upsertByIdentity({ ...OTHER, email: null })
  const { id: orgId } = await orgs.insert({ name: 'Acme' })
  await memberships.insert({ orgId, userId: user.id, role: 'owner' })
  const { id: invitationId } = await invitations.insert({ ...invitationOf(orgId, EMAIL), secretHash: HASH })
  return { orgId, userId: user.id, invitationId }
}

async function joining(users: StoredRepositories['users']) {
  return (await users.upsertByIdentity({ ...ADA, subject: 'joining', email: null })).user
}

const pool = openPool(await createTestDatabase(), { max: 3 })

describe('PostgreSQL', () => {
  const asked = countedPool(pool)
  const storage = createPostgresStorage({ pool: asked })
  let rows: Rows
  beforeAll(async () => {
    rows = await fill(storage)
  })

  it.each(CALLS)('%s: %i statement(s)', async (_, count, call) => {
    asked.queries.length = 0
    await call(storage, rows)
    expect(asked.queries).toHaveLength(count)
  })

  it('asks as often for what is not there as for what is another’s', async () => {
    const { id } = await storage.orgs.insert({ name: 'Another' })
    const invited = await storage.invitations.insert(invitationOf(id, EMAIL))
    const { user } = await storage.users.upsertByIdentity({ ...ADA, subject: 'stranger', email: null })
    const anothers = { orgId: id, userId: user.id, invitationId: invited.id }
    for (const [name, , call] of CALLS.filter(([name]) => /find|list|setRole/.test(name))) {
      const counts: number[] = []
      for (const strange of [anothers, NOBODY]) {
        asked.queries.length = 0
        await call(storage, strange)
        counts.push(asked.queries.length)
      }
      expect([name, ...counts]).toEqual([name, 1, 1])
    }
  })

  it.each<[string, (asked: StoredRepositories) => Promise<unknown>]>([
    ['users.moveIdentity', ({ users }) => users.moveIdentity({ ...ADA, subject: 'stranger' }, OTHER)],
    ['users.anonymize', async ({ users }) => users.anonymize((await joining(users)).id, OTHER)],
    ['orgs.insert', ({ orgs }) => orgs.insert({ id: rows.orgId, name: 'Twice' })],
    ['memberships.insert', ({ memberships }) => memberships.insert({ ...rows, role: 'member' })],
    ['invitations.insert', ({ invitations }) => invitations.insert(invitationOf(rows.orgId, 'twice@example.test'))],
    ['apiKeys.insert', ({ apiKeys }) => apiKeys.insert(newKeyOf(rows.orgId, { id: 'twicetwice12' }))],
  ])('goes on in a transaction after a ConflictError of %s, and stores what follows', async (name, call) => {
    await storage.invitations.insert(invitationOf(rows.orgId, 'twice@example.test')).catch(() => undefined)
    await storage.apiKeys.insert(newKeyOf(rows.orgId, { id: 'twicetwice12' })).catch(() => undefined)
    const { user } = await storage.users.upsertByIdentity({ ...ADA, subject: `after ${name}`, email: null })
    const caught = await storage.transaction(async (inner) => {
      const error: unknown = await call(inner).catch((thrown: unknown) => thrown)
      await inner.users.setEmail(user.id, 'after@example.test')
      return error
    })
    expect(isConflictError(caught)).toBe(true)
    expect(await storage.users.findById(user.id)).toMatchObject({ email: 'after@example.test' })
  })

  it('holds up nobody who only joins or invites into an organization that is held', async () => {
    const { id: orgId } = await storage.orgs.insert({ name: 'Held' })
    const user = await joining(storage.users)
    await storage.transaction(async ({ orgs }) => {
      await orgs.findLocked(orgId)
      await storage.memberships.insert({ orgId, userId: user.id, role: 'member' })
      await storage.invitations.insert(invitationOf(orgId, EMAIL))
      expect(await storage.memberships.listByOrg(orgId)).toMatchObject([{ userId: user.id }])
    })
  })

  it.each(['x\0', '\ud800', 'x'.repeat(65)])(
    'keeps no %j for a hash, and no driver has to say so',
    async (secretHash) => {
      const invited = { ...invitationOf(rows.orgId, 'hash@example.test'), secretHash }
      await expect(storage.invitations.insert(invited)).rejects.toThrow(TypeError)
    },
  )

  it('asks for the lock in the words that hold up who asks the same, and no one who refers to the row', async () => {
    asked.queries.length = 0
    await storage.transaction(({ orgs }) => orgs.findLocked(rows.orgId))
    expect(asked.queries.filter((text) => text.endsWith(' FOR NO KEY UPDATE'))).toHaveLength(1)
  })
})

describe.each(SQLITE_DRIVERS)('SQLite by $name', ({ open }) => {
  const path = createSqlitePath()
  const database = open(path)
  const asked = countedDatabase(database)
  const storage = createSqliteStorage({ database: asked })
  let rows: Rows
  beforeAll(async () => {
    await migrate({ database })
    rows = await fill(storage)
    return () => database.close()
  })

  it.each(CALLS)('%s: %i statement(s), each finding its rows by an index', async (_, count, call) => {
    asked.statements.length = 0
    await call(storage, rows)
    // But for those around a write.
    const texts = asked.statements.filter((text) => !/^(PRAGMA|BEGIN|COMMIT|ROLLBACK)/.test(text))
    expect(texts).toHaveLength(count)
    // By a handle of its own: a plan that was read leaves a statement open.
    const planner = open(path)
    for (const text of texts) {
      const plan = planner.prepare(`EXPLAIN QUERY PLAN ${text.replace(/[$?]\d+/g, "'1'")}`).all() as {
        detail: string
      }[]
      expect(plan.map(({ detail }) => detail).filter((detail) => detail.startsWith('SCAN'))).toEqual([])
    }
    planner.close()
  })
})
