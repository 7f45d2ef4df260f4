/**
 * Members of an organization: listed, added, given another role, removed, gone by themselves. Nobody gives or takes a role
 * above their own, the last owner stays, and both are judged while the organization is held.
 */
import type { AuthContext, KnownRoles, Organization, User } from '../context.ts'
import { AuthError } from '../errors.ts'
import { invalidField } from '../http/read-json.ts'
import {
  aFunction,
  aName,
  anObjectWith,
  aValue,
  checkedBy,
  optional,
  optionsError,
  parseOptions,
  type Shape,
} from '../lib/parse-options.ts'
import { notify } from '../lib/standard-error.ts'
import { uuidFormat } from '../orgs/selector.ts'
import { type CustomRoles, toKnownRoles } from '../permissions/custom-roles.ts'
import { type PermissionOf, type RoleOf, type RolesGiven, toRoles } from '../permissions/roles.ts'
import type { GuardedChange, Member, Membership, PeopleStorage } from '../storage/repositories.ts'
import { isConflictError, withStorageErrors } from '../storage/storage-errors.ts'
import { type Act, actInOrg, aStorageWith, isSameMembership, requirePersonInOrg, withRoles } from './people-act.ts'
import {
  aPeopleRule,
  type PeopleRule,
  requireGrantable,
  requireRole,
  requireRoleText,
  requireRule,
  requireSatisfiable,
  requireTakeable,
  toOwnerRole,
} from './people-rule.ts'

/** What happened to a member, for the host's audit log. */
export interface MemberEvent {
  readonly kind: 'member_added' | 'member_role_changed' | 'member_removed' | 'member_left'
  readonly orgId: string
  /** Whose membership it is. */
  readonly userId: string
  /** The role from now on; `null`: no member any more. */
  readonly role: string | null
  /** The role until now; `null`: no member until now. */
  readonly formerRole: string | null
  /** The id of the user who did it. */
  readonly byId: string
  /** The public ids of the API keys that ended with the membership. */
  readonly endedKeyIds: readonly string[]
  readonly at: Date
}

/** Options of {@link createMembers}. */
export interface MembersOptions<
  G extends RolesGiven,
  R extends string = RoleOf<G>,
  P extends string = PermissionOf<G>,
> {
  /** Where members are, and their transaction. */
  readonly storage: Pick<PeopleStorage, 'users' | 'orgs' | 'memberships' | 'apiKeys' | 'transaction'>
  /** The roles: the same as those of `createAuth`. */
  readonly roles: G
  /** Roles that organizations make at run time, as of `createAuth`. They are looked up outside the transaction. */
  readonly customRoles?: CustomRoles | undefined
  /** Who may add and remove members and change their roles, up to their own: a role, permissions, or both. There is no safe default. */
  readonly manage: PeopleRule<R, P>
  /** Who may list members. Default: as `manage`. */
  readonly list?: PeopleRule<R, P> | undefined
  /** The role whose last holder stays; a disabled user is none. Default: the highest of a ladder; with sets it is required. */
  readonly ownerRole?: R | undefined
  /** `true`: with a membership end the API keys that the person made in that organization. Default: they stay. */
  readonly endApiKeys?: true | undefined
  /**
   * Told of every member added, changed, removed and gone, once it is so; what it throws is printed, and changes nothing. A cache of memberships
   * learns of it here: `({ userId, orgId }) => cache.invalidate(userId, orgId)`.
   */
  readonly onEvent?: ((event: MemberEvent) => unknown) | undefined
  /** The clock, in milliseconds since 1970. Default `Date.now`. */
  readonly clock?: (() => number) | undefined
}

/** Who is to be a member, or to be another. Values may come straight from a client: everything is checked. */
export interface MemberFields {
  /** The id of a user of this service. A body calls it `user_id`. */
  readonly userId: unknown
  /** One of the roles. */
  readonly role: unknown
}

/**
 * What is done with members. Every method takes the context of a person who acts in the organization; `forbidden` for anybody
 * else. Each change is one transaction, tried again after a failure of the moment as a first login is
 * (`temporarily_unavailable` where that does not help), and costs four to seven queries in it.
 */
export interface Members {
  /** Who may change members, and who may list them. */
  readonly rules: { readonly manage: PeopleRule; readonly list: PeopleRule }
  /** List the members by join time, then user id. Costs one query. */
  list(context: AuthContext): Promise<readonly Member[]>
  /**
   * Add a user as a member.
   * @throws AuthError `validation_error` naming `user_id` or `role`; `forbidden` for a role above one's own; `not_found` for a
   * user who is unknown or disabled; `conflict` for a member, and where users belong to one organization and this one does
   */
  add(context: AuthContext, fields: MemberFields): Promise<Membership>
  /**
   * Give a member another role; the one they have is fine, too.
   * @throws AuthError `validation_error` naming `role`; `not_found` for who is no member; `forbidden` where the role they have,
   * or the one they are to have, is above one's own; `conflict` for the last owner
   */
  changeRole(context: AuthContext, fields: MemberFields): Promise<Pick<Membership, 'orgId' | 'userId' | 'role'>>
  /**
   * Remove a member. Oneself: as `leave`.
   * @throws AuthError as `changeRole`, naming `user_id` where that is no text
   */
  remove(context: AuthContext, userId: string): Promise<void>
  /**
   * Leave the organization; nobody has to be allowed to.
   * @throws AuthError `conflict` for the last owner; `forbidden` by a credential that does not carry what one's role may do
   */
  leave(context: AuthContext): Promise<void>
}

