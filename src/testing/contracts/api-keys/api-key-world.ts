/** What a case of the API key contract finds around it: the repository, organizations and keys that nobody else uses. */
import type { ApiKeyOwner, ApiKeyRecord, ApiKeyRepository, NewApiKeyRecord } from '../../../storage/repositories.ts'
import type { Closable, ParsedContractOptions } from '../contract.ts'
import * as expect from '../expectations.ts'
import { newHash } from '../storage-world.ts'

/** API keys to be tested. */
export interface ApiKeysUnderTest extends Closable {
  readonly apiKeys: ApiKeyRepository
  /** Make an organization that keys can be bound to. */
  newOrg(): Promise<{ readonly id: string }>
  /** Delete one, however this storage does that: row gone, or marked as deleted. */
  deleteOrg?(orgId: string): Promise<unknown>
}

/** The surroundings of one case. */
export interface ApiKeyWorld extends ApiKeysUnderTest {
  /** An id in the form of the storage's own that no row has. */
  newId(): string
  /** A new key of a new org unless given, in the repository. */
  newKey(over?: Partial<NewApiKeyRecord>): Promise<ApiKeyRecord>
  /** The key as it is now. */
  now(key: { readonly id: string }): Promise<ApiKeyRecord>
  /** The key has not changed. */
  expectUnchanged(key: ApiKeyRecord, after: string): Promise<void>
}

/** Build the surroundings of one case. */
export function createApiKeyWorld(made: ApiKeysUnderTest, { newId }: ParsedContractOptions): ApiKeyWorld {
  const { apiKeys } = made
  const now: ApiKeyWorld['now'] = async ({ id }) =>
    expect.found(await apiKeys.findById(id), 'the key to be found by id')
  return {
    ...made,
    newId,
    now,
    newKey: async (over = {}) =>
      apiKeys.insert(newKeyOf(over.orgId === undefined ? (await made.newOrg()).id : null, over)),
    expectUnchanged: async (key, after) => expect.same(await now(key), key, `the key, unchanged after ${after}`),
  }
}

/** A key that is not in the repository. */
export function newKeyOf(orgId: string | null, over: Partial<NewApiKeyRecord> = {}): NewApiKeyRecord {
  return {
    id: newKeyId(),
    orgId,
    name: 'Nightly build',
    role: 'member',
    permissions: ['things:read', 'things:write'],
    secretHash: newHash(),
    createdBy: null,
    createdAt: new Date('2026-11-20T10:00:00.123Z'),
    expiresAt: null,
    ...over,
  }
}

/** An id as the library makes them. */
export function newKeyId(): string {
  return newHash().slice(0, 12)
}

/** To a hash that nobody else has. */
export function rotation(previousUntil: Date | null): Parameters<ApiKeyRepository['rotate']>[2] {
  return { secretHash: newHash(), previousUntil }
}

/** The owner of a key that is bound to an org. */
export function ownerOf({ orgId }: Pick<ApiKeyRecord, 'orgId'>): ApiKeyOwner {
  return { kind: 'org', orgId: expect.found(orgId, 'the key to be bound to an org') }
}

/** Everything. */
export const INSTALLATION: ApiKeyOwner = { kind: 'installation' }
