/**
 * API keys for the people who own them: issue, list, rotate, revoke. Whose a key is and who made it come from the caller's
 * context alone; a secret is handed out once and nowhere kept. Hands on values for routes and consoles.
 */
import type { AuthContext, Caller, Organization, UserContext } from '../context.ts'
import { AuthError } from '../errors.ts'
import { isText, readField } from '../http/read-json.ts'
import { sha256Hex } from '../lib/digest.ts'
import { notify } from '../lib/notify.ts'
import type { ApiKeyOwner, ApiKeyRecord } from '../storage/repositories.ts'
import { type ApiKeyWish, isSeconds, parseWish } from './api-key-wish.ts'
import { type ApiKeyEvent, type ApiKeySettings, type ApiKeysOptions, parseApiKeysOptions } from './api-keys-options.ts'
import { isKeyId, type NewKey } from './key-format.ts'

export type { ApiKeyWish } from './api-key-wish.ts'
export type { ApiKeyEvent, ApiKeyOwnership, ApiKeysOptions } from './api-keys-options.ts'

/** A key as its owners may see it: everything but its secret. */
export interface ApiKeyInfo {
  readonly id: string
  readonly name: string
  /** How its text begins. */
  readonly prefix: string
  /** The org it is bound to, or `null`. */
  readonly orgId: string | null
  readonly role: string
  readonly scopes: readonly string[]
  /** The id of the user who made it, or `null`. */
  readonly createdBy: string | null
  readonly createdAt: Date
  readonly expiresAt: Date | null
  /** To about a minute. */
  readonly lastUsedAt: Date | null
}

/** A key with its text: the only time it is ever shown. */
export interface IssuedApiKey {
  readonly apiKey: ApiKeyInfo
  /** The whole key, secret included. */
  readonly key: string
}

/** What {@link createApiKeys} makes. Every method takes the caller's context: a user's, acting in the org. */
export interface ApiKeys {
  /** Whose the keys are. */
  readonly owner: 'org' | 'installation'
  /** What a body calls the org a key is bound to, where keys are the installation's; else `null`. */
  readonly orgField: string | null
  /**
   * Make a key. Costs one digest, a list, a write and another list, by which `maxKeys` holds for calls at the same moment too.
   * @throws AuthError `validation_error` naming the field; `forbidden` for a role above the creator's, and for anybody but
   * a user; `conflict` where there are `maxKeys` already
   */
  issue(context: AuthContext, wish: ApiKeyWish): Promise<IssuedApiKey>
  /** List the keys that are not revoked, by creation. Costs one query. */
  list(context: AuthContext): Promise<readonly ApiKeyInfo[]>
  /**
   * Give a key another secret. The old one stays good for `overlapSeconds` (default 0: it is dead at once), one from before
   * an earlier rotation does not. Costs one digest, a look-up and a write.
   * @throws AuthError `not_found` for a key of somebody else, a revoked and an unknown one; `forbidden` for a key of a role
   * above the caller's; `conflict` for an expired key; `validation_error` naming `overlap_seconds`
   */
  rotate(context: AuthContext, keyId: string, options?: { readonly overlapSeconds?: unknown }): Promise<IssuedApiKey>
  /**
   * Revoke a key for good, from the next request on. Costs a look-up and a write.
   * @throws AuthError `not_found` for a key of somebody else, a revoked and an unknown one
   */
  revoke(context: AuthContext, keyId: string): Promise<void>
  /**
   * Revoke every key of this owner that one user made, for when that person leaves: a key survives its maker unless told.
   * Costs a list and a write for each key.
   * @returns how many there were
   */
  revokeCreatedBy(context: AuthContext, userId: string): Promise<number>
}

/**
 * Create the API keys of organizations, or of an installation. A key survives the person who made it; its role and scopes
 * are never above theirs, and nobody but a user handles keys: no key makes another.
 *
 * Each method's docstring says what it refuses. Cost: one or two storage queries a call, one SHA-256 for a new secret.
 *
 * @throws TypeError for a missing or unknown option, a role that is not on the ladder, a scope that is none
 * @example
 * const apiKeys = createApiKeys({
 *   repository: storage.apiKeys,
 *   prefix: 'itk',
 *   roles: ['viewer', 'member', 'admin'],
 *   scopes: { 'dependencies:read': 'viewer', 'dependencies:write': 'member' },
 *   defaultScopes: ['dependencies:read'],
 * })
 */
