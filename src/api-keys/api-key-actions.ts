/**
 * What people do with the API keys they own: issue, list, rotate, revoke. Whose a key is and who made it come from the
 * caller's context alone; a secret is handed out once and kept nowhere. Hands on values for routes and consoles.
 */
import type { AuthContext, Organization, Roles, UserContext } from '../context.ts'
import { AuthError } from '../errors.ts'
import { invalidField } from '../http/read-json.ts'
import { sha256Hex } from '../lib/digest.ts'
import { hasOwn, ownMembers, ownOf } from '../lib/parse-options.ts'
import { notify } from '../lib/standard-error.ts'
import { canGrant, withoutCustom } from '../permissions/grants.ts'
import { differenceOf, isKnown, requireKnown } from '../permissions/roles.ts'
import type {
  ActingOrgSource,
  ApiKeyOwner,
  ApiKeyRecord,
  ApiKeyRepository,
  NewApiKeyRecord,
} from '../storage/repositories.ts'
import { CONTEXT_ORIGINS } from '../users/context-origin.ts'
import { parseInstant } from './instant.ts'
import { isKeyId, type KeyFormat, type NewKey } from './key-format.ts'
import { requireBelowLimit, requireWithinLimit } from './key-limit.ts'

/** Whose the keys are. */
export type ApiKeyOwnership =
  | { readonly kind: 'org' }
  | {
      readonly kind: 'installation'
      readonly memberships: Pick<ActingOrgSource, 'findActing'>
      readonly field: string
    }

/** What happened to a key, for the host's audit log. Holds no secret. */
export interface ApiKeyEvent {
  readonly kind: 'api_key_issued' | 'api_key_rotated' | 'api_key_revoked'
  /** The public id of the key. */
  readonly keyId: string
  /** The org the owner of the key is, or `null` where keys are the installation's. */
  readonly ownerOrgId: string | null
  /** The id of the user who did it. */
  readonly byId: string
  readonly at: Date
}

/** What the actions work with. */
export interface ApiKeySettings {
  readonly repository: ApiKeyRepository
  /** Whether the repository knows who makes keys: the members of organizations, or the users and accounts of the installation. */
  readonly knowsMakers: boolean
  readonly format: KeyFormat
  readonly roles: Roles
  /** What a key may carry. */
  readonly permissions: readonly string[]
  readonly defaultPermissions: readonly string[]
  readonly owner: ApiKeyOwnership
  readonly maxOverlapSeconds: number
  readonly maxKeys: number
  readonly onEvent?: ((event: ApiKeyEvent) => unknown) | undefined
  readonly clock: () => number
}

/** A key as its owners may see it: everything but its secret. */
export interface ApiKeyInfo {
  readonly id: string
  /** What its maker has called it. */
  readonly name: string
  /** How its text begins. */
  readonly prefix: string
  /** The org it is bound to, or `null`. */
  readonly orgId: string | null
  /** The role that it acts as. */
  readonly role: string
  /** What it may do, sorted. */
  readonly permissions: readonly string[]
  /** The id of the user who made it, or `null`. */
  readonly createdBy: string | null
  readonly createdAt: Date
  /** When it ends by itself; `null`: never. */
  readonly expiresAt: Date | null
  /** To about a minute. */
  readonly lastUsedAt: Date | null
}

/** A key with its text: the only time it is ever shown. */
export interface IssuedApiKey {
  /** What is kept of it. */
  readonly apiKey: ApiKeyInfo
  /** The whole key, secret included. */
  readonly key: string
}

/** What a new key is to be. Values may come straight from a client: everything is checked. */
export interface ApiKeyFields {
  /** For people: 1 to 255 characters, none of them a control character. */
  readonly name: unknown
  /**
   * One of the roles. Default: of those that have the key's permissions, and that its maker's includes, the one that has the
   * least, on a ladder the lowest; where there are no permissions at all, it must be given.
   */
  readonly role?: unknown
  /** What it carries, each at most once stored; `[]`: nothing. Default: `defaultPermissions`. A body calls it `scopes`. */
  readonly permissions?: unknown
  /** When it ends: a `Date`, RFC 3339 text, or `null` for never. Default `null`. */
  readonly expiresAt?: unknown
  /** The org it is to be bound to, where keys are the installation's; `null`: none. Default `null`. Else not read. */
  readonly orgId?: unknown
}

/**
 * What is done with keys. Every method takes the caller's context: a user's, acting in the org, or with a role of their own
 * where keys are the installation's. `forbidden` for anybody else.
 */
