/**
 * Verifies an API key: form and checksum first, then one look-up by the public id, then digests in constant time. Hands on
 * the key as a handler may know it, and notes its use: rarely, beside the request, in bounded memory.
 */
import type { ApiKey } from '../context.ts'
import { AuthError } from '../errors.ts'
import { createBoundedMap, type Used } from '../lib/bounded-map.ts'
import { isEqualConstantTime, sha256Hex } from '../lib/digest.ts'
import { describeInstant } from '../lib/log-text.ts'
import { printThrown } from '../lib/standard-error.ts'
import type { ApiKeyRecord, ApiKeyRepository } from '../storage/repositories.ts'
import { requireBoolean } from '../verify/identity.ts'
import type { KeyFormat } from './key-format.ts'

/** What keys are verified by. */
export interface ApiKeyVerifierSettings {
  readonly repository: Pick<ApiKeyRepository, 'findById' | 'touch'>
  readonly format: KeyFormat
  /** What a key may carry: what was stored of more counts for nothing. */
  readonly permissions: readonly string[]
  readonly check?: ((key: ApiKey) => boolean | Promise<boolean>) | undefined
  readonly clock: () => number
}

// As long as a digest, and never one.
const NO_HASH = '-'.repeat(64)

/** Create `verify` of the API keys: what it refuses and costs stands at `createApiKeys`. */
export function createApiKeyVerifier(settings: ApiKeyVerifierSettings): (token: string) => Promise<ApiKey> {
  const { repository, format, permissions, check, clock } = settings
  const noteUse = createUseNotes((keyId, at) => repository.touch(keyId, at))
  return async (token) => {
    const parts = format.parse(token)
    if (parts === null) throw new AuthError('unauthorized', { reason: 'api_key_malformed' })
    const digest = await sha256Hex(parts.secret)
    const record = await repository.findById(parts.id)
    const now = clock()
    requireUsable(record, digest, now)
    const key = toApiKey(record, permissions)
    if (check !== undefined && !requireBoolean('createApiKeys: option "check"', await check(key))) {
      const principal = { kind: 'apiKey', id: key.id } as const
      throw new AuthError('unauthorized', { reason: 'api_key_check_refused', principal })
    }
    noteUse(record, now)
    return key
  }
}

// Both hashes are compared whatever the record is, so that unknown and wrong keys do the same work.
function requireUsable(record: ApiKeyRecord | null, digest: string, now: number): asserts record is ApiKeyRecord {
  const isPresent = isEqualConstantTime(record?.secretHash ?? NO_HASH, digest)
  const isPrevious = isEqualConstantTime(record?.previousSecretHash ?? NO_HASH, digest)
  if (record === null) throw new AuthError('unauthorized', { reason: 'api_key_unknown' })
  const isInTime = record.previousUntil !== null && now < record.previousUntil.getTime()
  if (!(isPresent || (isPrevious && isInTime))) throw new AuthError('unauthorized', { reason: 'api_key_wrong' })
  const principal = { kind: 'apiKey', id: record.id } as const
  if (record.revokedAt !== null) throw new AuthError('unauthorized', { reason: 'api_key_revoked', principal })
  // Asked so that an instant that is none ends the key.
  const isLasting = record.expiresAt === null || now < record.expiresAt.getTime()
  if (!isLasting) {
    const [expected, got] = [`later than ${describeInstant(now)}`, describeInstant(Number(record.expiresAt))]
    throw new AuthError('unauthorized', { reason: 'api_key_expired', principal, expected, got })
  }
}

function toApiKey({ id, name, orgId, role, permissions: stored }: ApiKeyRecord, known: readonly string[]): ApiKey {
  const permissions = Object.freeze(stored.filter((permission) => known.includes(permission)))
  return Object.freeze({ id, name, orgId, role, permissions })
}

const MINUTE_MS = 60_000
const MAX_KEYS = 10_000
const MAX_IN_FLIGHT = 100

/**
 * Create the notes of uses.
 *
 * @param touch writes one down; it may reject, throw or never end
 * @returns a function that notes a use at `now`, unless one was noted less than a minute ago, here or by another process
 */
export function createUseNotes(
  touch: (keyId: string, at: Date) => Promise<unknown>,
): (record: Pick<ApiKeyRecord, 'id' | 'lastUsedAt'>, now: number) => void {
  const noted = createBoundedMap<string, Used & { readonly at: number }>(MAX_KEYS)
  const inFlight = new Set<{ readonly since: number }>()

  const write = async (keyId: string, now: number): Promise<void> => {
    const note = { since: now }
    inFlight.add(note)
    try {
      await touch(keyId, new Date(now))
    } catch (error) {
      // The next use, a minute from now, tries again.
      printThrown('createApiKeys: storage.apiKeys.touch', error)
    } finally {
      inFlight.delete(note)
    }
  }
  // Workers end what a request began together with it: a note that is overdue stands in nobody's way.
  const isFull = (now: number): boolean => {
    if (inFlight.size < MAX_IN_FLIGHT) return false
    for (const note of inFlight) if (Math.abs(now - note.since) >= MINUTE_MS) inFlight.delete(note)
    return inFlight.size >= MAX_IN_FLIGHT
  }
  return ({ id, lastUsedAt }, now) => {
    const known = [noted.get(id)?.at, lastUsedAt?.getTime()]
    // A storage that never answers must not be asked without end.
    if (isFull(now) || known.some((at) => at !== undefined && Math.abs(now - at) < MINUTE_MS)) return
    noted.set(id, { used: false, at: now })
    void write(id, now)
  }
}