export function createApiKeys<const R extends string, const S extends string>(options: ApiKeysOptions<R, S>): ApiKeys {
  const settings = parseApiKeysOptions(options)
  const { repository, format, owner } = settings
  const toInfo = (record: ApiKeyRecord): ApiKeyInfo => infoOf(record, format.prefix)

  return Object.freeze({
    owner: owner.kind,
    orgField: owner.kind === 'installation' ? owner.field : null,
    issue: (context: AuthContext, wish: ApiKeyWish) => issue(settings, context, wish),
    list: async (context: AuthContext) => (await repository.list(requireIssuer(settings, context).owner)).map(toInfo),
    rotate: (context: AuthContext, keyId: string, { overlapSeconds = 0 }: { overlapSeconds?: unknown } = {}) =>
      rotate(settings, context, keyId, overlapSeconds),
    async revoke(context: AuthContext, keyId: string) {
      const issuer = requireIssuer(settings, context)
      const { id } = requireFound(await findOwn(settings, issuer, keyId))
      await revoke(settings, issuer, id)
    },
    async revokeCreatedBy(context: AuthContext, userId: string) {
      const issuer = requireIssuer(settings, context)
      const made = (await repository.list(issuer.owner)).filter(({ createdBy }) => createdBy === userId)
      for (const { id } of made) await revoke(settings, issuer, id)
      return made.length
    },
  })
}

async function issue(settings: ApiKeySettings, context: AuthContext, wish: ApiKeyWish): Promise<IssuedApiKey> {
  const { repository, format, clock } = settings
  const issuer = requireIssuer(settings, context)
  const now = clock()
  const judged = parseWish(settings, wish, now)
  const { orgId, role } = await bindingOf(settings, issuer, wish.orgId ?? null)
  requireNotAbove(settings, judged.role, role)
  await requireRoom(settings, issuer)
  const made = format.create()
  const record = { ...judged, id: made.id, orgId, createdBy: issuer.user.id, createdAt: new Date(now) }
  const inserted = await repository.insert({ ...record, secretHash: await sha256Hex(made.secret) })
  await requireStillRoom(settings, issuer, inserted.id)
  tellOf(settings, issuer, 'api_key_issued', inserted.id)
  return issued(infoOf(inserted, format.prefix), made)
}

async function rotate(
  settings: ApiKeySettings,
  context: AuthContext,
  keyId: string,
  overlapSeconds: unknown,
): Promise<IssuedApiKey> {
  const { repository, format, clock, maxOverlapSeconds } = settings
  const issuer = requireIssuer(settings, context)
  const overlap = readField({ overlap_seconds: overlapSeconds }, 'overlap_seconds', isSeconds(maxOverlapSeconds))
  const found = requireFound(await findOwn(settings, issuer, keyId))
  requireRotatable(settings, found, issuer)
  const made = format.create(found.id)
  const change = {
    secretHash: await sha256Hex(made.secret),
    previousUntil: overlap === 0 ? null : new Date(clock() + overlap * 1000),
  }
  const rotated = requireFound(await repository.rotate(issuer.owner, found.id, change))
  tellOf(settings, issuer, 'api_key_rotated', rotated.id)
  return issued(infoOf(rotated, format.prefix), made)
}

async function revoke(settings: ApiKeySettings, issuer: Issuer, keyId: string): Promise<void> {
  const { repository, clock } = settings
  requireFound(await repository.revoke(issuer.owner, keyId, new Date(clock())))
  tellOf(settings, issuer, 'api_key_revoked', keyId)
}

function tellOf({ onEvent, clock }: ApiKeySettings, issuer: Issuer, kind: ApiKeyEvent['kind'], keyId: string): void {
  const { owner, user } = issuer
  const ownerOrgId = owner.kind === 'org' ? owner.orgId : null
  notify(onEvent, Object.freeze({ kind, keyId, ownerOrgId, byId: user.id, at: new Date(clock()) }))
}

const INSTALLATION: ApiKeyOwner = Object.freeze({ kind: 'installation' })

