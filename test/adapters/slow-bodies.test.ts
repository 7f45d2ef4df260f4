/** S8: a body that arrives slowly acted by an authority that had ended meanwhile, and one that never came was waited for without end. */

import { type Auth, AuthError, createOrgResolver, header, type OrgResolver } from 'sallyport'
import { afterEach, describe, expect, it } from 'vitest'
import type { MemoryStorage } from '../../src/storage/memory.ts'
import { createWorld, type World } from '../pipeline/world.ts'
import { issuer, trusting } from '../support/world.ts'
import { type Held, PATHS, SLOW_HOSTS, type SlowApp, type SlowHost, serveSlow, slowApp } from './slow-hosts.ts'

const ACCESS = { accept: ['user', 'apiKey', 'machine'], role: 'admin' } as const
const KEY_SECRET = 'tk_key'

interface SlowWorld {
  readonly world: World
  readonly auth: Auth
  readonly orgId: string
  readonly storage: MemoryStorage
  /** Let time pass by the clocks that were handed in. */
  pass(seconds: number): void
  /** Resolves when the pipeline has let the next one in. */
  letIn(): Promise<unknown>
  revokeKey(): void
}

async function slowWorld(): Promise<SlowWorld> {
  let passed = 0
  let tell: () => void = () => undefined
  let isRevoked = false
  // Stands still but for what passes here: how fast the machine is must not count.
  const begun = Date.now()
  const clock = (): number => begun + passed
  const world = createWorld({
    auth: ({ memberships, machines }) => ({
      clock,
      machines,
      orgs: tellingOrgs(memberships, () => tell()) as never,
      verifier: trusting(issuer, { clock }),
      apiKeys: {
        prefix: 'tk',
        verify: async () => {
          if (isRevoked) throw new AuthError('unauthorized', { reason: 'test_key_revoked' })
          return { id: 'k', name: 'k', orgId, role: 'admin', permissions: [] }
        },
      },
    }),
  })
  const orgId = await world.org('acme')
  return {
    world,
    auth: world.auth,
    orgId,
    storage: world.storage,
    pass: (seconds) => {
      passed += seconds * 1000
    },
    letIn: () => new Promise((resolve) => (tell = () => resolve(null))),
    revokeKey: () => {
      isRevoked = true
    },
  }
}

// The last step of the pipeline, and a word when the handler runs.
function tellingOrgs(memberships: MemoryStorage['memberships'], tell: () => void): OrgResolver {
  const orgs = createOrgResolver({ memberships, selectors: [header('X-Org-Id')], whenUnnamed: 'earliest-joined' })
  const resolve: typeof orgs.resolve = async (...asked) => {
    const acting = await orgs.resolve(...asked)
    setImmediate(tell)
    return acting
  }
  return { ...orgs, resolve } as OrgResolver
}

let app: SlowApp | null = null
afterEach(async () => {
  await app?.close()
  app = null
})

/** Send half a body, do something once the caller was let in, send the rest. */
async function meanwhile(
  world: SlowWorld,
  app: SlowApp,
  path: string,
  headers: Readonly<Record<string, string>>,
  then: () => unknown,
): Promise<Awaited<Held['answer']>> {
  const inside = world.letIn()
  const held = app.hold(path, headers)
  await inside
  await then()
  held.finish()
  return held.answer
}

interface Ending {
  readonly status: number
  readonly code?: string
  /** Who calls, if it is not a user. */
  readonly by?: 'key' | 'machine'
  /** `id`: the user's, or the machine's. */
  end(world: SlowWorld, id: string): unknown
}

