/** A second mount of the same auth re-uses the work and enforces its own Access; another auth authenticates for itself. */
import { describe, expect, it } from 'vitest'
import type { Auth } from '../../src/auth.ts'
import type { Identity, OrgResolver } from '../../src/context.ts'
import { createOrgResolver } from '../../src/orgs/org-resolver.ts'
import type { Access, AuthRequest } from '../../src/request.ts'
import type { MemoryStorage } from '../../src/storage/memory.ts'
import { trusting } from '../support/world.ts'
import { type FakeRequestOptions, fakeRequest } from './fake-request.ts'
import { createWorld, issuer, NOWHERE, reasonOf, SERVICE_SECRET, type World, type WorldOptions } from './world.ts'

interface Mounted {
  readonly world: World
  readonly source: object
  /** The same request, as an adapter would hand it in. */
  request(): AuthRequest
  readonly orgs: readonly [string, string]
  /** Authorize the same request; `more` is laid over it. */
  enter(access: Access, more?: FakeRequestOptions, auth?: Auth): Promise<unknown>
}

/** Ada is a member of the first org and an admin of the second. */
async function mounted(options: WorldOptions = {}): Promise<Mounted> {
  const world = createWorld(options)
  const orgs = [await world.org('a'), await world.org('b')] as const
  const { headers } = await world.person('ada', { [orgs[0]]: 'member', [orgs[1]]: 'admin' })
  const source = {}
  return {
    world,
    source,
    request: () => fakeRequest({ headers, source, params: { org: orgs[1] } }),
    orgs,
    enter: async (access, more = {}, auth = world.auth) => {
      const request = fakeRequest({ headers, source, params: { org: orgs[1] }, ...more })
      return (await auth.authorizer(access as never)(request)).context
    },
  }
}

const BY_PATH = [{ kind: 'pathParam', name: 'org' }] as const

