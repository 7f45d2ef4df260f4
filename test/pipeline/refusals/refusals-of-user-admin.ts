/** The refusals of what an operator does with people. */
import { createMemoryStorage } from '../../../src/storage/memory.ts'
import { createUserAdminWorld, ISSUER, NOBODY, type UserAdminWorld } from '../../people/user-admin-world.ts'
import type { Refusal } from './refusal.ts'

const HERE = { issuer: ISSUER, subject: 'ada' }
const THERE = { issuer: ISSUER, subject: 'bob' }
const FREED = { identity: 'freed', emptyOrgs: 'remove' } as const

type Provoke = (world: UserAdminWorld, ids: { readonly ada: string; readonly bob: string }) => unknown

function refusal(reason: string, code: Refusal['code'], provoke: Provoke): Refusal {
  return {
    reason,
    code,
    async provoke() {
      const verify = async () => ({ kind: 'machine', ...THERE }) as never
      const world = createUserAdminWorld(createMemoryStorage(), { verifier: { verify } })
      const [ada, bob] = [await world.user('ada'), await world.user('bob')]
      await world.org('Acme', [ada, 'owner'], [bob, 'member'])
      return provoke(world, { ada: ada.id, bob: bob.id })
    },
  }
}

export const REFUSALS_OF_USER_ADMIN: readonly Refusal[] = [
  refusal('person_unknown', 'not_found', ({ admin }) => admin.disable(NOBODY)),
  refusal('identity_not_proved', 'forbidden', ({ admin }) => admin.moveIdentity(HERE, THERE)),
  refusal('moved_to_a_machine', 'forbidden', ({ admin }) =>
    admin.moveIdentity({ token: 'a.b.c' }, THERE, { operator: 'grace' }),
  ),
  refusal('moved_by_an_actor', 'forbidden', ({ storage }) => {
    const verify = async () => ({ kind: 'person', ...HERE, actor: { subject: 'desk', issuer: null } }) as never
    const { admin } = createUserAdminWorld(storage, { verifier: { verify } })
    return admin.moveIdentity({ token: 'a.b.c' }, { token: 'd.e.f' })
  }),
  refusal('moved_user_disabled', 'forbidden', async ({ storage }, { ada }) => {
    await storage.users.setDisabled(ada, true)
    const identities = [HERE, { issuer: ISSUER, subject: 'ada-2' }]
    const verify = async (token: string) => ({ kind: 'person', ...identities[Number(token)] }) as never
    const { admin } = createUserAdminWorld(storage, { verifier: { verify } })
    return admin.moveIdentity({ token: '0' }, { token: '1' })
  }),
  refusal('identity_taken', 'conflict', ({ admin }) => admin.moveIdentity(HERE, THERE, { operator: 'grace' })),
  refusal('erasure_leaves_no_owner', 'conflict', ({ admin }, { ada }) => admin.erase(ada, FREED)),
  refusal('erasure_leaves_no_admin', 'conflict', async ({ admin, account }) => {
    const { id } = await account('root@example.test', 'owner')
    return admin.eraseAccount(id)
  }),
]
