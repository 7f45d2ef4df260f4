/**
 * The verifier for API keys: form and checksum first, then one look-up by the public id, then digests in
 * constant time. Hands on the key as a handler may know it. No cache: a revocation holds from the next request on.
 */
import * as z from 'zod/mini'
import type { ApiKey, ApiKeyVerifier } from '../context.ts'
import { AuthError } from '../errors.ts'
import { isEqualConstantTime, sha256Hex } from '../lib/digest.ts'
import { aFunction, anObjectWith, parseOptions } from '../lib/parse-options.ts'
import type { ApiKeyRecord, ApiKeyRepository } from '../storage/repositories.ts'
import { passesCheck } from '../verify/own-check.ts'
import { createKeyFormat } from './key-format.ts'
import { createUseNotes } from './use-notes.ts'

/** Options of {@link createApiKeyVerifier}. */
export interface ApiKeyVerifierOptions {
  /** Where the keys are. */
  readonly repository: Pick<ApiKeyRepository, 'findById' | 'touch'>
  /** How every key begins: a lower-case letter, then 1 to 15 lower-case letters and digits. */
  readonly prefix: string
  /**
   * A check of the host's own, awaited, after everything else: a limit on requests per key, say. `true` lets the key
   * in, `false` is refused with `unauthorized`; refuse otherwise by throwing an `AuthError`. Anything else that it answers
   * or throws is a fault of the host.
   */
  readonly check?: ((key: ApiKey) => boolean | Promise<boolean>) | undefined
  /** The clock, in milliseconds since 1970. Default `Date.now`. */
  readonly clock?: (() => number) | undefined
}

// As long as a digest, and never one.
const NO_HASH = '-'.repeat(64)

/**
 * Create the verifier of API keys.
 *
 * Refuses with `unauthorized`, in the same bytes, what is malformed or mistyped (0 look-ups), unknown, wrong, revoked or
 * expired. Costs one SHA-256 and one look-up; unknown and wrong keys cost the same. The previous secret of a rotated key is
 * good until its deadline, at that very instant no more. A use is noted with `touch` at most once a minute a key, beside the
 * request: it delays and fails nothing.
 *
 * @throws TypeError for a missing or unknown option
 * @example
 * apiKeys: createApiKeyVerifier({ repository: storage.apiKeys, prefix: 'itk' })
 */
export function createApiKeyVerifier(options: ApiKeyVerifierOptions): ApiKeyVerifier {
  const { repository, prefix, check, clock = Date.now } = parseOptions(NAME, shape(), options)
  const format = createKeyFormat(NAME, prefix)
  const noteUse = createUseNotes((keyId, at) => repository.touch(keyId, at))

  return Object.freeze({
    prefix,
    async verify(token: string) {
      const parts = format.parse(token)
      if (parts === null) throw new AuthError('unauthorized', { reason: 'api_key_malformed' })
      const digest = await sha256Hex(parts.secret)
      const record = await repository.findById(parts.id)
      const now = clock()
      requireUsable(record, digest, now)
      const key = toApiKey(record)
      if (check !== undefined && !(await passesCheck(NAME, check, key))) {
        const principal = { kind: 'apiKey', id: key.id } as const
        throw new AuthError('unauthorized', { reason: 'api_key_check_refused', principal })
      }
      noteUse(record, now)
      return key
    },
  })
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
  if (!isLasting) throw new AuthError('unauthorized', { reason: 'api_key_expired', principal })
}

function toApiKey({ id, name, orgId, role, scopes }: ApiKeyRecord): ApiKey {
  return Object.freeze({ id, name, orgId, role, scopes: Object.freeze([...scopes]) })
}

const NAME = 'createApiKeyVerifier'
// A function: what a host does not use must not stay in its bundle.
const shape = () => ({
  repository: anObjectWith<ApiKeyVerifierOptions['repository']>('findById', 'touch'),
  prefix: z.string(),
  check: z.optional(aFunction<(key: ApiKey) => boolean | Promise<boolean>>()),
  clock: z.optional(aFunction<() => number>()),
})
