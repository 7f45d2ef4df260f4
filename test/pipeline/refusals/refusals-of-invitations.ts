/** The refusals of invitations. */
import { createMemoryStorage } from '../../../src/storage/memory.ts'
import { createInvitationWorld, type InvitationWorld, NOBODY } from '../../people/invitation-world.ts'
import type { Refusal } from './refusal.ts'

const ADA = { email: 'ada@example.test', role: 'member' }

type Options = NonNullable<Parameters<typeof createInvitationWorld<null>>[0]>

function of(
  reason: string,
  code: Refusal['code'],
  provoke: (world: InvitationWorld<null>) => unknown,
  options: () => Options = () => ({}),
): Refusal {
  return { reason, code, provoke: async () => provoke(await createInvitationWorld<null>(options())) }
}

async function create(world: InvitationWorld<null>, fields: object = {}): Promise<unknown> {
  const admin = await world.person('boss', 'admin').catch(() => world.person('boss'))
  return world.invitations.create(world.acting(admin, 'admin'), { ...ADA, ...fields })
}

/** Ada, who belongs elsewhere, accepts. */
async function move(world: InvitationWorld<null>): Promise<unknown> {
  const ada = await world.person('ada', 'owner', world.otherOrgId)
  return world.invitations.accept(world.user(ada), await world.invited('ada', 'member', null))
}

const oneOrg = (mayLeave?: () => boolean) => (): Options => ({
  storage: createMemoryStorage({ membershipOn: 'user-row' }),
  invitations: { mayLeave },
})

export const REFUSALS_OF_INVITATIONS: readonly Refusal[] = [
  of('invitation_of_a_member', 'conflict', (world) => create(world, { email: 'boss@example.test' })),
  of('invitation_pending_already', 'conflict', async (world) => {
    await create(world)
    return create(world)
  }),
  of(
    'invitations_too_many',
    'conflict',
    async (world) => {
      await create(world, { email: 'eve@example.test' })
      return create(world)
    },
    () => ({ invitations: { maxPending: 1 } }),
  ),
  of('invitation_not_found', 'not_found', async ({ invitations, user, person }) =>
    invitations.accept(user(await person('ada')), NOBODY),
  ),
  of('invitation_without_verified_email', 'not_found', async ({ invitations, user, person }) =>
    invitations.accept(user(await person('ada'), { emailVerified: false }), NOBODY),
  ),
  of('invitation_link_without_verified_email', 'forbidden', async ({ invitations, user, person }) =>
    invitations.acceptByLink(user(await person('ada'), { emailVerified: false }), 'secret'),
  ),
  of('invitation_of_a_member_already', 'conflict', async ({ invitations, invited, user, person }) =>
    invitations.accept(user(await person('ada', 'viewer')), await invited('ada', 'member', null)),
  ),
  of('invitation_to_another_org', 'conflict', move, oneOrg()),
  of(
    'invitation_leaves_what_may_not_be_left',
    'conflict',
    move,
    oneOrg(() => false),
  ),
  of(
    'invitation_leaves_others',
    'conflict',
    async (world) => {
      await world.person('bob', 'member', world.otherOrgId)
      return move(world)
    },
    oneOrg(() => true),
  ),
  of(
    'invitation_leaves_several',
    'conflict',
    async (world) => {
      const { id: orgId } = await world.storage.orgs.insert({ name: 'Third' })
      await world.person('ada', 'owner', orgId)
      return move(world)
    },
    () => ({ invitations: { mayLeave: () => true } }),
  ),
]
