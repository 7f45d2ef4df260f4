/**
 * The pipeline's own copies of what its decisions stand on. A handler gets the host's own objects and may write them; what a
 * later mount, a later look at the caller or a record reads, it reads here.
 */
import type { ActingOrg, ApiKey, Identity, Organization, ResolvedUser, User } from '../context.ts'
import { ownOf } from '../lib/parse-options.ts'

/** What the user resolver let in. */
export class KeptUser {
  /** The host's own object, for the handler. */
  readonly user: User
  readonly userId: string
  readonly role: string | undefined
  readonly membership: ActingOrg<Organization> | null | undefined
  readonly #kept: User | null
  readonly #disabled: boolean

  constructor(resolved: ResolvedUser) {
    const { user } = resolved
    this.user = user
    this.userId = user.id
    this.role = ownOf(resolved, 'role')
    this.membership = ownOf(resolved, 'membership')
    this.#kept = !isPlain(user) ? null : Object.isFrozen(user) ? user : Object.freeze({ ...user })
    this.#disabled = user.disabled
  }

  /** The user as it was when it was let in, for the steps that come after. */
  asResolved(): User {
    if (this.#kept !== null) return this.#kept
    // An object with a class of its own may keep what no copy has: it stays itself as long as it is the same user.
    const own = { id: this.userId, disabled: this.#disabled }
    const { id, disabled } = this.user
    return id === own.id && disabled === own.disabled ? this.user : laidOver(this.user, own)
  }
}

/** Where the caller acts. */
export interface Acted {
  /** The host's own object, for the handler. */
  readonly org: Organization | null
  readonly orgId: string | null
  readonly role: string | null
  /** What the role may do; `null` where there is no such role. */
  readonly granted: readonly string[] | null
}

/**
 * Keep what the org resolver has decided.
 * @param granted what the role may do; `null` where there is no such role
 */
export function toActed(granted: Acted['granted'], { org, role }: ActingOrg): Acted {
  return { org, orgId: org === null ? null : org.id, role, granted }
}

/**
 * Keep whom a token names, frozen as a context is, whoever verified it.
 * @throws Error where a host's own verifier is older than what an identity says: that must not be taken for the weaker
 */
export function keepIdentity(identity: Identity): Identity {
  const { kind, scopes } = identity
  if ((kind !== 'person' && kind !== 'machine') || !(scopes === null || Array.isArray(scopes))) {
    throw new Error(
      'sallyport: a verifier must say of an identity its kind (person or machine) and its scopes (or null)',
    )
  }
  if (Object.isFrozen(identity) && Object.isFrozen(scopes)) return identity
  const audience = Object.freeze([...identity.audience])
  return Object.freeze({
    ...membersOf(identity),
    audience,
    scopes: scopes === null ? null : Object.freeze([...scopes]),
    claims: Object.freeze({ ...identity.claims }),
  })
}

/**
 * Keep which API key it is, frozen.
 * @throws Error where it carries no list: what is asked of a text as of a list would be taken for carried in any part of it
 */
export function keepKey(key: ApiKey): ApiKey {
  if (!Array.isArray(key.permissions)) {
    throw new Error('sallyport: a verifier of API keys must say of a key what it carries: permissions, a list')
  }
  if (Object.isFrozen(key) && Object.isFrozen(key.permissions)) return key
  return Object.freeze({ ...membersOf(key), permissions: Object.freeze([...key.permissions]) })
}

// A host's own may be of a class, or inherit from another one: what that says must be in a copy, too. Without its kind a machine
// would be a person, without its subject everybody the same one.
function membersOf<T extends object>(given: T): T {
  if (isPlain(given)) return given
  const members: Record<string, unknown> = {}
  let holder: object = given
  while (holder !== null && holder !== Object.prototype) {
    for (const name of Object.getOwnPropertyNames(holder)) {
      if (name !== 'constructor' && !Object.hasOwn(members, name)) members[name] = given[name as keyof T]
    }
    holder = Object.getPrototypeOf(holder) as object
  }
  return members as T
}

function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === Object.prototype || prototype === null
}

function laidOver(user: User, own: Pick<User, 'id' | 'disabled'>): User {
  const members = { ...Object.getOwnPropertyDescriptors(user), ...Object.getOwnPropertyDescriptors(own) }
  return Object.freeze(Object.create(Object.getPrototypeOf(user) as object, members) as User)
}
