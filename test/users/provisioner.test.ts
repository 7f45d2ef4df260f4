/** The first login: one user, one org, one hook, however many requests arrive at once and whatever fails meanwhile. */
import { readFileSync } from 'node:fs'
import { describe, expect, it, vi } from 'vitest'
import type { Identity, OrgSelection } from '../../src/context.ts'
import { AuthError } from '../../src/errors.ts'
import { createMemoryStorage, type MemoryStorage } from '../../src/storage/memory.ts'
import { ConflictError, TransientError } from '../../src/storage/storage-errors.ts'
import type { Bootstrap, ProvisioningDecision } from '../../src/users/provision.ts'
import { createProvisioner } from '../../src/users/provisioner.ts'
import { joiningAtOnce, newInvitation } from '../invitation.ts'
import { withUnheardCommit } from '../people/world.ts'
import { countedStorage } from '../pipeline/counted.ts'
import { createWorld, reasonOf, refusalOf } from '../pipeline/world.ts'
import { countRows, failingStorage, identityOf, times } from './first-logins.ts'

const UNNAMED: OrgSelection = { kind: 'unnamed' }
const ADA = identityOf('ada')

async function membershipsOf(storage: MemoryStorage, subject: string) {
  const found = await storage.users.findByIdentity(identityOf(subject), UNNAMED)
  if (found === null) return null
  return (await storage.memberships.listActing({ kind: 'user', user: found.user })).map(({ org, role }) => [
    org.id,
    role,
  ])
}

describe('the first sight of a person', () => {
  it('makes a user, an org of their own and an owner’s membership', async () => {
    const storage = createMemoryStorage()
    const { user, created } = await createProvisioner({ storage })(ADA, UNNAMED)
    expect(created).toBe(true)
    expect(user).toMatchObject({ subject: 'ada', issuer: ADA.issuer, email: 'ada@example.test', disabled: false })
    const [acting] = await storage.memberships.listActing({ kind: 'user', user })
    expect(acting).toMatchObject({ role: 'owner', org: { name: 'ada@example.test' } })
  })

  it('is a look-up ever after', async () => {
    const calls: string[] = []
    const resolver = createProvisioner({ storage: countedStorage(createMemoryStorage(), calls) })
    await resolver(ADA, UNNAMED)
    expect(calls).toEqual(['users.findByIdentity', 'transaction'])
    calls.length = 0
    expect(await resolver(ADA, UNNAMED)).not.toHaveProperty('created')
    expect(calls).toEqual(['users.findByIdentity'])
  })

  it('hands on no membership after a write: the org resolver asks again', async () => {
    expect(await createProvisioner({ storage: createMemoryStorage() })(ADA, UNNAMED)).not.toHaveProperty('membership')
  })

  it('tells people apart by issuer and subject, never by e-mail (P2)', async () => {
    const storage = createMemoryStorage()
    const resolver = createProvisioner({ storage })
    const email = 'same@example.test'
    const people = [
      identityOf('ada', { email }),
      identityOf('bob', { email }),
      identityOf('ada', { email, issuer: 'https://other.test' }),
      identityOf('https://other.test","ada', { email, issuer: '' }),
    ]
    const ids = await Promise.all(people.map(async (identity) => (await resolver(identity, UNNAMED)).user.id))
    expect(new Set(ids).size).toBe(people.length)
  })

  it('takes the owner’s role and says so to createAuth', async () => {
    const storage = createMemoryStorage()
    const resolver = createProvisioner({ storage, ownerRole: 'admin' })
    expect(resolver.assignsRoles).toEqual(['admin'])
    await resolver(ADA, UNNAMED)
    expect((await membershipsOf(storage, 'ada'))?.[0]?.[1]).toBe('admin')
  })
})

