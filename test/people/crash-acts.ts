/**
 * What processes are killed in the middle of: an act on people, what is there before it, and how it is told from what is there
 * afterwards. `crash-child.ts` acts, `crash-runs.ts` looks (M13, M15).
 */
import { createUserAdmin } from '../../src/people/user-admin.ts'
import type { ShippedStorage } from '../../src/storage/shipped-storage.ts'
import type { CrashSite } from '../storage/crash-runs.ts'
import { createUserAdminWorld, ISSUER, invite, ROLES } from './user-admin-world.ts'

/** Ids and identities, as a process is told them. */
export type Given = Readonly<Record<string, string>>

/** What is there before an act. */
interface Prepared {
  readonly given: Given
  /** What to count, each as what follows FROM. */
  readonly counted: readonly string[]
  readonly before: readonly number[]
  readonly after: readonly number[]
}

/** An act that is all there or not at all. */
export interface CrashAct {
  prepare(site: CrashSite, trial: string): Promise<Prepared>
  /** Do it. `write`: a statement of the host's own on the transaction's handle. */
  perform(
    storage: ShippedStorage,
    given: Given,
    write: (handle: unknown, text: string) => Promise<unknown>,
  ): Promise<unknown>
}

const administer = (storage: ShippedStorage) => createUserAdmin({ storage, roles: ROLES })

// Two organizations, one of which is handed over; invitations both ways, keys, an account, and a row of the host's own.
const erase: CrashAct = {
  async prepare({ storage, run }, trial) {
    const world = createUserAdminWorld(storage)
    const [ada, bob] = [await world.user(`ada ${trial}`, 'ada@example.test'), await world.user(`bob ${trial}`)]
    const shared = await world.org('Acme', [ada, 'owner'], [bob, 'member'])
    const own = await world.org('Own', [ada, 'owner'])
    await invite(world, shared.id, `eve@example.test`, ada.id)
    await world.key(`K${shared.id.slice(0, 11)}`, ada.id, shared.id)
    const account = await world.account(`${ada.id}@example.test`, 'member')
    await storage.transaction(({ handle }) => run(handle, `INSERT INTO tenants (org_id) VALUES ('${own.id}')`))
    const counted = [
      `users WHERE id = '${ada.id}' AND email IS NOT NULL AND subject <> '${ada.id}'`,
      `memberships WHERE user_id = '${ada.id}'`,
      `memberships WHERE user_id = '${bob.id}' AND role = 'owner'`,
      `organizations WHERE id = '${own.id}'`,
      `invitations WHERE invited_by = '${ada.id}'`,
      `api_keys WHERE created_by = '${ada.id}' AND revoked_at IS NULL`,
      `login_accounts WHERE id = '${account.id}'`,
      `tenants WHERE org_id = '${own.id}'`,
    ]
    const given = { userId: ada.id, accountId: account.id, nextId: bob.id, ownId: own.id }
    return { given, counted, before: [1, 2, 0, 1, 1, 1, 1, 1], after: [0, 0, 1, 0, 0, 0, 0, 0] }
  },
  perform: async (storage, { userId = '', accountId = '', nextId = '', ownId = '' }, write) => {
    const erasing = (account?: string) =>
      administer(storage).erase(userId, {
        ...{ identity: 'freed', emptyOrgs: 'remove', account, handOver: () => nextId },
        within: ({ transaction: { handle } }) => write(handle, `DELETE FROM tenants WHERE org_id = '${ownId}'`),
      })
    // Who begins anew after it was done, which a server may do for a process that is killed, finds no account there.
    return erasing(accountId).catch((error: { reason?: string }) => {
      if (error.reason !== 'person_unknown') throw error
      return erasing()
    })
  },
}

const move: CrashAct = {
  async prepare({ storage }, trial) {
    const ada = await createUserAdminWorld(storage).user(`ada ${trial}`)
    const to = `new ${trial}`
    const counted = [`users WHERE subject = '${ada.subject}'`, `users WHERE subject = '${to}' AND id = '${ada.id}'`]
    return { given: { from: ada.subject, to }, counted, before: [1, 0], after: [0, 1] }
  },
  async perform(storage, { from = '', to = '' }) {
    const moving = administer(storage).moveIdentity(
      { issuer: ISSUER, subject: from },
      { issuer: ISSUER, subject: to },
      { operator: 'grace' },
    )
    // Who begins anew after it was done finds nobody there.
    return moving.catch((error: { reason?: string }) => {
      if (error.reason !== 'person_unknown') throw error
    })
  },
}

/** By name. */
export const ACTS: Readonly<Record<string, CrashAct>> = { erase, move }
