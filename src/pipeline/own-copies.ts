/**
 * The pipeline's own copies of what its decisions stand on. A handler gets the host's own objects and may write them; what a
 * later mount, a later look at the caller or a record reads, it reads here.
 */
import type { ActingOrg, ApiKey, Identity, Organization, ResolvedUser, User, Verified } from '../context.ts'

/** What the user resolver let in. */
export interface KeptUser {
  /** The host's own object, for the handler. */
  readonly user: User
  readonly userId: string
  readonly role: string | undefined
  readonly membership: ActingOrg<Organization> | null | undefined
  /** The user as it was when it was let in, for the steps that come after. */
  asResolved(): User
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

/** Keep what the user resolver let in. */
export function toKeptUser({ user, role, membership }: ResolvedUser): KeptUser {
  return Object.freeze({ user, userId: user.id, role, membership, asResolved: keepUser(user) })
}

/**
 * Keep what the org resolver has decided.
 * @param granted what the role may do; `null` where there is no such role
 */
export function toActed({ org, role }: ActingOrg, granted: Acted['granted']): Acted {
  return Object.freeze({ org, orgId: org === null ? null : org.id, role, granted })
}

/** Keep who was verified. A context is frozen, and so is what it says of its principal, whoever verified it. */
export function toVerified(verified: Verified): Verified {
  if ('identity' in verified) return Object.freeze({ ...verified, identity: keepIdentity(verified.identity) })
  if (verified.kind === 'apiKey') return Object.freeze({ kind: 'apiKey', key: keepKey(verified.key) })
  return Object.freeze(verified)
}

// A host's own verifier may be older than what an identity says: what it doesn't say must not be taken for the weaker.
function keepIdentity(identity: Identity): Identity {
  const { kind, scopes } = identity
  if ((kind !== 'person' && kind !== 'machine') || !(scopes === null || Array.isArray(scopes))) {
    throw new Error(
      'sallyport: a verifier must say of an identity its kind (person or machine) and its scopes (or null)',
    )
  }
  if (Object.isFrozen(identity) && Object.isFrozen(scopes)) return identity
  const audience = Object.freeze([...identity.audience])
  return Object.freeze({
    ...identity,
    audience,
    scopes: scopes === null ? null : Object.freeze([...scopes]),
    claims: Object.freeze({ ...identity.claims }),
  })
}

// What is asked of a text as of a list would be taken for carried in any part of it.
function keepKey(key: ApiKey): ApiKey {
  if (!Array.isArray(key.permissions)) {
    throw new Error('sallyport: a verifier of API keys must say of a key what it carries: permissions, a list')
  }
  if (Object.isFrozen(key) && Object.isFrozen(key.permissions)) return key
  return Object.freeze({ ...key, permissions: Object.freeze([...key.permissions]) })
}

// An object with a class of its own may keep what no copy has: it stays itself as long as it is the same user.
function keepUser(user: User): () => User {
  if (isPlain(user)) {
    const kept = Object.isFrozen(user) ? user : Object.freeze({ ...user })
    return () => kept
  }
  const { id, disabled } = user
  return () => (user.id === id && user.disabled === disabled ? user : laidOver(user, { id, disabled }))
}

function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === Object.prototype || prototype === null
}

function laidOver(user: User, own: Pick<User, 'id' | 'disabled'>): User {
  const members = { ...Object.getOwnPropertyDescriptors(user), ...Object.getOwnPropertyDescriptors(own) }
  return Object.freeze(Object.create(Object.getPrototypeOf(user) as object, members) as User)
}
