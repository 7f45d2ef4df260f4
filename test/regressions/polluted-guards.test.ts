/**
 * Guards, and what people do with keys and members, asked a context by `in` how far its route had gone: who had let a `user` and
 * an `org` be written into `Object.prototype` made a user of whoever had shown a token.
 */
import { expect, it } from 'vitest'
import { requirePerson, requirePersonInOrg } from '../../src/people/people-act.ts'
import { createWorld, LADDER, ROLES, reasonOf } from '../pipeline/world.ts'

it('a context has what it says itself', async () => {
  const { auth, org, person, authenticate } = createWorld()
  const { headers } = await person('ada', { [await org('acme')]: 'owner' })
  const [identity, full] = [await authenticate({ headers }, { needs: 'identity' }), await authenticate({ headers })]
  if (identity === null || full === null || !('user' in full)) throw new Error('nobody was let in')
  const known = { roles: ROLES, hasCustom: false } as never
  const { user, org: acme, role } = full as typeof full & { readonly org: unknown }
  const looks = [
    () => auth.requireUser(identity),
    () => auth.requireOrg(identity),
    () => auth.requireRole(LADDER[0] as never)(identity),
    () => requirePerson(identity, known),
    () => requirePersonInOrg(identity, known),
  ]
  Object.assign(Object.prototype, { user, org: acme, role })
  try {
    const reasons = await Promise.all(looks.map((look) => reasonOf(async () => look())))
    expect(reasons).toEqual([
      ...['guard_not_a_user', 'guard_no_org', 'guard_no_role'],
      ...['people_need_a_user', 'people_need_a_user'],
    ])
  } finally {
    for (const name of ['user', 'org', 'role']) Reflect.deleteProperty(Object.prototype, name)
  }
})
