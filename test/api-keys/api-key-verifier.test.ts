import { describe, expect, it } from 'vitest'
import { createApiKeyVerifier, createUseNotes } from '../../src/api-keys/api-key-verifier.ts'
import { createApiKeys } from '../../src/api-keys/api-keys.ts'
import { createKeyFormat } from '../../src/api-keys/key-format.ts'
import type { ApiKey } from '../../src/context.ts'
import { AuthError, toAuthResponse } from '../../src/errors.ts'
import type { ApiKeyRecord } from '../../src/storage/repositories.ts'
import { reasonOf, refusalOf } from '../pipeline/world.ts'
import { bytesOf } from '../refusal-bytes.ts'
import { createApiKeyTestWorld, issueKey, ROLES, START } from './world.ts'

const format = createKeyFormat('test', 'itk')
const settle = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 0))

describe('a key', () => {
  it('is verified with one look-up, and handed on frozen, without anything secret', async () => {
    const world = await createApiKeyTestWorld()
    const { id, key } = await issueKey(world, { role: 'admin', permissions: ['things:write', 'things:read'] })
    world.calls.length = 0
    const verified = await world.apiKeys.verify(key)
    expect(verified).toEqual({
      id,
      name: 'Nightly build',
      orgId: world.orgId,
      role: 'admin',
      permissions: ['things:write', 'things:read'],
    })
    expect(Object.isFrozen(verified) && Object.isFrozen(verified.permissions)).toBe(true)
    expect(world.calls.filter((call) => call !== 'apiKeys.touch')).toEqual(['apiKeys.findById'])
  })

  it('is good to its last millisecond and refused from the instant it ends', async () => {
    const world = await createApiKeyTestWorld()
    const { key } = await issueKey(world, { expiresAt: new Date(START + 1000) })
    world.pass(999)
    await expect(world.apiKeys.verify(key)).resolves.toBeDefined()
    world.pass(1)
    expect(await reasonOf(world.apiKeys.verify(key))).toBe('api_key_expired')
  })

  it('is refused from the next request on after it was revoked', async () => {
    const world = await createApiKeyTestWorld()
    const { id, key } = await issueKey(world)
    await world.apiKeys.verify(key)
    await world.apiKeys.revoke(world.member('owner'), id)
    expect(await reasonOf(world.apiKeys.verify(key))).toBe('api_key_revoked')
  })

  it('is refused as unknown when its organization is deleted, and lives on when its maker is', async () => {
    const world = await createApiKeyTestWorld()
    const { key } = await issueKey(world)
    await world.storage.users.setDisabled('user-owner', true)
    await expect(world.apiKeys.verify(key)).resolves.toBeDefined()
    await world.storage.orgs.remove(world.orgId)
    expect(await reasonOf(world.apiKeys.verify(key))).toBe('api_key_unknown')
  })

  it('that was rotated: the old secret until its deadline, exclusive; the one before it no more', async () => {
    const world = await createApiKeyTestWorld()
    const first = await issueKey(world)
    const rotate = async (overlapSeconds: number): Promise<string> =>
      (await world.apiKeys.rotate(world.member('owner'), first.id, { overlapSeconds })).key
    const second = await rotate(10)
    for (const key of [first.key, second])
      await expect(world.apiKeys.verify(key)).resolves.toMatchObject({ id: first.id })
    world.pass(9_999)
    await expect(world.apiKeys.verify(first.key)).resolves.toBeDefined()
    world.pass(1)
    expect(await reasonOf(world.apiKeys.verify(first.key))).toBe('api_key_wrong')
    await expect(world.apiKeys.verify(second)).resolves.toBeDefined()
    const third = await rotate(10)
    expect(await reasonOf(world.apiKeys.verify(first.key))).toBe('api_key_wrong')
    await expect(world.apiKeys.verify(second)).resolves.toBeDefined()
    const fourth = await rotate(0)
    for (const key of [first.key, second, third])
      expect(await reasonOf(world.apiKeys.verify(key))).toBe('api_key_wrong')
    await expect(world.apiKeys.verify(fourth)).resolves.toBeDefined()
  })
})

