/** A body that trickled in made users, keys and bookings by a session, a role or an org that had ended before it was whole. */
import { describe, expect, it } from 'vitest'
import { createApiKeys } from '../../src/api-keys/api-keys.ts'
import type { Auth } from '../../src/auth.ts'
import { createAuth } from '../../src/auth.ts'
import type { AuthContext } from '../../src/context.ts'
import { jsonResponse } from '../../src/http/json-response.ts'
import { readJson } from '../../src/http/read-json.ts'
import { createRouteFinder } from '../../src/http/route-path.ts'
import { createUserOrgResolver } from '../../src/orgs/org-resolver.ts'
import type { AuthRequest } from '../../src/request.ts'
import type { Route } from '../../src/route.ts'
import { createMemoryStorage } from '../../src/storage/memory.ts'
import { createSyncGate } from '../../src/users/sync.ts'
import { createLoginWorld, GOOD } from '../login/login-world.ts'
import { fakeRequest } from '../pipeline/fake-request.ts'
import { createWorld, ROLES as LADDER, reasonOf, SERVICE_SECRET } from '../pipeline/world.ts'

const JSON_TYPE = { 'content-type': 'application/json' }

interface Slow {
  readonly auth: Auth
  readonly routes: readonly Route[]
}

/** Call a route with a body that is whole only after `meanwhile`. */
async function callSlowly(
  { auth, routes }: Slow,
  [method, path]: readonly [string, string],
  headers: Readonly<Record<string, string>>,
  { body, meanwhile }: { readonly body: unknown; readonly meanwhile: () => unknown },
): Promise<unknown> {
  const found = createRouteFinder(routes)(method, path)
  if (found === null) throw new Error(`no route: ${method} ${path}`)
  const { route, params } = found
  const read = async (): ReturnType<AuthRequest['body']> => {
    await meanwhile()
    return { kind: 'bytes', bytes: new TextEncoder().encode(JSON.stringify(body)) }
  }
  const request = { ...fakeRequest({ method, path, params, headers: { ...JSON_TYPE, ...headers } }), body: read }
  const { context } = await auth.authorizer(route.access as never)(request)
  return route.handle(context as never, request)
}

describe('users, by local login', () => {
  const start = async () => {
    const world = createLoginWorld()
    const orgs = createUserOrgResolver({ memberships: createMemoryStorage().memberships as never, orgIdOf: () => null })
    const auth = createAuth({ ...world.login.auth, orgs, clock: () => world.now }) as unknown as Auth
    const admin = await world.account('root@example.test', 'admin')
    const other = await world.account('other@example.test', 'admin')
    const token = await world.signIn('root@example.test')
    const slow = { auth, routes: world.login.routes }
    return { world, admin, other, token, slow, headers: { authorization: `Bearer ${token}` } }
  }
  type Started = Awaited<ReturnType<typeof start>>

  const ENDS: Record<string, readonly [(started: Started) => unknown, string]> = {
    'logged out': [({ world, token }) => world.call('POST', '/auth/logout', { token }), 'session_revoked'],
    'no admin any more': [
      ({ world, admin }) => world.storage.accounts.update(admin.id, { role: 'viewer' }, { keep: 'admin' }),
      'session_superseded',
    ],
    disabled: [
      ({ world, admin }) => world.storage.accounts.update(admin.id, { disabled: true }, { keep: 'admin' }),
      'account_disabled',
    ],
    removed: [({ world, admin }) => world.storage.accounts.remove(admin.id, { keep: 'admin' }), 'account_missing'],
  }

  it.each(Object.keys(ENDS))('an admin who is %s makes and changes none', async (name) => {
    const [end, reason] = ENDS[name] as (typeof ENDS)[string]
    for (const [method, path, body] of [
      ['POST', '/api/v1/users', { email: 'eve@example.test', password: GOOD, role: 'admin' }],
      ['PATCH', '/api/v1/users/:other', { role: 'viewer' }],
      ['POST', '/api/v1/auth/password', { current_password: GOOD, new_password: 'walnut-harbour-17-kestrel' }],
    ] as const) {
      const started = await start()
      const { world, slow, headers, other } = started
      const meanwhile = async (): Promise<void> => {
        world.now += 1500
        await end(started)
      }
      const target = [method, path.replace(':other', other.id)] as const
      expect(await reasonOf(callSlowly(slow, target, headers, { body, meanwhile }))).toBe(reason)
      const left = await world.storage.accounts.list()
      expect(left.map(({ email }) => email)).not.toContain('eve@example.test')
      expect(left.find(({ id }) => id === other.id)?.role).toBe('admin')
    }
  })

  it('and who is still in does', async () => {
    const { world, slow, headers } = await start()
    const body = { email: 'eve@example.test', password: GOOD, role: 'viewer' }
    const meanwhile = (): number => (world.now += 1500)
    expect(await callSlowly(slow, ['POST', '/api/v1/users'], headers, { body, meanwhile })).toMatchObject({
      status: 201,
    })
  })
})