describe('a second mount', () => {
  it('does nothing twice for the same Access', async () => {
    const { world, enter } = await mounted()
    const first = await enter({})
    world.calls.length = 0
    expect(await enter({})).toEqual(first)
    expect(world.calls).toEqual([])
  })

  it('asks what the token carried, whatever a handler has written into its scopes', async () => {
    for (const seal of [Object.freeze, (identity: object) => identity]) {
      const verifier = {
        async verify(token: string) {
          return seal({ ...(await trusting(issuer).verify(token)), scopes: ['things:read'] }) as Identity
        },
      }
      const { enter } = await mounted({ auth: () => ({ verifier }) })
      const { identity } = (await enter({ permissions: ['things:read'] })) as {
        readonly identity: { scopes: string[] }
      }
      expect(() => identity.scopes.push('things:write')).toThrow(TypeError)
      expect(await reasonOf(enter({ permissions: ['things:write'] }))).toBe('scope_missing')
    }
  })

  it('verifies once', async () => {
    let verified = 0
    const { enter } = await mounted({
      auth: () => ({
        verifier: {
          verify: async () => {
            verified++
            return { kind: 'person', issuer: 'i', subject: 's', audience: [], email: null, scopes: null } as never
          },
        },
      }),
    })
    await enter({ needs: 'identity' })
    await enter({ needs: 'user' })
    await enter({})
    expect(verified).toBe(1)
  })

  it('enforces its own role', async () => {
    const { enter } = await mounted()
    await enter({})
    expect(await reasonOf(enter({ role: 'admin' }))).toBe('role_too_low')
    expect(await enter({ role: 'member' })).toMatchObject({ role: 'member' })
  })

  it('acts nowhere where the caller is less than an earlier one asked, which was let in without an organization', async () => {
    // Of a host’s own: whoever names none acts in none, as the owner of the installation.
    const orgsOf = (storage: MemoryStorage): OrgResolver => {
      const named = createOrgResolver({ memberships: storage.memberships, selectors: [], whenUnnamed: 'reject' })
      const everywhere = { org: null, role: 'owner' } as const
      return {
        ...named,
        resolve: async (caller, selection) =>
          selection.kind === 'unnamed' ? everywhere : named.resolve(caller as never, selection),
      }
    }
    const { enter } = await mounted({ auth: (storage) => ({ orgs: orgsOf(storage) as never }) })
    expect(await enter({ role: 'owner' })).toMatchObject({ org: null, role: 'owner' })
    expect(await reasonOf(enter({ selectors: BY_PATH }))).toBe('role_too_low')
    const another = await mounted({ auth: (storage) => ({ orgs: orgsOf(storage) as never }) })
    await another.enter({ role: 'admin' })
    expect(await another.enter({ selectors: BY_PATH })).toMatchObject({ org: { id: another.orgs[1] }, role: 'admin' })
  })

  it('acts in what an earlier one has named, and its role is judged there', async () => {
    const { enter, orgs } = await mounted()
    expect(await enter({ selectors: BY_PATH, role: 'admin' })).toMatchObject({ org: { id: orgs[1] } })
    expect(await enter({ role: 'admin' })).toMatchObject({ org: { id: orgs[1] }, role: 'admin' })
    const lower = await mounted()
    await lower.enter({ selectors: BY_PATH }, { params: { org: lower.orgs[0] } })
    expect(await reasonOf(lower.enter({ role: 'admin' }))).toBe('role_too_low')
  })

  it('names no other org than an earlier one has named or was served by', async () => {
    for (const first of [{}, { selectors: BY_PATH }] as const) {
      const { enter, orgs } = await mounted()
      await enter(first, { params: { org: orgs[0] } })
      expect(await reasonOf(enter({ selectors: BY_PATH }))).toBe('mounts_name_different_orgs')
      expect(await reasonOf(enter({ selectors: BY_PATH }, { params: { org: NOWHERE } }))).toBe(
        'mounts_name_different_orgs',
      )
      expect(await enter({ selectors: BY_PATH }, { params: { org: orgs[0] } })).toMatchObject({ org: { id: orgs[0] } })
    }
  })

  it('acts nowhere else than one beside it, whichever is served first', async () => {
    for (const [one, other] of [
      [{}, { selectors: BY_PATH }],
      [{ selectors: BY_PATH }, {}],
    ]) {
      const { enter, orgs } = await mounted()
      const settled = await Promise.allSettled([enter(one as Access), enter(other as Access)])
      const served = settled.flatMap((each) => (each.status === 'fulfilled' ? (each.value as { org: object }).org : []))
      expect(new Set(served.map((org) => (org as { id: string }).id)).size).toBe(1)
      expect([orgs[0], orgs[1]]).toContain((served[0] as { id: string }).id)
    }
  })

  it('stays in what an earlier one has named and was refused for', async () => {
    const { enter } = await mounted()
    expect(await reasonOf(enter({ selectors: BY_PATH }, { params: { org: NOWHERE } }))).toBe('not_a_member')
    expect(await reasonOf(enter({}))).toBe('not_a_member')
    const malformed = await mounted()
    expect(await reasonOf(malformed.enter({ selectors: BY_PATH }, { params: { org: '{}' } }))).toBe('org_id_malformed')
    expect(await reasonOf(malformed.enter({}))).toBe('org_id_malformed')
  })

  it('keeps the scopes of an earlier mount', async () => {
    const { world, orgs } = await mounted()
    const token = world.apiKey({ orgId: orgs[0], permissions: ['things:read'] })
    const key = { headers: { authorization: `Bearer ${token}` }, source: {} }
    const enter = (access: Access) => world.auth.authorizer(access as never)(fakeRequest(key))
    await enter({ accept: ['apiKey'], permissions: ['things:read'] })
    await enter({ accept: ['apiKey'] })
    expect(await reasonOf(enter({ accept: ['apiKey'], permissions: ['things:write'] }))).toBe('scope_missing')
    expect(await reasonOf(enter({}))).toBe('caller_kind_not_accepted')
  })

  it('refuses the kinds it does not accept', async () => {
    const { enter } = await mounted()
    await enter({ accept: ['user', 'service'] })
    expect(await reasonOf(enter({ accept: ['service'] }))).toBe('caller_kind_not_accepted')
  })

  it('needs a credential where the first one did not', async () => {
    const { enter } = await mounted()
    expect(await enter({ optional: true }, { headers: {} })).toBeNull()
    expect(await reasonOf(enter({}, { headers: {} }))).toBe('credential_missing')
  })

  it('is refused as the first was, without asking again', async () => {
    const { world, enter } = await mounted()
    const headers = { authorization: `Bearer ${await world.sign({ exp: 1 })}` }
    expect(await reasonOf(enter({}, { headers }))).toBe('token_expiry_passed')
    expect(await reasonOf(enter({ optional: true }, { headers }))).toBe('token_expiry_passed')
  })

  it('asks nothing again where it names the org that serves', async () => {
    const { world, enter, orgs } = await mounted()
    await enter({})
    world.calls.length = 0
    expect(await enter({ selectors: BY_PATH }, { params: { org: orgs[0] } })).toMatchObject({ role: 'member' })
    expect(world.calls).toEqual([])
  })

  it('goes on from a user without an org to the org', async () => {
    const { world, enter, orgs } = await mounted()
    expect(await enter({ needs: 'user' })).not.toHaveProperty('org')
    world.calls.length = 0
    expect(await enter({})).toMatchObject({ org: { id: orgs[0] } })
    expect(world.calls).toEqual([])
  })

  it('echoes no id that a header can’t carry (H7)', async () => {
    const { world } = await mounted({
      auth: () => ({
        orgs: {
          readSelection: () => ({ kind: 'unnamed' }),
          resolve: async () => ({ org: { id: 'a\r\nSet-Cookie: x=1' }, role: 'member' }),
          toOrgId: () => null,
          responseHeader: 'X-Org-Id',
        } as never,
      }),
    })
    const { headers } = await world.person('eve')
    expect((await world.auth.authorizer({})(fakeRequest({ headers }))).responseHeaders()).toEqual([
      ['Vary', 'Authorization, Cookie'],
    ])
  })
})

