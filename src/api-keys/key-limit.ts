/** How many keys an owner may have: counted before one is made, and once more after it was written. */
import { AuthError } from '../errors.ts'
import type { ApiKeyOwner, ApiKeyRepository } from '../storage/repositories.ts'

interface LimitSettings {
  readonly repository: Pick<ApiKeyRepository, 'list' | 'revoke'>
  readonly maxKeys: number
  readonly clock: () => number
}

/**
 * Require that an owner may have one more key.
 * @throws AuthError `conflict`
 */
export async function requireBelowLimit({ repository, maxKeys }: LimitSettings, owner: ApiKeyOwner): Promise<void> {
  const keys = await repository.list(owner)
  if (keys.length >= maxKeys) throw tooMany(maxKeys)
}

const LOOKS = 5

/**
 * Others may have made keys since they were counted. A key stays only once it was counted among at most `maxKeys`: of any
 * keys that stay, the one that was written last was counted with all the others. One that is beyond the limit, or could not be
 * counted, is taken back before anybody got its secret; one within it looks again, until those beyond are gone.
 * @throws AuthError `conflict`
 */
export async function requireWithinLimit(settings: LimitSettings, owner: ApiKeyOwner, keyId: string): Promise<void> {
  const { repository, maxKeys, clock } = settings
  const takeBack = (): Promise<unknown> => repository.revoke(owner, keyId, new Date(clock()))
  try {
    if (await isWithinLimit(settings, owner, keyId)) return
  } catch (error) {
    // Where the storage is away this fails, too; the first failure is the one that counts.
    await takeBack().catch(() => undefined)
    throw error
  }
  await takeBack()
  throw tooMany(maxKeys)
}

async function isWithinLimit(
  { repository, maxKeys }: LimitSettings,
  owner: ApiKeyOwner,
  keyId: string,
): Promise<boolean> {
  for (let look = 0; look < LOOKS; look++) {
    const keys = await repository.list(owner)
    if (keys.length <= maxKeys) return true
    if (keys.findIndex(({ id }) => id === keyId) >= maxKeys) break
  }
  return false
}

function tooMany(maxKeys: number): AuthError {
  return new AuthError('conflict', { reason: 'api_keys_too_many', expected: `at most ${maxKeys}` })
}