describe('the decision', () => {
  const decided = async (decision: ProvisioningDecision, storage = createMemoryStorage()) => {
    const seen: Bootstrap[] = []
    const bootstrap = (given: Bootstrap): void => void seen.push(given)
    const resolver = createProvisioner({ storage, decide: () => decision, bootstrap: bootstrap as never })
    await resolver(ADA, UNNAMED)
    return { storage, seen }
  }

  it('create: with a name of the host’s choice', async () => {
    const { seen } = await decided({ kind: 'create', orgName: 'Ada & Co' })
    expect(seen[0]).toMatchObject({ decision: 'create', org: { name: 'Ada & Co' }, role: 'owner' })
  })

  it('create: with an id of the host’s choice; one that is taken is decided about again', async () => {
    const storage = createMemoryStorage()
    const id = '00000000-0000-4000-8000-00000000000a'
    expect((await decided({ kind: 'create', orgId: id }, storage)).seen[0]).toMatchObject({ org: { id } })
    const decide = vi.fn((): ProvisioningDecision => ({ kind: 'create', orgId: id }))
    await expect(createProvisioner({ storage, decide })(identityOf('bob'), UNNAMED)).rejects.toThrow('is there already')
    expect(decide).toHaveBeenCalledTimes(2)
    decide.mockClear().mockReturnValueOnce({ kind: 'create', orgId: id })
    decide.mockReturnValue({ kind: 'join', orgId: id, role: 'member' })
    await createProvisioner({ storage, decide })(identityOf('bob'), UNNAMED)
    expect(await membershipsOf(storage, 'bob')).toEqual([[id, 'member']])
    expect(await countRows(storage)).toEqual({ users: 2, orgs: 1 })
  })

  it('create: without an e-mail the org is named Personal', async () => {
    const storage = createMemoryStorage()
    const { user } = await createProvisioner({ storage })(identityOf('ada', { email: null }), UNNAMED)
    expect((await storage.memberships.listActing({ kind: 'user', user }))[0]?.org.name).toBe('Personal')
  })

  it('join: into an org that is there, no org of one’s own', async () => {
    const storage = createMemoryStorage()
    const org = await storage.orgs.insert({ name: 'acme' })
    const { seen } = await decided({ kind: 'join', orgId: org.id, role: 'member' }, storage)
    expect(await membershipsOf(storage, 'ada')).toEqual([[org.id, 'member']])
    expect(await storage.orgs.count()).toBe(1)
    expect(seen[0]).toMatchObject({ decision: 'join', org: { id: org.id }, role: 'member' })
  })

  it('none: a user row without a membership, refused in an org, never provisioned again', async () => {
    const { storage, seen } = await decided({ kind: 'none' })
    expect(await membershipsOf(storage, 'ada')).toEqual([])
    expect(seen[0]).toMatchObject({ decision: 'none', org: null, role: null })
    const world = createWorld({
      auth: (own) => ({ users: createProvisioner({ storage: own, decide: () => ({ kind: 'none' }) }) as never }),
    })
    const headers = { authorization: `Bearer ${await world.sign()}` }
    expect(await reasonOf(world.authenticate({ headers }))).toBe('not_a_member')
    expect(await reasonOf(world.authenticate({ headers }))).toBe('not_a_member')
    expect(await countRows(world.storage)).toEqual({ users: 1, orgs: 0 })
    expect(await world.authenticate({ headers }, { needs: 'user' })).toMatchObject({ kind: 'user' })
  })

  it('join into an org that never was, named again and again: a mistake of the host, soon, and nothing written', async () => {
    const storage = createMemoryStorage()
    const decide = vi.fn((): ProvisioningDecision => ({ kind: 'join', orgId: 'gone', role: 'member' }))
    await expect(createProvisioner({ storage, decide })(ADA, UNNAMED)).rejects.toThrow('does not exist')
    expect(decide).toHaveBeenCalledTimes(2)
    expect(await countRows(storage)).toEqual({ users: 0, orgs: 0 })
  })

  it.each(['before the look', 'between the look and the write'])(
    'join into an org that is deleted %s: decides again',
    async (when) => {
      const storage = createMemoryStorage()
      const org = await storage.orgs.insert({ name: 'gone' })
      const transaction: MemoryStorage['transaction'] = (work) =>
        storage.transaction((inside) => {
          const findById: typeof inside.orgs.findById = async (id) => {
            const found = when === 'before the look' ? null : await inside.orgs.findById(id)
            await inside.orgs.remove(org.id)
            return found
          }
          return work({ ...inside, orgs: { ...inside.orgs, findById, findLocked: findById } })
        })
      const decide = vi.fn<() => ProvisioningDecision>(() => ({ kind: 'create' }))
      decide.mockReturnValueOnce({ kind: 'join', orgId: org.id, role: 'member' })
      const resolver = createProvisioner({ storage: { ...storage, transaction }, decide })
      expect((await resolver(ADA, UNNAMED)).created).toBe(true)
      expect(decide).toHaveBeenCalledTimes(2)
      expect((await membershipsOf(storage, 'ada'))?.map(([, role]) => role)).toEqual(['owner'])
    },
  )

  it('may refuse, before any write', async () => {
    const storage = createMemoryStorage()
    const decide = (): never => {
      throw new AuthError('forbidden', { reason: 'by_invitation_only' })
    }
    expect(await reasonOf(createProvisioner({ storage, decide })(ADA, UNNAMED))).toBe('by_invitation_only')
    expect(await countRows(storage)).toEqual({ users: 0, orgs: 0 })
  })
})

