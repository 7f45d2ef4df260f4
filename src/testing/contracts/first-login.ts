/** What the transaction cases write, a first login as the provisioner makes it, and how they look for it. */
import type { IdentityKey, User } from '../../context.ts'
import type { AdminStorage } from '../../storage/repositories.ts'
import { newPerson, type World } from './contract-world.ts'

/** The repositories of a storage or of a transaction. */
export type Repositories = Pick<AdminStorage, 'users' | 'orgs' | 'memberships' | 'invitations'>

/** What {@link somebodyJoins} wrote. */
export interface Joined {
  readonly identity: IdentityKey
  readonly user: User
  readonly orgId: string
  readonly email: string
}

/** Write one row of each kind: a user, an org, a membership, an invitation. */
export async function somebodyJoins(repositories: Repositories, { top, low }: World['roles']): Promise<Joined> {
  const person = newPerson()
  const { user } = await repositories.users.upsertByIdentity(person)
  const { id: orgId } = await repositories.orgs.insert({ name: 'Acme' })
  await repositories.memberships.insert({ orgId, userId: user.id, role: top })
  const { email } = await repositories.invitations.insert({ orgId, email: newPerson().email ?? '', role: low })
  return { identity: person, user, orgId, email }
}

/** What of {@link somebodyJoins} can be seen, each row by its own look-up. */
export interface Seen {
  readonly user: boolean
  readonly org: boolean
  readonly membership: boolean
  readonly invitation: boolean
}

/** Look for what was written. */
export async function whatIsThere(repositories: Repositories, { identity, user, orgId, email }: Joined): Promise<Seen> {
  const { users, orgs, memberships, invitations } = repositories
  // One after another: a connection takes one query at a time.
  const byIdentity = await users.findByIdentity(identity, { kind: 'unnamed' })
  const byKey = await users.findById(user.id)
  return {
    user: byIdentity !== null || byKey !== null,
    org: (await orgs.findById(orgId)) !== null,
    membership: (await memberships.find(orgId, user.id)) !== null,
    invitation: (await invitations.findPending(email)) !== null,
  }
}
