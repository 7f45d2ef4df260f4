/**
 * What must not compile: `npm run typecheck` fails if one of these mistakes is accepted (an unused `@ts-expect-error` is
 * an error). Nothing here runs.
 */
import type { IncomingMessage } from 'node:http'
import type { Server, Socket } from 'node:net'
import express from 'express'
import {
  type Access,
  type Auth,
  type AuthTypes,
  type ContextOf,
  createAuth,
  createJwtVerifier,
  createOrgResolver,
  createProvisioner,
  createServiceVerifier,
  header,
  type Identity,
  type Organization,
  type OrgResolver,
  oidc,
  type ResolvedUser,
  supabase,
  type User,
} from 'sallyport'
import { fromNodeRequest } from 'sallyport/adapter'
import { createAdapter as forExpress } from 'sallyport/express'
import { createMemoryStorage } from 'sallyport/memory'
import { type ActingOrgSource, isConflictError, type StoredOrganization, type StoredUser } from 'sallyport/storage'
import { testApiKeyContext, testContext, testMachineContext, testServiceContext } from 'sallyport/testing'
import { expectTypeOf } from 'vitest'

const storage = createMemoryStorage()
const issuers = [supabase({ url: 'https://project.example' })]
const selectors = [header('X-Org-Id')]
const steps = {
  verifier: createJwtVerifier({ issuers, claims: ['aal'] }),
  services: createServiceVerifier({ services: { platform: { header: 'X-Platform-Key', secrets: null } } }),
  users: createProvisioner({ storage }),
  orgs: createOrgResolver({ memberships: storage.memberships, selectors, whenUnnamed: 'earliest-joined' }),
}
const auth = createAuth({ roles: ['member', 'admin'], ...steps })

export function mistakesInTheSetUp(): void {
  // @ts-expect-error the audience is forgotten; switching the check off is written `null`
  oidc({ issuer: 'https://issuer.example' })
  // @ts-expect-error the audience of an issuer written out is forgotten
  createJwtVerifier({ issuers: [{ issuer: null, keys: [] }] })
  // @ts-expect-error an audience is a string, never a pattern
  supabase({ url: 'https://project.example', audience: /authenticated/ })
  // @ts-expect-error what a token must name is said of its issuer
  createJwtVerifier({ issuers, audience: 'authenticated' })
  // @ts-expect-error a misspelt option
  createJwtVerifier({ issuers, clockTolerance: 5 })
  // @ts-expect-error nobody is trusted
  createJwtVerifier({})
  // @ts-expect-error no word on a request that names no organization
  createOrgResolver({ memberships: storage.memberships, selectors })
  // @ts-expect-error no such word
  createOrgResolver({ memberships: storage.memberships, selectors, whenUnnamed: 'first' })
  // @ts-expect-error which invitations are good is said by createInvitations
  createProvisioner({ storage, invitations: {} })
  // @ts-expect-error no ladder
  createAuth(steps)
  // @ts-expect-error three secrets of one service at once
  createServiceVerifier({ services: { a: { header: 'X-A', secrets: ['a', 'b', 'c'] } } })
}

export function mistakesInAnAccess(): void {
  // @ts-expect-error a role that is not on the ladder
  auth.authorizer({ role: 'owner' })
  // @ts-expect-error a guard for one
  auth.requireRole('owner')
  // @ts-expect-error a misspelt rule would let everybody in
  auth.authorizer({ roles: ['admin'] })
  // @ts-expect-error no such kind of caller
  auth.authorizer({ accept: ['robot'] })
  auth.authorizer({ accept: ['user', 'service', 'service:platform', 'machine:any'] })
  // @ts-expect-error a misspelt service
  auth.authorizer({ accept: ['user', 'service:plattform'] })
  const known = (access: Access<'member' | 'admin', never>) => auth.authorizer(access)
  known({ accept: ['user', 'service'], role: 'admin' })
  // @ts-expect-error no service is said beside these roles
  known({ accept: ['service:platform'] })
  // @ts-expect-error there are no services
  createAuth({ issuers }).authorizer({ accept: ['service:platform'] })
  // @ts-expect-error no such value of needs
  auth.authorizer({ needs: 'organization' })
  // @ts-expect-error "public" is the whole Access, not a rule of one
  auth.authorizer({ public: true })
}

