/**
 * A hundred invitations of strangers to one address, expired ones too, stood before every later one for ever: it was not among
 * `mine`, and did not take effect at the first login.
 */
import { describe, expect, it } from 'vitest'
import { createInvitationWorld, WEEK_MS } from '../people/invitation-world.ts'
import { STORAGES } from '../people/storages.ts'

describe.each(STORAGES)('on $name', ({ open }) => {
  it('expired invitations of an address stand before none that counts', async () => {
    const world = await createInvitationWorld({
      storage: await open(),
      invitations: { takeEffect: 'on-first-login' },
    })
    const { storage, invitations, provision, orgId } = world
    const [stranger, owner] = [await world.person('mallory'), await world.person('owner', 'owner')]
    const [createdAt, expiresAt] = [new Date(world.now()), new Date(world.now() + WEEK_MS)]
    for (let count = 0; count < 100; count++) {
      const { id } = await storage.orgs.insert({ name: `Mallory's ${count}` })
      const invitation = { email: 'ada@example.test', role: 'member', secretHash: null, createdAt, expiresAt }
      await storage.invitations.insert({ ...invitation, orgId: id, invitedBy: stranger.id })
    }
    world.pass(WEEK_MS)
    await invitations.create(world.acting(owner, 'owner'), { email: 'ada@example.test', role: 'admin' })
    const reader = await world.person('reader')
    const ada = world.user(reader, { email: 'ada@example.test', emailVerified: true })
    expect((await invitations.mine(ada)).map(({ org }) => org.id)).toEqual([orgId])
    const { identity } = world.identity('ada') as { identity: Parameters<typeof provision>[0] }
    const { user } = await provision(identity, { kind: 'unnamed' })
    expect(await storage.memberships.find(orgId, user.id)).toMatchObject({ role: 'admin' })
  })
})