const ENDINGS: Record<string, Ending> = {
  'nothing that has ended': { status: 200, end: () => undefined },
  'a membership that is gone': {
    status: 403,
    code: 'forbidden',
    end: ({ storage, orgId }, userId) => storage.memberships.remove(orgId, userId),
  },
  'a role that is lower': {
    status: 403,
    code: 'forbidden',
    end: ({ storage, orgId }, userId) => storage.memberships.setRole(orgId, userId, 'viewer'),
  },
  'a role that is lower, and enough for the route': {
    status: 403,
    code: 'forbidden',
    end: ({ storage, orgId }, userId) => storage.memberships.setRole(orgId, userId, 'admin'),
  },
  'a user who is disabled': {
    status: 403,
    code: 'forbidden',
    end: ({ storage }, userId) => storage.users.setDisabled(userId, true),
  },
  'an org that is deleted': { status: 403, code: 'forbidden', end: ({ storage, orgId }) => storage.orgs.remove(orgId) },
  'a token that has expired': { status: 401, code: 'token_expired', end: ({ pass }) => pass(7200) },
  'a key that is revoked': { status: 401, code: 'unauthorized', by: 'key', end: ({ revokeKey }) => revokeKey() },
  'no machine that has ended': { status: 200, by: 'machine', end: () => undefined },
  'a machine that is disabled': {
    ...{ status: 403, code: 'forbidden', by: 'machine' },
    end: ({ storage }, id) => storage.machines.setDisabled(INSTALLATION, id, true),
  },
  'a machine that is removed': {
    ...{ status: 403, code: 'forbidden', by: 'machine' },
    end: ({ storage }, id) => storage.machines.remove(INSTALLATION, id),
  },
  'another machine in its place': {
    ...{ status: 403, code: 'forbidden', by: 'machine' },
    async end(world, id) {
      await world.storage.machines.remove(INSTALLATION, id)
      await registerMachine(world)
    },
  },
}

const INSTALLATION = { kind: 'installation' } as const

async function registerMachine({ storage, orgId }: SlowWorld): Promise<string> {
  const identity = { issuer: issuer.issuer, subject: 'ci' }
  return (await storage.machines.insert({ ...identity, name: 'ci', orgId, role: 'owner', permissions: null })).id
}

/** Headers of who calls, and its id. */
async function callerOf(
  world: SlowWorld,
  by: Ending['by'],
): Promise<readonly [Readonly<Record<string, string>>, string]> {
  if (by === 'key') return [{ authorization: `Bearer ${KEY_SECRET}` }, '']
  if (by === 'machine') {
    const id = await registerMachine(world)
    return [{ authorization: `Bearer ${await issuer.sign({ sub: 'ci', client_id: 'ci' })}` }, id]
  }
  const { headers, id } = await world.world.person('ada', { [world.orgId]: 'owner' })
  return [headers, id]
}

describe.each(SLOW_HOSTS)('%s, a body that took over a second', (host: SlowHost) => {
  it.each(Object.keys(ENDINGS))('meets %s', async (name) => {
    const { status, code, by, end } = ENDINGS[name] as Ending
    for (const path of PATHS) {
      const world = await slowWorld()
      const [headers, id] = await callerOf(world, by)
      app = await serveSlow(slowApp(host, world.auth, ACCESS))
      const answer = await meanwhile(world, app, path, headers, async () => {
        world.pass(1.5)
        await end(world, id)
      })
      expect([path, answer.status]).toEqual([path, status])
      expect(JSON.parse(answer.body)).toMatchObject(code === undefined ? { a: 1 } : { error: { code } })
      await app.close()
    }
  })

  it('asks nothing again where it was quick', async () => {
    for (const path of PATHS) {
      const world = await slowWorld()
      const { headers } = await world.world.person('ada', { [world.orgId]: 'owner' })
      app = await serveSlow(slowApp(host, world.auth, ACCESS))
      const answer = await meanwhile(world, app, path, headers, () => {
        world.pass(0.9)
        world.world.calls.length = 0
      })
      expect(answer.status).toBe(200)
      expect(world.world.calls).toEqual([])
      await app.close()
    }
  })

  it('is not waited for where there is no credential', async () => {
    const world = await slowWorld()
    app = await serveSlow(slowApp(host, world.auth, ACCESS))
    for (const path of PATHS) expect((await app.hold(path, {}).answer).status).toBe(401)
  })

  it('is 408 where it does not come in time, on a public route too, and its connection ends', async () => {
    const world = await slowWorld()
    const { headers } = await world.world.person('ada', { [world.orgId]: 'owner' })
    app = await serveSlow(slowApp(host, world.auth, ACCESS, { bodyTimeoutSeconds: 0.02 }))
    for (const path of [...PATHS, '/public']) {
      const held = app.hold(path, headers)
      const answer = await held.answer
      expect([path, answer.status]).toEqual([path, 408])
      expect(answer.body).toBe(
        '{"error":{"code":"request_timeout","message":"The request body did not arrive in time."}}',
      )
      if (host !== 'hono over fetch') expect(answer.headers.get('connection')).toBe('close')
      await held.ended
    }
  })
})