it('carries nothing that keys may not carry any more, whatever was stored', async () => {
  const world = await createApiKeyTestWorld()
  const permissions = ['things:purge', 'things:read']
  const { id, key } = await issueKey(world, { permissions })
  expect(await world.apiKeys.verify(key)).toMatchObject({ id, permissions })
  const narrowed = createApiKeys({ storage: world.storage, prefix: 'itk', roles: ROLES, permissions: ['things:read'] })
  const found = await narrowed.verify(key)
  expect(found).toMatchObject({ id, permissions: ['things:read'] })
  expect(Object.isFrozen(found.permissions)).toBe(true)
})

describe('a key that is refused', () => {
  it('is refused in the same bytes whatever is wrong with it', async () => {
    const world = await createApiKeyTestWorld()
    const [revoked, expiring, good] = [
      await issueKey(world),
      await issueKey(world, { expiresAt: new Date(START + 1) }),
      await issueKey(world),
    ]
    await world.apiKeys.revoke(world.member('owner'), revoked.id)
    world.pass(1)
    const cases: readonly (readonly [string, string])[] = [
      ['api_key_malformed', 'itk_'],
      ['api_key_malformed', `${good.key.slice(0, -1)}${good.key.endsWith('0') ? '1' : '0'}`],
      ['api_key_unknown', format.create().key],
      ['api_key_wrong', format.create(good.id).key],
      ['api_key_revoked', revoked.key],
      ['api_key_expired', expiring.key],
    ]
    for (const [reason, key] of cases) {
      const error = await refusalOf(world.apiKeys.verify(key))
      expect(error.reason).toBe(reason)
      expect(toAuthResponse(error)).toEqual(bytesOf('unauthorized'))
    }
  })

  it('costs no look-up where it is mistyped', async () => {
    const world = await createApiKeyTestWorld()
    const { key } = await issueKey(world)
    world.calls.length = 0
    for (let i = 0; i < key.length; i++) {
      const typo = `${key.slice(0, i)}${key[i] === 'x' ? 'y' : 'x'}${key.slice(i + 1)}`
      expect(await reasonOf(world.apiKeys.verify(typo))).toBe('api_key_malformed')
    }
    expect(world.calls).toEqual([])
  })

  it('costs one look-up and nothing more where it is unknown, wrong, revoked or expired; its use is not noted', async () => {
    const world = await createApiKeyTestWorld()
    const [revoked, expiring] = [await issueKey(world), await issueKey(world, { expiresAt: new Date(START + 1) })]
    await world.apiKeys.revoke(world.member('owner'), revoked.id)
    world.pass(1)
    for (const key of [format.create().key, format.create(revoked.id).key, revoked.key, expiring.key]) {
      world.calls.length = 0
      await refusalOf(world.apiKeys.verify(key))
      await settle()
      expect(world.calls).toEqual(['apiKeys.findById'])
    }
  })
})

describe('a storage that hands out nonsense', () => {
  const made = format.create()
  const verifyWith = async (over: Partial<ApiKeyRecord>): Promise<string> => {
    const world = await createApiKeyTestWorld()
    const record = { ...(await world.storage.apiKeys.findById((await issueKey(world)).id)), ...over } as ApiKeyRecord
    const repository = { findById: async () => record, touch: async () => undefined }
    return reasonOf(createApiKeyVerifier({ repository, format, permissions: [], clock: () => START })(made.key))
  }

  it.each([
    ['no hash at all', { secretHash: '', previousSecretHash: '' }],
    ['the mark for "no hash"', { secretHash: '-'.repeat(64), previousSecretHash: '-'.repeat(64) }],
    ['the secret itself', { secretHash: made.secret }],
  ])('opens nothing: %s', async (_, over) => expect(await verifyWith(over)).toBe('api_key_wrong'))

  it('opens nothing: an end that is no instant, a previous secret without one', async () => {
    const { sha256Hex } = await import('../../src/lib/digest.ts')
    const secretHash = await sha256Hex(made.secret)
    expect(await verifyWith({ secretHash, expiresAt: new Date(Number.NaN) })).toBe('api_key_expired')
    const none = 'f'.repeat(64)
    const previous = { secretHash: none, previousSecretHash: secretHash }
    expect(await verifyWith({ ...previous, previousUntil: null })).toBe('api_key_wrong')
    expect(await verifyWith({ ...previous, previousUntil: new Date(Number.NaN) })).toBe('api_key_wrong')
  })

  it('or fails: that is no refusal', async () => {
    const down = new Error('connection lost')
    const repository = { findById: () => Promise.reject(down), touch: async () => undefined }
    const verify = createApiKeyVerifier({ repository, format, permissions: [], clock: () => START })
    await expect(verify(made.key)).rejects.toBe(down)
  })
})

