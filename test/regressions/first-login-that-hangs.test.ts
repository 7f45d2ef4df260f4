/** What one first login leaves pending holds nobody up, and what is wrong with it is never half-written. */
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { createUseNotes } from '../../src/api-keys/api-key-verifier.ts'
import type { Identity } from '../../src/context.ts'
import { toEmail } from '../../src/lib/email.ts'
import { toKnownRoles } from '../../src/permissions/custom-roles.ts'
import { createRoles } from '../../src/permissions/roles.ts'
import { createMemoryStorage } from '../../src/storage/memory.ts'
import type { SqliteDatabase, SqliteStatement } from '../../src/storage/sql-executor.ts'
import { lendHandle } from '../../src/storage/sqlite-session.ts'
import {
  type Bootstrap,
  createProvisioner,
  createSingleFlight,
  type ProvisioningDecision,
} from '../../src/users/provisioner.ts'
import { joiningAtOnce, newInvitation } from '../invitation.ts'
import { countRows, identityOf } from '../users/first-logins.ts'

const UNNAMED = { kind: 'unnamed' } as const

describe('a hook that never ends', () => {
  beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] }))
  afterEach(() => void vi.useRealTimers())

  it.each(['bootstrap', 'decide'] as const)('%s: is cut off and undone, and the next person logs in', async (hook) => {
    const storage = createMemoryStorage()
    const hang = async (subject: string): Promise<void> => {
      if (subject === 'ada') await new Promise<never>(() => undefined)
    }
    const decide = async ({ subject }: Identity): Promise<ProvisioningDecision> => {
      await hang(subject)
      return { kind: 'create' }
    }
    const bootstrap = ({ identity: { subject } }: Bootstrap): Promise<void> => hang(subject)
    const resolver = createProvisioner({
      storage,
      ...(hook === 'decide' ? { decide } : { bootstrap: bootstrap as never }),
    })
    const first = resolver(identityOf('ada'), UNNAMED).catch((error: unknown) => error)
    await vi.advanceTimersByTimeAsync(5000)
    expect(await first).toMatchObject({ code: 'temporarily_unavailable', reason: 'provisioning_cut_off' })
    expect((await resolver(identityOf('bob'), UNNAMED)).created).toBe(true)
    expect(await countRows(storage)).toEqual({ users: 1, orgs: 1 })
  })
})

describe('the handle of a transaction on SQLite that was cut off', () => {
  it('can write no more, nor can a statement prepared on it', async () => {
    const run = vi.fn()
    const database: SqliteDatabase = { exec: run, prepare: () => ({ all: run }) as unknown as SqliteStatement }
    let isHeld = true
    const handle = lendHandle(database, () => isHeld)
    const statement = handle.prepare('INSERT')
    handle.exec('INSERT')
    statement.all()
    isHeld = false
    expect(() => handle.exec('INSERT')).toThrow('this transaction has ended')
    expect(() => handle.prepare('INSERT')).toThrow('this transaction has ended')
    expect(() => statement.all()).toThrow('this transaction has ended')
    expect(run).toHaveBeenCalledTimes(2)
  })
})

describe('what ended with its request', () => {
  it('a first login: whoever comes next begins anew', async () => {
    let now = 0
    const share = createSingleFlight<number>(15_000, () => now)
    void share('ada', () => new Promise(() => undefined))
    now = 15_001
    expect(await share('ada', async () => 2)).toEqual({ value: 2, leader: true })
  })

  it('notes of the use of keys: a minute later others are written again', () => {
    const touch = vi.fn(() => new Promise(() => undefined))
    const note = createUseNotes(touch)
    for (let n = 0; n < 150; n++) note({ id: `key-${n}`, lastUsedAt: null }, 0)
    expect(touch).toHaveBeenCalledTimes(100)
    note({ id: 'another', lastUsedAt: null }, 60_000)
    expect(touch).toHaveBeenCalledTimes(101)
  })
})

describe('a role that is not on the ladder', () => {
  it.each([
    ['of an invitation', {}],
    ['of a decision', { decide: () => ({ kind: 'join', orgId: 'x', role: 'boss' }) as const }],
    ['of the owner', { ownerRole: 'boss', decide: () => ({ kind: 'create' }) as const }],
  ])('%s: nothing is written, the invitation stays', async (_, more) => {
    const storage = createMemoryStorage()
    const { id: orgId } = await storage.orgs.insert({ name: 'acme' })
    await storage.invitations.insert(newInvitation({ orgId, email: 'ada@example.test', role: 'boss' }))
    const resolver = createProvisioner({ storage, invitations: joiningAtOnce(storage), ...more })
    const roles = toKnownRoles(createRoles(['member', 'owner']), undefined)
    await expect(resolver(identityOf('ada'), UNNAMED, roles)).rejects.toThrow('nothing was written')
    expect(await countRows(storage)).toEqual({ users: 0, orgs: 1 })
    expect(await storage.invitations.listByEmail('ada@example.test', 9)).toHaveLength(1)
  })
})

describe('an e-mail', () => {
  const none = [
    '',
    ' ',
    '@',
    'a@',
    '@b',
    'a@b@c',
    'a b@c',
    'a\u0000@c',
    'a\u200b@c',
    'a\n@c',
    `${'a'.repeat(253)}@b`,
    7,
    null,
  ]
  it.each<readonly [unknown, string | null]>([
    [' Ada@Example.test ', 'Ada@Example.test'],
    [`${'a'.repeat(252)}@b`, `${'a'.repeat(252)}@b`],
    ...none.map((each) => [each, null] as const),
  ])('%j is read as %j', (given, read) => {
    expect(toEmail(given)).toBe(read)
  })

  it.each(['', ' ', 'x'.repeat(1000)])('that is none (%j) names no org', async (email) => {
    const storage = createMemoryStorage()
    const { user } = await createProvisioner({ storage })(identityOf('ada', { email }), UNNAMED)
    const [acting] = await storage.memberships.listActing({ kind: 'user', user })
    expect([user.email, acting?.org.name]).toEqual([null, 'Personal'])
  })
})