describe('two auths on one request', () => {
  it('share nothing: each authenticates for itself, each has its own context', async () => {
    const one = await mounted()
    const two = createWorld()
    const orgId = await two.org('of the other')
    await two.person('ada', { [orgId]: 'viewer' })
    const first = await one.enter({})
    const second = await one.enter({}, {}, two.auth)
    expect(first).toMatchObject({ org: { id: one.orgs[0] }, role: 'member' })
    expect(second).toMatchObject({ org: { id: orgId }, role: 'viewer' })
    expect(second).not.toBe(first)
  })

  it('do not lend each other a context', async () => {
    const { enter, source } = await mounted()
    await enter({})
    expect(() => createWorld().auth.authorizer({}).contextOf(source)).toThrow('found no context')
  })

  it('do not act as each other’s services', async () => {
    const [one, two] = [createWorld(), createWorld()]
    const orgId = await two.org('acme')
    const headers = { 'x-telephony-secret': SERVICE_SECRET }
    const context = await one.authenticate({ headers }, { accept: ['service'] })
    expect(await reasonOf(two.auth.actIn(context as never, orgId))).toBe('act_in_no_service')
  })
})

describe('the context of a mount', () => {
  it('is the one that this mount has made, whatever came after it', async () => {
    const { world, request } = await mounted()
    const [user, org] = [world.auth.authorizer({ needs: 'user' }), world.auth.authorizer({ role: 'member' })]
    const [first, second] = [(await user(request())).context, (await org(request())).context]
    expect(user.contextOf(request().source)).toBe(first)
    expect(org.contextOf(request().source)).toBe(second)
    expect(first).not.toHaveProperty('org')
  })

  it('is the helpful sentence where this mount was not entered, or refused', async () => {
    const { world, enter, request } = await mounted()
    const owner = world.auth.authorizer({ role: 'owner' })
    expect(() => owner.contextOf({})).toThrow('its own middleware must have let this very request in')
    await enter({})
    await reasonOf(owner(request()))
    expect(() => owner.contextOf(request().source)).toThrow('found no context')
  })

  it.each([undefined, null, 'text', 1, Symbol('x')])('is the helpful sentence for what is no request: %s', (source) => {
    expect(() =>
      createWorld()
        .auth.authorizer({})
        .contextOf(source as never),
    ).toThrow('found no context')
  })

  it('is nobody where nobody came, and on a public route', async () => {
    const { world, request } = await mounted()
    const [optional, open] = [world.auth.authorizer({ optional: true }), world.auth.authorizer('public')]
    const anonymous = { ...request(), lines: () => [] }
    await optional(anonymous)
    await open(anonymous)
    expect([optional.contextOf(anonymous.source), open.contextOf(anonymous.source)]).toEqual([null, null])
  })

  it('trusts no foreign property', () => {
    const authorize = createWorld().auth.authorizer({})
    const foreign = { kind: 'user', user: { id: 'x' }, org: { id: 'y' }, role: 'owner' }
    for (const source of [{ auth: foreign }, { user: foreign }, { context: foreign }, foreign]) {
      expect(() => authorize.contextOf(source)).toThrow('found no context')
    }
  })
})
