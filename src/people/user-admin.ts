/**
 * What an operator does with the people of a service, from code of the host's own: disable and enable them, give them another
 * identity, erase them, hand out what is stored about them. No context, no route: whoever calls it is trusted.
 */
import type { IdentityKey, Organization, User, Verifier } from '../context.ts'
import {
  aFunction,
  aName,
  anObjectWith,
  aValue,
  checkedBy,
  optional,
  parseOptions,
  type Shape,
} from '../lib/parse-options.ts'
import { notify } from '../lib/standard-error.ts'
import { type RoleOf, type RolesGiven, requireNamed, toRoles } from '../permissions/roles.ts'
import { withStorageErrors } from '../storage/storage-errors.ts'
import { type EraseAccountOptions, type EraseOptions, type Erasure, erase } from './erase.ts'
import { type IdentityProof, type MovedByOperator, moveIdentity } from './move-identity.ts'
import { aStorageWith, inTransaction } from './people-act.ts'
import { toOwnerRole } from './people-rule.ts'
import { exportOf, type PersonalData } from './personal-data.ts'
import {
  INSTALLATION,
  requireFound,
  type UserAdminSettings,
  type UserAdminStorage,
  type UserAdminTransaction,
  withEarlier,
} from './user-admin-storage.ts'

/** What an operator has done with somebody, for the host's audit log. No e-mail, no secret. */
export type UserAdminEvent =
  | {
      readonly kind: 'user_disabled' | 'user_enabled'
      readonly userId: string
      /** The public ids of the API keys that ended with it. */
      readonly endedKeyIds: readonly string[]
      readonly at: Date
    }
  | {
      readonly kind: 'identity_moved'
      readonly userId: string
      readonly from: IdentityKey
      readonly to: IdentityKey
      /** Who vouched for it; `null`: both identities were proved. */
      readonly operator: string | null
      readonly at: Date
    }
  | ({ readonly kind: 'user_erased' | 'account_erased'; readonly at: Date } & Erasure)

/** Options of {@link createUserAdmin}. */
export interface UserAdminOptions<
  U extends User = User,
  O extends Organization = Organization,
  Tx = unknown,
  G extends RolesGiven = RolesGiven,
> {
  /** Where people are, and their transaction. */
  readonly storage: UserAdminStorage<U, O, Tx>
  /** The roles: the same as those of `createAuth`. */
  readonly roles: G
  /** The role whose last holder in an organization stays; a disabled user is none. Default: the highest of a ladder; with sets it is required. */
  readonly ownerRole?: RoleOf<G> | undefined
  /** The role of local accounts whose last holder stays, as that of `createLogin`. Default: the highest of a ladder. */
  readonly adminRole?: RoleOf<G> | undefined
  /** What proves identities by their tokens; make one of its own to ask for fresh ones (`maxTokenAgeSeconds`). Default: none are. */
  readonly verifier?: Pick<Verifier, 'verify'> | undefined
  /** Told of everything that was done, once it is so; what it throws is printed, and changes nothing. */
  readonly onEvent?: ((event: UserAdminEvent) => unknown) | undefined
  /** The clock, in milliseconds since 1970. Default `Date.now`. */
  readonly clock?: (() => number) | undefined
}

/** Options of `disable` of a {@link UserAdministration}. */
export interface DisableOptions {
  /** `true`: the API keys that they made end, too, in the same transaction. Default: they stay. */
  readonly endApiKeys?: true | undefined
}

/** Options of `exportOf` of a {@link UserAdministration}. */
export interface ExportOptions {
  /** The id of the same person's local account. Default: they have none. */
  readonly account?: string | undefined
  /**
   * `true`: the host knows that the address of the row, and of the account, is theirs; then the invitations to it are in it, too.
   * Default: they are left out, for an issuer may call anybody by an address that it has not verified.
   */
  readonly verifiedEmail?: true | undefined
}

/**
 * What an operator does with people. Every change is one transaction, tried again after a failure of the moment as a first login
 * is (`temporarily_unavailable` where that does not help). Whoever is not there is `not_found`.
 */
