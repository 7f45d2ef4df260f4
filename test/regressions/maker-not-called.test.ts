/** `users: createSyncGate` was taken for a step, and every request answered 500: what makes an option's value is no value of it. */
import { describe, expect, it } from 'vitest'
import { createApiKeys } from '../../src/api-keys/index.ts'
import {
  createAuth,
  createJwtVerifier,
  createMetrics,
  createOrgResolver,
  createProvisioner,
  createRoles,
  createServiceVerifier,
  createSyncGate,
  createSyncRoute,
  createUserOrgResolver,
  explain,
  header,
  OptionsError,
  supabase,
} from '../../src/index.ts'
import { createLogin, createPasswordHasher, forwardedAddress } from '../../src/login/index.ts'
import { createInvitationRoutes, createInvitations } from '../../src/people/index.ts'
import { createMemoryStorage } from '../../src/storage/memory.ts'
import { createTelemetry } from '../../src/telemetry/index.ts'

const storage = createMemoryStorage()
const { memberships } = storage
const roles = ['member', 'owner'] as const
const issuers = [{ issuer: 'https://issuer.test', audience: 'a', keys: [], people: 'own' }]

const auth = (more: object) => createAuth({ issuers, storage, roles, ...more } as never)
const login = (more: object) =>
  createLogin({ storage: storage.accounts, secret: new Uint8Array(32), service: 'a', roles, ...more } as never)
const invitations = createInvitations({ storage, roles, manage: { role: 'owner' } })

const MARKED: readonly (readonly [option: string, make: unknown, call: string, using: (given: never) => unknown])[] = [
  ['users', createSyncGate, 'createSyncGate({ users })', (users) => auth({ users })],
  ['users', createProvisioner, 'createProvisioner({ storage, ownerRole })', (users) => auth({ users })],
  ['onDecision', explain, 'explain()', (onDecision) => auth({ onDecision })],
  ['onDecision', createTelemetry, 'createTelemetry()', (onDecision) => auth({ onDecision })],
  ['onDecision', createMetrics, 'createMetrics().record', (onDecision) => auth({ onDecision })],
  ['clientAddress', forwardedAddress, 'forwardedAddress({ hops })', (clientAddress) => login({ clientAddress })],
  [
    'provision',
    createProvisioner,
    'createProvisioner({ storage, ownerRole })',
    (provision) => createSyncRoute({ provision, memberships }),
  ],
  [
    'provision',
    createProvisioner,
    'createProvisioner({ storage, ownerRole })',
    (provision) => createInvitationRoutes(invitations, { provision }),
  ],
]

const OTHERS: readonly (readonly [option: string, using: () => unknown])[] = [
  ['verifier', () => auth({ issuers: undefined, verifier: createJwtVerifier })],
  ['issuers.0', () => auth({ issuers: [supabase] })],
  ['orgs', () => auth({ orgs: createOrgResolver })],
  ['orgs', () => auth({ orgs: createUserOrgResolver })],
  ['storage', () => auth({ storage: createMemoryStorage })],
  ['apiKeys', () => auth({ apiKeys: createApiKeys })],
  ['services', () => auth({ services: createServiceVerifier })],
  ['roles', () => auth({ roles: createRoles })],
  ['passwords', () => login({ passwords: createPasswordHasher })],
  ['storage', () => createProvisioner({ storage: createMemoryStorage } as never)],
  ['users', () => createSyncGate({ users: createMemoryStorage } as never)],
  ['memberships', () => createOrgResolver({ memberships: createMemoryStorage } as never)],
  ['selectors.0.kind', () => createOrgResolver({ memberships, selectors: [header], whenUnnamed: 'reject' } as never)],
]

function thrownBy(work: () => unknown): OptionsError {
  try {
    work()
  } catch (error) {
    if (error instanceof OptionsError) return error
    throw error
  }
  throw new Error('nothing was thrown')
}

describe('handed over uncalled', () => {
  it.each(MARKED)('as %s it is told how it is called', (option, make, call, using) => {
    const { problems } = thrownBy(() => using(make as never))
    expect(problems).toContainEqual({ option, message: `must be called: ${call}` })
  })

  it('a stand-in that has whatever it is asked for is none of them', () => {
    const standIn = new Proxy(() => undefined, { get: () => () => undefined })
    expect(() => explain({ write: standIn })).not.toThrow()
  })

  it.each(OTHERS)('as %s it is refused at construction', (option, using) => {
    expect(thrownBy(using).problems.map((problem) => problem.option)).toContain(option)
  })
})