export interface ApiKeyActions {
  /**
   * Make a key. Costs one digest, a list, a write and another list, by which `maxKeys` holds for calls at the same moment too.
   * @throws AuthError `validation_error` naming the field; `forbidden` for a role that the creator's doesn't include, for a
   * permission that their own token doesn't carry, and for who is removed or disabled just now; `conflict` where there are `maxKeys` already
   */
  issue(context: AuthContext, fields: ApiKeyFields): Promise<IssuedApiKey>
  /** List the keys that are not revoked, by creation. Costs one query. */
  list(context: AuthContext): Promise<readonly ApiKeyInfo[]>
  /**
   * Give a key another secret. The old one stays good for `overlapSeconds` (default 0: it is dead at once), one from before
   * an earlier rotation does not. Costs one digest, a look-up and a write.
   * @throws AuthError `not_found` for a key of somebody else, a revoked and an unknown one; `forbidden` for a key that the
   * caller could not make; `conflict` for an expired key; `validation_error` naming `overlap_seconds`
   */
  rotate(context: AuthContext, keyId: string, options?: { readonly overlapSeconds?: unknown }): Promise<IssuedApiKey>
  /**
   * Revoke a key for good, from the next request on. Costs a look-up and a write.
   * @throws AuthError `not_found` for a key of somebody else, a revoked and an unknown one
   */
  revoke(context: AuthContext, keyId: string): Promise<void>
  /**
   * Revoke every key of this owner that one user made, for when that person leaves: a key survives its maker unless told.
   * Costs one write.
   * @returns how many there were
   */
  revokeCreatedBy(context: AuthContext, userId: string): Promise<number>
}

/** Create the actions. */
export function createApiKeyActions(settings: ApiKeySettings): ApiKeyActions {
  const { repository, format } = settings
  return {
    issue: async (context, fields) => issue(settings, requireIssuer(settings, context), ownMembers(fields)),
    async list(context) {
      const keys = await repository.list(requireIssuer(settings, context).owner)
      return keys.map((record) => toInfo(record, format.prefix))
    },
    rotate: async (context, keyId, options = {}) =>
      rotate(settings, requireIssuer(settings, context), keyId, ownOf(options, 'overlapSeconds')),
    async revoke(context, keyId) {
      const issuer = requireIssuer(settings, context)
      const { id } = requireFound(await findOwn(settings, issuer, keyId))
      await revoke(settings, issuer, id)
    },
    async revokeCreatedBy(context, userId) {
      const issuer = requireIssuer(settings, context)
      const revoked = await repository.revokeCreatedBy(issuer.owner, userId, new Date(settings.clock()))
      for (const id of revoked) notifyOf(settings, issuer, 'api_key_revoked', id)
      return revoked.length
    },
  }
}

async function issue(settings: ApiKeySettings, issuer: Issuer, fields: ApiKeyFields): Promise<IssuedApiKey> {
  const { format, clock } = settings
  const now = clock()
  const parsed = parseFields(settings, fields, now)
  const { orgId, role: makersRole } = await requireBinding(settings, issuer, fields.orgId ?? null)
  const role = roleOf(settings, fields.role, { ...parsed, makersRole })
  requireNotAbove(settings, { ...parsed, role }, { ...issuer, role: makersRole })
  await requireBelowLimit(settings, issuer.owner)
  const made = format.create()
  const record = { ...parsed, role, id: made.id, orgId, createdBy: issuer.user.id, createdAt: new Date(now) }
  const inserted = await insert(settings, issuer, { ...record, secretHash: await sha256Hex(made.secret) })
  await requireWithinLimit(settings, issuer.owner, inserted.id)
  notifyOf(settings, issuer, 'api_key_issued', inserted.id)
  return toIssued(inserted, format, made)
}

// Whoever is being removed at this moment makes no key that nobody ends.
async function insert(
  { repository, knowsMakers }: ApiKeySettings,
  { owner }: Issuer,
  key: NewApiKeyRecord,
): Promise<ApiKeyRecord> {
  if (!knowsMakers || repository.insertByMaker === undefined) return repository.insert(key)
  const inserted = await repository.insertByMaker(owner, key)
  if (inserted === null) throw new AuthError('forbidden', { reason: 'api_key_maker_no_member' })
  return inserted
}

async function rotate(
  settings: ApiKeySettings,
  issuer: Issuer,
  keyId: string,
  overlapSeconds: unknown = 0,
): Promise<IssuedApiKey> {
  const { repository, format, clock, maxOverlapSeconds } = settings
  const isOverlap = (value: unknown): value is number =>
    Number.isInteger(value) && (value as number) >= 0 && (value as number) <= maxOverlapSeconds
  const overlap = requireField('overlap_seconds', overlapSeconds, isOverlap)
  const found = requireFound(await findOwn(settings, issuer, keyId))
  const binding = await bindingOf(settings, issuer, found.orgId)
  requireRotatable(settings, found, binding && { ...issuer, role: binding.role })
  const made = format.create(found.id)
  const change = {
    secretHash: await sha256Hex(made.secret),
    previousUntil: overlap === 0 ? null : new Date(clock() + overlap * 1000),
  }
  const rotated = requireFound(await repository.rotate(issuer.owner, found.id, change))
  notifyOf(settings, issuer, 'api_key_rotated', rotated.id)
  return toIssued(rotated, format, made)
}