/**
 * Create what is done with the members of organizations. Nobody gives or takes a role above their own (one that includes it;
 * one made at run time where they may do all that it may), nor more than their credential carries, and the last owner stays:
 * judged under the lock of the organization, by what everybody is at that moment. Each change is one transaction.
 *
 * @throws OptionsError for a missing, unknown or wrong option
 * @example
 * const members = createMembers({ storage, roles, manage: { role: 'admin' } })
 * mount(app, createMemberRoutes(members))
 */
export function createMembers<const G extends RolesGiven>(options: MembersOptions<G>): Members {
  const settings = parse(options as Options)
  const { known } = settings
  const members: Members = {
    rules: settings.rules,
    list: (context) => list(settings, context),
    add: async (context, fields) => add(settings, context, fields),
    changeRole: async (context, fields) => changeRole(settings, context, fields),
    async remove(context, userId) {
      const id = requireMemberId(userId)
      const isOneself = id === requirePersonInOrg(context, known).userId
      await end(settings, context, isOneself ? null : id)
    },
    leave: async (context) => end(settings, context, null),
  }
  return Object.freeze(members)
}

interface Settings extends Omit<Options, 'roles' | 'customRoles' | 'manage' | 'list'> {
  readonly known: KnownRoles
  readonly rules: Members['rules']
  readonly ownerRole: string
  readonly clock: () => number
}

async function list({ storage, known, rules }: Settings, context: AuthContext): Promise<readonly Member[]> {
  const person = requirePersonInOrg(context, known)
  await withRoles(known, person.orgId, person.role === null ? [] : [person.role], (roles) =>
    requireRule(roles, rules.list, person),
  )
  return storage.memberships.listByOrg(person.orgId)
}

async function add(settings: Settings, context: AuthContext, fields: MemberFields): Promise<Membership> {
  const person = requirePersonInOrg(context, settings.known)
  const [userId, role] = [requireUserId(fields.userId), requireRoleText(fields.role)]
  const membership = await actInOrg<User, Organization, unknown, Membership>(
    settings,
    person,
    [role],
    async (act, earlier) => {
      const { transaction, orgId } = act
      if (earlier !== undefined) {
        const found = await transaction.memberships.find(orgId, earlier.userId)
        if (isSameMembership(found, earlier)) return earlier
      }
      requireGiven(settings, act, role)
      const user = await transaction.users.findById(userId)
      if (user === null || user.disabled) throw new AuthError('not_found', { reason: 'user_to_add_unknown' })
      try {
        return await transaction.memberships.insert({ orgId, userId: user.id, role })
      } catch (cause) {
        if (isConflictError(cause)) throw new AuthError('conflict', { reason: 'member_already', cause })
        throw cause
      }
    },
  )
  notifyOf(settings, 'member_added', { ...membership, byId: person.userId })
  return membership
}

async function changeRole(
  settings: Settings,
  context: AuthContext,
  fields: MemberFields,
): Promise<Pick<Membership, 'orgId' | 'userId' | 'role'>> {
  const person = requirePersonInOrg(context, settings.known)
  const [id, role] = [requireMemberId(fields.userId), requireRoleText(fields.role)]
  const { userId, formerRole } = await actInOrg<User, Organization, unknown, Former>(
    settings,
    person,
    [role],
    async (act, earlier) => {
      const { transaction, orgId, roles, actor } = act
      const found = await transaction.memberships.find(orgId, id)
      if (earlier !== undefined && found?.role === role) return earlier
      requireGiven(settings, act, role)
      const { userId, role: formerRole } = requireMember(found)
      requireTakeable(roles, actor, formerRole)
      if (formerRole !== role) {
        requireChanged(await transaction.memberships.setRole(orgId, userId, role, { keep: settings.ownerRole }))
      }
      return { userId, formerRole }
    },
  )
  const changed = { orgId: person.orgId, userId, role }
  if (formerRole !== role) notifyOf(settings, 'member_role_changed', { ...changed, formerRole, byId: person.userId })
  return Object.freeze(changed)
}

// A membership as it was.
interface Former {
  readonly userId: string
  readonly formerRole: string
}

interface Ended extends Former {
  readonly endedKeyIds: readonly string[]
}

