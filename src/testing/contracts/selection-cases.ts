/**
 * Cases of the organization contract: the membership that `findByIdentity` may answer in the same query. Leaving it out
 * is always allowed; what is there must be what `findActing` and `listActing` say.
 */
import type { ActingOrg, Organization, OrgSelection } from '../../context.ts'
import type { NewUser, UserRepository } from '../../storage/repositories.ts'
import type { CaseSpec } from './contract-case.ts'
import { newPerson, pause } from './contract-world.ts'
import { expectFound, expectSame, expectThat } from './expectations.ts'
import { hostileIds } from './hostile-ids.ts'

async function expectMembership(
  users: UserRepository,
  person: NewUser,
  selection: OrgSelection,
  wanted: ActingOrg<Organization> | null,
): Promise<void> {
  const found = expectFound(await users.findByIdentity(person, selection), 'the user')
  const what = `the membership for the selection "${selection.kind}", or none asked`
  if (found.membership !== undefined) expectSame(found.membership, wanted, what)
}

export const SELECTION_CASES: readonly CaseSpec[] = [
  {
    id: 'orgs/selection-named',
    name: 'MUST answer a named org as findActing does: own, foreign, unknown and hostile',
    requirement: 'O3',
    async test({ storage: { users, memberships }, newOrg, newMember, callerOf, top, low }) {
      const person = newPerson()
      const [{ user }, org, foreign] = [await users.upsertByIdentity(person), await newOrg(), await newOrg()]
      await newMember(org.id, low)
      await newMember(foreign.id, low)
      await memberships.insert({ orgId: org.id, userId: user.id, role: top })
      const caller = await callerOf(user)
      for (const orgId of [org.id, foreign.id, crypto.randomUUID(), ...hostileIds(org.id)]) {
        const wanted = await memberships.findActing(caller, orgId)
        await expectMembership(users, person, { kind: 'named', orgId }, wanted)
      }
    },
  },
  {
    id: 'orgs/selection-unnamed',
    name: 'MUST answer an unnamed org as the first of listActing, and null for a user without any',
    requirement: 'O4',
    async test({ storage: { users, memberships }, newOrg, newMember, callerOf, top, low }) {
      const person = newPerson()
      const [{ user }, org] = [await users.upsertByIdentity(person), await newOrg()]
      await newMember(org.id, low)
      await expectMembership(users, person, { kind: 'unnamed' }, null)
      await memberships.insert({ orgId: org.id, userId: user.id, role: top })
      const [first] = await memberships.listActing(await callerOf(user), 1)
      expectThat(first?.org.id === org.id, 'the org just joined to be listed', first)
      await expectMembership(users, person, { kind: 'unnamed' }, first)
    },
  },
  {
    id: 'orgs/selection-many',
    name: 'MUST answer the earliest-joined of several orgs where none is named, and the named one where one is',
    requirement: 'O4',
    needs: ['many'],
    async test({ storage: { users, memberships }, newOrgs, top, low }) {
      const person = newPerson()
      const [{ user }, orgs] = [await users.upsertByIdentity(person), await newOrgs(3)]
      for (const [index, { id }] of orgs.entries()) {
        await memberships.insert({ orgId: id, userId: user.id, role: index === 0 ? low : top })
        await pause(4)
      }
      const acting = orgs.map((org, index) => ({ org, role: index === 0 ? low : top }))
      await expectMembership(users, person, { kind: 'unnamed' }, acting[0] ?? null)
      for (const one of acting) await expectMembership(users, person, { kind: 'named', orgId: one.org.id }, one)
    },
  },
  {
    id: 'orgs/selection-malformed',
    name: 'MUST find the user for a malformed or conflicting selection, and no membership',
    requirement: 'O2',
    async test({ storage: { users, memberships }, newOrg, low }) {
      const person = newPerson()
      const [{ user }, org] = [await users.upsertByIdentity(person), await newOrg()]
      await memberships.insert({ orgId: org.id, userId: user.id, role: low })
      for (const kind of ['malformed', 'conflict'] as const) {
        const found = expectFound(await users.findByIdentity(person, { kind }), `the user, also for "${kind}"`)
        expectThat(found.user.id === user.id, 'the same user', found.user)
        expectThat((found.membership ?? null) === null, `no membership for "${kind}"`, found.membership)
      }
    },
  },
]