async function revoke(settings: ApiKeySettings, issuer: Issuer, keyId: string): Promise<void> {
  const { repository, clock } = settings
  requireFound(await repository.revoke(issuer.owner, keyId, new Date(clock())))
  notifyOf(settings, issuer, 'api_key_revoked', keyId)
}

function notifyOf({ onEvent, clock }: ApiKeySettings, issuer: Issuer, kind: ApiKeyEvent['kind'], keyId: string): void {
  const { owner, user } = issuer
  notify(
    'createApiKeys: onEvent',
    onEvent,
    Object.freeze({ kind, keyId, ownerOrgId: orgIdOf(owner), byId: user.id, at: new Date(clock()) }),
  )
}

const INSTALLATION: ApiKeyOwner = Object.freeze({ kind: 'installation' })

function orgIdOf(owner: ApiKeyOwner): string | null {
  return owner.kind === 'org' ? owner.orgId : null
}

interface Issuer {
  readonly user: UserContext['user']
  readonly role: string
  /** What their own credential carries; `null`: no bound. */
  readonly bound: readonly string[] | null
  readonly owner: ApiKeyOwner
}

// In an installation only a user's own role counts: one org's admin must not make a key that acts in all.
function requireIssuer({ roles, owner }: ApiKeySettings, context: AuthContext): Issuer {
  requireSameRoles(roles, context)
  const org = hasOwn(context, 'org') ? context.org : null
  const isAtHome = owner.kind === 'org' ? org !== null : !hasOwn(context, 'org')
  if (context.kind !== 'user' || !hasOwn(context, 'user') || !isAtHome) {
    throw new AuthError('forbidden', { reason: 'api_keys_need_a_user' })
  }
  const { user, role, identity } = context
  const whose: ApiKeyOwner = owner.kind === 'org' ? { kind: 'org', orgId: (org as Organization).id } : INSTALLATION
  // Where a role made at run time may list and revoke is the route's to ask; which key it could make is asked where one is made.
  const own = whose.kind === 'org' && role !== null ? role : requireKnown(roles, role)
  return { user, role: own, bound: identity.scopes ?? null, owner: whose }
}

// `createAuth` refuses keys of other roles, and the routes may stand in an auth that was given none: whoever is low there may have
// the name of a high role here. A context made by hand has no roles of an auth.
function requireSameRoles(roles: Roles, context: AuthContext): void {
  const others = CONTEXT_ORIGINS.get(context)?.roles.roles
  const difference = others === undefined ? null : differenceOf(roles, others)
  if (difference !== null) throw new Error(`sallyport: createApiKeys: the auth of this request ${difference}`)
}

function requireField<T>(field: string, value: unknown, isValid: (value: unknown) => value is T): T {
  if (isValid(value)) return value
  throw invalidField(field)
}

/** Ask whether a value is a string that is not blank, at most 255 characters, well-formed and without control characters. */
export function isText(value: unknown): value is string {
  return typeof value === 'string' && value.length <= 255 && value.trim() !== '' && !/[\p{Cc}\p{Cs}]/u.test(value)
}

type ParsedFields = Pick<ApiKeyRecord, 'name' | 'permissions' | 'expiresAt'>

// Well-formed; whether the creator may make such a key is not asked yet.
function parseFields(settings: ApiKeySettings, fields: ApiKeyFields, now: number): ParsedFields {
  const areKnown = (value: unknown): value is readonly string[] =>
    Array.isArray(value) && value.every((each) => settings.permissions.includes(each as string))
  const name = requireField('name', fields.name, isText)
  const { permissions: wanted = settings.defaultPermissions } = fields
  const permissions = [...new Set(requireField('scopes', wanted, areKnown))]
  return { name, permissions, expiresAt: expiryOf(fields.expiresAt ?? null, now) }
}

