/** Cases of the organization contract: `findActing` for each kind of caller. */
import type { ActingOrg, ApiKey, Caller, Organization } from '../../../context.ts'
import { type Cases, needing, test } from '../contract.ts'
import * as expect from '../expectations.ts'
import { hostileIds } from '../expectations.ts'
import type { World } from '../storage-world.ts'

const SERVICE: Caller = { kind: 'service', name: 'billing' }

/** An API key of an org, as the verifier hands it on. */
function keyOf(orgId: string, role: string): Caller & { readonly key: ApiKey } {
  return { kind: 'apiKey', key: { id: 'key-1', name: 'a key', orgId, role, scopes: [] } }
}

/** The acting org is this org, as this role. */
export function expectActing(
  got: ActingOrg<Organization> | null | undefined,
  org: Organization,
  role: string | null,
  what: string,
): void {
  expect.same([got?.org, got?.role], [org, role], what)
}

export const ACTING_CASES: Cases<World> = [
  test('orgs/acting-member: let each member act as the role of the own membership, and nobody who is not a member', async (world) => {
    const { memberships, newOrg, newMember, newUser, callerOf, top, low, newId } = world
    const [org, other] = [await newOrg(), await newOrg()]
    const [owner, member, elsewhere] = [
      await newMember(org.id, top),
      await newMember(org.id, low),
      await newMember(other.id, top),
    ]
    expectActing(await memberships.findActing(await callerOf(owner), org.id), org, top, 'the org as its owner')
    expectActing(await memberships.findActing(await callerOf(member), org.id), org, low, 'the org as a member')
    const [stranger, nobody] = [await callerOf(await newUser()), { ...(await newUser()), id: newId() }]
    for (const who of [stranger, await callerOf(elsewhere), { kind: 'user', user: nobody } as const]) {
      expect.absent(await memberships.findActing(who, org.id), 'findActing for a stranger')
    }
  }),
  ...needing<World>('admin', [
    test('orgs/acting-now: see a changed role and a removed membership at the next call', async (world) => {
      const { memberships, newOrg, newMember, callerOf, top, low } = world
      const org = await newOrg()
      const user = await newMember(org.id, top)
      expectActing(await memberships.findActing(await callerOf(user), org.id), org, top, 'the org as an owner')
      await memberships.setRole(org.id, user.id, low)
      expectActing(await memberships.findActing(await callerOf(user), org.id), org, low, 'the org as a member')
      await memberships.remove(org.id, user.id)
      const caller = await callerOf(user)
      expect.absent(await memberships.findActing(caller, org.id), 'findActing after the removal')
      expect.same(await memberships.listActing(caller), [], 'listActing after the removal')
    }),
  ]),
  test('orgs/acting-unknown-org: answer null for an org that does not exist, whoever asks, and for hostile ids', async (world) => {
    const { memberships, newOrg, newMember, callerOf, low, newId } = world
    const { id } = await newOrg()
    const user = await callerOf(await newMember(id))
    const unknown = newId()
    for (const orgId of [unknown, ...hostileIds(id)]) {
      for (const caller of [user, SERVICE, keyOf(orgId, low), keyOf(id, low)]) {
        await expect.none(`findActing for a ${caller.kind}`, [orgId], (odd) => memberships.findActing(caller, odd))
      }
    }
  }),
  test('orgs/acting-hostile-user: let nobody act whose user id is hostile, and never throw', async (world) => {
    const { memberships, newOrg, newMember, newUser } = world
    const { id } = await newOrg()
    const [member, row] = [await newMember(id), await newUser()]
    const callers = (userId: string): Caller => ({ kind: 'user', user: { ...row, id: userId } })
    await expect.none('findActing', hostileIds(member.id), (odd) => memberships.findActing(callers(odd), id))
    await expect.none('listActing', hostileIds(member.id), (odd) => memberships.listActing(callers(odd)), [])
  }),
  test('orgs/acting-service: let a service act in any org that exists, as no role', async (world) => {
    const { memberships, newOrg, newMember, top } = world
    const org = await newOrg()
    await newMember(org.id, top)
    expectActing(await memberships.findActing(SERVICE, org.id), org, null, 'the org for a service')
  }),
  test("orgs/acting-key: let an API key act in its own org as its own role, in no other and as nobody's role", async (world) => {
    const { memberships, newOrg, newMember, top, low } = world
    const [org, other] = [await newOrg(), await newOrg()]
    await newMember(org.id, top)
    await newMember(other.id, top)
    expectActing(await memberships.findActing(keyOf(org.id, low), org.id), org, low, 'the org for its key')
    expect.absent(await memberships.findActing(keyOf(org.id, low), other.id), 'another org for the key')
    const listed = await memberships.listActing(keyOf(org.id, low))
    expect.same(listed, [{ org, role: low }], 'what the key may act in')
  }),
]
