/** What is said of the reasons of who may call, where, and what: data. */
import type { ReasonSections } from './reason-text.ts'

export const ACCESS_REASONS: ReasonSections = {
  'Who may call': {
    caller_kind_not_accepted: {
      headline: 'the caller is good, and the route is for other kinds',
      says: 'the caller is {got}, the route is for {expected}',
      expected: 'the kinds the route accepts',
      got: 'the kind, of a service or a machine with its name',
      try: { host: 'add the kind to `accept` of the route', client: 'send another kind of credential' },
    },
    machine_unknown: {
      headline: 'nobody stands behind the token, and neither a written rule nor a row says whose it is',
      try: { host: 'write a rule in `machines` of the issuer, or a row in the storage of machines' },
    },
    machine_disabled: {
      headline: 'the machine’s row is disabled',
      more: '`principal` of the record names it.',
      try: { host: 'enable the machine, if that is right' },
    },
    user_not_synced: {
      headline: 'the token is good, and there is no user row for it here',
      try: { client: 'POST to the sync route first', host: 'or have the first request make it: `createProvisioner`' },
    },
    user_disabled: {
      headline: 'the user’s row is disabled or deleted',
      more: '`principal` of the record names it.',
      try: { host: 'enable the user, if that is right' },
    },
    bootstrap_not_reached: {
      headline: 'what the host’s hook for a first login asked could not be reached; `cause` is what it threw',
      try: { wait: 'it passes by itself', host: 'look at the hook and at what it asks' },
    },
    profile_not_loaded: {
      headline: 'a person was to be made, and their issuer can’t be asked for their profile',
      more: 'Nothing was written.',
      try: {
        wait: 'it passes by itself, most often',
        host: 'look at `profile` of the provisioner; the `cause` says why',
      },
    },
    provisioning_not_committed: {
      headline: 'a first login could not be committed after its retries',
      more: 'The `cause` names the constraint that refused the row, if one did.',
      try: {
        wait: 'it passes by itself, unless a constraint is named',
        host: 'drop a constraint that makes e-mails, or another column, unique: an address identifies nobody',
      },
    },
    provisioning_cut_off: {
      headline: 'a first login took too long and was given up',
      try: { host: 'look for what hangs: the hook or the storage' },
    },
    authority_ended_meanwhile: {
      headline: 'the body took over a second to come, and the caller may do less now than when it began',
      try: { client: 'ask again' },
    },
  },
  'The organization': {
    org_id_malformed: {
      headline: 'the header or path parameter that names the organization is empty, came twice, or holds no id',
      try: {
        client: 'send the organization’s id once, as the API gave it',
        host: 'say what an id looks like, if it is no UUID: `idFormat`',
      },
    },
    org_selectors_differ: {
      headline: 'two headers or path parameters name different organizations',
      try: { client: 'name one organization' },
    },
    mounts_name_different_orgs: {
      headline: 'a later mount of the request names another organization than an earlier one',
      try: { client: 'name one organization', host: 'look at the selectors of the mounts' },
    },
    org_not_named: {
      headline: 'the request names no organization, and `whenUnnamed` chooses none',
      says: 'no organization is named by {expected}',
      expected: 'the headers that name it',
      try: { client: 'name the organization' },
    },
    org_not_the_only_one: {
      headline: 'the request names no organization, and the caller has several',
      says: 'the caller has several organizations, and none is named by {expected}',
      expected: 'the headers that name it',
      try: { client: 'name the organization' },
    },
    not_a_member: {
      headline: 'the caller is no member; or there is no such organization, or it is deleted',
      more: 'Which of these is not told apart.',
      says: 'the caller is no member of {got}; or there is no such organization, or it is deleted',
      saysOf: {
        none: 'the caller belongs to no organization',
        'none of a machine': 'the machine is bound to no organization, and the request names none',
      },
      got: 'the id of the organization',
      try: { client: 'name an organization that the caller belongs to', host: 'make a membership, if that is right' },
    },
    key_of_another_org: {
      headline: 'the request names another organization than the API key’s own',
      try: { client: 'leave the selector out, or take another key' },
    },
    machine_of_another_org: {
      headline: 'the request names another organization than the machine’s own',
      try: { client: 'leave the selector out, or take another token' },
    },
    machine_without_org: {
      headline: 'the route needs an organization, and the rule that names the machine gives it none',
      try: { host: "write `orgId` into the rule, or `needs: 'identity'` on the route" },
    },
    not_the_users_org: {
      headline: 'the route names another organization than the user’s own',
      try: { client: 'name the user’s own organization, or none' },
    },
    user_without_org: {
      headline: 'the user has no organization, or it is deleted',
      try: { host: 'look at the user’s record' },
    },
    act_in_no_service: {
      headline: '`actIn` was given a context that is no service of this auth',
      expected: 'a service of this auth',
      got: 'the kind',
      try: { host: 'narrow the context to a service first' },
    },
    act_in_org_id_malformed: {
      headline: 'the organization’s id given to `actIn` is malformed',
      try: { client: 'send the organization’s id as the API gave it' },
    },
    act_in_selector_differs: {
      headline: 'the request’s selectors name another organization than the one given to `actIn`',
      try: { client: 'name one organization' },
    },
    not_in_this_org: {
      headline: 'the row belongs to another organization, or is not there',
      try: { client: 'look at the id, and at the organization that the request acts in' },
    },
  },
  'Roles and permissions': {
    role_unknown: {
      headline: 'the stored role is not one of `roles`, or there is none',
      says: 'the stored role is {got}, there are {expected}',
      expected: 'the roles',
      got: 'the stored role',
      try: { host: 'mend the stored role, or add it to `roles`' },
    },
    role_too_low: {
      headline: 'the role is not the one that the route asks for, and does not include it',
      says: 'the role is {got}, needed is {expected}',
      expected: 'the role that is needed',
      got: 'the caller’s',
      try: { host: 'give a higher role, if that is right' },
    },
    permission_not_of_role: {
      headline: 'the caller’s role does not hold a permission of the route; a service’s declaration does not name it',
      says: 'the role holds {got}, needed is {expected}',
      expected: 'the permissions of the route',
      got: 'those of the role, or of the service',
      try: { host: 'give another role, or a wider one, if that is right' },
    },
    scope_missing: {
      headline: 'the credential (an API key, a token whose scopes bind) does not carry a permission of the route',
      says: 'the credential carries {got}, needed is {expected}',
      expected: 'the permissions of the route',
      got: 'what the credential carries',
      try: { client: 'take a credential that carries them' },
    },
    guard_anonymous: {
      headline: 'a guard was given no context: nobody called',
      try: { client: 'send a credential', host: 'look at the route: it is optional or public' },
    },
    guard_not_a_user: {
      headline: '`requireUser` was given another kind of caller',
      expected: 'user',
      got: 'the kind',
      try: { host: 'look at `accept` of the route', client: 'send a user’s token' },
    },
    guard_no_org: {
      headline: '`requireOrg` was given a context without an organization',
      got: 'the kind',
      try: { host: 'look at `needs` of the route, or call `actIn`' },
    },
    guard_no_role: {
      headline: '`requireRole` was given a context without a role',
      expected: 'the role that is needed',
      got: 'the kind',
      try: { host: 'look at `accept` and `needs` of the route' },
    },
  },
}
