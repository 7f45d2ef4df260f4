/**
 * The promises of the organization repository, and of what a caller may act in: the membership's own role, the join
 * order, nothing of an organization that is deleted or somebody else's.
 */
import { ACTING_CASES } from './acting-cases.ts'
import { type CaseSpec, type ContractCase, type ContractOptions, casesOf, type MakeStorage } from './contract-case.ts'
import { newPerson, pause, spoil } from './contract-world.ts'
import { expectFound, expectNull, expectSame, expectThat, textOf } from './expectations.ts'
import { expectNothing, hostileIds } from './hostile-ids.ts'
import { LIST_CASES } from './list-cases.ts'
import { SELECTION_CASES } from './selection-cases.ts'

const CASES: readonly CaseSpec[] = [
  {
    id: 'orgs/found-after-insert',
    name: 'MUST find an inserted organization as it was returned; two of one name are two',
    async test({ storage: { orgs } }) {
      const [one, other] = [await orgs.insert({ name: 'Acme' }), await orgs.insert({ name: 'Acme' })]
      expectThat(one.id !== other.id, 'two ids', [one.id, other.id])
      expectSame(await orgs.findById(one.id), one, 'the organization found by id')
      expectSame(await orgs.findById(other.id), other, 'the other organization found by id')
    },
  },
  {
    id: 'orgs/hostile-ids',
    name: 'MUST find no organization by an unknown or hostile id, and never throw',
    requirement: 'V1',
    async test({ storage: { orgs }, newOrg }) {
      const { id } = await newOrg()
      await expectNothing('orgs.findById', [crypto.randomUUID(), ...hostileIds(id)], (orgId) => orgs.findById(orgId))
    },
  },
  {
    id: 'orgs/copies',
    name: 'MUST return copies of organizations',
    async test({ storage: { orgs } }) {
      const input = { name: 'Acme' }
      const org = await orgs.insert(input)
      const [{ id }, before] = [{ ...org }, textOf(org)]
      input.name = 'spoiled'
      spoil(org)
      spoil(await orgs.findById(id))
      const found = expectFound(await orgs.findById(id), 'the organization to be found after a copy was changed')
      expectThat(textOf(found) === before, `the organization to be still ${before}`, found)
    },
  },
  {
    id: 'orgs/deleted-is-gone',
    name: 'MUST NOT find a deleted organization, nor let anybody act in it',
    requirement: 'O3',
    needs: ['deleteOrg'],
    async test({ storage: { orgs, memberships }, newOrg, newMember, callerOf, deleteOrg, low }) {
      const { id } = await newOrg()
      const caller = await callerOf(await newMember(id))
      await deleteOrg(id)
      const key = { id: 'key', name: 'key', orgId: id, role: low, scopes: [] }
      expectNull(await orgs.findById(id), 'a deleted organization')
      for (const who of [caller, { kind: 'apiKey', key }, { kind: 'service', name: 'billing' }] as const) {
        expectNull(await memberships.findActing(who, id), `findActing in a deleted organization for a ${who.kind}`)
      }
      expectSame(await memberships.listActing(caller), [], 'what a member of a deleted organization may act in')
      expectSame(await memberships.listActing({ kind: 'apiKey', key }), [], 'what its API key may act in')
    },
  },
  {
    id: 'orgs/deleted-selection',
    name: 'MUST NOT hand on a deleted organization as the membership of a look-up by identity',
    requirement: 'O3',
    needs: ['deleteOrg'],
    async test({ storage: { users, memberships }, newOrg, deleteOrg, low }) {
      const person = newPerson()
      const [{ user }, { id }] = [await users.upsertByIdentity(person), await newOrg()]
      await memberships.insert({ orgId: id, userId: user.id, role: low })
      await deleteOrg(id)
      for (const selection of [{ kind: 'named', orgId: id }, { kind: 'unnamed' }] as const) {
        const found = expectFound(await users.findByIdentity(person, selection), 'the user, who is still there')
        expectThat((found.membership ?? null) === null, `no membership for ${selection.kind}`, found.membership)
      }
    },
  },
  {
    id: 'orgs/deleted-is-not-first',
    name: 'MUST pass over a deleted organization in the join order, also where only one is asked for',
    requirement: 'O4',
    needs: ['deleteOrg', 'many'],
    async test({ storage: { memberships }, newOrgs, newUser, callerOf, deleteOrg, low }) {
      const [user, orgs] = [await newUser(), await newOrgs(2)]
      for (const { id } of orgs) {
        await memberships.insert({ orgId: id, userId: user.id, role: low })
        await pause(4)
      }
      const [first, second] = orgs.map(({ id }) => id)
      await deleteOrg(expectFound(first, 'an organization'))
      const listed = await memberships.listActing(await callerOf(user), 1)
      expectSame(
        listed.map(({ org }) => org.id),
        [second],
        'the earliest-joined organization that still exists',
      )
    },
  },
]

/** The cases, for compositions. */
export const ORG_CASES: readonly CaseSpec[] = [...CASES, ...ACTING_CASES, ...LIST_CASES, ...SELECTION_CASES]

/**
 * Test an organization repository and the acting-org source: `orgs/…` of {@link storageContract}.
 *
 * @param make makes the storage of one case
 * @throws TypeError for an unknown option
 * @example
 * for (const { id, name, run } of orgContract(make)) it(`${id}: ${name}`, run)
 */
export function orgContract(make: MakeStorage, options?: ContractOptions): readonly ContractCase[] {
  return casesOf('orgContract', ORG_CASES, make, options)
}
