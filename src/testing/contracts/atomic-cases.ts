/** Cases of the transaction contract: a failed unit of work leaves nothing, a fulfilled one has left everything. */
import { isConflictError } from '../../storage/storage-errors.ts'
import type { CaseSpec } from './contract-case.ts'
import { newEmail, pause } from './contract-world.ts'
import { expectConflict, expectFound, expectRejected, expectSame, settled } from './expectations.ts'
import { type Joined, type Seen, somebodyJoins, whatIsThere } from './first-login.ts'

const NOTHING: Seen = { user: false, org: false, membership: false, invitation: false }

export const ATOMIC_CASES: readonly CaseSpec[] = [
  {
    id: 'transactions/nothing-left',
    name: 'MUST leave no user, org, membership or invitation of work that fails',
    requirement: 'P3',
    async test({ storage, roles, transaction }) {
      let joined: Joined | undefined
      const failing = transaction(async (inner) => {
        joined = await somebodyJoins(inner, roles)
        throw new Error('on purpose')
      })
      await expectRejected(failing, 'a transaction whose work fails')
      expectSame(await whatIsThere(storage, expectFound(joined, 'the work to run')), NOTHING, 'what is left of it')
      const again = await storage.users.upsertByIdentity({ ...expectFound(joined, '').identity, email: null })
      expectSame(again.created, true, 'whether the person is new to the next upsert')
    },
  },
  {
    id: 'transactions/nothing-changed',
    name: 'MUST take back changed roles, removed memberships and consumed invitations of work that fails',
    requirement: 'P3',
    async test({ storage, newOrg, newMember, top, low, transaction }) {
      const [{ id: orgId }, email] = [await newOrg(), newEmail()]
      const [changed, removed] = [await newMember(orgId, low), await newMember(orgId, low)]
      const invitation = await storage.invitations.insert({ orgId, email, role: low })
      const before = await storage.memberships.listByOrg(orgId)
      const failing = transaction(async ({ memberships, invitations }) => {
        await memberships.setRole(orgId, changed.id, top)
        await memberships.remove(orgId, removed.id)
        const taken = await invitations.consume(invitation.id)
        expectSame([taken?.id, await invitations.consume(invitation.id)], [invitation.id, null], 'the one taking of it')
        throw new Error('on purpose')
      })
      const error = await expectRejected(failing, 'a transaction whose work fails')
      expectSame(String(error), 'Error: on purpose', 'the reason')
      expectSame(await storage.memberships.listByOrg(orgId), before, 'the memberships')
      expectSame(await storage.invitations.findPending(email), invitation, 'the invitation, pending again')
      expectSame(await storage.invitations.consume(invitation.id), invitation, 'the invitation, taken again')
    },
  },
  {
    id: 'transactions/unseen-when-failed',
    name: 'MUST NOT show others anything of work that fails in the end, whenever they look',
    async test({ storage, roles, transaction }) {
      let outside: Promise<Seen> | undefined
      const failing = transaction(async (inner) => {
        const joined = await somebodyJoins(inner, roles)
        outside = whatIsThere(storage, joined)
        await Promise.race([outside, pause(50)])
        throw new Error('on purpose')
      })
      await expectRejected(failing, 'a transaction whose work fails')
      expectSame(await outside, NOTHING, 'what others saw of it')
    },
  },
  {
    id: 'transactions/conflict',
    name: 'MUST reject with the ConflictError of a write inside, and leave nothing',
    async test({ storage, newOrg, newMember, roles, transaction }) {
      const { id: orgId } = await newOrg()
      const { id: userId } = await newMember(orgId)
      let joined: Joined | undefined
      const failing = transaction(async (inner) => {
        joined = await somebodyJoins(inner, roles)
        await inner.memberships.insert({ orgId, userId, role: roles.low })
      })
      await expectConflict(failing, 'a transaction with a second membership')
      expectSame(await whatIsThere(storage, expectFound(joined, 'the work to run')), NOTHING, 'what is left of it')
    },
  },
  {
    id: 'transactions/caught-conflict',
    name: 'MUST either have stored everything or reject, where the work caught a ConflictError and went on',
    async test({ storage, newOrg, newMember, roles, transaction }) {
      const { id: orgId } = await newOrg()
      const { id: userId } = await newMember(orgId)
      let joined: Joined | undefined
      const working = transaction(async (inner) => {
        joined = await somebodyJoins(inner, roles)
        await inner.memberships.insert({ orgId, userId, role: roles.low }).catch((error: unknown) => {
          if (!isConflictError(error)) throw error
        })
      })
      const { status } = await settled(working)
      const seen = await whatIsThere(storage, expectFound(joined, 'the work to run'))
      const there = status === 'fulfilled'
      const wanted = { user: there, org: there, membership: there, invitation: there }
      expectSame(seen, wanted, `what is stored of a transaction that was ${status}`)
    },
  },
]
