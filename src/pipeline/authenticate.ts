/**
 * The pipeline: one request through the steps, one `await` after another, up to where its route's Access says. What a step
 * refuses is thrown as `AuthError`; any other throw is ours or the host's and passes through untouched.
 */
import type {
  ActingOrg,
  ApiKey,
  ApiKeyContext,
  AuthContext,
  Caller,
  Credential,
  Identity,
  IdentityContext,
  KnownRoles,
  OrgSelection,
  ServiceContext,
  UserContext,
  UserOrgContext,
  Verified,
} from '../context.ts'
import { AuthError } from '../errors.ts'
import { effectiveOf, type Holdings, requirePermissions } from '../permissions/permission-check.ts'
import { requireAtLeast, requireKnown } from '../permissions/roles.ts'
import type { AuthRequest } from '../request.ts'
import { accepts, type Rule } from './access.ts'
import type { Steps } from './auth-options.ts'
import type { Recorder } from './decision-record.ts'
import { type Acted, type KeptUser, toActed, toKeptUser, toVerified } from './own-copies.ts'
import { NAMES_ANOTHER, type RequestState, selectTogether, UNNAMED } from './request-state.ts'

/** One request: what is asked, by which rule, and where its work is kept. */
export interface Attempt {
  readonly request: AuthRequest
  readonly rule: Rule
  readonly state: RequestState
  readonly record: Recorder
}

/** Take a request through the pipeline: the context for the handler, or `null` for an optional route without a credential. */
export async function authenticate(steps: Steps, attempt: Attempt): Promise<AuthContext | null> {
  const credential = requireCredential(steps, attempt)
  if (credential === null) return null
  const verified = await verify(steps, attempt, credential)
  requireAccepted(attempt, verified)
  if (verified.kind === 'service') return serviceContext(steps, attempt, verified.name)
  if (verified.kind === 'user' && attempt.rule.needs === 'identity') return identityContext(steps, attempt, verified)
  const selection = readSelection(steps, attempt)
  if (verified.kind === 'apiKey') {
    const bound = verified.key.permissions
    return apiKeyContext(verified.key, await actingOrg(steps, attempt, { caller: verified, bound, selection }))
  }
  const { identity } = verified
  const resolvedUser = await resolveUser(steps, attempt, identity, selection)
  if (attempt.rule.needs === 'user') return userContext(steps, attempt, identity, resolvedUser)
  const caller: Caller = { kind: 'user', user: resolvedUser.asResolved() }
  const question = { caller, bound: boundOf(identity), selection, resolvedUser }
  return userOrgContext(identity, resolvedUser, await actingOrg(steps, attempt, question))
}

function requireCredential({ extractor }: Steps, { request, rule, state, record }: Attempt): Credential | null {
  state.credential ??= extractor.extract(request)
  record.credential(state.credential)
  if (state.credential === null && !rule.optional) {
    throw new AuthError('unauthorized', {
      reason: 'credential_missing',
      absent: true,
      ...extractor.describeMissing(request),
    })
  }
  return state.credential
}

function verify(steps: Steps, { state, record }: Attempt, credential: Credential): Promise<Verified> {
  state.verified ??= record.timed('verify', async () => toVerified(await verifyByKind(steps, credential)))
  return state.verified
}

// Which verifier runs is the credential's kind; none is ever tried after another one.
async function verifyByKind({ verifier: verify, apiKeys, services }: Steps, credential: Credential): Promise<Verified> {
  if (credential.kind === 'bearer') return { kind: 'user', identity: await verify.verify(credential.token) }
  if (credential.kind === 'apiKey' && apiKeys !== null) {
    return { kind: 'apiKey', key: await apiKeys.verify(credential.token) }
  }
  if (credential.kind === 'service' && services !== null) {
    return { kind: 'service', name: await services.verify(credential.header, credential.secret) }
  }
  throw new Error(`sallyport: no verifier for a credential of kind ${credential.kind}`)
}

function requireAccepted({ rule, record }: Attempt, verified: Verified): void {
  if (verified.kind === 'service') record.principal('service', verified.name)
  if (verified.kind === 'apiKey') record.principal('apiKey', verified.key.id)
  // Nobody stands behind it: no user is looked up, and none is made.
  if (verified.kind === 'user' && verified.identity.kind === 'machine') {
    throw new AuthError('forbidden', { reason: 'token_of_a_machine' })
  }
  if (!accepts(rule, verified)) {
    const expected = [...rule.accept].join(', ')
    const got = verified.kind === 'service' ? `service:${verified.name}` : verified.kind
    throw new AuthError(rule.probe ? 'unauthorized' : 'forbidden', {
      reason: 'caller_kind_not_accepted',
      expected,
      got,
    })
  }
}

function readSelection({ orgs }: Steps, { request, rule, state, record }: Attempt): OrgSelection {
  if (rule.needs !== 'org') return UNNAMED
  const selection = selectTogether(state, orgs.readSelection(request, rule.selectors))
  record.selection(selection)
  return selection
}

// The user resolver is entered once per request; a later mount may have another selection, the user is the same.
async function resolveUser(
  { users, knownRoles }: Steps,
  attempt: Attempt,
  identity: Identity,
  selection: OrgSelection,
): Promise<KeptUser> {
  const { state, record } = attempt
  const enter = async (): Promise<KeptUser> =>
    toKeptUser(await users(identity, selection, knownRoles, tokenOf(state.credential)))
  state.resolvedUser ??= { selection, result: record.timed('users', enter) }
  const resolvedUser = await state.resolvedUser.result
  record.principal('user', resolvedUser.userId)
  return resolvedUser
}

