/** What a host's listener threw, or a promise of its rejected with, left no trace: an audit log that fails must be seen to fail. */
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { createApiKeys } from '../../src/api-keys/api-keys.ts'
import type { Decision } from '../../src/context.ts'
import { explain } from '../../src/explain/explain.ts'
import { notify } from '../../src/lib/standard-error.ts'
import { forwardedAddress } from '../../src/login/client-address.ts'
import { createTokenClient } from '../../src/machine/token-client.ts'
import { createInvitations } from '../../src/people/invitations.ts'
import { createOrganizations } from '../../src/people/organizations.ts'
import { createUserAdmin } from '../../src/people/user-admin.ts'
import { createMetrics } from '../../src/telemetry/metrics.ts'
import { createTokenIssuer } from '../../src/testing/token-issuer.ts'
import { createJwtVerifier } from '../../src/verify/jwt-verifier.ts'
import { createLoginWorld, GOOD } from '../login/login-world.ts'
import { until } from '../patience.ts'
import { contextOf, createPeopleWorld, NOBODY, ROLES } from '../people/world.ts'
import { fakeRequest } from '../pipeline/fake-request.ts'
import { createWorld } from '../pipeline/world.ts'

let lines: string[] = []
beforeEach(() => {
  lines = []
  vi.spyOn(console, 'error').mockImplementation((line) => void lines.push(String(line)))
})
afterEach(() => void vi.restoreAllMocks())

// Its message names what no line may: an address, a secret.
class AuditError extends Error {
  override readonly name = 'AuditError'
}
const fail = (): never => {
  throw new AuditError('password hunter2 at 10.1.2.3')
}

type Fail = () => never

/** By the option as it is printed: what makes it be called. */
const HOOKS: Readonly<Record<string, (hook: Fail) => unknown>> = {
  'createAuth: onDecision': (onDecision) => enter({ onDecision }),
  'createAuth: requestId': (requestId) => enter({ onDecision: () => 0, requestId }),
  'createJwtVerifier: onKeyEvent': async (onKeyEvent) => {
    const issuer = await createTokenIssuer()
    const keys = [{ kind: 'jwks', url: 'https://down.test/keys' }] as const
    const issuers = [{ issuer: issuer.issuer, keys, audience: issuer.audience }]
    const verifier = createJwtVerifier({ issuers, onKeyEvent, fetch: () => Promise.reject(new Error('down')) })
    await verifier.verify(await issuer.sign()).catch(() => 0)
  },
  'createLogin: onEvent': (onEvent) =>
    createLoginWorld({ onEvent }).call('POST', '/auth/login', {
      body: { email: 'nobody@example.test', password: GOOD },
    }),
  'forwardedAddress: onWarning': (onWarning) => forwardedAddress({ hops: 1, onWarning })(fakeRequest({})),
  'createTokenClient: onEvent': async (onEvent) => {
    const grant = { kind: 'supabase', url: 'https://down.test', apiKey: 'a', email: 'a@b.test', password: 'b' } as const
    const down = () => Promise.reject(new Error('down'))
    const client = createTokenClient({ grant, origins: [], onEvent, fetch: down })
    await client.token().catch(() => 0)
    client.close()
  },
  'createApiKeys: onEvent': async (onEvent) => {
    const { storage, orgId } = await createPeopleWorld()
    await createApiKeys({ storage: { apiKeys: storage.apiKeys }, ...KEYS, onEvent }).issue(
      contextOf(NOBODY, 'owner', orgId),
      { name: 'ci' },
    )
  },
  'createApiKeys: storage.apiKeys.touch': async (touch) => {
    const { storage, orgId } = await createPeopleWorld()
    const apiKeys = createApiKeys({ storage: { apiKeys: { ...storage.apiKeys, touch } }, ...KEYS })
    const { key } = await apiKeys.issue(contextOf(NOBODY, 'owner', orgId), { name: 'ci' })
    await apiKeys.verify(key)
  },
  'createMembers: onEvent': async (onEvent) => {
    const { members, as, person } = await createPeopleWorld({ members: { onEvent } })
    await members.add(as(await person('ada', 'owner'), 'owner'), { userId: await person('bob'), role: 'viewer' })
  },
  'createOrganizations: onEvent': async (onEvent) => {
    const { storage, as, person } = await createPeopleWorld()
    const organizations = createOrganizations({ storage, roles: ROLES, manage: { role: 'owner' }, onEvent })
    await organizations.rename(as(await person('ada', 'owner'), 'owner'), 'New')
  },
  'createInvitations: onEvent': async (onEvent) => {
    const { storage, as, person } = await createPeopleWorld()
    const invitations = createInvitations({ storage, roles: ROLES, manage: { role: 'owner' }, onEvent })
    await invitations.create(as(await person('ada', 'owner'), 'owner'), { email: 'bob@example.test', role: 'viewer' })
  },
  'createUserAdmin: onEvent': async (onEvent) => {
    const { storage, person } = await createPeopleWorld()
    await createUserAdmin({ storage, roles: ROLES, onEvent }).disable(await person('bob'))
  },
  'explain: write': (write) => enter({ onDecision: explain({ write }) }),
  'label plan': (plan) => createMetrics({ labels: { plan } }).record(DECISION),
}

const KEYS = { prefix: 'itk', roles: ROLES } as const

const DECISION = { outcome: 'allowed', code: null, reason: null, principal: null, timings: {} } as unknown as Decision

function enter(options: object): Promise<unknown> {
  return createWorld({ auth: () => options })
    .authenticate({})
    .catch(() => 0)
}

const thrownBy = (option: string): string => `sallyport: ${option} threw: AuditError`

it.each(Object.entries(HOOKS))('%s that throws is a line, and no more', async (option, provoke) => {
  await provoke(fail)
  await until(() => lines.includes(thrownBy(option)))
  expect(lines.filter((line) => line.startsWith('sallyport:') && line.includes('threw'))).toEqual([thrownBy(option)])
})

it('where `explain` writes to may fail later, too', async () => {
  await enter({ onDecision: explain({ write: () => Promise.reject(new RangeError('disk full')) }) })
  await until(() => lines.includes('sallyport: explain: write threw: RangeError'))
})

it('a promise of its that rejects, now or later, is the same', async () => {
  let later = (): void => undefined
  const rejecting = new Promise((_, reject) => {
    later = () => reject(new AuditError('hunter2'))
  })
  notify('createX: onEvent', () => rejecting, null)
  expect(lines).toEqual([])
  later()
  await until(() => lines.length > 0)
  expect(lines).toEqual([thrownBy('createX: onEvent')])
})

it.each<[string, unknown, string]>([
  ['a code', Object.assign(new Error('x'), { code: 'ECONNREFUSED' }), 'ECONNREFUSED'],
  ['a text', 'hunter2', 'no error'],
  ['nothing', undefined, 'no error'],
  ['what throws when it is looked at', new Proxy({}, { get: fail, has: fail }), 'no error'],
])('what is thrown is said in a word: %s', (what, thrown, word) => {
  const hook = () => {
    throw thrown
  }
  notify(what, hook, null)
  expect(lines).toEqual([`sallyport: ${what} threw: ${word}`])
})

it('a listener that fails at every request is one line a second', () => {
  for (let n = 0; n < 100; n++) notify('createY: onEvent', fail, null)
  notify('createZ: onEvent', fail, null)
  expect(lines).toEqual([thrownBy('createY: onEvent'), thrownBy('createZ: onEvent')])
})