describe('invitations', () => {
  const invited = async (email: string) => {
    const storage = createMemoryStorage()
    const { id: orgId } = await storage.orgs.insert({ name: 'acme' })
    await storage.invitations.insert(newInvitation({ orgId, email, role: 'member' }))
    return { storage, orgId }
  }

  it.each(['ada@example.test', 'Ada@Example.TEST', ' ada@example.test '])('of %j is found by Ada', async (email) => {
    const { storage, orgId } = await invited(email)
    await createProvisioner({ storage, invitations: joiningAtOnce(storage) })(
      identityOf('ada', { email: 'ADA@example.test' }),
      UNNAMED,
    )
    expect(await membershipsOf(storage, 'ada')).toEqual([[orgId, 'member']])
    expect(await storage.orgs.count()).toBe(1)
    expect(await storage.invitations.listByEmail('ada@example.test', 9)).toEqual([])
  })

  it.each([
    ['false', false],
    ['nothing', null],
    ['a truthy word', 'yes'],
    ['one', 1],
  ])('are not taken where the issuer says of the address %s', async (_what, emailVerified) => {
    const { storage, orgId } = await invited('ada@example.test')
    const resolver = createProvisioner({ storage, invitations: joiningAtOnce(storage) })
    const { provisioned } = await resolver(identityOf('ada', { emailVerified: emailVerified as never }), UNNAMED)
    expect((await membershipsOf(storage, 'ada'))?.[0]).not.toContain(orgId)
    const [pending] = await storage.invitations.listByEmail('ada@example.test', 9)
    expect(provisioned?.passedOver).toEqual([{ invitationId: pending?.id, orgId, why: 'email_not_verified' }])
  })

  it('are not asked for without the option, without an e-mail, or for one that is none', async () => {
    const { storage, orgId } = await invited('ada@example.test')
    await createProvisioner({ storage })(ADA, UNNAMED)
    const resolver = createProvisioner({ storage, invitations: joiningAtOnce(storage) })
    await resolver(identityOf('bob', { email: null }), UNNAMED)
    await resolver(identityOf('eve', { email: 'ada@example.test\n@x' }), UNNAMED)
    for (const subject of ['ada', 'bob', 'eve']) {
      expect((await membershipsOf(storage, subject))?.map(([id]) => id)).not.toContain(orgId)
    }
  })

  it('never move somebody who is here already', async () => {
    const { storage, orgId } = await invited('ada@example.test')
    await createProvisioner({ storage })(ADA, UNNAMED)
    await createProvisioner({ storage, invitations: joiningAtOnce(storage) })(ADA, UNNAMED)
    expect((await membershipsOf(storage, 'ada'))?.[0]).not.toContain(orgId)
  })

  it('are taken once: of two people at once one joins, the other decides again', async () => {
    for (let round = 0; round < 20; round++) {
      const { storage, orgId } = await invited('shared@example.test')
      const resolvers = [0, 1].map(() => createProvisioner({ storage, invitations: joiningAtOnce(storage) }))
      const people = ['ada', 'bob'].map((subject) => identityOf(subject, { email: 'shared@example.test' }))
      const decided = await Promise.all(resolvers.map((resolver, i) => resolver(people[i] as Identity, UNNAMED)))
      expect(decided.map(({ created }) => created)).toEqual([true, true])
      const joined = await Promise.all(['ada', 'bob'].map((subject) => membershipsOf(storage, subject)))
      expect(joined.filter((list) => list?.some(([id]) => id === orgId))).toHaveLength(1)
      expect(joined.every((list) => list?.length === 1)).toBe(true)
      expect(await countRows(storage)).toEqual({ users: 2, orgs: 2 })
    }
  })

  it('lost, and the host’s own decision refuses then: no trace of the loser', async () => {
    const { storage } = await invited('shared@example.test')
    const decide = (_identity: Identity, invitation: { id: string; orgId: string; role: string } | null) => {
      if (invitation === null) throw new AuthError('forbidden', { reason: 'by_invitation_only' })
      return { kind: 'join', orgId: invitation.orgId, role: invitation.role, invitationId: invitation.id } as const
    }
    const resolvers = [0, 1].map(() => createProvisioner({ storage, invitations: joiningAtOnce(storage), decide }))
    const people = ['ada', 'bob'].map((subject) => identityOf(subject, { email: 'shared@example.test' }))
    const results = await Promise.allSettled(resolvers.map((resolver, i) => resolver(people[i] as Identity, UNNAMED)))
    expect(results.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected'])
    expect(await countRows(storage)).toEqual({ users: 1, orgs: 1 })
  })
})

describe('many at once', () => {
  it('100 first requests of one person: one user, one org, one hook, created once', async () => {
    const storage = createMemoryStorage()
    let hooks = 0
    const resolver = createProvisioner({ storage, bootstrap: () => void hooks++ })
    const resolved = await Promise.all(Array.from({ length: 100 }, () => resolver(ADA, UNNAMED)))
    expect(new Set(resolved.map(({ user }) => user.id)).size).toBe(1)
    expect(resolved.filter(({ created }) => created)).toHaveLength(1)
    expect([await countRows(storage), hooks]).toEqual([{ users: 1, orgs: 1 }, 1])
  })

  it('50 people × 100 requests', async () => {
    const storage = createMemoryStorage()
    const hooks: string[] = []
    const resolver = createProvisioner({ storage, bootstrap: ({ user }) => void hooks.push(user.id) })
    const people = Array.from({ length: 50 }, (_, i) => identityOf(`person-${i}`))
    const requests = people.flatMap((identity) => Array.from({ length: 100 }, () => identity))
    const resolved = await Promise.all(requests.map((identity) => resolver(identity, UNNAMED)))
    resolved.forEach(({ user }, i) => {
      expect(user.subject).toBe(requests[i]?.subject)
    })
    expect(await countRows(storage)).toEqual({ users: 50, orgs: 50 })
    expect([hooks.length, new Set(hooks).size]).toEqual([50, 50])
  })

  it('two instances over one storage', async () => {
    const storage = createMemoryStorage()
    let hooks = 0
    const resolvers = [0, 1].map(() => createProvisioner({ storage, bootstrap: () => void hooks++ }))
    const resolved = await Promise.all(Array.from({ length: 100 }, (_, i) => resolvers[i % 2]?.(ADA, UNNAMED)))
    expect(new Set(resolved.map((each) => each?.user.id)).size).toBe(1)
    expect(resolved.filter((each) => each?.created)).toHaveLength(1)
    expect([await countRows(storage), hooks]).toEqual([{ users: 1, orgs: 1 }, 1])
  })

  it('each their own: 100 people × 5 parallel first requests (P3)', async () => {
    const resolver = createProvisioner({ storage: createMemoryStorage() })
    const people = Array.from({ length: 100 }, (_, i) => identityOf(`p${i}`))
    const subjects = await Promise.all(
      [...people, ...people, ...people, ...people, ...people].map(async (identity) => {
        const { user } = await resolver(identity, UNNAMED)
        return user.subject === identity.subject
      }),
    )
    expect(subjects.every(Boolean)).toBe(true)
  })

  it('keeps nothing of a flight that failed', async () => {
    let failing = true
    const storage = createMemoryStorage()
    const resolver = createProvisioner({
      storage,
      bootstrap: () => {
        if (failing) throw new AuthError('forbidden', { reason: 'not_yet' })
      },
    })
    const results = await Promise.allSettled(Array.from({ length: 10 }, () => resolver(ADA, UNNAMED)))
    expect(results.every(({ status }) => status === 'rejected')).toBe(true)
    failing = false
    expect((await resolver(ADA, UNNAMED)).created).toBe(true)
  })
})

describe('the bootstrap hook', () => {
  it('runs once an attempt, so that mail sent from it would go out again: docs/users.md says where it goes (P6)', async () => {
    let runs = 0
    const storage = failingStorage(times(2, () => new TransientError('deadlock')))
    const bootstrap = (): void => {
      runs += 1
    }
    await createProvisioner({ storage, bootstrap })(ADA, UNNAMED)
    expect([runs, await countRows(storage)]).toEqual([3, { users: 1, orgs: 1 }])
    expect(readFileSync(new URL('../../docs/users.md', import.meta.url), 'utf8')).toMatch(
      /Mail and billing go into an outbox/,
    )
  })

  it('runs inside the transaction, under a system context', async () => {
    const storage = createMemoryStorage()
    let seen: Bootstrap | null = null
    const bootstrap = async (given: Bootstrap): Promise<void> => {
      seen = given
      expect(await given.transaction.users.findById(given.user.id)).not.toBeNull()
      expect(await storage.users.count()).toBe(0)
    }
    await createProvisioner({ storage, bootstrap: bootstrap as never })(ADA, UNNAMED)
    expect(seen).toMatchObject({ system: { kind: 'system', purpose: 'provisioning' }, identity: ADA, role: 'owner' })
    expect(await storage.users.count()).toBe(1)
  })

  it('refuses by an AuthError, and leaves no trace', async () => {
    const storage = createMemoryStorage()
    const bootstrap = (): never => {
      throw new AuthError('forbidden', { reason: 'host_said_no' })
    }
    expect(await reasonOf(createProvisioner({ storage, bootstrap })(ADA, UNNAMED))).toBe('host_said_no')
    expect(await countRows(storage)).toEqual({ users: 0, orgs: 0 })
  })

  it.each([new Error('disk full'), null, undefined, 'text', { status: 200 }])(
    'passes any other throw through untouched, no rows, no retry: %j',
    async (thrown) => {
      const storage = createMemoryStorage()
      let runs = 0
      const bootstrap = (): never => {
        runs++
        throw thrown
      }
      const outcome = await createProvisioner({ storage, bootstrap })(ADA, UNNAMED).then(
        () => 'let in',
        (error: unknown) => ({ error }),
      )
      expect(outcome).toEqual({ error: thrown })
      expect(runs).toBe(1)
      expect(await countRows(storage)).toEqual({ users: 0, orgs: 0 })
    },
  )
})

describe('failures of the moment (P4)', () => {
  const kinds: readonly [string, () => Error][] = [
    ['a transient failure', () => new TransientError('deadlock')],
    ['a unique violation', () => new ConflictError('taken')],
  ]
  for (const [what, make] of kinds) {
    it.each([1, 2, 3, 4, 5])(`${what}, %i times: mended`, async (count) => {
      const storage = failingStorage(times(count, make))
      const { created } = await createProvisioner({ storage })(ADA, UNNAMED)
      expect([created, storage.attempts()]).toEqual([true, count + 1])
      expect(await countRows(storage)).toEqual({ users: 1, orgs: 1 })
    })

    it(`${what}, 6 times: 503 with Retry-After, nothing written, its cause kept`, async () => {
      const storage = failingStorage(times(6, make))
      const refusal = await refusalOf(createProvisioner({ storage })(ADA, UNNAMED))
      expect(refusal).toMatchObject({ code: 'temporarily_unavailable', status: 503 })
      expect(refusal.headers['Retry-After']).toBe('1')
      expect((refusal.cause as Error).message).toBe(make().message)
      expect(storage.attempts()).toBe(6)
      expect(await countRows(storage)).toEqual({ users: 0, orgs: 0 })
    })
  }

  it('a commit that was not heard of is asked after: they were made here, and the record says as what', async () => {
    const [storage, hooks] = [createMemoryStorage(), [] as string[]]
    const deaf = withUnheardCommit(storage as never) as never as MemoryStorage
    const step = createProvisioner({ storage: deaf, bootstrap: ({ decision }) => void hooks.push(decision) })
    const { user, created, provisioned } = await step(ADA, UNNAMED)
    const [acting] = await storage.memberships.listActing({ kind: 'user', user })
    expect([created, provisioned]).toEqual([
      true,
      { decision: 'create', orgId: acting?.org.id, invitationId: null, passedOver: [] },
    ])
    expect([hooks, await countRows(storage)]).toEqual([['create'], { users: 1, orgs: 1 }])
  })

  it('gives up 5 seconds after the first, however few the attempts', async () => {
    let now = 0
    const storage = failingStorage(() => {
      now += 2600
      return new TransientError('slow')
    })
    const work = createProvisioner({ storage, clock: () => now })(ADA, UNNAMED)
    expect((await refusalOf(work)).code).toBe('temporarily_unavailable')
    expect(storage.attempts()).toBe(3)
  })

  it('does not retry anything else', async () => {
    const storage = failingStorage(() => new Error('syntax error'))
    await expect(createProvisioner({ storage })(ADA, UNNAMED)).rejects.toThrow('syntax error')
    expect(storage.attempts()).toBe(1)
  })

  it('200 first logins with 30 % of commits failing: none half-made, none lost after a 503', async () => {
    let at = 0
    const pattern = [true, false, false, false, true, false, true, false, false, false]
    const storage = failingStorage(() => (pattern[at++ % 10] === true ? new TransientError('40001') : null))
    const resolver = createProvisioner({ storage })
    // Six failures in a row are a 503; the client comes again.
    const logIn = async (name: string): Promise<unknown> => {
      try {
        return await resolver(identityOf(name), UNNAMED)
      } catch (error) {
        expect(error).toMatchObject({ code: 'temporarily_unavailable' })
        return logIn(name)
      }
    }
    await Promise.all(Array.from({ length: 200 }, (_, i) => logIn(`p${i}`)))
    expect(await countRows(storage)).toEqual({ users: 200, orgs: 200 })
  })
})

describe('disabled here (P7)', () => {
  it('is 403 and never provisioned again', async () => {
    const storage = createMemoryStorage()
    const resolver = createProvisioner({ storage })
    const { user } = await resolver(ADA, UNNAMED)
    await storage.users.setDisabled(user.id, true)
    expect(await reasonOf(resolver(ADA, UNNAMED))).toBe('user_disabled')
    expect(await countRows(storage)).toEqual({ users: 1, orgs: 1 })
  })

  it('also where the row turns up inside the transaction only', async () => {
    const storage = createMemoryStorage()
    const { user } = await storage.users.upsertByIdentity({ issuer: ADA.issuer, subject: 'ada', email: null })
    await storage.users.setDisabled(user.id, true)
    const late = { ...storage, users: { ...storage.users, findByIdentity: async () => null } }
    expect(await reasonOf(createProvisioner({ storage: late })(ADA, UNNAMED))).toBe('user_disabled')
  })
})
