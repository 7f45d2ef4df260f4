/** P2: an address that changed at its issuer: refreshed where that is verified, and nobody is found by it (M14). */
import { describe, expect, it } from 'vitest'
import type { Identity, OrgSelection } from '../../src/context.ts'
import { createMemoryStorage, type MemoryStorage } from '../../src/storage/memory.ts'
import { ConflictError, TransientError } from '../../src/storage/storage-errors.ts'
import { createProvisioner } from '../../src/users/provisioner.ts'
import { countedStorage } from '../pipeline/counted.ts'
import { reasonOf } from '../pipeline/world.ts'
import { identityOf } from './first-logins.ts'

const UNNAMED: OrgSelection = { kind: 'unnamed' }
const NEW = 'ada@new.test'
const moved = (over: Partial<Identity> = {}): Identity => identityOf('ada', { email: NEW, ...over })

/** Ada, who is here already by her first address. */
async function world() {
  const storage = createMemoryStorage()
  const { user } = await createProvisioner({ storage })(identityOf('ada'), UNNAMED)
  const calls: string[] = []
  const refresh = (over: MemoryStorage = storage) =>
    createProvisioner({ storage: countedStorage(over, calls), refreshEmail: 'when-verified' })
  const emailOf = async (id = user.id): Promise<string | null | undefined> => (await storage.users.findById(id))?.email
  return { storage, user, calls, refresh, emailOf }
}

/** A storage whose `setEmail` throws. */
function failing(storage: MemoryStorage, error: Error): MemoryStorage {
  return { ...storage, users: { ...storage.users, setEmail: () => Promise.reject(error) } }
}

describe('refreshEmail', () => {
  it('writes a verified address that is another one, once, and hands on the row as it is then', async () => {
    const { user, calls, refresh, emailOf } = await world()
    const resolver = refresh()
    const first = await resolver(moved(), UNNAMED)
    expect(first).toMatchObject({ user: { id: user.id, email: NEW }, membership: { role: 'owner' } })
    expect(first).not.toHaveProperty('created')
    expect((await resolver(moved(), UNNAMED)).user).toEqual(first.user)
    expect(calls).toEqual(['users.findByIdentity', 'users.setEmail', 'users.findByIdentity'])
    expect(await emailOf()).toBe(NEW)
  })

  it.each<[string, Partial<Identity>]>([
    ['is not verified', { emailVerified: false }],
    ['nobody says to be verified', { emailVerified: null }],
    ['is said to be verified by anything but true', { emailVerified: 'true' as never }],
    ['is none', { email: null }],
    ['is no address', { email: 'no address' }],
    ['is the one of the row', { email: 'ada@example.test' }],
    ['is the one of the row with blanks around it', { email: ' ada@example.test ' }],
  ])('writes nothing where the address %s', async (_, over) => {
    const { calls, refresh, emailOf } = await world()
    expect((await refresh()(moved(over), UNNAMED)).user.email).toBe('ada@example.test')
    expect(calls).toEqual(['users.findByIdentity'])
    expect(await emailOf()).toBe('ada@example.test')
  })

  it('writes nothing where it is not asked for', async () => {
    const { storage, emailOf } = await world()
    await createProvisioner({ storage })(moved(), UNNAMED)
    expect(await emailOf()).toBe('ada@example.test')
  })

  it('links nobody: the address of somebody else may become theirs too, and both stay who they are', async () => {
    const { storage, user, refresh, emailOf } = await world()
    const bob = await refresh()(identityOf('bob', { email: NEW }), UNNAMED)
    const ada = await refresh()(moved(), UNNAMED)
    expect([ada.user.id, ada.user.email, bob.user.email]).toEqual([user.id, NEW, NEW])
    expect(bob.user.id).not.toBe(user.id)
    expect([await storage.users.count(), await emailOf(bob.user.id)]).toEqual([2, NEW])
  })

  it('is the same for any number of requests at once', async () => {
    const { storage, user, refresh, emailOf } = await world()
    const resolvers = Array.from({ length: 4 }, () => refresh())
    const asked = Array.from({ length: 100 }, (_, i) => resolvers[i % 4]?.(moved(), UNNAMED))
    const answers = await Promise.all(asked)
    expect(new Set(answers.map((answer) => `${answer?.user.id} ${answer?.user.email}`))).toEqual(
      new Set([`${user.id} ${NEW}`]),
    )
    expect([await storage.users.count(), await emailOf()]).toEqual([1, NEW])
  })

  it('leaves a disabled user refused and their row as it is', async () => {
    const { storage, user, calls, refresh, emailOf } = await world()
    await storage.users.setDisabled(user.id, true)
    expect(await reasonOf(() => refresh()(moved(), UNNAMED))).toBe('user_disabled')
    expect(calls).toEqual(['users.findByIdentity'])
    expect(await storage.users.setEmail(user.id, NEW)).toBeNull()
    expect(await emailOf()).toBe('ada@example.test')
  })

  it('writes nothing into a row that was erased between the look and the write', async () => {
    const { storage, user, refresh, emailOf } = await world()
    const late: MemoryStorage = {
      ...storage,
      users: {
        ...storage.users,
        async setEmail(userId, email) {
          await storage.users.anonymize(userId, null)
          return storage.users.setEmail(userId, email)
        },
      },
    }
    await refresh(late)(moved(), UNNAMED)
    expect(await storage.users.findById(user.id)).toMatchObject({ email: null, disabled: true })
    expect(await emailOf()).toBeNull()
  })

  it('leaves the address that the storage keeps for somebody else unwritten, and lets the caller in', async () => {
    const { storage, user, refresh, emailOf } = await world()
    const { user: known } = await refresh(failing(storage, new ConflictError('taken')))(moved(), UNNAMED)
    expect(known).toMatchObject({ id: user.id, email: 'ada@example.test' })
    expect(await emailOf()).toBe('ada@example.test')
  })

  it.each([new TransientError('busy'), new Error('a bug')])(
    'passes on any other failure of the storage: %s',
    async (error) => {
      const { storage, refresh } = await world()
      await expect(refresh(failing(storage, error))(moved(), UNNAMED)).rejects.toThrow(error.message)
    },
  )

  it.each([true, 'always', null, 'as-claimed'])('must not be %s', (refreshEmail) => {
    const storage = createMemoryStorage()
    expect(() => createProvisioner({ storage, refreshEmail: refreshEmail as never })).toThrow(/"refreshEmail" must be/)
  })

  it('needs a storage that can write one', () => {
    const storage = createMemoryStorage()
    const { setEmail: _, ...users } = storage.users
    const without = { ...storage, users }
    expect(() => createProvisioner({ storage: without })).not.toThrow()
    expect(() => createProvisioner({ storage: without, refreshEmail: 'when-verified' })).toThrow(
      /"refreshEmail" needs a storage with users.setEmail/,
    )
  })
})