describe('API keys', () => {
  it('are made by no role that was lowered, be it still enough for the route', async () => {
    let now = 0
    const world = createWorld({ auth: () => ({ clock: () => now }) })
    const orgId = await world.org('acme')
    const { id, headers } = await world.person('ada', { [orgId]: 'owner' })
    const apiKeys = createApiKeys({
      storage: world.storage,
      prefix: 'itk',
      roles: LADDER,
      defaultPermissions: ['things:read'],
    })
    const slow = { auth: world.auth, routes: apiKeys.routes({ role: 'admin' }) }
    const meanwhile = async (): Promise<void> => {
      now += 1500
      await world.storage.memberships.setRole(orgId, id, 'admin')
    }
    const body = { name: 'ci', role: 'owner' }
    const making = callSlowly(slow, ['POST', '/api/keys'], headers, { body, meanwhile })
    expect(await reasonOf(making)).toBe('authority_ended_meanwhile')
    expect(await world.storage.apiKeys.list({ kind: 'org', orgId })).toEqual([])
  })
})

describe('a service', () => {
  it('that said before where it acts does not act in an org that was deleted', async () => {
    let now = 0
    const world = createWorld({ auth: () => ({ clock: () => now }) })
    const orgId = await world.org('acme')
    const acts: Route = {
      method: 'POST',
      path: '/acts',
      access: { accept: ['service'] },
      async handle(context, request) {
        await world.auth.actIn(context as AuthContext, orgId)
        return jsonResponse(200, await readJson(request))
      },
    }
    const slow = { auth: world.auth, routes: [acts] }
    const headers = { 'x-telephony-secret': SERVICE_SECRET }
    const call = (meanwhile: () => unknown): Promise<unknown> =>
      callSlowly(slow, ['POST', '/acts'], headers, { body: {}, meanwhile })
    expect(await call(() => (now += 1500))).toMatchObject({ status: 200 })
    const gone = async (): Promise<void> => {
      now += 1500
      await world.storage.orgs.remove(orgId)
    }
    expect(await reasonOf(call(gone))).toBe('not_a_member')
  })
})

it('a clock that was set back makes nobody’s authority last', async () => {
  let now = 10_000_000
  const world = createWorld({ auth: () => ({ clock: () => now }) })
  const orgId = await world.org('acme')
  const { id, headers } = await world.person('ada', { [orgId]: 'member' })
  const route: Route = {
    method: 'POST',
    path: '/x',
    access: {},
    handle: async (_context, request) => jsonResponse(200, await readJson(request)),
  }
  const meanwhile = async (): Promise<void> => {
    now -= 3_600_000
    await world.storage.memberships.remove(orgId, id)
  }
  const slow = { auth: world.auth, routes: [route] }
  expect(await reasonOf(callSlowly(slow, ['POST', '/x'], headers, { body: {}, meanwhile }))).toBe('not_a_member')
})