export interface UserAdministration<U extends User = User, O extends Organization = Organization, Tx = unknown> {
  /**
   * Disable a user, owners too: refused from the next request on, and never made anew. An organization may be left without an
   * enabled owner. Disabled already: the same again.
   */
  disable(userId: string, options?: DisableOptions): Promise<U>
  /** Let a disabled user in again. One who was erased comes back as a row that knows nothing. */
  enable(userId: string): Promise<U>
  /**
   * Give a user another identity: `from` is theirs now, `to` is theirs from then on, and `from` is nobody's. Both must be proved by
   * a token of that very person that is good now (ask for fresh ones: who holds both for a moment would keep the user for ever),
   * or an operator vouches for what is not: `{ operator: 'who' }`, whose name stands in the event. Where both are one already
   * (`identityIssuer`), nothing is written. One conditional write.
   *
   * @throws AuthError what the verifier refuses a token with; `forbidden` for what is neither proved nor vouched for, a machine's token,
   * one by which somebody acts for that person (RFC 8693 §4.1), and a disabled user whom no operator moves; `not_found` where `from` is nobody's; `conflict` where `to` is somebody else's
   */
  moveIdentity(from: IdentityProof, to: IdentityProof, by?: MovedByOperator): Promise<U>
  /**
   * Erase a user. In one transaction that holds all their organizations: their memberships, the invitations that they sent and
   * that were sent to the address of their row (verified or not) are deleted; the API keys that they made are revoked; the name of an organization of theirs that
   * has their address in it becomes `Personal`; of their row are left its id, when it was made and, where `identity` is `blocked`,
   * issuer and subject; with `account` their local account is deleted, and with it every session. Erasing somebody again is fine.
   *
   * @throws AuthError `conflict` for the last owner of an organization with other members whom `handOver` names no next one for: all of
   * them in `cause.orgIds`; for the last admin among the accounts
   * @throws Error where `handOver` names nobody who can be one
   */
  erase(userId: string, options: EraseOptions<U, O, Tx>): Promise<Erasure>
  /** Erase a local account alone, of somebody who is no user beside it: as `erase` does, without organizations and identity. */
  eraseAccount(accountId: string, options?: EraseAccountOptions<Tx>): Promise<Erasure>
  /** What is stored about a user, and their account: everything but secrets and hashes. Costs five queries, and one an organization. */
  exportOf(userId: string, options?: ExportOptions): Promise<PersonalData<U, O>>
  /** What is stored about somebody who has a local account alone. */
  exportOfAccount(accountId: string, options?: Pick<ExportOptions, 'verifiedEmail'>): Promise<PersonalData<U, O>>
}

/**
 * Create what an operator does with people: for scripts, back offices and jobs of the host's own, which say themselves who may
 * call them.
 *
 * @throws OptionsError for a missing, unknown or wrong option
 * @example
 * const admin = createUserAdmin({ storage, roles, verifier, onEvent: audit.write })
 * await admin.erase(userId, { identity: 'freed', emptyOrgs: 'remove', within: ({ user, transaction }) => forget(user, transaction) })
 */