describe("the host's own check", () => {
  it('runs last and refuses as it likes; false is forbidden; what it refuses is no use', async () => {
    const seen: string[] = []
    let verdict: unknown = true
    const check = async ({ id }: ApiKey): Promise<boolean> => {
      seen.push(id)
      return (await verdict) as boolean
    }
    const world = await createApiKeyTestWorld({ check })
    const { id, key } = await issueKey(world)
    await refusalOf(world.apiKeys.verify(format.create(id).key))
    expect(seen).toEqual([])
    verdict = false
    expect((await refusalOf(world.apiKeys.verify(key))).reason).toBe('api_key_check_refused')
    verdict = Promise.reject(new AuthError('rate_limit_exceeded', { reason: 'host_limit', retryAfterSeconds: 7 }))
    expect((await refusalOf(world.apiKeys.verify(key))).reason).toBe('host_limit')
    await settle()
    expect(world.calls).not.toContain('apiKeys.touch')
    for (const answer of [undefined, null, 1, 'yes', {}]) {
      verdict = answer
      await expect(world.apiKeys.verify(key)).rejects.toThrow('must answer true or false')
    }
    verdict = true
    await expect(world.apiKeys.verify(key)).resolves.toMatchObject({ id })
    expect(seen).toEqual(Array(8).fill(id))
  })
})

describe('a limit of the host’s per key, by its check (A7)', () => {
  // As a host would write it: so many uses a minute, counted by the key's public id.
  const limitOf = (most: number, now: () => number): ((key: ApiKey) => void) => {
    const uses = new Map<string, { readonly minute: number; readonly count: number }>()
    return ({ id }) => {
      const minute = Math.floor(now() / 60_000)
      const known = uses.get(id)
      const count = known?.minute === minute ? known.count : 0
      if (count >= most) {
        const retryAfterSeconds = ((minute + 1) * 60_000 - now()) / 1000
        throw new AuthError('rate_limit_exceeded', { reason: 'host_limit', retryAfterSeconds })
      }
      uses.set(id, { minute, count: count + 1 })
    }
  }

  const limited = async (most: number) => {
    let check: (key: ApiKey) => void = () => undefined
    const world = await createApiKeyTestWorld({
      check(key) {
        check(key)
        return true
      },
    })
    check = limitOf(most, world.now)
    return world
  }

  it('is 429 with Retry-After from the use over it, until the minute is over', async () => {
    const world = await limited(3)
    const { key } = await issueKey(world)
    for (let use = 0; use < 3; use += 1) await expect(world.apiKeys.verify(key)).resolves.toBeDefined()
    world.pass(20_000)
    const error = await refusalOf(world.apiKeys.verify(key))
    expect(toAuthResponse(error)).toEqual(bytesOf('rate_limit_exceeded', { retryAfter: '40' }))
    world.pass(40_000)
    await expect(world.apiKeys.verify(key)).resolves.toBeDefined()
  })

  it('is each key’s own: another one of the same org is none the poorer', async () => {
    const world = await limited(1)
    const [one, two] = [await issueKey(world), await issueKey(world)]
    await world.apiKeys.verify(one.key)
    expect(await reasonOf(world.apiKeys.verify(one.key))).toBe('host_limit')
    await expect(world.apiKeys.verify(two.key)).resolves.toMatchObject({ id: two.id })
  })

  it('is the key’s, not its secret’s: a rotated one has no more', async () => {
    const world = await limited(1)
    const { id, key } = await issueKey(world)
    const rotated = await world.apiKeys.rotate(world.member('owner'), id, { overlapSeconds: 60 })
    await world.apiKeys.verify(key)
    expect(await reasonOf(world.apiKeys.verify(rotated.key))).toBe('host_limit')
  })

  it('is spent by its holder only: forged, mistyped and revoked keys cost nobody a use', async () => {
    const world = await limited(1)
    const [good, revoked] = [await issueKey(world), await issueKey(world)]
    await world.apiKeys.revoke(world.member('owner'), revoked.id)
    for (const key of [format.create(good.id).key, `${good.key.slice(0, -1)}-`, revoked.key, format.create().key]) {
      expect((await refusalOf(world.apiKeys.verify(key))).code).toBe('unauthorized')
    }
    await expect(world.apiKeys.verify(good.key)).resolves.toMatchObject({ id: good.id })
  })

  it('holds at 50 uses at once', async () => {
    const world = await limited(10)
    const { key } = await issueKey(world)
    const uses = await Promise.allSettled(Array.from({ length: 50 }, () => world.apiKeys.verify(key)))
    expect(uses.filter(({ status }) => status === 'fulfilled')).toHaveLength(10)
  })
})

