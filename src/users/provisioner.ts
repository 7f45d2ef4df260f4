/**
 * The user resolver that makes a user on first sight (just-in-time provisioning): find, decide (`create | join | none`)
 * before any write, then write user, organization, membership and the host's own rows in one transaction.
 */
import type { Organization, ResolvedUser, User, UserResolver } from '../context.ts'
import { createMonotonicClock } from '../lib/time.ts'
import { provisioning } from './provision.ts'
import { type ProvisionerOptions, parseProvisionerOptions } from './provisioner-options.ts'
import { resolveUser } from './resolved-user.ts'
import { retryTransient } from './retry.ts'
import { createSingleFlight } from './single-flight.ts'

export type { Bootstrap, ProvisionerOptions, ProvisioningDecision, SystemContext } from './provisioner-options.ts'

// Longer than a first login takes but where it waits for a connection; a second one beside it does no harm.
const SHARED_MS = 15_000

/**
 * Create the provisioner. Any number of first requests of one person at once make one user, one organization, one
 * membership and run the hook's effect once; a transient failure is tried again (at most 5 times, 5–50 ms
 * apart, within 5 seconds of the first). Waiting for a connection is the pool's to limit; a transaction that hangs is cut
 * off 5 seconds after it began.
 *
 * Refuses with `forbidden` where the user is disabled (never provisioned again), and with
 * `temporarily_unavailable` (503) where the first login could not be committed just now;
 * then nothing is written, unless it was the answer to its COMMIT that did not come: then all of it is there, or nothing,
 * and the next request finds out. What `decide` names must exist: else a mistake of the host, a 500.
 * Cost: one query for a known user; for a new one the invitation look-up and one transaction, shared by all requests
 * of that person in flight.
 *
 * @throws TypeError for a missing or unknown option
 * @example
 * users: createProvisioner({
 *   storage,
 *   bootstrap: async ({ org, transaction }) => insertTenant(transaction.handle, org),
 * })
 */
export function createProvisioner<U extends User, O extends Organization, Tx>(
  options: ProvisionerOptions<U, O, Tx>,
): UserResolver<U> {
  const parsed = parseProvisionerOptions(options)
  const inFlight = createSingleFlight<ResolvedUser<U>>(SHARED_MS, createMonotonicClock(parsed.clock))

  const step: UserResolver<U> = async (identity, selection, roles) => {
    const record = await parsed.storage.users.findByIdentity(identity, selection)
    if (record !== null) return resolveUser(record)
    const key = JSON.stringify([identity.issuer, identity.subject])
    const { value, leader } = await inFlight(key, () =>
      retryTransient(provisioning(parsed, identity, roles), parsed.clock),
    )
    return { ...resolveUser(value), created: leader && value.created === true }
  }
  return Object.assign(step, { assignsRoles: Object.freeze([parsed.ownerRole]) })
}