export function createUserAdmin<U extends User, O extends Organization, Tx, const G extends RolesGiven = RolesGiven>(
  options: UserAdminOptions<U, O, Tx, G>,
): UserAdministration<U, O, Tx> {
  const settings = parse(options as unknown as UserAdminOptions<U, O, Tx>)
  const { storage, clock, verifier, onEvent } = settings
  const notifyOf = (event: UserAdminEvent): void => notify(`${NAME}: onEvent`, onEvent, Object.freeze(event))
  const setDisabled = async (userId: string, disabled: boolean, endApiKeys?: true): Promise<U> => {
    const { user, endedKeyIds } = await inTransaction<UserAdminTransaction<U, O, Tx>, DisabledUser<U>>(
      storage,
      clock,
      async ({ users, apiKeys }, earlier) => {
        const found = requireFound(await users.setDisabled(userId, disabled))
        const ended = endApiKeys && (await apiKeys?.revokeCreatedBy(INSTALLATION, userId, new Date(clock())))
        return { user: found, endedKeyIds: withEarlier(ended ?? [], earlier?.endedKeyIds, (id) => id) }
      },
    )
    notifyOf({ kind: disabled ? 'user_disabled' : 'user_enabled', userId: user.id, endedKeyIds, at: new Date(clock()) })
    return user
  }
  return Object.freeze<UserAdministration<U, O, Tx>>({
    async disable(userId, given = {}) {
      return setDisabled(userId, true, parseOptions('disable', disableShape(), given).endApiKeys)
    },
    enable: (userId) => setDisabled(userId, false),
    async moveIdentity(from, to, by) {
      const { user, ...moved } = await moveIdentity(settings, verifier, { from, to, by })
      if (moved.isNew) notifyOf({ kind: 'identity_moved', userId: user.id, ...moved.move, at: new Date(clock()) })
      return user
    },
    async erase(userId, given) {
      const erased = await erase(settings, { userId, accountId: given?.account ?? null }, given)
      notifyOf({ kind: 'user_erased', ...erased, at: new Date(clock()) })
      return erased
    },
    async eraseAccount(accountId, given = {}) {
      const erased = await erase(settings, { userId: null, accountId }, given)
      notifyOf({ kind: 'account_erased', ...erased, at: new Date(clock()) })
      return erased
    },
    async exportOf(userId, given = {}) {
      const { account = null, verifiedEmail } = parseOptions('exportOf', exportShape(), given)
      return exportOf(settings, { userId, accountId: account, hasVerifiedEmail: verifiedEmail === true })
    },
    async exportOfAccount(accountId, given = {}) {
      const { verifiedEmail } = parseOptions('exportOfAccount', accountExportShape(), given)
      return exportOf(settings, { userId: null, accountId, hasVerifiedEmail: verifiedEmail === true })
    },
  })
}

interface DisabledUser<U extends User> {
  readonly user: U
  readonly endedKeyIds: readonly string[]
}

type Settings<U extends User, O extends Organization, Tx> = UserAdminSettings<U, O, Tx> &
  Pick<UserAdminOptions<U, O, Tx>, 'verifier' | 'onEvent'>

function parse<U extends User, O extends Organization, Tx>(options: UserAdminOptions<U, O, Tx>): Settings<U, O, Tx> {
  const { roles: given, ...parsed } = parseOptions<UserAdminOptions<U, O, Tx>>(NAME, shape<U, O, Tx>(), options)
  const roles = toRoles(given, NAME)
  const { adminRole = roles.highest, clock = Date.now } = parsed
  return {
    ...parsed,
    storage: withStorageErrors(parsed.storage),
    ownerRole: toOwnerRole(NAME, parsed.ownerRole, roles),
    adminRole: adminRole === null ? null : requireNamed(roles, adminRole, NAME, 'adminRole'),
    clock,
  }
}

const NAME = 'createUserAdmin'
// Functions: what a host does not use must not stay in its bundle.
const shape = <U extends User, O extends Organization, Tx>(): Shape<UserAdminOptions<U, O, Tx>> => ({
  storage: aStorageWith({
    users: ['findById', 'findByIdentity', 'setDisabled', 'moveIdentity', 'anonymize'],
    memberships: ['listActing', 'find'],
    invitations: ['listOf', 'removeOf'],
  }),
  roles: aValue<RolesGiven>(),
  ownerRole: optional(aName()),
  adminRole: optional(aName()),
  verifier: optional(anObjectWith('verify')),
  onEvent: optional(aFunction()),
  clock: optional(aFunction()),
})

const aYes = () => checkedBy<true>((value) => (value === true ? null : 'must be true, or left out'))

const disableShape = (): Shape<DisableOptions> => ({ endApiKeys: optional(aYes()) })

const accountExportShape = (): Shape<Pick<ExportOptions, 'verifiedEmail'>> => ({ verifiedEmail: optional(aYes()) })

const exportShape = (): Shape<ExportOptions> => ({ ...accountExportShape(), account: optional(aName()) })
