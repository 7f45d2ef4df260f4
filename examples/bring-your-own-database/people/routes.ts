/** Members and invitations of companies: who may do what is said here, and the routes are mounted as they are. */
import type { IssuerOptions, Route, User } from 'sallyport'
import type { AcceptedInvitation, InvitationMail } from 'sallyport/people'
import { createInvitationRoutes, createInvitations, createMemberRoutes, createMembers } from 'sallyport/people'
import { createFleetAuth, createFleetProvisioner, POSITIONS } from '../pipeline/auth.ts'
import type { Company } from '../pipeline/storage.ts'
import type { FleetPeopleStorage } from './storage.ts'

/** Set everything up over the storage, with routes for people. */
export function createFleetPeople(
  storage: FleetPeopleStorage,
  issuer: IssuerOptions,
  send: (mail: InvitationMail<User, Company>) => unknown,
): { readonly auth: ReturnType<typeof createFleetAuth>; readonly routes: readonly Route[] } {
  const manage = { role: 'dispatcher' } as const
  const members = createMembers({ storage, roles: POSITIONS, manage })
  const invitations = createInvitations({ storage, roles: POSITIONS, manage, send })
  const provision = createFleetProvisioner(storage, invitations)
  const accepted = ({ org, role }: AcceptedInvitation<User, Company>) => ({ membership: { company: org, role } })
  return {
    auth: createFleetAuth(storage, issuer, provision),
    routes: [
      ...createMemberRoutes(members),
      ...createInvitationRoutes(invitations, { provision, present: { accepted } }),
    ],
  }
}