/** The token of a credential that holds one, for a step that asks its issuer for more. */
export function tokenOf(credential: Credential | null | undefined): string | undefined {
  return credential?.kind === 'bearer' ? credential.token : undefined
}

interface OrgQuestion {
  readonly caller: Caller
  /** What the caller's credential carries; `null`: no bound. */
  readonly bound: Holdings['bound']
  readonly selection: OrgSelection
  /** The user who calls, whose look-up may have found the membership. */
  readonly resolvedUser?: KeptUser | undefined
}

/** Where the caller acts, and what it may do there. */
interface Acting extends Acted {
  readonly permissions: readonly string[]
}

async function actingOrg(steps: Steps, attempt: Attempt, question: OrgQuestion): Promise<Acting> {
  const { state, record } = attempt
  const { caller, bound, selection, resolvedUser } = question
  if (selection === NAMES_ANOTHER) {
    throw new AuthError('org_selector_conflict', { reason: 'mounts_name_different_orgs' })
  }
  const key = keyOf(selection)
  const known =
    state.resolvedUser !== undefined && key === keyOf(state.resolvedUser.selection)
      ? resolvedUser?.membership
      : undefined
  const resolve = async (): Promise<Acted> => {
    const acting = await steps.orgs.resolve(caller, selection, known)
    return toActed(acting, await grantedIn(steps, acting))
  }
  const resolving = state.acting.get(key) ?? record.timed('orgs', resolve)
  state.acting.set(key, resolving)
  const acting = await resolving
  record.acting(acting.orgId, acting.role)
  requireRules(steps, attempt, acting, question)
  // A later mount may name what serves already.
  if (acting.orgId !== null) state.acting.set(keyOf({ kind: 'named', orgId: acting.orgId }), resolving)
  Object.assign(state, { servingOrgId: acting.orgId, acted: acting })
  return { ...acting, permissions: effectiveOf({ granted: acting.granted ?? NONE, bound }) }
}

// What the role allows where the caller acts; without an organization, nothing.
function grantedIn({ knownRoles }: Steps, { org, role }: ActingOrg): ReturnType<KnownRoles['find']> {
  if (org === null) return NONE
  return role === null ? null : knownRoles.find(org.id, role)
}

const NONE: readonly never[] = Object.freeze([])

function keyOf(selection: OrgSelection): string {
  return selection.kind === 'named' ? `named ${selection.orgId}` : selection.kind
}

// The rules of earlier mounts hold for this org too: a second mount never weakens a first one.
function requireRules(
  { roles }: Steps,
  { rule, state }: Attempt,
  { role, granted }: Acted,
  { caller, bound }: OrgQuestion,
): void {
  if (granted === null) requireKnown(roles, role)
  const earlier = state.passed.map((mount) => mount.rule).filter(({ needs }) => needs === 'org')
  for (const { role: minimum, permissions } of [...earlier, rule]) {
    if (minimum !== null) requireAtLeast(roles, role, minimum)
    requirePermissions({ granted: granted ?? NONE, bound, token: caller.kind !== 'apiKey' }, permissions)
  }
}

// What the credential of a verified identity carries.
function boundOf({ scopes }: Identity): Holdings['bound'] {
  return scopes ?? null
}

// Where no role says what a person may do, the token alone does, of what there is to be allowed.
function holdingsOf({ permissions }: Steps, identity: Identity): Holdings {
  const bound = boundOf(identity)
  const known = permissions === null ? bound : permissions.filter((permission) => bound?.includes(permission))
  return { granted: null, bound: known, token: true }
}

function identityContext(
  steps: Steps,
  { rule }: Attempt,
  { identity }: { readonly identity: Identity },
): IdentityContext {
  const holdings = holdingsOf(steps, identity)
  requirePermissions(holdings, rule.permissions)
  return Object.freeze({ kind: 'user', identity, permissions: effectiveOf(holdings) })
}

function userContext(steps: Steps, { rule }: Attempt, identity: Identity, { user, role }: KeptUser): UserContext {
  const own = role === undefined ? null : requireKnown(steps.roles, role)
  if (rule.role !== null) requireAtLeast(steps.roles, own, rule.role)
  const granted = own === null ? null : steps.roles.permissionsOf(own)
  const holdings = granted === null ? holdingsOf(steps, identity) : { granted, bound: boundOf(identity), token: true }
  requirePermissions(holdings, rule.permissions)
  return Object.freeze({ kind: 'user', identity, user, role: own, permissions: effectiveOf(holdings) })
}

function userOrgContext(identity: Identity, { user }: KeptUser, { org, role, permissions }: Acting): UserOrgContext {
  return Object.freeze({ kind: 'user', identity, user, org, role: role as string, permissions })
}

function apiKeyContext(key: ApiKey, { org, role, permissions }: Acting): ApiKeyContext {
  if (org === null) throw new Error('sallyport: the org resolver gave an API key no organization')
  return Object.freeze({ kind: 'apiKey', key, org, role: role as string, permissions })
}

// What the request names is judged when the service says where it acts; later mounts must know it all the same.
function serviceContext(steps: Steps, { request, rule, state }: Attempt, name: string): ServiceContext {
  const granted = steps.servicePermissions.get(name) ?? NONE
  requirePermissions({ granted, bound: null, token: false }, rule.permissions)
  if (rule.needs === 'org') selectTogether(state, steps.orgs.readSelection(request, rule.selectors))
  return Object.freeze({ kind: 'service', service: name, permissions: granted })
}