describe('the last use', () => {
  it('is noted at most once a minute a key, and again after it', async () => {
    const world = await createApiKeyTestWorld()
    const [one, two] = [await issueKey(world), await issueKey(world)]
    const lastUse = async (): Promise<number | undefined> =>
      (await world.storage.apiKeys.findById(one.id))?.lastUsedAt?.getTime()
    for (let i = 0; i < 50; i++) await Promise.all([world.apiKeys.verify(one.key), world.apiKeys.verify(two.key)])
    await settle()
    const touches = (): number => world.calls.filter((call) => call === 'apiKeys.touch').length
    expect([touches(), await lastUse()]).toEqual([2, START])
    world.pass(59_999)
    await world.apiKeys.verify(one.key)
    await settle()
    expect([touches(), await lastUse()]).toEqual([2, START])
    world.pass(1)
    await world.apiKeys.verify(one.key)
    await settle()
    expect([touches(), await lastUse()]).toEqual([3, START + 60_000])
  })

  it('is not noted where another process has just done so', async () => {
    const world = await createApiKeyTestWorld()
    const { id, key } = await issueKey(world)
    await world.storage.apiKeys.touch(id, new Date(START - 59_999))
    await world.apiKeys.verify(key)
    await settle()
    expect(world.calls).not.toContain('apiKeys.touch')
  })

  it.each([
    ['rejects', () => Promise.reject(new Error('read-only'))],
    [
      'throws',
      () => {
        throw new Error('read-only')
      },
    ],
    ['never ends', () => new Promise<void>(() => undefined)],
  ])('changes nothing where noting it %s', async (_, touch) => {
    const world = await createApiKeyTestWorld()
    const { id, key } = await issueKey(world)
    const repository = { findById: world.storage.apiKeys.findById, touch }
    const verify = createApiKeyVerifier({ repository, format, permissions: [], clock: world.now })
    await expect(verify(key)).resolves.toMatchObject({ id })
    await expect(verify(key)).resolves.toMatchObject({ id })
    await settle()
  })
})

const MINUTE = 60_000

describe('use notes', () => {
  it('keep a bounded number of keys, and forget the one unused for longest first', async () => {
    const touched: string[] = []
    const note = createUseNotes(async (keyId) => void touched.push(keyId))
    const use = async (id: string): Promise<void> => {
      note({ id, lastUsedAt: null }, MINUTE)
      await Promise.resolve()
      await Promise.resolve()
    }
    for (let i = 0; i <= 10_000; i++) await use(`key-${i}`)
    touched.length = 0
    await use('key-10000')
    await use('key-1')
    expect(touched).toEqual([])
    await use('key-0')
    expect(touched).toEqual(['key-0'])
  })

  it('ask a storage that never answers at most a hundred times', () => {
    let asked = 0
    const note = createUseNotes(() => {
      asked += 1
      return new Promise(() => undefined)
    })
    for (let i = 0; i < 500; i++) note({ id: `key-${i}`, lastUsedAt: null }, MINUTE)
    expect(asked).toBe(100)
  })

  it('try again a minute after a failure, not before', async () => {
    let asked = 0
    const note = createUseNotes(async () => {
      asked += 1
      throw new Error('read-only')
    })
    for (const now of [0, 1, MINUTE - 1, MINUTE, MINUTE + 1]) note({ id: 'key', lastUsedAt: null }, now)
    await Promise.resolve()
    expect(asked).toBe(2)
  })

  it('go on when the clock was set back', () => {
    const at: number[] = []
    const note = createUseNotes(async (_, when) => void at.push(when.getTime()))
    for (const now of [10 * MINUTE, 5 * MINUTE, 5 * MINUTE + 1]) note({ id: 'key', lastUsedAt: null }, now)
    expect(at).toEqual([10 * MINUTE, 5 * MINUTE])
  })
})
