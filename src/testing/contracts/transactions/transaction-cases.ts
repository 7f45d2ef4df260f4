/** The promises of the unit of work: everything or nothing, once, unseen until it is there. */
import { isConflictError } from '../../../storage/storage-errors.ts'
import type { Cases } from '../contract.ts'
import { expectConflict, expectFound, expectRejected, expectSame, expectThat, settled } from '../expectations.ts'
import { type Joined, newEmail, pause, retried, type World } from '../storage-world.ts'
import { CONCURRENT_CASES } from './concurrent-cases.ts'

const CASES: Cases<World> = {
  'transactions/value': {
    must: "fulfil with the work's value, the very same, and run the work once",
    async test({ storage, newPerson }) {
      for (const value of [{ some: 'object' }, undefined, null, 0]) {
        let runs = 0
        const got = await retried(() => {
          runs = 0
          return storage.transaction(async ({ users }) => {
            runs++
            await users.upsertByIdentity(newPerson())
            return value
          })
        })
        expectThat(got === value, 'the value of the work', got)
        expectThat(runs === 1, 'the work to run once', runs)
      }
    },
  },
  'transactions/error': {
    must: "reject with the work's error, the very same, and run the work once",
    async test({ storage, newPerson }) {
      for (const thrown of [new Error('the work failed'), Object.freeze({ code: 'E_HOST' }), undefined]) {
        let runs = 0
        const failing = retried(() => {
          runs = 0
          return storage.transaction(async ({ users }) => {
            runs++
            await users.upsertByIdentity(newPerson())
            throw thrown
          })
        })
        const error = await expectRejected(failing, 'a transaction whose work fails')
        expectThat(error === thrown, 'the error of the work, untouched', error)
        expectThat(runs === 1, 'the work to run once', runs)
      }
    },
  },
  'transactions/own-writes': {
    must: 'show the work its own writes, and what was there before',
    async test({ newOrg, newMember, callerOf, low, join, whatIsThere, transaction }) {
      const org = await newOrg()
      const member = await callerOf(await newMember(org.id))
      await transaction(async (inner) => {
        const joined = await join(inner)
        expectSame(await whatIsThere(inner, joined), joined.rows, 'what the work wrote')
        expectSame(await inner.orgs.findById(org.id), org, 'an org that was there before')
        expectSame((await inner.memberships.findActing(member, org.id))?.role, low, 'the role of its member')
        const acting = await inner.memberships.listActing({ kind: 'user', user: joined.user })
        expectThat(acting.length <= 1, 'at most the one org of the new user', acting)
      })
    },
  },
  'transactions/committed': {
    must: 'have stored everything the work wrote when it fulfils',
    async test({ storage, join, whatIsThere, transaction }) {
      const joined = await transaction((inner) => join(inner))
      expectSame(await whatIsThere(storage, joined), joined.rows, 'what the work wrote')
    },
  },
  'transactions/unseen-outside': {
    must: 'NOT show others what the work wrote before it is committed; they may wait for it',
    async test({ storage, join, whatIsThere, transaction }) {
      let early: unknown = []
      let ended = false
      let outside: Promise<unknown> = Promise.resolve()
      await transaction(async (inner) => {
        ended = false
        const joined = await join(inner)
        outside = whatIsThere(storage, joined).then((seen) => {
          if (!ended) early = seen
        })
        await Promise.race([outside, pause(50)])
        ended = true
      })
      await outside
      expectSame(early, [], 'what others see during the work')
    },
  },
  'transactions/goes-on': {
    must: 'go on after failed transactions: no lock and no connection stays behind',
    async test({ storage, newUser, join, whatIsThere, transaction }) {
      for (let count = 0; count < 15; count++) {
        const failing = transaction(async ({ orgs }) => {
          await orgs.insert({ name: 'never' })
          throw new Error('on purpose')
        })
        await expectRejected(failing, 'a transaction whose work fails')
      }
      const joined = await transaction((inner) => join(inner))
      expectSame(await whatIsThere(storage, joined), joined.rows, 'what the next transaction stored')
      await newUser()
    },
  },
}

const ATOMIC_CASES: Cases<World> = {
  'transactions/nothing-left': {
    must: 'leave no user, org, membership or invitation of work that fails',
    async test({ storage, join, whatIsThere, transaction }) {
      let joined: Joined | undefined
      const failing = transaction(async (inner) => {
        joined = await join(inner)
        throw new Error('on purpose')
      })
      await expectRejected(failing, 'a transaction whose work fails')
      expectSame(await whatIsThere(storage, expectFound(joined, 'the work to run')), [], 'what is left of it')
      const again = await storage.users.upsertByIdentity({ ...expectFound(joined, '').identity, email: null })
      expectSame(again.created, true, 'whether the person is new to the next upsert')
    },
  },
  'transactions/nothing-changed': {
    must: 'take back changed roles, removed memberships and consumed invitations of work that fails',
    needs: ['admin'],
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
  'transactions/unseen-when-failed': {
    must: 'NOT show others anything of work that fails in the end, whenever they look',
    async test({ storage, join, whatIsThere, transaction }) {
      let outside: Promise<unknown> | undefined
      const failing = transaction(async (inner) => {
        const joined = await join(inner)
        outside = whatIsThere(storage, joined)
        await Promise.race([outside, pause(50)])
        throw new Error('on purpose')
      })
      await expectRejected(failing, 'a transaction whose work fails')
      expectSame(await outside, [], 'what others saw of it')
    },
  },
  'transactions/conflict': {
    must: 'reject with the ConflictError of a write inside, and leave nothing',
    async test({ storage, newOrg, newMember, low, transaction, join, whatIsThere }) {
      const { id: orgId } = await newOrg()
      const { id: userId } = await newMember(orgId)
      let joined: Joined | undefined
      const failing = transaction(async (inner) => {
        joined = await join(inner)
        await inner.memberships.insert({ orgId, userId, role: low })
      })
      await expectConflict(failing, 'a transaction with a second membership')
      expectSame(await whatIsThere(storage, expectFound(joined, 'the work to run')), [], 'what is left of it')
    },
  },
  'transactions/caught-conflict': {
    must: 'either have stored everything or reject, where the work caught a ConflictError and went on',
    async test({ storage, newOrg, newMember, low, transaction, join, whatIsThere }) {
      const { id: orgId } = await newOrg()
      const { id: userId } = await newMember(orgId)
      let joined: Joined | undefined
      const working = transaction(async (inner) => {
        joined = await join(inner)
        await inner.memberships.insert({ orgId, userId, role: low }).catch((error: unknown) => {
          if (!isConflictError(error)) throw error
        })
      })
      const { status } = await settled(working)
      const seen = await whatIsThere(storage, expectFound(joined, 'the work to run'))
      const wanted = status === 'fulfilled' ? expectFound<Joined>(joined, 'the work to run').rows : []
      expectSame(seen, wanted, `what is stored of a transaction that was ${status}`)
    },
  },
}

export const TRANSACTION_CASES: Cases<World> = { ...CASES, ...ATOMIC_CASES, ...CONCURRENT_CASES }