// `id`: whose membership is to end; `null`: their own, which needs no rule.
async function end(settings: Settings, context: AuthContext, id: string | null): Promise<void> {
  const { known, rules, ownerRole, endApiKeys, clock } = settings
  const person = requirePersonInOrg(context, known)
  const ended = await actInOrg<User, Organization, unknown, Ended>(
    settings,
    person,
    [],
    async ({ transaction, orgId, roles, actor }, earlier) => {
      const found = await transaction.memberships.find(orgId, id ?? actor.userId)
      if (earlier !== undefined && found === null) return earlier
      if (id !== null) requireRule(roles, rules.manage, actor)
      const { userId, role: formerRole } = requireMember(found)
      requireTakeable(roles, actor, formerRole)
      requireChanged(await transaction.memberships.remove(orgId, userId, { keep: ownerRole }))
      const endedKeyIds = endApiKeys === true ? await endKeys(transaction, { orgId, userId }, new Date(clock())) : []
      return { userId, formerRole, endedKeyIds }
    },
  )
  notifyOf(settings, id === null ? 'member_left' : 'member_removed', {
    ...ended,
    orgId: person.orgId,
    byId: person.userId,
  })
}

async function endKeys(
  { apiKeys }: Act['transaction'],
  { orgId, userId }: Pick<Membership, 'orgId' | 'userId'>,
  at: Date,
): Promise<readonly string[]> {
  if (apiKeys !== undefined) return apiKeys.revokeCreatedBy({ kind: 'org', orgId }, userId, at)
  throw new Error('sallyport: createMembers: option "endApiKeys" needs a storage with apiKeys in its transactions')
}

function requireGiven({ rules }: Settings, { roles, actor }: Act, role: string): void {
  requireRule(roles, rules.manage, actor)
  requireRole(roles, role)
  requireGrantable(roles, actor, role)
}

function requireMember<T>(found: T | null): T {
  if (found === null) throw new AuthError('not_found', { reason: 'member_unknown' })
  return found
}

// Whoever removes members without holding their organization may have been quicker.
function requireChanged(change: GuardedChange): void {
  if (change === 'last') throw new AuthError('conflict', { reason: 'member_last_owner' })
  requireMember(change === 'done' ? change : null)
}

function requireUserId(userId: unknown): string {
  if (typeof userId === 'string' && userId.trim() !== '') return toUserId(userId)
  throw invalidField('user_id')
}

// A path may name anything: what can be nobody's id is nobody's.
function requireMemberId(userId: unknown): string {
  if (typeof userId === 'string' && userId !== '') return toUserId(userId)
  throw invalidField('user_id')
}

// One user has one id, in whatever case it is written.
function toUserId(id: string): string {
  return uuidFormat(id) ?? id
}

function notifyOf(
  { onEvent, clock }: Settings,
  kind: MemberEvent['kind'],
  { orgId, userId, role = null, formerRole = null, byId, endedKeyIds = [] }: EventFields,
): void {
  const keys = Object.freeze([...endedKeyIds])
  const event = { kind, orgId, userId, role, formerRole, byId, endedKeyIds: keys, at: new Date(clock()) }
  notify('createMembers: onEvent', onEvent, Object.freeze(event))
}

type EventFields = Pick<MemberEvent, 'orgId' | 'userId' | 'byId'> &
  Partial<Pick<MemberEvent, 'role' | 'formerRole' | 'endedKeyIds'>>

const NAME = 'createMembers'

type Options = MembersOptions<RolesGiven, string, string>

function parse(options: Options): Settings {
  const { roles: given, customRoles, manage, list, ...parsed } = parseOptions<Options>(NAME, shape(), options)
  const roles = toRoles(given, NAME)
  if (parsed.endApiKeys === true && typeof parsed.storage.apiKeys?.revokeCreatedBy !== 'function') {
    throw optionsError(NAME, 'endApiKeys', 'needs a storage with apiKeys.revokeCreatedBy')
  }
  const managing = requireSatisfiable(NAME, 'manage', manage, roles)
  const rules = {
    manage: Object.freeze(managing),
    list: Object.freeze(list === undefined ? managing : requireSatisfiable(NAME, 'list', list, roles)),
  }
  return {
    ...parsed,
    storage: withStorageErrors(parsed.storage),
    known: toKnownRoles(roles, customRoles),
    rules: Object.freeze(rules),
    ownerRole: toOwnerRole(NAME, parsed.ownerRole, roles),
    clock: parsed.clock ?? Date.now,
  }
}

// A function: what a host does not use must not stay in its bundle.
const shape = (): Shape<Options> => ({
  storage: aStorageWith({
    users: ['findById'],
    orgs: ['findLocked'],
    memberships: ['findActing', 'listByOrg', 'find', 'insert', 'setRole', 'remove'],
  }),
  roles: aValue<RolesGiven>(),
  customRoles: optional(anObjectWith<CustomRoles>('find')),
  manage: aPeopleRule(),
  list: optional(aPeopleRule()),
  ownerRole: optional(aName()),
  endApiKeys: optional(checkedBy((value) => (value === true ? null : 'must be true, or left out'))),
  onEvent: optional(aFunction()),
  clock: optional(aFunction()),
})
