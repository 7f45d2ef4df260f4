/**
 * What happens to one invitation at the same moment, over two storages on one database: as many processes as one can be. Run
 * by the tests, a few rounds in memory, and by the long ones, all of them on every storage (M2, M5, M6).
 */
import { expect } from 'vitest'
import { createMembers } from '../../src/people/members.ts'
import type { StoredUser } from '../../src/storage/shipped-storage.ts'
import { ROLES } from '../pipeline/world.ts'
import { identityOf } from '../users/first-logins.ts'
import { createInvitationWorld, type InvitationWorld } from './invitation-world.ts'
import type { Pair } from './member-races.ts'
import { contextOf, outcomeOf } from './world.ts'

type World = InvitationWorld<unknown>

interface Place {
  /** Over one storage each, of the same organization. */
  readonly worlds: readonly [World, World]
  readonly owner: StoredUser
  readonly orgId: string
}

let people = 0

async function open(
  [one, two]: Pair,
  takeEffect: 'when-accepted' | 'on-first-login' = 'when-accepted',
): Promise<Place> {
  const options = { clock: Date.now, invitations: { takeEffect } } as const
  const first = await createInvitationWorld<unknown>({ ...options, storage: one as never })
  const second = await createInvitationWorld<unknown>({ ...options, storage: two as never })
  const owner = await first.person(`owner-${people++}`, 'owner')
  return { worlds: [first, second], owner, orgId: first.orgId }
}

// Somebody invites, somebody accepts, and somebody does something to the one or the other meanwhile.
async function raceAccept(
  pair: Pair,
  rounds: number,
  meanwhile: (place: Place, inviter: StoredUser, invitationId: string) => Promise<unknown>,
  mayEnd: (accepted: string, done: string) => boolean,
): Promise<void> {
  const place = await open(pair)
  const [one] = place.worlds
  for (let round = 0; round < rounds; round++) {
    const name = `guest-${people++}`
    const inviter = await one.person(`inviter-${people++}`, 'admin')
    const id = await one.invited(name, 'admin', inviter)
    const isNew = round % 2 === 0
    const accept = isNew
      ? one.invitations.accept(one.identity(name), id, { provision: one.provision })
      : one.invitations.accept(one.user(await one.person(name)), id)
    const [accepted, done] = await Promise.all([outcomeOf(accept), outcomeOf(meanwhile(place, inviter, id))])
    expect(mayEnd(accepted, done), `round ${round}: ${accepted}, ${done}`).toBe(true)
    const found = await one.storage.users.findByIdentity(identityOf(name), { kind: 'unnamed' })
    const role =
      found === null ? null : ((await one.storage.memberships.find(place.orgId, found.user.id))?.role ?? null)
    expect(role).toBe(accepted === 'done' ? 'admin' : null)
    // Of somebody new all is there, or nothing.
    if (isNew) expect(found === null).toBe(accepted !== 'done')
    if (accepted === 'done') expect(await one.storage.invitations.findById(id)).toBeNull()
  }
}

const NOT_FOUND = '404 invitation_not_found'

/** Accepted while it is revoked: one of the two. */
export async function raceRevoke(pair: Pair, rounds: number): Promise<void> {
  await raceAccept(
    pair,
    rounds,
    ({ worlds: [, two], owner, orgId }, _, id) => two.invitations.revoke(two.acting(owner, 'owner', { orgId }), id),
    (accepted, done) => [accepted, done].sort().join() === [NOT_FOUND, 'done'].sort().join(),
  )
}

const membersOf = ({ storage }: World) => createMembers({ storage, roles: ROLES, manage: { role: 'owner' } })

/** Accepted while its inviter is removed, or may give less: as it was, or not at all. */
export async function raceInviter(pair: Pair, rounds: number): Promise<void> {
  let round = 0
  await raceAccept(
    pair,
    rounds,
    async ({ worlds: [, two], owner, orgId }, inviter) => {
      const by = contextOf(owner.id, 'owner', orgId)
      const change = { userId: inviter.id, role: 'member' }
      if (round++ % 2 === 0) await membersOf(two).remove(by, inviter.id)
      else await membersOf(two).changeRole(by, change)
    },
    (accepted, done) => done === 'done' && ['done', NOT_FOUND].includes(accepted),
  )
}

/** Fifty people who have the address, half of them new, at once: one is a member, and nobody else has been made. */
export async function raceTakers(pair: Pair, rounds: number): Promise<void> {
  const { worlds, orgId } = await open(pair)
  const [one] = worlds
  for (let round = 0; round < rounds; round++) {
    const name = `shared-${people++}`
    const id = await one.invited(name, 'member', null)
    const [users, members] = [await one.storage.users.count(), (await one.storage.memberships.listByOrg(orgId)).length]
    const takers = Array.from({ length: 25 }, (_, n) => ({ subject: `${name}-${n}`, email: `${name}@example.test` }))
    const known = await Promise.all(takers.map(({ subject }) => one.person(`known-${subject}`)))
    const outcomes = await Promise.all([
      ...takers.map(({ subject, email }, n) => {
        const { invitations, identity, provision } = worlds[n % 2] as World
        return outcomeOf(invitations.accept(identity(subject, { email }), id, { provision }))
      }),
      ...takers.map(({ email }, n) => {
        const { invitations, user } = worlds[n % 2] as World
        return outcomeOf(invitations.accept(user(known[n] as StoredUser, { email }), id))
      }),
    ])
    expect(outcomes.filter((outcome) => outcome === 'done')).toHaveLength(1)
    expect(outcomes.filter((outcome) => outcome === NOT_FOUND)).toHaveLength(49)
    expect(await one.storage.memberships.listByOrg(orgId)).toHaveLength(members + 1)
    const made = outcomes.slice(0, 25).includes('done') ? 1 : 0
    expect(await one.storage.users.count()).toBe(users + 25 + made)
  }
}

/** A first login and the acceptance of one person at once: one user; a member of what they were invited into, once. */
export async function raceFirstLogin(pair: Pair, rounds: number): Promise<void> {
  for (const takeEffect of ['when-accepted', 'on-first-login'] as const) {
    const { worlds, orgId } = await open(pair, takeEffect)
    const [one, two] = worlds
    const { storage } = one
    for (let round = 0; round < rounds; round++) {
      const name = `first-${people++}`
      const id = await one.invited(name, 'member', null)
      const [users, orgs] = [await storage.users.count(), await storage.orgs.count()]
      const [login, accepted] = await Promise.all([
        outcomeOf(two.provision(identityOf(name), { kind: 'unnamed' })),
        outcomeOf(one.invitations.accept(one.identity(name), id, { provision: one.provision })),
      ])
      expect(login).toBe('done')
      expect(await storage.users.count()).toBe(users + 1)
      const found = await storage.users.findByIdentity(identityOf(name), { kind: 'unnamed' })
      const places = await storage.memberships.listActing({ kind: 'user', user: found?.user as StoredUser })
      const made = (await storage.orgs.count()) - orgs
      // Whoever came first: accepted alone, joined by the login, or an organization of their own and then this one.
      expect(accepted).toMatch(takeEffect === 'when-accepted' ? /^done$/ : /^(?:done|404 invitation_not_found)$/)
      expect(places.filter(({ org }) => org.id === orgId).map(({ role }) => role)).toEqual(['member'])
      expect(places).toHaveLength(made + 1)
      expect(made).toBeLessThanOrEqual(1)
      expect(await storage.invitations.findById(id)).toBeNull()
    }
  }
}
