/**
 * Organizations of people who are here already: one more is made, with its owner, in one transaction; one is renamed; one's own
 * are listed.
 */
import type { ActingOrg, AuthContext, KnownRoles, Organization, User } from '../context.ts'
import { AuthError } from '../errors.ts'
import { invalidField } from '../http/read-json.ts'
import { requireAtOnce } from '../lib/at-once.ts'
import { toDisplayName } from '../lib/display-name.ts'
import {
  aCount,
  aFunction,
  aName,
  anObjectWith,
  aValue,
  optional,
  parseOptions,
  type Shape,
} from '../lib/parse-options.ts'
import { notify } from '../lib/standard-error.ts'
import type { OrgIdFormat } from '../orgs/selector.ts'
import { type CustomRoles, toKnownRoles } from '../permissions/custom-roles.ts'
import { withoutCustom } from '../permissions/grants.ts'
import { type PermissionOf, type RoleOf, type RolesGiven, toRoles } from '../permissions/roles.ts'
import type { PeopleStorage, PeopleTransaction } from '../storage/repositories.ts'
import { isConflictError, TransientError, withStorageErrors } from '../storage/storage-errors.ts'
import { toHookError } from '../users/provision.ts'
import { actInOrg, aStorageWith, inTransaction, type Person, requirePerson, requirePersonInOrg } from './people-act.ts'
import {
  aPeopleRule,
  type PeopleRule,
  requireGrantable,
  requireRule,
  requireSatisfiable,
  toOwnerRole,
} from './people-rule.ts'

/** An organization that has a name. */
export interface NamedOrganization extends Organization {
  readonly name: string
}

/** What happened to an organization, for the host's audit log. */
export interface OrganizationEvent {
  readonly kind: 'organization_created' | 'organization_renamed'
  readonly orgId: string
  /** The id of the user who did it. */
  readonly byId: string
  readonly at: Date
}

/** What the bootstrap hook of an organization is handed, inside the transaction that makes it. */
export interface OrganizationBootstrap<U extends User, O extends Organization, Tx> {
  /** Who made it, and is its owner. */
  readonly user: U
  /** The organization that was just made. */
  readonly org: O
  /** What its maker is in it: the owner's role. */
  readonly role: string
  /** The repositories inside this transaction, and the host's own handle to it (`transaction.handle`). */
  readonly transaction: PeopleTransaction<U, O, Tx>
}

/** Options of {@link createOrganizations}. */
export interface OrganizationsOptions<
  U extends User,
  O extends NamedOrganization,
  Tx,
  G extends RolesGiven,
  R extends string = RoleOf<G>,
  P extends string = PermissionOf<G>,
> {
  /** Where organizations and their members are, and their transaction. */
  readonly storage: Pick<PeopleStorage<U, O, Tx>, 'users' | 'orgs' | 'memberships' | 'transaction'>
  /** The roles: the same as those of `createAuth`. */
  readonly roles: G
  /** Roles that organizations make at run time, as of `createAuth`. They are looked up outside the transaction. */
  readonly customRoles?: CustomRoles | undefined
  /** Who may rename an organization: a role, permissions, or both. There is no safe default. */
  readonly manage: PeopleRule<R, P>
  /** The role that whoever makes an organization has in it. Default: the highest of a ladder; with sets it is required. */
  readonly ownerRole?: R | undefined
  /**
   * The form of an organization's id, where whoever makes one gives it: `slugFormat`, say. It must be what the org resolver and
   * the storage take. Default: the storage makes the ids.
   */
  readonly ids?: OrgIdFormat | undefined
  /** How many organizations one user may be a member of and still make another one; by requests at the same moment a few more. Default 100. */
  readonly maxOrganizations?: number | undefined
  /**
   * Write the host's own rows in the same transaction. What it throws undoes everything: an `AuthError` refuses, anything else
   * is a 500. Runs once per attempt, as that of a first login.
   */
  readonly bootstrap?: ((bootstrap: OrganizationBootstrap<U, O, Tx>) => void | Promise<void>) | undefined
  /** Told of every organization made and renamed, once it is so; what it throws is printed, and changes nothing. */
  readonly onEvent?: ((event: OrganizationEvent) => unknown) | undefined
  /** The clock, in milliseconds since 1970. Default `Date.now`. */
  readonly clock?: (() => number) | undefined
}

/** What an organization is to be. Values may come straight from a client: everything is checked. */
export interface OrganizationFields {
  /** For people: 1 to 255 characters, none of them a control character; blanks around it are dropped. */
  readonly name: unknown
  /** Its id, where the host's option `ids` says of which form; else not read. */
  readonly id?: unknown
}

