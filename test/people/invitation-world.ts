/** Invitations over a storage, by default in memory: a clock to turn, people of two organizations, what was sent and told. */
import type { AuthContext, Identity, Roles, UserContext } from '../../src/context.ts'
import type { InvitationMail } from '../../src/people/invitation-mail.ts'
import type { InvitationEvent, InvitationsOptions } from '../../src/people/invitation-settings.ts'
import { createInvitations, type Invitations } from '../../src/people/invitations.ts'
import { createMemoryStorage } from '../../src/storage/memory.ts'
import type { ShippedStorage, StoredOrganization, StoredUser } from '../../src/storage/shipped-storage.ts'
import { testContext } from '../../src/testing/principals.ts'
import { createProvisioner, type Provisioner, type ProvisionerOptions } from '../../src/users/provisioner.ts'
import { ROLES } from '../pipeline/world.ts'
import { identityOf } from '../users/first-logins.ts'

export const START: number = Date.parse('2026-11-20T10:00:00.000Z')
export const WEEK_MS: number = 604_800_000
/** An id of nobody and nothing. */
export const NOBODY = '00000000-0000-4000-8000-000000000000'

type Options<Tx> = Partial<InvitationsOptions<Roles, StoredUser, StoredOrganization, Tx>>

export interface InvitationWorldOptions<Tx = unknown> {
  readonly storage?: ShippedStorage<Tx> | undefined
  readonly invitations?: Options<Tx>
  readonly provisioner?: Partial<ProvisionerOptions<StoredUser, StoredOrganization, Tx>>
  /** Turn no clock: the storage has one of its own. */
  readonly clock?: (() => number) | undefined
}

export interface InvitationWorld<Tx = unknown> {
  readonly storage: ShippedStorage<Tx>
  readonly invitations: Invitations<StoredUser, StoredOrganization, Tx>
  readonly provision: Provisioner<StoredUser, StoredOrganization, Tx>
  readonly orgId: string
  readonly otherOrgId: string
  readonly events: InvitationEvent[]
  readonly mails: InvitationMail[]
  now(): number
  /** Turn the clock. */
  pass(milliseconds: number): void
  /** Make a user; with a role a member, of the first organization where none is named. */
  person(subject: string, role?: string | null, orgId?: string): Promise<StoredUser>
  /** The context of a member who acts in an organization, the first one where none is named. */
  acting(
    user: StoredUser,
    role: string,
    more?: { readonly orgId?: string; readonly scopes?: readonly string[] },
  ): AuthContext
  /** The context of a user who acts nowhere; of what their token says of them. */
  user(user: StoredUser, identity?: Partial<Identity>): UserContext
  /** The context of somebody who need not be a user. */
  identity(subject: string, identity?: Partial<Identity>): AuthContext
  /** The roles of an organization's members, by e-mail. */
  rolesOf(orgId?: string): Promise<Record<string, string>>
  /** Invite `<subject>@example.test` in the name of a user, as stored. */
  invited(subject: string, role: string, by: StoredUser | null, orgId?: string): Promise<string>
}

export async function createInvitationWorld<Tx = null>(
  options: InvitationWorldOptions<Tx> = {},
): Promise<InvitationWorld<Tx>> {
  let now = START
  const clock = options.clock ?? ((): number => now)
  const storage = (options.storage ?? createMemoryStorage({ clock })) as ShippedStorage<Tx>
  const [events, mails]: [InvitationEvent[], InvitationMail[]] = [[], []]
  const invitations = createInvitations({
    storage,
    roles: ROLES as Roles,
    manage: { role: 'admin' },
    send: (mail) => void mails.push(mail),
    onEvent: (event) => void events.push(event),
    clock,
    ...options.invitations,
  })
  const provision = createProvisioner({ storage, invitations, ...options.provisioner })
  const [org, other] = [await storage.orgs.insert({ name: 'Acme' }), await storage.orgs.insert({ name: 'Other' })]
  const identityOfUser = ({ subject, issuer, email }: StoredUser): Partial<Identity> => ({
    ...{ subject, issuer, email, emailVerified: true },
  })
  return {
    ...{ storage, invitations, provision, events, mails, orgId: org.id, otherOrgId: other.id, now: clock },
    pass: (milliseconds) => {
      now += milliseconds
    },
    async person(subject, role = null, orgId = org.id) {
      const { issuer, email } = identityOf(subject)
      const { user } = await storage.users.upsertByIdentity({ issuer, subject, email })
      if (role !== null) await storage.memberships.insert({ orgId, userId: user.id, role })
      return user
    },
    acting: (user, role, { orgId = org.id, scopes = null } = {}) =>
      testContext({ user, role, org: { id: orgId }, identity: { ...identityOfUser(user), scopes } }) as AuthContext,
    user: (user, identity = {}) =>
      testContext({ needs: 'user', user, identity: { ...identityOfUser(user), ...identity } }) as UserContext,
    identity: (subject, identity = {}) =>
      testContext({ needs: 'identity', identity: identityOf(subject, identity) }) as AuthContext,
    async rolesOf(orgId = org.id) {
      const members = await storage.memberships.listByOrg(orgId)
      return Object.fromEntries(members.map(({ email, role }) => [email?.split('@')[0] ?? 'nobody', role]))
    },
    async invited(subject, role, by, orgId = org.id) {
      const [createdAt, expiresAt] = [new Date(clock()), new Date(clock() + WEEK_MS)]
      const email = `${subject}@example.test`
      const row = { orgId, email, role, invitedBy: by?.id ?? null, createdAt, expiresAt, secretHash: null }
      return (await storage.invitations.insert(row)).id
    },
  }
}
