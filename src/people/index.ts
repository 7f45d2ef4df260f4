/** The entry of the people of organizations: named re-exports. */

export type { EraseAccountOptions, EraseOptions, Erasing, Erasure } from './erase.ts'
export type { InvitationMail } from './invitation-mail.ts'
export { createInvitationRoutes, type InvitationPresenter, type InvitationRoutesOptions } from './invitation-routes.ts'
export type {
  AcceptedInvitation,
  InvitationEvent,
  InvitationFields,
  InvitationsOptions,
  ReceivedInvitation,
} from './invitation-settings.ts'
export { type AcceptOptions, createInvitations, type Invitations } from './invitations.ts'
export type { LeftOrg } from './leave-orgs.ts'
export {
  createMemberRoutes,
  type MemberFieldNames,
  type MemberPresenter,
  type MemberRoutesOptions,
} from './member-routes.ts'
export { createMembers, type MemberEvent, type MemberFields, type Members, type MembersOptions } from './members.ts'
export type { IdentityProof, MovedByOperator } from './move-identity.ts'
export {
  createOrganizationRoutes,
  type OrganizationPresenter,
  type OrganizationRoutesOptions,
} from './organization-routes.ts'
export {
  createOrganizations,
  type NamedOrganization,
  type OrganizationBootstrap,
  type OrganizationEvent,
  type OrganizationFields,
  type Organizations,
  type OrganizationsOptions,
} from './organizations.ts'
export type { PeopleRule } from './people-rule.ts'
export type { PersonalData } from './personal-data.ts'
export {
  createUserAdmin,
  type DisableOptions,
  type ExportOptions,
  type UserAdminEvent,
  type UserAdministration,
  type UserAdminOptions,
} from './user-admin.ts'
export type { UserAdminStorage, UserAdminTransaction } from './user-admin-storage.ts'