/**
 * What is done with organizations. A change is one transaction, tried again after a failure of the moment as a first login is
 * (`temporarily_unavailable` where that does not help).
 */
export interface Organizations<O extends NamedOrganization = NamedOrganization> {
  /** Who may rename one. */
  readonly rules: { readonly manage: PeopleRule }
  /**
   * Make an organization whose owner is the caller, a person known here. Costs four queries in a transaction, and the hook's.
   * @throws AuthError `validation_error` naming `name` or `id`; `forbidden` for who is no person, or disabled, and by a
   * credential that does not carry what an owner may do; `conflict` for an id that is taken, where users belong to one
   * organization and this one does, and beyond `maxOrganizations`
   */
  create(context: AuthContext, fields: OrganizationFields): Promise<ActingOrg<O>>
  /**
   * Rename the organization that the caller acts in. Costs four queries in a transaction.
   * @throws AuthError `validation_error` naming `name`; `forbidden` for who may not
   */
  rename(context: AuthContext, name: unknown): Promise<ActingOrg<O>>
  /**
   * List the caller's organizations with their role in each, by join time. Costs one query.
   * @throws AuthError `forbidden` for who is no person
   */
  mine(context: AuthContext): Promise<readonly ActingOrg<O>[]>
}

/**
 * Create what is done with organizations after the first login, for people who are here already. Making one and renaming one
 * are one transaction each.
 *
 * @throws OptionsError for a missing, unknown or wrong option
 * @example
 * const organizations = createOrganizations({ storage, roles, manage: { role: 'owner' } })
 * mount(app, createOrganizationRoutes(organizations))
 */
export function createOrganizations<U extends User, O extends NamedOrganization, Tx, const G extends RolesGiven>(
  options: OrganizationsOptions<U, O, Tx, G>,
): Organizations<O> {
  const settings = parse<U, O, Tx>(options as Options<U, O, Tx>)
  const { storage, known, rules } = settings
  const organizations: Organizations<O> = {
    rules,
    create: async (context, fields) => create(settings, requirePerson(context, known), fields),
    rename: async (context, name) => rename(settings, context, name),
    async mine(context) {
      const { user } = requirePerson(context, known)
      return storage.memberships.listActing({ kind: 'user', user: user as U })
    },
  }
  return Object.freeze(organizations)
}

type Options<U extends User, O extends NamedOrganization, Tx> = OrganizationsOptions<
  U,
  O,
  Tx,
  RolesGiven,
  string,
  string
>

interface Settings<U extends User, O extends NamedOrganization, Tx>
  extends Pick<Options<U, O, Tx>, 'storage' | 'ids' | 'bootstrap' | 'onEvent'> {
  readonly known: KnownRoles
  readonly rules: Organizations['rules']
  readonly ownerRole: string
  readonly maxOrganizations: number
  readonly clock: () => number
}

async function create<U extends User, O extends NamedOrganization, Tx>(
  settings: Settings<U, O, Tx>,
  { userId, bound }: Person,
  fields: OrganizationFields,
): Promise<ActingOrg<O>> {
  const { storage, known, ownerRole: role, ids, clock } = settings
  const wanted = { name: requireName(fields.name), id: ids === undefined ? undefined : requireId(ids, fields.id) }
  requireGrantable(withoutCustom(known.roles), { role, bound }, role)
  const org = await inTransaction<PeopleTransaction<U, O, Tx>, O>(storage, clock, async (transaction, earlier) => {
    const user = await transaction.users.findById(userId)
    if (user === null || user.disabled) throw new AuthError('forbidden', { reason: 'founder_disabled' })
    const caller = { kind: 'user', user } as const
    if (earlier !== undefined && (await transaction.memberships.findActing(caller, earlier.id)) !== null) return earlier
    await requireBelowLimit(settings, transaction, user)
    const made = await insert(transaction, wanted)
    await join(transaction, { orgId: made.id, userId, role })
    await bootstrap(settings, { user, org: made, role, transaction })
    return made
  })
  notifyOf(settings, 'organization_created', org, userId)
  return Object.freeze({ org, role })
}

async function requireBelowLimit<U extends User, O extends NamedOrganization, Tx>(
  { maxOrganizations }: Settings<U, O, Tx>,
  { memberships }: PeopleTransaction<U, O, Tx>,
  user: U,
): Promise<void> {
  const joined = await memberships.listActing({ kind: 'user', user }, maxOrganizations)
  if (joined.length >= maxOrganizations) {
    throw new AuthError('conflict', { reason: 'organizations_too_many', expected: `at most ${maxOrganizations}` })
  }
}

