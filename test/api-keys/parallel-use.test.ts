/**
 * 50 callers use one key without a pause while it is rotated and revoked: whoever started after the end is refused, whoever
 * was answered before it is served. Nobody in between is promised anything.
 */
import { describe, expect, it } from 'vitest'
import { createApiKeys } from '../../src/api-keys/api-keys.ts'
import { createAuth } from '../../src/auth.ts'
import type { AuthContext } from '../../src/context.ts'
import { isAuthError } from '../../src/errors.ts'
import { createOrgResolver } from '../../src/orgs/org-resolver.ts'
import { createMemoryStorage } from '../../src/storage/memory.ts'
import type { ApiKeyRepository } from '../../src/storage/repositories.ts'
import { testContext } from '../../src/testing/principals.ts'
import { createTestKit } from '../../src/testing/test-kit.ts'
import { createProvisioner } from '../../src/users/provisioner.ts'
import { fakeRequest } from '../pipeline/fake-request.ts'
import { ROLES, START } from './world.ts'

const CALLERS = 50

interface Use {
  readonly from: number
  readonly to: number
  readonly outcome: string
}

/** A pipeline over a storage that takes a moment, and a clock that goes a millisecond a turn of the event loop. */
async function openKeyInUse(): Promise<{
  readonly clock: () => number
  readonly key: string
  readonly id: string
  readonly apiKeys: ReturnType<typeof createApiKeys>
  readonly owner: AuthContext
  readonly find: ApiKeyRepository['findById']
  /** Use a key from 50 callers until the clock says so. */
  useUntil(key: string, end: number): Promise<readonly Use[]>
  /** Turn the clock until it says so. */
  tickUntil(end: number): Promise<void>
}> {
  let now = START
  const clock = (): number => now
  const storage = createMemoryStorage({ clock })
  const findById: typeof storage.apiKeys.findById = async (keyId) => {
    for (let turns = keyId.length % 2; turns < 3; turns++) await turn()
    const found = await storage.apiKeys.findById(keyId)
    await turn()
    return found
  }
  const apiKeys = createApiKeys({
    ...{ storage: { apiKeys: { ...storage.apiKeys, findById } }, prefix: 'itk', roles: ROLES, clock },
    defaultPermissions: ['things:read'],
  })
  const { verifier } = await createTestKit()
  const auth = createAuth({
    roles: ROLES,
    verifier,
    apiKeys,
    users: createProvisioner({ storage }),
    orgs: createOrgResolver({ memberships: storage.memberships, selectors: [], whenUnnamed: 'earliest-joined' }),
  })
  const enter = auth.authorizer({ accept: ['apiKey'], permissions: ['things:read'] })
  const owner = testContext({ org: await storage.orgs.insert({ name: 'Acme' }), role: 'owner' }) as AuthContext
  const { apiKey, key } = await apiKeys.issue(owner, { name: 'worker' })

  const use = async (text: string): Promise<Use> => {
    const from = now
    const request = fakeRequest({ headers: { authorization: `Bearer ${text}` } })
    const outcome = await enter(request).then(
      () => 'served',
      (error: unknown) => (isAuthError(error) ? error.code : 'failed'),
    )
    return { from, to: now, outcome }
  }
  return {
    clock,
    key,
    id: apiKey.id,
    apiKeys,
    owner,
    find: storage.apiKeys.findById,
    async useUntil(text, end) {
      const callers = Array.from({ length: CALLERS }, async () => {
        const uses: Use[] = []
        while (now < end) uses.push(await use(text))
        return uses
      })
      return (await Promise.all(callers)).flat()
    },
    async tickUntil(end) {
      while (now < end) {
        await turn()
        now += 1
      }
    },
  }
}

function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}

/** Nobody who started at the end or later is served; nobody who was answered before it is refused; both did happen. */
function expectEnd(uses: readonly Use[], begins: number, ends: number): void {
  expect(uses.filter(({ from, outcome }) => from >= ends && outcome === 'served')).toEqual([])
  expect(uses.filter(({ to, outcome }) => to < begins && outcome !== 'served')).toEqual([])
  expect(uses.filter(({ outcome }) => outcome !== 'served' && outcome !== 'unauthorized')).toEqual([])
  expect(uses.filter(({ to }) => to < begins).length).toBeGreaterThan(CALLERS)
  expect(uses.filter(({ from }) => from >= ends).length).toBeGreaterThan(CALLERS)
}

describe(`${CALLERS} callers at once`, () => {
  it('while it is rotated: the old secret is good until the deadline, the new one from the start', async () => {
    const { clock, key, id, apiKeys, owner, useUntil, tickUntil, find } = await openKeyInUse()
    const end = START + 1400
    const old = useUntil(key, end)
    const ticking = tickUntil(end)
    while (clock() < START + 100) await turn()
    const began = clock()
    const { key: next } = await apiKeys.rotate(owner, id, { overlapSeconds: 1 })
    const fresh = useUntil(next, end)
    await ticking
    expect((await fresh).filter(({ outcome }) => outcome !== 'served')).toEqual([])
    // The deadline is counted from some moment while the rotation ran.
    const uses = await old
    const refused = Math.min(...uses.filter(({ outcome }) => outcome !== 'served').map(({ to }) => to))
    expect(refused).toBeGreaterThanOrEqual(began + 1000)
    const deadline = (await find(id))?.previousUntil?.getTime() ?? Number.NaN
    expectEnd(uses, deadline, deadline)
  })

  it('while it is rotated without an overlap: the old secret is dead when the answer is there', async () => {
    const { clock, key, id, apiKeys, owner, useUntil, tickUntil } = await openKeyInUse()
    const uses = useUntil(key, START + 300)
    const ticking = tickUntil(START + 300)
    while (clock() < START + 150) await turn()
    const begins = clock()
    await apiKeys.rotate(owner, id)
    const ends = clock() + 1
    await ticking
    expectEnd(await uses, begins, ends)
  })

  it('while it is revoked: refused from the moment the revocation was answered', async () => {
    const { clock, key, id, apiKeys, owner, useUntil, tickUntil } = await openKeyInUse()
    const uses = useUntil(key, START + 300)
    const ticking = tickUntil(START + 300)
    while (clock() < START + 150) await turn()
    const begins = clock()
    await apiKeys.revoke(owner, id)
    const ends = clock() + 1
    await ticking
    expectEnd(await uses, begins, ends)
  })
})