it('a storage that is away when the body is whole is 503, and nothing is done', async () => {
  let now = 0
  let isAway = false
  const world = createWorld({
    auth: (storage) => {
      const findByIdentity: typeof storage.users.findByIdentity = async (...asked) => {
        if (isAway) throw Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' })
        return storage.users.findByIdentity(...asked)
      }
      return { clock: () => now, users: createSyncGate({ users: { findByIdentity } }) as never }
    },
  })
  const { headers } = await world.person('ada', { [await world.org('acme')]: 'member' })
  const done: unknown[] = []
  const handle: Route['handle'] = async (_context, request) => jsonResponse(200, done.push(await readJson(request)))
  const slow = { auth: world.auth, routes: [{ method: 'POST', path: '/x', access: {}, handle }] as const }
  const meanwhile = (): void => {
    now += 1500
    isAway = true
  }
  const calling = callSlowly(slow, ['POST', '/x'], headers, { body: {}, meanwhile })
  await expect(calling).rejects.toMatchObject({ code: 'temporarily_unavailable', headers: { 'Retry-After': '1' } })
  expect(done).toEqual([])
})

describe('who was let in as one does not act as another when the body is whole', () => {
  interface Changing {
    readonly world: ReturnType<typeof createWorld>
    readonly access: object
    readonly headers: Readonly<Record<string, string>>
    readonly change: () => unknown
  }
  const CHANGES: Record<string, (clock: () => number, isLater: () => boolean) => Promise<Changing>> = {
    'a token that has become another user’s': async (clock, isLater) => {
      const users = async () => ({ user: { id: isLater() ? 'b' : 'a', disabled: false } })
      const world = createWorld({ auth: () => ({ clock, users: users as never }) })
      const { headers } = await world.person('ada')
      return { world, access: { needs: 'user' }, headers, change: () => undefined }
    },
    'a user who acts where she joined first, and has left there': async (clock) => {
      const world = createWorld({ auth: () => ({ clock }) })
      const [first, second] = [await world.org('first'), await world.org('second')]
      const { id, headers } = await world.person('ada', { [first]: 'member', [second]: 'member' })
      return { world, access: {}, headers, change: () => world.storage.memberships.remove(first, id) }
    },
    'a role made at run time that may do less than it might, be it still enough for the route': async (
      clock,
      isLater,
    ) => {
      const customRoles = { find: async () => (isLater() ? ['things:read'] : ['things:read', 'things:write']) }
      const world = createWorld({ auth: () => ({ clock, customRoles }) })
      const { headers } = await world.person('ada', { [await world.org('acme')]: 'agent' })
      return { world, access: { permissions: ['things:read'] }, headers, change: () => undefined }
    },
    'an API key that has lost a scope the route does not ask for': async (clock, isLater) => {
      let orgId = ''
      const verify = async () => {
        const permissions = isLater() ? [] : ['things:write']
        return { id: 'key-1', name: 'ci', role: 'member', permissions, orgId }
      }
      const world = createWorld({ auth: () => ({ clock, apiKeys: { prefix: 'tk', verify } as never }) })
      orgId = await world.org('acme')
      return {
        world,
        access: { accept: ['apiKey'] },
        headers: { authorization: 'Bearer tk_x' },
        change: () => undefined,
      }
    },
  }

  it.each(Object.keys(CHANGES))('%s', async (name) => {
    let now = 0
    const { world, access, headers, change } = await (CHANGES[name] as (typeof CHANGES)[string])(
      () => now,
      () => now > 0,
    )
    const handle: Route['handle'] = async (_context, request) => jsonResponse(200, await readJson(request))
    const slow = { auth: world.auth, routes: [{ method: 'POST', path: '/x', access, handle }] as readonly Route[] }
    const meanwhile = async (): Promise<void> => {
      now += 1500
      await change()
    }
    const calling = callSlowly(slow, ['POST', '/x'], headers, { body: {}, meanwhile })
    expect(await reasonOf(calling)).toBe('authority_ended_meanwhile')
  })
})