async function insert<O extends Organization>(
  { orgs }: Pick<PeopleTransaction<User, O>, 'orgs'>,
  org: { readonly name: string; readonly id: string | undefined },
): Promise<O> {
  try {
    return await orgs.insert(org)
  } catch (cause) {
    if (isConflictError(cause) && org.id !== undefined) {
      throw new AuthError('conflict', { reason: 'organization_id_taken', cause })
    }
    // The storage can't hold such an id.
    throw cause instanceof TypeError && org.id !== undefined ? invalidField('id') : cause
  }
}

async function join<U extends User, O extends Organization>(
  { memberships }: Pick<PeopleTransaction<U, O>, 'memberships'>,
  membership: { readonly orgId: string; readonly userId: string; readonly role: string },
): Promise<void> {
  try {
    await memberships.insert(membership)
  } catch (cause) {
    // The organization is new: it is another one that the user belongs to.
    if (isConflictError(cause)) throw new AuthError('conflict', { reason: 'member_elsewhere', cause })
    throw cause
  }
}

async function bootstrap<U extends User, O extends NamedOrganization, Tx>(
  settings: Settings<U, O, Tx>,
  given: OrganizationBootstrap<U, O, Tx>,
): Promise<void> {
  try {
    await settings.bootstrap?.(Object.freeze(given))
  } catch (error) {
    throw toHookError(error)
  }
}

async function rename<U extends User, O extends NamedOrganization, Tx>(
  settings: Settings<U, O, Tx>,
  context: AuthContext,
  given: unknown,
): Promise<ActingOrg<O>> {
  const { known, rules } = settings
  const person = requirePersonInOrg(context, known)
  const name = requireName(given)
  const renamed = await actInOrg(settings, person, [], async ({ transaction, orgId, roles, actor }) => {
    requireRule(roles, rules.manage, actor)
    const org = await transaction.orgs.rename(orgId, name)
    // Deleted by who does not hold it: whoever looks once more is no member of it.
    if (org === null) throw new TransientError('the organization is gone')
    return { org, role: actor.role }
  })
  notifyOf(settings, 'organization_renamed', renamed.org, person.userId)
  return Object.freeze(renamed)
}

function requireName(given: unknown): string {
  const name = toDisplayName(given)
  if (name === null) throw invalidField('name')
  return name
}

function requireId(ids: OrgIdFormat, given: unknown): string {
  const id = typeof given === 'string' ? requireAtOnce('createOrganizations: option "ids"', ids(given)) : null
  if (typeof id !== 'string') throw invalidField('id')
  return id
}

function notifyOf<U extends User, O extends NamedOrganization, Tx>(
  { onEvent, clock }: Settings<U, O, Tx>,
  kind: OrganizationEvent['kind'],
  { id: orgId }: Organization,
  byId: string,
): void {
  notify('createOrganizations: onEvent', onEvent, Object.freeze({ kind, orgId, byId, at: new Date(clock()) }))
}

const NAME = 'createOrganizations'

function parse<U extends User, O extends NamedOrganization, Tx>(options: Options<U, O, Tx>): Settings<U, O, Tx> {
  const parsed = parseOptions<Options<U, O, Tx>>(NAME, shape<U, O, Tx>(), options)
  const { customRoles, manage, maxOrganizations = 100, clock = Date.now } = parsed
  const roles = toRoles(parsed.roles, NAME)
  return {
    ...parsed,
    storage: withStorageErrors(parsed.storage),
    known: toKnownRoles(roles, customRoles),
    rules: Object.freeze({ manage: Object.freeze(requireSatisfiable(NAME, 'manage', manage, roles)) }),
    ownerRole: toOwnerRole(NAME, parsed.ownerRole, roles),
    maxOrganizations,
    clock,
  }
}

// A function: what a host does not use must not stay in its bundle.
const shape = <U extends User, O extends NamedOrganization, Tx>(): Shape<Options<U, O, Tx>> => ({
  storage: aStorageWith({
    users: ['findById'],
    orgs: ['insert', 'findLocked', 'rename'],
    memberships: ['findActing', 'listActing', 'insert'],
  }),
  roles: aValue<RolesGiven>(),
  customRoles: optional(anObjectWith<CustomRoles>('find')),
  manage: aPeopleRule(),
  ownerRole: optional(aName()),
  ids: optional(aFunction()),
  maxOrganizations: optional(aCount(1, 10_000)),
  bootstrap: optional(aFunction()),
  onEvent: optional(aFunction()),
  clock: optional(aFunction()),
})
