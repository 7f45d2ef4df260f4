/** The refusals of API keys: of the verifier, and of who handles keys. */

import { type ApiKeys, createApiKeys } from '../../../src/api-keys/api-keys.ts'
import { createKeyFormat } from '../../../src/api-keys/key-format.ts'
import type { AuthContext } from '../../../src/context.ts'
import { createRoles } from '../../../src/permissions/roles.ts'
import type { MemoryStorage } from '../../../src/storage/memory.ts'
import { testContext, testServiceContext, testUser } from '../../../src/testing/principals.ts'
import { createWorld, NOWHERE } from '../world.ts'
import type { Refusal } from './refusal.ts'

const ROLES = createRoles(['viewer', 'member', 'admin'], { 'things:read': 'viewer', 'things:write': 'member' })
const START = Date.parse('2026-01-01T00:00:00Z')

/** Keys of one org, their owner in it, and a clock to move. */
export interface KeyWorld {
  readonly storage: MemoryStorage
  readonly orgId: string
  readonly keys: ApiKeys
  /** The context of a user in the org, as a role. */
  as(role: string): AuthContext
  issue(fields?: object): Promise<{ readonly key: string; readonly id: string }>
  /** Authenticate with a key. */
  enter(key: string, check?: () => boolean | Promise<boolean>): Promise<unknown>
  later(seconds: number): void
}

/** Make the keys of an org. */
export async function createKeyWorld(
  options: { maxKeys?: number; installation?: boolean; members?: boolean } = {},
): Promise<KeyWorld> {
  let now = START
  const clock = (): number => now
  const { storage, org } = createWorld()
  const orgId = await org('acme')
  const { maxKeys = 9, installation = false, members = false } = options
  const keysOf = (check: () => boolean | Promise<boolean>) =>
    createApiKeys<typeof ROLES>({
      storage: { apiKeys: storage.apiKeys, ...(members && { memberships: storage.memberships }) },
      prefix: 'itk',
      roles: ROLES,
      defaultPermissions: ['things:read'],
      maxKeys,
      clock,
      check,
      ...(installation && {
        owner: { kind: 'installation', memberships: storage.memberships, field: 'environment' } as const,
      }),
    })
  const keys = keysOf(() => true)
  const as = (role: string): AuthContext =>
    (installation
      ? testContext({ needs: 'user', role })
      : testContext({ user: testUser(), org: { id: orgId }, role })) as never
  return {
    storage,
    orgId,
    keys,
    as,
    async issue(fields = {}) {
      const { key, apiKey } = await keys.issue(as('admin'), { name: 'ci', ...fields })
      return { key, id: apiKey.id }
    },
    enter(key, check = () => true) {
      const { prefix, verify } = keysOf(check)
      const { authenticate } = createWorld({ auth: () => ({ apiKeys: { prefix, verify } }) })
      return authenticate({ headers: { authorization: `Bearer ${key}` } }, { accept: ['apiKey'] })
    },
    later: (seconds) => {
      now += seconds * 1000
    },
  }
}

function unauthorized(reason: string, provoke: (world: KeyWorld) => unknown): Refusal {
  return { reason, code: 'unauthorized', provoke: async () => provoke(await createKeyWorld()) }
}

function handling(reason: string, code: Refusal['code'], provoke: (world: KeyWorld) => unknown): Refusal {
  return { reason, code, provoke: async () => provoke(await createKeyWorld()) }
}

const wrongField = (field: string, refusal: Refusal): Refusal => ({ ...refusal, wire: { field } })

export const REFUSALS_OF_API_KEYS: readonly Refusal[] = [
  unauthorized('api_key_malformed', async ({ issue, enter }) => enter(`${(await issue()).key}x`)),
  unauthorized('api_key_unknown', ({ enter }) => enter(createKeyFormat('test', 'itk').create().key)),
  unauthorized('api_key_wrong', async ({ issue, enter }) =>
    enter(createKeyFormat('test', 'itk').create((await issue()).id).key),
  ),
  unauthorized('api_key_revoked', async ({ keys, as, issue, enter }) => {
    const { key, id } = await issue()
    await keys.revoke(as('admin'), id)
    return enter(key)
  }),
  unauthorized('api_key_expired', async ({ issue, enter, later }) => {
    const { key } = await issue({ expiresAt: new Date(START + 1000) })
    later(1)
    return enter(key)
  }),
  handling('api_key_check_refused', 'unauthorized', async ({ issue, enter }) =>
    enter((await issue()).key, async () => false),
  ),
  handling('api_keys_need_a_user', 'forbidden', ({ keys }) =>
    keys.list(testServiceContext('telephony', { id: NOWHERE }) as never),
  ),
  wrongField('environment', {
    reason: 'api_key_org_unknown',
    code: 'validation_error',
    provoke: async () => {
      const { keys, as } = await createKeyWorld({ installation: true })
      return keys.issue(as('admin'), { name: 'ci', orgId: NOWHERE })
    },
  }),
  handling('api_key_above_creator', 'forbidden', ({ keys, as }) =>
    keys.issue(as('member'), { name: 'ci', role: 'admin' }),
  ),
  {
    reason: 'api_key_maker_no_member',
    code: 'forbidden',
    provoke: async () => (await createKeyWorld({ members: true })).issue(),
  },
  {
    reason: 'api_keys_too_many',
    code: 'conflict',
    provoke: async () => {
      const { issue } = await createKeyWorld({ maxKeys: 1 })
      await issue()
      return issue()
    },
  },
  handling('api_key_not_found', 'not_found', ({ keys, as }) => keys.rotate(as('admin'), 'abcdefABCDEF')),
  handling('api_key_above_its_rotator', 'forbidden', async ({ keys, as, issue }) =>
    keys.rotate(as('member'), (await issue({ role: 'admin' })).id),
  ),
  handling('api_key_expired_for_rotation', 'conflict', async ({ keys, as, issue, later }) => {
    const { id } = await issue({ expiresAt: new Date(START + 1000) })
    later(1)
    return keys.rotate(as('admin'), id)
  }),
  wrongField(
    'role',
    handling('api_key_role_below_scopes', 'validation_error', ({ keys, as }) =>
      keys.issue(as('admin'), { name: 'ci', role: 'viewer', permissions: ['things:write'] }),
    ),
  ),
  wrongField(
    'expires_at',
    handling('api_key_expires_in_the_past', 'validation_error', ({ keys, as }) =>
      keys.issue(as('admin'), { name: 'ci', expiresAt: new Date(START) }),
    ),
  ),
]
