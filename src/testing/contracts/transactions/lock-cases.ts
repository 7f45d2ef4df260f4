/** Cases of the transaction contract: who holds an organization is alone with it until the transaction ends, and with no other. */
import { type Cases, needing, test } from '../contract.ts'
import * as expect from '../expectations.ts'
import { pause, race } from '../races.ts'
import type { Repositories, World } from '../storage-world.ts'

const HOLDERS = 8

export const LOCK_CASES: Cases<World> = needing('organizationAdmin', [
  test(`transactions/lock-in-turn: let one of ${HOLDERS} transactions that hold one organization go on at a time, until it ends, failed or not`, async (world) => {
    const { newOrg, transaction } = world
    const { id } = await newOrg()
    let holding = 0
    let most = 0
    const hold = async ({ orgs }: Repositories, isFailing: boolean): Promise<void> => {
      expect.found(await orgs.findLocked(id), 'the organization')
      holding++
      most = Math.max(most, holding)
      // Something is asked and something else goes on meanwhile.
      await orgs.findById(id)
      await pause(3)
      holding--
      if (isFailing) throw new Error('on purpose')
    }
    const results = await race(HOLDERS, (index) => transaction((inner) => hold(inner, index % 2 === 1)))
    expect.that(most === 1, 'one at a time', most)
    const ended = results.map((result) => (result.status === 'rejected' ? String(result.reason) : 'done'))
    const wanted = Array.from({ length: HOLDERS }, (_, index) => (index % 2 === 1 ? 'Error: on purpose' : 'done'))
    expect.same(ended, wanted, 'how they ended')
  }),
  test(`transactions/lock-sees-now: show each of ${HOLDERS} that hold an organization in turn what the one before has written`, async (world: World) => {
    const { storage, newOrg, newUser, top, low, transaction } = world
    const { id: orgId } = await newOrg()
    const users = await Promise.all(Array.from({ length: HOLDERS }, newUser))
    // Whoever finds nobody there is the first, and the only one to be so.
    const results = await race(HOLDERS, (index) =>
      transaction(async ({ orgs, memberships }) => {
        await orgs.findLocked(orgId)
        const isFirst = (await memberships.listByOrg(orgId)).length === 0
        await memberships.insert({ orgId, userId: users[index]?.id ?? '', role: isFirst ? top : low })
      }),
    )
    expect.allFulfilled(results, 'transaction')
    const roles = (await storage.memberships.listByOrg(orgId)).map(({ role }) => role).sort()
    const wanted = [top, ...Array.from({ length: HOLDERS - 1 }, () => low)].sort()
    expect.same(roles, wanted, 'the roles: one who was the first')
  }).needing('membershipAdmin'),
  test('transactions/lock-sees-name: find an organization that was renamed meanwhile under its new name', async (world) => {
    const { storage, newOrg, transaction } = world
    const { id } = await newOrg()
    await storage.orgs.rename(id, '+')
    const lengthOf = (org: object | null): number => (expect.textOf(org).match(/\+/g) ?? []).length
    const results = await race(HOLDERS, () =>
      transaction(async ({ orgs }) => {
        const count = lengthOf(await orgs.findLocked(id))
        await orgs.rename(id, '+'.repeat(count + 1))
      }),
    )
    expect.allFulfilled(results, 'transaction')
    expect.same(lengthOf(await storage.orgs.findById(id)), HOLDERS + 1, 'how many have added to the name')
  }),
  test(`transactions/lock-of-removed: let one of ${HOLDERS} that hold an organization remove it; whoever has waited finds none`, async (world) => {
    const { newOrg, transaction } = world
    const { id } = await newOrg()
    const results = await race(HOLDERS, () =>
      transaction(async ({ orgs }) => {
        if ((await orgs.findLocked(id)) === null) return 'found none'
        await pause(1)
        return (await orgs.remove(id)) ? 'removed' : 'removed none'
      }),
    )
    const ended = [...expect.allFulfilled(results, 'transaction')].sort()
    const wanted = [...Array.from({ length: HOLDERS - 1 }, () => 'found none'), 'removed']
    expect.same(ended, wanted, 'what each of them did')
  }),
  test('transactions/lock-apart: hold nobody up who holds another organization, where transactions run at the same time', async (world) => {
    const { newOrg, transaction } = world
    const [one, other] = [await newOrg(), await newOrg()]
    let second: Promise<PromiseSettledResult<void>> | undefined
    let isHeldUp = false
    await transaction(async ({ orgs }) => {
      let [hasBegun, hasHeld] = [false, false]
      const begun = createSignal()
      await orgs.findLocked(one.id)
      const holding = transaction(async (inner) => {
        hasBegun = true
        begun.give()
        await inner.orgs.findLocked(other.id)
        hasHeld = true
      })
      second = expect.settled(holding)
      // Where transactions run one after another, the other does not begin.
      await Promise.race([begun.given, pause(100)])
      // The other has one thing to ask, this one a hundred: by then it holds, or waits for this one to end.
      for (let count = 0; hasBegun && !hasHeld && count < 100; count++) {
        await orgs.findById(one.id)
        await pause(5)
      }
      isHeldUp = hasBegun && !hasHeld
    })
    const ended = await second
    expect.that(ended?.status === 'fulfilled', 'the other transaction to be fulfilled', ended)
    expect.that(!isHeldUp, 'another organization to be held meanwhile', 'a wait until the first had ended')
  }),
])

function createSignal(): { readonly given: Promise<void>; give(): void } {
  let give: () => void = () => undefined
  const given = new Promise<void>((resolve) => {
    give = resolve
  })
  return { given, give: () => give() }
}