export async function mistakesInAHandler(): Promise<void> {
  const { context } = await auth.authorizer({})({} as never)
  expectTypeOf(context.role).toEqualTypeOf<'member' | 'admin'>()
  expectTypeOf(context.org.id).toEqualTypeOf<string>()
  expectTypeOf(context.identity.claims).toEqualTypeOf<Readonly<Record<'aal', unknown>>>()
  // @ts-expect-error what a handler gets is read-only
  context.role = 'admin'
  // @ts-expect-error a claim the host never named
  context.identity.claims.app_metadata

  const optional = (await auth.authorizer({ optional: true })({} as never)).context
  // @ts-expect-error nobody may be there
  optional.user

  const identity = (await auth.authorizer({ needs: 'identity' })({} as never)).context
  // @ts-expect-error the user resolver was not entered
  identity.user
  const user = (await auth.authorizer({ needs: 'user' })({} as never)).context
  // @ts-expect-error the org resolver was not entered
  user.org

  const service = (await auth.authorizer({ accept: ['service:platform'] })({} as never)).context
  expectTypeOf(service.service).toEqualTypeOf<'platform'>()
  // @ts-expect-error a service is nobody: no user
  service.user
  // @ts-expect-error and no organization before actIn
  service.org

  const anybody = (await auth.authorizer({ accept: ['user', 'apiKey'] })({} as never)).context
  // @ts-expect-error an API key has no user: narrow by `kind` first
  anybody.user
  if (anybody.kind === 'user') expectTypeOf(anybody.user.id).toEqualTypeOf<string>()

  const nobody = (await auth.authorizer('public')({} as never)).context
  expectTypeOf(nobody).toEqualTypeOf<null>()
}

export async function mistakesWithoutAnOrganization(): Promise<void> {
  const orgs = createOrgResolver({ memberships: storage.memberships, selectors, whenUnnamed: 'none' })
  const { context } = await createAuth({ roles: ['member'], ...steps, orgs }).authorizer({})({} as never)
  // @ts-expect-error the resolver may serve without an organization
  context.org.id
  expectTypeOf(context.role).toEqualTypeOf<'member' | null>()
}

/** Handlers get the rows of the steps that are given; the storage's where one is left out. */
export async function rowsOfTheSteps(): Promise<void> {
  const users = async (identity: Identity): Promise<ResolvedUser<StoredUser & { readonly plan: string }>> => {
    const { user } = await steps.users(identity, { kind: 'unnamed' })
    return { user: { ...user, plan: 'pro' } }
  }
  const given = { issuers, roles: ['member', 'admin'], storage } as const
  const enriched = await createAuth({ ...given, users }).authenticate({} as never)
  expectTypeOf(enriched.user.plan).toEqualTypeOf<string>()
  expectTypeOf(enriched.org).toEqualTypeOf<StoredOrganization>()
  const withOrgs = await createAuth({ ...given, users, orgs: steps.orgs }).authenticate({} as never)
  expectTypeOf(withOrgs.user.plan).toEqualTypeOf<string>()

  interface Tenant extends Organization {
    readonly region: string
  }
  const tenants: OrgResolver<User, Tenant> = {
    ...steps.orgs,
    resolve: async () => ({ org: { id: 't', region: 'eu' }, role: 'admin' }),
  }
  const inTenant = await createAuth({ ...given, orgs: tenants }).authenticate({} as never)
  expectTypeOf(inTenant.user).toEqualTypeOf<StoredUser>()
  expectTypeOf(inTenant.org).toEqualTypeOf<Tenant>()
  const both = await createAuth({ ...given, users, orgs: tenants }).authenticate({} as never)
  expectTypeOf(both.user.plan).toEqualTypeOf<string>()
  expectTypeOf(both.org.region).toEqualTypeOf<string>()
  const plain = await createAuth(given).authenticate({} as never)
  expectTypeOf(plain.user).toEqualTypeOf<StoredUser>()

  const ofOthers = createOrgResolver({
    memberships: {} as ActingOrgSource<User & { readonly tenant: string }>,
    selectors,
    whenUnnamed: 'none',
  })
  // @ts-expect-error the resolver asks what these users have not
  createAuth({ ...given, users, orgs: ofOthers })
}

