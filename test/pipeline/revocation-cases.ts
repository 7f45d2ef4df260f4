/** What was taken away is refused on the very next request, in process: a membership, a role, a user, an organization. */
import { describe, expect, it } from 'vitest'
import { createWorld, reasonOf, type World } from './world.ts'

/** Take something away from so many people, and ask of each whether the very next request is refused. */
export function describeRevocation(trials: number): void {
  describe('revocation: refused on the very next request', () => {
    // [what is taken away, how, the reason of the refusal]
    const changes: readonly (readonly [
      string,
      (world: World, orgId: string, userId: string) => Promise<unknown>,
      string,
    ])[] = [
      ['a membership', ({ storage }, orgId, userId) => storage.memberships.remove(orgId, userId), 'not_a_member'],
      ['a role', ({ storage }, orgId, userId) => storage.memberships.setRole(orgId, userId, 'member'), 'role_too_low'],
      ['a user', ({ storage }, _orgId, userId) => storage.users.setDisabled(userId, true), 'user_disabled'],
      ['an org', ({ storage }, orgId) => storage.orgs.remove(orgId), 'not_a_member'],
    ]

    it.each(changes)(`%s: ${trials} of ${trials}`, async (_what, takeAway, reason) => {
      const world = createWorld()
      let refused = 0
      for (let trial = 0; trial < trials; trial++) {
        const orgId = await world.org(`org ${trial}`)
        const { id, headers } = await world.person(`person ${trial}`, { [orgId]: 'admin' })
        const request = { headers: { ...headers, 'x-org-id': orgId } }
        expect(await world.authenticate(request, { role: 'admin' })).toMatchObject({ role: 'admin' })
        await takeAway(world, orgId, id)
        if ((await reasonOf(world.authenticate(request, { role: 'admin' }))) === reason) refused++
      }
      expect(refused).toBe(trials)
    })
  })
}
