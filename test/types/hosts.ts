/** The hosts that the type cases are written against: imported by the compiled cases, never run. */
import {
  type Auth,
  createAuth,
  createJwtVerifier,
  createOrgResolver,
  createProvisioner,
  createRoles,
  createServiceVerifier,
  header,
  type Organization,
  type OrgResolver,
  type User,
  type UserResolver,
  type Verifier,
} from 'sallyport'
import { createMemoryStorage, type MemoryStorage } from 'sallyport/memory'
import type { StoredOrganization, StoredUser } from 'sallyport/storage'

type HostRole = 'viewer' | 'member' | 'admin'
type HostPermission = 'contacts:read' | 'contacts:write' | 'calls:write'

/** What a host's auth is typed as. */
interface HostTypes<O extends Organization | null> {
  readonly user: StoredUser
  readonly org: O
  readonly role: HostRole
  readonly permission: HostPermission
  readonly claim: 'aal' | 'name'
  readonly service: 'telephony' | 'billing'
  readonly actingRole: null extends O ? HostRole | null : HostRole
}

export const storage: MemoryStorage = createMemoryStorage()
export const issuers: readonly { issuer: string; keys: []; audience: null }[] = []

const given = {
  roles: createRoles(['viewer', 'member', 'admin'], { 'contacts:read': 'viewer', 'contacts:write': 'member' }),
  verifier: createJwtVerifier({ issuers, claims: ['aal', 'name'] }),
  services: createServiceVerifier({
    services: {
      telephony: { header: 'X-T', secrets: null, permissions: ['calls:write'] },
      billing: { header: 'X-B', secrets: null },
    },
  }),
  users: createProvisioner({ storage, ownerRole: 'admin' }),
} as const

const source = storage.memberships
const selectors = [header('X-Org-Id')]
const orgs: OrgResolver<StoredUser, StoredOrganization> = createOrgResolver({
  ...{ memberships: source, selectors, whenUnnamed: 'earliest-joined' as const },
})

interface GivenSteps {
  readonly verifier: Verifier<'aal' | 'name'>
  readonly users: UserResolver<StoredUser>
  readonly orgs: OrgResolver<StoredUser, StoredOrganization>
}

/** For cases whose roles are others. */
export const steps: GivenSteps = { verifier: given.verifier, users: given.users, orgs }

/** The declared types are the inferred ones: an assignment that fails here is a case that fails. */
export const auth: Auth<HostTypes<StoredOrganization>> = createAuth({ ...given, orgs })

export const loose: Auth<HostTypes<StoredOrganization | null>> = createAuth({
  ...given,
  orgs: createOrgResolver({ memberships: source, selectors, whenUnnamed: 'none' }),
})

/** Tells the exact type: `same<A>()(b)` compiles only where `b` is an `A` and an `A` is what `b` is. */
export function same<A>(): <B>(value: B) => [A] extends [B] ? ([B] extends [A] ? true : never) : never {
  return () => true as never
}

export type { User }
