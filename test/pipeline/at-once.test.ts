/** Steps of ours that answer at once are taken at their word; what a host puts in their place is asked all the same. */
import { expect, it, vi } from 'vitest'
import type { Verifier } from '../../src/context.ts'
import { AuthError } from '../../src/errors.ts'
import { createOrgResolver } from '../../src/orgs/org-resolver.ts'
import { header } from '../../src/orgs/selector.ts'
import type { MemoryStorage } from '../../src/storage/memory.ts'
import { createProvisioner } from '../../src/users/provisioner.ts'
import { createJwtVerifier } from '../../src/verify/jwt-verifier.ts'
import { trusting } from '../support/world.ts'
import { fakeRequest } from './fake-request.ts'
import { createWorld, issuer, reasonOf } from './world.ts'

const refusal = new AuthError('forbidden', { reason: 'identity_check_refused' })

const resolverOf = ({ memberships }: MemoryStorage) =>
  createOrgResolver({ memberships, selectors: [header('X-Org-Id')], whenUnnamed: 'earliest-joined' })

type Around = <F extends (...given: never[]) => unknown>(step: F) => F

const AROUND: Readonly<Record<string, Around>> = {
  'an async function': (step) => (async (...given: never[]) => step(...given)) as typeof step,
  'a Proxy': (step) => new Proxy(step, { apply: (target, _, given) => Reflect.apply(target, undefined, given) }),
  'a thenable': (step) =>
    ((...given: never[]) => ({
      // biome-ignore lint/suspicious/noThenProperty: a promise of somebody else's
      then: (...on: []) => (step(...given) as Promise<unknown>).then(...on),
    })) as typeof step,
}

it.each(Object.keys(AROUND))('a host’s step around each of ours, %s, is asked and believed', async (kind) => {
  const asked = vi.fn()
  const around = <F extends (...given: never[]) => unknown>(name: string, step: F): F => {
    const wrapped = (AROUND[kind] as Around)(step)
    return ((...given: never[]) => {
      asked(name)
      return wrapped(...given)
    }) as F
  }
  const world = createWorld({
    auth: (storage) => {
      const verifier = trusting(issuer)
      const orgs = resolverOf(storage)
      return {
        verifier: { ...verifier, verify: around('verify', verifier.verify) },
        users: around('users', createProvisioner({ storage })),
        orgs: { ...orgs, resolve: around('resolve', orgs.resolve) },
      } as never
    },
  })
  const { headers } = await world.person('ada', { [await world.org('acme')]: 'owner' })
  for (let each = 0; each < 2; each++) {
    asked.mockClear()
    expect(await world.authenticate({ headers })).toMatchObject({ kind: 'user', role: 'owner' })
    expect(asked.mock.calls.flat()).toEqual(['verify', 'users', 'resolve'])
  }
})

it('a verifier that refuses what it verified before is believed', async () => {
  const verifier: Verifier = trusting(issuer)
  let isRefused = false
  const verify = async (token: string) => {
    const identity = await verifier.verify(token)
    if (isRefused) throw refusal
    return identity
  }
  const world = createWorld({ auth: () => ({ verifier: { ...verifier, verify } }) as never })
  const { headers } = await world.person('ada', { [await world.org('acme')]: 'owner' })
  expect(await world.authenticate({ headers })).toMatchObject({ kind: 'user' })
  isRefused = true
  expect(await reasonOf(world.authenticate({ headers }))).toBe('identity_check_refused')
})

it('a check of the host’s is asked on every request, of a token seen before too', async () => {
  const check = vi.fn(async () => true)
  const { issuer: name, audience, secret } = issuer
  const verifier = createJwtVerifier({
    issuers: [{ issuer: name, keys: [{ kind: 'secret', secret }], audience, check }],
  })
  const world = createWorld({ auth: () => ({ verifier }) as never })
  const { headers } = await world.person('ada', { [await world.org('acme')]: 'owner' })
  for (let each = 0; each < 3; each++) await world.authenticate({ headers })
  expect(check).toHaveBeenCalledTimes(3)
  check.mockResolvedValue(false)
  expect(await reasonOf(world.authenticate({ headers }))).toBe('identity_check_refused')
})

it('what a step throws at once is kept for later mounts, and rejects', async () => {
  const resolve = vi.fn(() => {
    throw refusal
  })
  const world = createWorld({ auth: (storage) => ({ orgs: { ...resolverOf(storage), resolve } }) as never })
  const { headers } = await world.person('ada', { [await world.org('acme')]: 'owner' })
  const request = fakeRequest({ headers, source: {} })
  const authorize = world.auth.authorizer({} as never)
  for (let mount = 0; mount < 2; mount++) expect(await reasonOf(authorize(request))).toBe('identity_check_refused')
  expect(resolve).toHaveBeenCalledOnce()
})
