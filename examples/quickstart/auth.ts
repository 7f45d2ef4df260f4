/**
 * The quick start's whole auth: whom to trust, who is let in, which organization a call acts in, and three routes.
 * The same for Express, Koa and Hono.
 */
import {
  type Auth,
  createAuth,
  createJwtVerifier,
  createOrgResolver,
  createProvisioner,
  createSyncGate,
  createSyncRoute,
  createUserOrgResolver,
  type HostTypes,
  header,
  jsonResponse,
  type KeySource,
  type Route,
} from 'sallyport'
import type { StoredOrganization, StoredUser } from 'sallyport/storage'
import type { AppStorage } from '../store/store.ts'

/** The ladder, lowest first. */
export const ROLES = ['viewer', 'member', 'developer', 'admin', 'owner'] as const

/** What can be chosen. */
export interface QuickstartOptions {
  readonly issuer: string
  readonly audience: string
  /** Public keys: ES256, RS256, EdDSA. */
  readonly jwksUrl: string | undefined
  /** A shared secret: HS256. */
  readonly secret: string | undefined
  readonly keyAges: { readonly maxAgeSeconds?: number | undefined; readonly maxStaleSeconds?: number | undefined }
  readonly clockToleranceSeconds: number
  /** Make users on first sight, or ask for `POST /auth/sync` first. */
  readonly users: 'provision' | 'sync'
  /** The organization comes from `X-Org-Id`, else the earliest joined; or from the user's own row. */
  readonly org: 'header' | 'user'
  /** The role in an organization of one's own. */
  readonly role: (typeof ROLES)[number]
  readonly errorFormat: 'json' | 'problem'
}

/** An auth, and the routes it guards. */
export interface Quickstart {
  readonly auth: Auth<HostTypes<(typeof ROLES)[number], StoredUser, StoredOrganization, never, never>>
  readonly routes: readonly Route[]
}

/** Set everything up. Throws an `OptionsError` where an option is wrong. */
export function createQuickstart(options: QuickstartOptions, storage: AppStorage): Quickstart {
  const provision = createProvisioner({ storage, ownerRole: options.role })

  const auth = createAuth({
    roles: ROLES,
    verifier: createJwtVerifier({
      issuers: [{ issuer: options.issuer, keys: keysOf(options), audience: options.audience }],
      clockToleranceSeconds: options.clockToleranceSeconds,
    }),
    users: options.users === 'sync' ? createSyncGate({ users: storage.users }) : provision,
    orgs:
      options.org === 'user'
        ? createUserOrgResolver({ memberships: storage.memberships, orgIdOf: (user) => user.orgId })
        : createOrgResolver({
            memberships: storage.memberships,
            selectors: [header('X-Org-Id')],
            whenUnnamed: 'earliest-joined',
          }),
    errorFormat: options.errorFormat,
  })

  const { route } = auth
  const routes = [
    route({ method: 'GET', path: '/health', access: 'public', handle: () => jsonResponse(200, { status: 'ok' }) }),
    route({
      method: 'GET',
      path: '/protected',
      access: {},
      handle: ({ identity, user, org, role }) =>
        jsonResponse(200, { subject: identity.subject, user: { id: user.id }, org: { id: org.id }, role }),
    }),
    route({
      method: 'GET',
      path: '/admin',
      access: { role: 'admin' },
      handle: ({ user, org, role }) => jsonResponse(200, { user: { id: user.id }, org: { id: org.id }, role }),
    }),
    createSyncRoute({ provision, memberships: storage.memberships }),
  ]
  return { auth, routes }
}

function keysOf({ jwksUrl, secret, keyAges }: QuickstartOptions): KeySource[] {
  const keys: KeySource[] = []
  if (secret !== undefined) keys.push({ kind: 'secret', secret })
  if (jwksUrl !== undefined) keys.push({ kind: 'jwks', url: jwksUrl, ...keyAges })
  return keys
}
