/**
 * A process that logs one person in for the first time and says so at every step boundary. At the step that it is told
 * it stops for good, or goes on at once: either way somebody kills it there. Not a test: `crash-runs.ts` starts it.
 */
import type { AuthContext } from '../../src/context.ts'
import { testContext, testIdentity } from '../../src/testing/principals.ts'
import { createProvisioner } from '../../src/users/provisioner.ts'
import { joiningAtOnce } from '../invitation.ts'
import { emailOf } from './crash-email.ts'
import { openCrashStorage, writeOn } from './crash-storage.ts'

const [where = '', subject = '', stopAt = '', how = 'stop'] = process.argv.slice(2)

async function at(step: number): Promise<void> {
  if (step !== Number(stopAt)) return
  process.stdout.write(`at ${step}\n`)
  // A timer keeps the process; nothing ends this wait but a signal.
  if (how === 'stop') await new Promise(() => setInterval(() => {}, 1000))
}

const write = (handle: unknown, text: string): Promise<void> => writeOn(where, handle, text)
const storage = await openCrashStorage(where)
const stepping: typeof storage = {
  ...storage,
  transaction: async (work) => {
    const result = await storage.transaction(async (transaction) => {
      await at(0)
      const { users, orgs, memberships, invitations } = transaction
      const then = async <T>(asked: Promise<T>, step: number): Promise<T> => {
        const answer = await asked
        await at(step)
        return answer
      }
      const done = await work({
        ...transaction,
        users: { ...users, upsertByIdentity: (user) => then(users.upsertByIdentity(user), 1) },
        orgs: { ...orgs, insert: (org) => then(orgs.insert(org), 2) },
        invitations: { ...invitations, consume: (id) => then(invitations.consume(id), 2) },
        memberships: { ...memberships, insert: (membership) => then(memberships.insert(membership), 3) },
      })
      await at(6)
      return done
    })
    await at(7)
    return result
  },
}
const invitations = joiningAtOnce(stepping)
const resolver = createProvisioner({
  storage: stepping,
  invitations,
  async bootstrap({ decision, org, transaction: { handle } }) {
    if (decision === 'join') return
    await write(handle, `INSERT INTO tenants (org_id) VALUES ('${org?.id}')`)
    await at(4)
    await write(handle, `INSERT INTO pipelines (org_id) VALUES ('${org?.id}')`)
    await at(5)
  },
})
const isAccepted = subject.startsWith('accepts')
const email = isAccepted || subject.startsWith('invited') ? emailOf(subject) : null
const identity = testIdentity({ issuer: 'https://issuer.test', subject, email, emailVerified: true })
const [invitation] = isAccepted ? await storage.invitations.listByEmail(emailOf(subject), 1) : []
if (invitation === undefined) await resolver(identity, { kind: 'unnamed' })
else {
  const context = testContext({ needs: 'identity', identity }) as AuthContext
  await invitations.accept(context, invitation.id, { provision: resolver })
}
process.exit(0)
