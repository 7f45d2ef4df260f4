/** What cases of the transaction contract run: units of work that write one row of each kind, fail, or go on. */
import type { User } from '../../../context.ts'
import type { NewUser } from '../../../storage/repositories.ts'
import * as expect from '../expectations.ts'
import { retried } from '../races.ts'
import type { Repositories, World } from '../storage-world.ts'

/** What {@link writeRows} wrote. */
export interface Written {
  readonly person: NewUser
  readonly user: User
  /** By kind of row, how to look for it. */
  readonly lookUps: Readonly<Record<string, (from: Repositories) => Promise<unknown>>>
}

/** Write one row of each kind, as a first login does: a user, an org, a membership, an invitation where the port can. */
export async function writeRows(world: World, inner: Repositories): Promise<Written> {
  const { newPerson, newInvitation, has, top, findMember } = world
  const person = newPerson()
  const { user } = await inner.users.upsertByIdentity(person)
  const { id: orgId } = await inner.orgs.insert({ name: 'Acme' })
  await inner.memberships.insert({ orgId, userId: user.id, role: top })
  const lookUps: Record<string, (from: Repositories) => Promise<unknown>> = {
    person: ({ users }) => users.findByIdentity(person, { kind: 'unnamed' }),
    user: ({ users }) => users.findById(user.id),
    org: ({ orgs }) => orgs.findById(orgId),
    membership: (from) => findMember(orgId, user.id, from),
  }
  if (has('invitations')) {
    const { id } = await inner.invitations.insert(await newInvitation({ orgId }))
    lookUps['invitation'] = ({ invitations }) => invitations.findById(id)
  }
  return { person, user, lookUps }
}

/** The kinds of the rows that are there. One look-up after another: a connection takes one query at a time. */
export async function kindsIn(from: Repositories, { lookUps }: Written): Promise<readonly string[]> {
  const there: string[] = []
  for (const [kind, find] of Object.entries(lookUps)) if ((await find(from)) !== null) there.push(kind)
  return there
}

export async function expectAll(from: Repositories, written: Written, what: string): Promise<void> {
  expect.same(await kindsIn(from, written), Object.keys(written.lookUps), what)
}

/** Write one row of each kind and go on with this, in a transaction: how it ended, and which of the rows are there then. */
export async function writeAnd(
  world: World,
  work: (inner: Repositories) => Promise<unknown>,
): Promise<{
  readonly ended: PromiseSettledResult<void>
  readonly written: Written
  readonly left: readonly string[]
}> {
  let wrote: Written | undefined
  const working = world.transaction(async (inner) => {
    wrote = await writeRows(world, inner)
    await work(inner)
  })
  const ended = await expect.settled(working)
  const written = expect.found<Written>(wrote, 'the work to run')
  return { ended, written, left: await kindsIn(world.storage, written) }
}

/** Run a unit of work that does this and then fails; hands on what the transaction is rejected with. */
export function runFailing({ transaction }: World, work: (inner: Repositories) => Promise<unknown>): Promise<unknown> {
  const failing = transaction(async (inner) => {
    await work(inner)
    throw new Error('on purpose')
  })
  return expect.rejected(failing, 'a transaction whose work fails')
}

/**
 * Run a unit of work that writes and then ends in this way: how the transaction ends. Each try runs it once, and what the work
 * itself throws, a `TransientError` too, is no reason for another.
 */
export async function runOnce<T>({ storage, newPerson }: World, end: () => T): Promise<PromiseSettledResult<T>> {
  let runs = 0
  const attempt = async (): Promise<PromiseSettledResult<T>> => {
    runs = 0
    let hasThrown = false
    const working = storage.transaction(async ({ users }) => {
      runs++
      await users.upsertByIdentity(newPerson())
      try {
        return end()
      } catch (thrown) {
        hasThrown = true
        throw thrown
      }
    })
    const ended = await expect.settled(working)
    if (ended.status === 'rejected' && !hasThrown) throw ended.reason
    return ended
  }
  const ended = await retried(attempt)
  expect.that(runs === 1, 'the work to run once', runs)
  return ended
}