// The role that was named, or the least that has all the permissions, of those that the maker can give if there is one.
function roleOf(
  { roles, ...settings }: ApiKeySettings,
  wanted: unknown,
  { permissions, makersRole }: Pick<ParsedFields, 'permissions'> & { readonly makersRole: string },
): string {
  const hasAll = (role: string): boolean => permissions.every((each) => roles.permissionsOf(role).includes(each))
  // Sets are in no order: no key gets the highest because that was written first.
  const sizeOf = (role: string): number =>
    roles.permissionsOf(role).length + roles.names.filter((other) => roles.includes(role, other)).length
  const able = roles.names.filter(hasAll).sort((one, other) => sizeOf(one) - sizeOf(other))
  const first = able.find((role) => roles.includes(makersRole, role)) ?? able[0]
  if (wanted === undefined && settings.permissions.length > 0) return requireField('scopes', first, isText)
  const role = requireField('role', wanted, (value): value is string => isKnown(roles, value as string))
  if (!hasAll(role)) {
    const [expected, got] = [first, role]
    throw new AuthError('validation_error', { field: 'role', reason: 'api_key_role_below_scopes', expected, got })
  }
  return role
}

function expiryOf(wanted: unknown, now: number): Date | null {
  if (wanted === null) return null
  const parsed = typeof wanted === 'string' ? parseInstant(wanted) : wanted
  const isInstant = (value: unknown): value is Date => value instanceof Date && !Number.isNaN(value.getTime())
  const expiresAt = requireField('expires_at', parsed, isInstant)
  if (expiresAt.getTime() <= now) {
    throw new AuthError('validation_error', { field: 'expires_at', reason: 'api_key_expires_in_the_past' })
  }
  return new Date(expiresAt)
}

interface Binding {
  readonly orgId: string | null
  /** As what the one who handles the key acts there. */
  readonly role: string
}

async function requireBinding(settings: ApiKeySettings, issuer: Issuer, wanted: unknown): Promise<Binding> {
  const { owner, roles } = settings
  if (owner.kind === 'org') return { orgId: orgIdOf(issuer.owner), role: requireKnown(roles, issuer.role) }
  const { field } = owner
  const binding = await bindingOf(settings, issuer, wanted === null ? null : requireField(field, wanted, isText))
  if (binding === null) throw new AuthError('validation_error', { field, reason: 'api_key_org_unknown' })
  return binding
}

// What a key is bound to; `null`: who handles it may not act there.
async function bindingOf(
  { owner, roles }: ApiKeySettings,
  { user, role }: Issuer,
  orgId: string | null,
): Promise<Binding | null> {
  if (owner.kind === 'org' || orgId === null) return { orgId, role: requireKnown(roles, role) }
  const acting = await owner.memberships.findActing({ kind: 'user', user }, orgId)
  return acting && { orgId: acting.org.id, role: requireKnown(roles, acting.role) }
}

function requireNotAbove(settings: ApiKeySettings, key: KeyPowers, creator: Issuer): void {
  if (isAbove(settings, key, creator)) {
    const expected = `at most ${creator.role}`
    throw new AuthError('forbidden', { reason: 'api_key_above_creator', expected, got: key.role })
  }
}

type KeyPowers = Pick<ApiKeyRecord, 'role' | 'permissions'>

// Whoever has a key can do what it can.
function isAbove({ roles }: ApiKeySettings, { role, permissions }: KeyPowers, granter: Issuer): boolean {
  return !canGrant(withoutCustom(roles), granter, role, permissions)
}

async function findOwn({ repository }: ApiKeySettings, { owner }: Issuer, keyId: string): Promise<ApiKeyRecord | null> {
  const record = isKeyId(keyId) ? await repository.findById(keyId) : null
  const isOwn = owner.kind === 'installation' || record?.orgId === owner.orgId
  return isOwn && record?.revokedAt === null ? record : null
}

function requireFound<T>(found: T | null | false): T {
  if (found === null || found === false) throw new AuthError('not_found', { reason: 'api_key_not_found' })
  return found
}

// Whoever rotates a key holds its secret.
function requireRotatable(settings: ApiKeySettings, key: ApiKeyRecord, rotator: Issuer | null): void {
  const { clock } = settings
  if (rotator === null || isAbove(settings, key, rotator)) {
    const expected = rotator === null ? 'to act in its organization' : `at most ${rotator.role}`
    throw new AuthError('forbidden', { reason: 'api_key_above_its_rotator', expected, got: key.role })
  }
  if (key.expiresAt !== null && key.expiresAt.getTime() <= clock()) {
    throw new AuthError('conflict', { reason: 'api_key_expired_for_rotation' })
  }
}

function toIssued(record: ApiKeyRecord, { prefix }: KeyFormat, { key }: NewKey): IssuedApiKey {
  return Object.freeze({ apiKey: toInfo(record, prefix), key })
}

function toInfo(record: ApiKeyRecord, prefix: string): ApiKeyInfo {
  const { id, name, orgId, role, createdBy, createdAt, expiresAt, lastUsedAt } = record
  const permissions = Object.freeze([...record.permissions])
  return Object.freeze({
    ...{ id, name, prefix, orgId, role, permissions },
    ...{ createdBy, createdAt, expiresAt, lastUsedAt },
  })
}