/** Express: what a handler's own types say of its request is taken, and a middleware beside it takes nothing away. */
export function requestsOfExpress(): void {
  const { middleware, protect } = forExpress(auth)
  const app = express()
  app.get('/orgs/:orgId', middleware({ role: 'admin' }), (req, res) => {
    expectTypeOf(req.params.orgId).toEqualTypeOf<string>()
    res.end()
  })
  type Searching = express.Request<{ orgId: string }, unknown, { name: string }, { q: string }>
  app.get(
    '/orgs/:orgId',
    middleware(),
    protect({ role: 'admin' }, ({ org }, { params, query, body }: Searching, res) => {
      res.json([org.id, params.orgId, query.q, body.name])
    }),
  )
  app.get(
    '/orgs/:orgId',
    protect(({ org }, req: Searching, res: express.Response<string[]>) => {
      // @ts-expect-error what the answer's own type does not have
      res.json([1])
      res.json([org.id, req.query.q])
    }),
  )
  app.get(
    '/',
    protect((_, _req, res: express.Response<unknown, { nonce: string }>) => res.end(res.locals.nonce)),
  )
  app.get(
    '/',
    protect((_, req, res) => {
      expectTypeOf(req).toEqualTypeOf<express.Request>()
      expectTypeOf(res).toEqualTypeOf<express.Response>()
    }),
  )
  app.use('/api', middleware())
  express.Router().use(middleware({ optional: true }), middleware('public'))
  expectTypeOf(middleware()).toExtend<express.RequestHandler>()
  expectTypeOf(protect(() => undefined)).toEqualTypeOf<express.RequestHandler>()
}

/** What a database said of a conflict is read as the changelog says. */
export function constraintOfAConflict(error: unknown): string | undefined {
  return isConflictError(error) ? error.constraint : undefined
}

/** What takes any auth takes one with its types. */
export function anyAuth(): void {
  const probe = (_: Pick<Auth, 'readiness' | 'warmUp' | 'close'>): void => undefined
  const generic = <T extends AuthTypes>(_: Auth<T>): void => undefined
  for (const each of [auth, createAuth({ issuers })]) probe(each)
  generic(auth)
  generic(createAuth({ issuers }))
}

/** The testing kit's contexts are what helpers take that name the context of an auth as it is inferred. */
export function contextsOfTheTestingKit(): void {
  const orgs = createOrgResolver({ memberships: storage.memberships, selectors, whenUnnamed: 'none' })
  const loose = createAuth({ roles: ['member', 'admin'], ...steps, orgs })
  const inOrg = (_: ContextOf<typeof auth, { role: 'admin' }>): void => undefined
  inOrg(testContext({ role: 'admin' }))
  // @ts-expect-error a role that is not on the ladder
  inOrg(testContext({ role: 'owner' }))
  const perhaps = (_: ContextOf<typeof loose>): void => undefined
  perhaps(testContext())
  perhaps(testContext({ role: 'admin' }))
  perhaps(testContext({ org: null }))
  // @ts-expect-error a role that is not on the ladder
  perhaps(testContext({ role: 'owner' }))
  const known = (_: ContextOf<typeof auth, { needs: 'user' }>): void => undefined
  known(testContext())
  known(testContext({ needs: 'user' }))
  const any = (_: ContextOf<typeof auth, { accept: ['user', 'apiKey', 'machine', 'service:platform'] }>): void =>
    undefined
  any(testContext({ role: 'member' }))
  any(testApiKeyContext({ role: 'member' }))
  any(testMachineContext({ role: 'member' }))
  any(testServiceContext('platform'))
  any(testServiceContext('platform', { id: 'o1' }))
  // @ts-expect-error there is no such service
  any(testServiceContext('telephony'))
  const service = (_: ContextOf<typeof auth, { accept: ['service:platform'] }>): void => undefined
  service(testServiceContext('platform'))
  const acting = (_: Awaited<ReturnType<typeof auth.actIn>>): void => undefined
  acting(testServiceContext('platform', { id: 'o1', name: 'Acme', createdAt: new Date() }))
}

/** A message as Node's newest declarations have it (26): the server of a socket that none has accepted is `null`. */
interface NewerMessage extends Omit<IncomingMessage, 'socket'> {
  readonly socket: Omit<Socket, 'server'> & { readonly server: Server | null }
}

export function messagesOfNewerDeclarations(message: NewerMessage): void {
  fromNodeRequest(message)
}