interface Issuer {
  readonly user: UserContext['user']
  readonly role: string
  readonly owner: ApiKeyOwner
}

// In an installation only a user's own role counts: one org's admin must not make a key that acts in all.
function requireIssuer({ ladder, owner }: ApiKeySettings, context: AuthContext): Issuer {
  const org = 'org' in context ? context.org : null
  const isAtHome = owner.kind === 'org' ? org !== null : !('org' in context)
  if (context.kind !== 'user' || !('user' in context) || !isAtHome) {
    throw new AuthError('forbidden', { reason: 'api_keys_need_a_user' })
  }
  const { user, role } = context
  const whose: ApiKeyOwner = owner.kind === 'org' ? { kind: 'org', orgId: (org as Organization).id } : INSTALLATION
  return { user, role: ladder.requireKnown(role), owner: whose }
}

// What the new key is bound to, and as what its creator acts there.
async function bindingOf(
  { owner, ladder }: ApiKeySettings,
  issuer: Issuer,
  wanted: unknown,
): Promise<{ readonly orgId: string | null; readonly role: string }> {
  if (owner.kind === 'org') return { orgId: issuer.owner.kind === 'org' ? issuer.owner.orgId : null, role: issuer.role }
  if (wanted === null) return { orgId: null, role: issuer.role }
  const orgId = readField({ [owner.field]: wanted }, owner.field, isText)
  const caller: Caller = { kind: 'user', user: issuer.user }
  const acting = await owner.source.findActing(caller, orgId)
  if (acting === null) throw new AuthError('validation_error', { field: owner.field, reason: 'api_key_org_unknown' })
  return { orgId: acting.org.id, role: ladder.requireKnown(acting.role) }
}

function requireNotAbove({ ladder: { roles } }: ApiKeySettings, role: string, creators: string): void {
  if (roles.indexOf(role) > roles.indexOf(creators)) {
    throw new AuthError('forbidden', { reason: 'api_key_above_creator' })
  }
}

async function requireRoom({ repository, maxKeys }: ApiKeySettings, { owner }: Issuer): Promise<void> {
  const keys = await repository.list(owner)
  if (keys.length >= maxKeys) throw tooMany()
}

const LOOKS = 5

/*
 * Others may have made keys since the room was seen. A key stays only once it was counted among at most `maxKeys`: of any
 * keys that stay, the one that was written last was counted with all the others. One that is beyond the limit is taken back
 * before anybody got its secret; one within it looks again, until those beyond are gone.
 */
async function requireStillRoom(settings: ApiKeySettings, { owner }: Issuer, keyId: string): Promise<void> {
  const { repository, maxKeys, clock } = settings
  for (let look = 0; look < LOOKS; look++) {
    const keys = await repository.list(owner)
    if (keys.length <= maxKeys) return
    if (keys.findIndex(({ id }) => id === keyId) >= maxKeys) break
  }
  await repository.revoke(owner, keyId, new Date(clock()))
  throw tooMany()
}

function tooMany(): AuthError {
  return new AuthError('conflict', { reason: 'api_keys_too_many' })
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

// Whoever rotates a key holds its secret: no key of a higher role may be had that way.
function requireRotatable({ ladder: { roles }, clock }: ApiKeySettings, key: ApiKeyRecord, { role }: Issuer): void {
  if (roles.indexOf(key.role) > roles.indexOf(role)) {
    throw new AuthError('forbidden', { reason: 'api_key_above_its_rotator' })
  }
  if (key.expiresAt !== null && key.expiresAt.getTime() <= clock()) {
    throw new AuthError('conflict', { reason: 'api_key_expired_for_rotation' })
  }
}

function issued(apiKey: ApiKeyInfo, { key }: NewKey): IssuedApiKey {
  return Object.freeze({ apiKey, key })
}

function infoOf(record: ApiKeyRecord, prefix: string): ApiKeyInfo {
  const { id, name, orgId, role, scopes, createdBy, createdAt, expiresAt, lastUsedAt } = record
  const info = { id, name, prefix, orgId, role, scopes: Object.freeze([...scopes]), createdBy, createdAt, expiresAt }
  return Object.freeze({ ...info, lastUsedAt })
}
