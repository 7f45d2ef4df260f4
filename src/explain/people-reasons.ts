/** What is said of the reasons of managing keys, people and invitations: data. */
import type { ReasonSections } from './reason-text.ts'

export const PEOPLE_REASONS: ReasonSections = {
  'Managing API keys': {
    api_keys_need_a_user: {
      headline: 'keys are managed by people, and where they belong',
      try: { client: 'send a user’s token' },
    },
    api_keys_too_many: {
      headline: 'there are as many API keys as `maxKeys` allows',
      expected: 'the limit',
      try: { client: 'revoke one first' },
    },
    api_key_not_found: {
      headline: 'there is no such API key in this organization, or it is revoked',
      try: { client: 'look at the id' },
    },
    api_key_org_unknown: {
      headline: 'the API key is to be bound to an organization in which its maker can’t act',
      try: { client: 'name an organization in which its maker acts' },
    },
    api_key_role_below_scopes: {
      headline: 'the role asked for is too low for the scopes',
      expected: 'the lowest role for the scopes',
      got: 'the role',
      try: { client: 'ask for a higher role, or fewer scopes' },
    },
    api_key_expires_in_the_past: {
      headline: 'the API key would have expired already',
      try: { client: 'give a later date' },
    },
    api_key_above_creator: {
      headline: 'the API key would have a higher role than its maker',
      expected: 'the maker’s role',
      got: 'the role',
      try: { client: 'ask for at most one’s own role' },
    },
    api_key_maker_no_member: {
      headline: 'who makes the API key is no member of its organization any more, is removed, or disabled',
      try: {
        client: 'be made a member again, or let in again',
        host: 'where the storage of `createApiKeys` doesn’t know who makes keys (`createDevLogin`), hand it `{ apiKeys: storage.apiKeys }` alone',
      },
    },
    api_key_above_its_rotator: {
      headline:
        'the API key has a higher role than who rotates it, or is bound to an organization where they may not act',
      expected: 'the rotator’s role',
      got: 'the key’s role',
      try: { client: 'have somebody of a higher role rotate it' },
    },
    api_key_expired_for_rotation: {
      headline: 'the API key has expired and can’t be rotated',
      try: { client: 'make another key' },
    },
  },
  'Managing people': {
    people_need_a_user: {
      headline: 'people are managed by people',
      try: { client: 'send a user’s token' },
    },
    people_need_an_org: {
      headline: 'members are managed by who acts in their organization',
      try: { host: 'write a route that needs `org`' },
    },
    actor_not_a_member: {
      headline: 'who does it has lost their membership, or was disabled, since the request came',
      try: { client: 'ask somebody who is still a member' },
    },
    role_above_ones_own: {
      headline: 'a role is given or taken that one’s own does not include, or that one’s credential does not carry',
      expected: 'at most one’s own',
      got: 'the other role',
      try: { client: 'ask somebody whose role includes it' },
    },
    user_to_add_unknown: {
      headline: 'there is no such user, or they are disabled',
      try: { client: 'look at the id, or invite the person by e-mail' },
    },
    member_already: {
      headline: 'the user is a member, or, where users belong to one organization, of another one',
      try: { client: 'change the role of the member instead' },
    },
    member_unknown: {
      headline: 'the user is no member of this organization',
      try: { client: 'look at the id' },
    },
    member_last_owner: {
      headline: 'the last owner would go',
      try: { client: 'make another owner first' },
    },
    founder_disabled: {
      headline: 'who makes an organization was disabled since the request came',
      try: { host: 'enable the user, if that is right' },
    },
    organization_id_taken: {
      headline: 'there is an organization of this id',
      try: { client: 'choose another id' },
    },
    organizations_too_many: {
      headline: 'the user is a member of as many organizations as `maxOrganizations` allows',
      expected: 'the limit',
      try: { client: 'leave one first' },
    },
    member_elsewhere: {
      headline: 'users belong to one organization, and this one does',
      try: { client: 'leave that one first' },
    },
    people_not_committed: {
      headline: 'a change of people could not be committed after its retries',
      try: { wait: 'it passes by itself', host: 'look at the storage' },
    },
    people_cut_off: {
      headline: 'a change of people took too long and was given up',
      try: { host: 'look for what hangs: a hook or the storage' },
    },
  },
  Invitations: {
    invitation_of_a_member: {
      headline: 'the address that is to be invited is a member’s',
      try: { client: 'change the role of the member instead' },
    },
    invitation_pending_already: {
      headline: 'the address is invited into this organization already',
      try: { client: 'revoke that one first' },
    },
    invitations_too_many: {
      headline: 'as many invitations are pending as `maxPending` allows',
      expected: 'the limit',
      try: { client: 'revoke some' },
    },
    invitation_not_found: {
      headline: 'there is no such invitation',
      more: 'Or it is another’s, another organization’s, over, or of an inviter who may not give its role any more.',
      try: { client: 'ask for a new invitation' },
    },
    invitation_without_verified_email: {
      headline: 'an invitation is theirs whose address it is, and nobody says that the caller has a verified one',
      got: '`none`, or `not verified`',
      try: {
        host: 'say when an e-mail is verified: `emails` of the issuer',
        issuer: 'write e-mail and `email_verified` into the token',
      },
    },
    invitation_link_without_verified_email: {
      headline: 'a link is taken by whoever has proved an address to be theirs, as their issuer says it',
      try: {
        client: 'use an account whose e-mail is verified',
        host: 'say when an e-mail is verified: `emails` of the issuer',
      },
    },
    invitation_of_a_member_already: {
      headline: 'who accepts is a member already',
      try: { client: 'go on: there is nothing to accept' },
    },
    invitation_to_another_org: {
      headline: 'users belong to one organization, and who accepts belongs to another one',
      try: { client: 'leave that one first' },
    },
    invitation_leaves_several: {
      headline: 'who accepts would have to leave more than one organization',
      try: { client: 'leave them first' },
    },
    invitation_leaves_others: {
      headline: 'who accepts is not the only member of the organization that they would leave',
      try: { client: 'leave it first' },
    },
    invitation_leaves_what_may_not_be_left: {
      headline: '`mayLeave` does not agree',
      try: { client: 'do what the host asks for' },
    },
  },
  'Administering people': {
    person_unknown: {
      headline: 'there is no such user, or no such local account; nobody has the identity that is to be moved',
      try: { host: 'look at the id' },
    },
    identity_not_proved: {
      headline: 'an identity is written out where no operator vouches for it',
      try: { host: 'hand in a token of that person, or `{ operator }`' },
    },
    moved_to_a_machine: {
      headline: 'the token is one that nobody stands behind',
      try: { client: 'send a person’s token' },
    },
    moved_by_an_actor: {
      headline: 'by the token somebody acts for the person: an agent, a support desk',
      try: { client: 'send a token of the person’s own', host: 'hand in `{ operator }`, if that is meant' },
    },
    moved_user_disabled: {
      headline: 'the user is disabled: who moved them would free an identity that is blocked',
      try: { host: 'hand in `{ operator }`, if that is meant' },
    },
    identity_taken: {
      headline: 'the identity is another user’s, who may be disabled',
      try: { host: 'leave it: two users are not joined into one' },
    },
    erasure_leaves_no_owner: {
      headline: 'they are the last owner of organizations with other members, and nobody was named as the next one',
      got: 'ids of those organizations; all of them in `cause.orgIds`',
      try: { host: 'name the next one by `handOver`, or make another owner first' },
    },
    erasure_leaves_no_admin: {
      headline: 'they are the last admin among the local accounts',
      try: { host: 'make another admin first' },
    },
  },
}
