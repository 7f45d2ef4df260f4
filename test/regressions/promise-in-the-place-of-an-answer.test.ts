/**
 * A function of the host's that must answer at once was asynchronous: its promise was taken for the answer, so that a request acted
 * where it had not said, and what it rejected with nobody heard, which ends a process.
 */
import { describe, expect, it } from 'vitest'
import { createOrgResolver, createUserOrgResolver } from '../../src/orgs/org-resolver.ts'
import { createOrgScoped } from '../../src/orgs/org-scoped.ts'
import { header } from '../../src/orgs/selector.ts'
import type { MemoryStorage } from '../../src/storage/memory.ts'
import { createLoginWorld, GOOD } from '../login/login-world.ts'
import { contextOf, createPeopleWorld, createWorldOrganizations, NOBODY } from '../people/world.ts'
import { createWorld, SERVICE_SECRET } from '../pipeline/world.ts'

type Late = () => never

const resolverOf = (storage: MemoryStorage, more: object) =>
  createOrgResolver({
    memberships: storage.memberships,
    selectors: [header('X-Org-Id')],
    whenUnnamed: 'earliest-joined',
    ...more,
  })

async function enter(optionsOf: (storage: MemoryStorage) => object, access: 'public' | object = {}): Promise<unknown> {
  const world = createWorld({ auth: optionsOf })
  const [acme, other] = [await world.org('Acme'), await world.org('Other')]
  const { headers } = await world.person('ada', { [acme]: 'admin', [other]: 'viewer' })
  return world.authenticate({ headers: { ...headers, 'X-Org-Id': other } }, access)
}

const ASKED: Readonly<Record<string, (late: Late) => Promise<unknown>>> = {
  'option "idFormat"': (idFormat) => enter((storage) => ({ orgs: resolverOf(storage, { idFormat }) })),
  'createAuth: readSelection of option "orgs"': (readSelection) =>
    enter((storage) => ({ orgs: { ...resolverOf(storage, {}), readSelection } })),
  'createUserOrgResolver: option "orgIdOf"': (orgIdOf) =>
    enter(({ memberships }) => ({ orgs: createUserOrgResolver({ memberships, orgIdOf }) })),
  'createAuth: option "dev"': (dev) => enter(() => ({ dev })),
  'createOrgScoped: option "orgIdOf"': (orgIdOf) =>
    createOrgScoped({ find: async () => ({ id: 1 }) }, { orgIdOf })(contextOf(NOBODY, 'owner', NOBODY)).find(),
  'createLogin: option "clientAddress"': (clientAddress) =>
    createLoginWorld({ clientAddress, publicUrl: 'https://app.example.test' }).call('POST', '/auth/login', {
      body: { email: 'ada@example.test', password: GOOD },
    }),
  'createOrganizations: option "ids"': async (ids) => {
    const world = await createPeopleWorld()
    const context = contextOf(await world.person('ada'), 'owner', world.orgId)
    return createWorldOrganizations(world, { ids }).create(context, { name: 'New', id: 'new' })
  },
}

describe.each(Object.entries(ASKED))('%s', (option, ask) => {
  const message = `sallyport: ${option} must answer at once, not by a promise`

  it('says that it must not be a promise', async () => {
    const later = { kind: 'named', orgId: NOBODY }
    await expect(ask((async () => later) as unknown as Late)).rejects.toThrow(message)
  })

  it('ends no process by what it rejects with', async () => {
    await expect(ask((() => Promise.reject(new Error('away'))) as unknown as Late)).rejects.toThrow(message)
  })
})

it('nor does dev mode on a public route, which it guards as well', async () => {
  const dev = () => Promise.reject(new Error('away'))
  await expect(enter(() => ({ dev }) as object, 'public')).rejects.toThrow('option "dev" must answer at once')
})

it('nor does the id that a service names in its body', async () => {
  const idFormat = () => Promise.reject(new Error('away'))
  const world = createWorld({ auth: (storage) => ({ orgs: resolverOf(storage, { idFormat }) }) as object })
  const headers = { 'X-Telephony-Secret': SERVICE_SECRET }
  const context = await world.authenticate({ headers }, { accept: ['service:telephony'] })
  await expect(world.auth.actIn(context as never, NOBODY)).rejects.toThrow('option "idFormat" must answer at once')
})
