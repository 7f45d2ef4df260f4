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
  Machine,
  MachineContext,
  MachineOrgContext,
  OrgSelection,
  ServiceContext,
  UserContext,
  UserOrgContext,
  Verified,
} from '../context.ts'
import { AuthError } from '../errors.ts'
import { effectiveOf, givenTo, type Holdings, requirePermissions } from '../permissions/permission-check.ts'
import { requireAtLeast, requireKnown } from '../permissions/roles.ts'
import type { AuthRequest } from '../request.ts'
import { accepts, type Rule } from './access.ts'
import type { Steps } from './auth-options.ts'
import type { Recorder } from './decision-record.ts'
import { findMachine, type KeptMachine, principalOf } from './machine.ts'
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
  if (verified.kind === 'machine') return machineContext(steps, attempt, verified.identity)
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
  const question = { caller, bound: identity.scopes, selection, resolvedUser }
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
  if (credential.kind === 'bearer') {
    const identity = await verify.verify(credential.token)
    return { kind: identity.kind === 'machine' ? 'machine' : 'user', identity }
  }
  if (credential.kind === 'apiKey' && apiKeys !== null) {
    return { kind: 'apiKey', key: await apiKeys.verify(credential.token) }
  }
  if (credential.kind === 'service' && services !== null) {
    return { kind: 'service', name: await services.verify(credential.header, credential.secret) }
  }
  throw new Error(`sallyport: no verifier for a credential of kind ${credential.kind}`)
}

function requireAccepted(attempt: Attempt, verified: Verified): void {
  const { rule, record } = attempt
  if (verified.kind === 'service') record.principal({ kind: 'service', id: verified.name })
  if (verified.kind === 'apiKey') record.principal({ kind: 'apiKey', id: verified.key.id })
  if ('identity' in verified) record.identity(verified.identity)
  if (accepts(rule, verified)) return
  // Nobody stands behind it: no user is looked up, and none is made.
  if (verified.kind === 'machine') throw new AuthError('forbidden', { reason: 'token_of_a_machine' })
  throw notAccepted(rule, verified.kind === 'service' ? `service:${verified.name}` : verified.kind)
}

function notAccepted({ accept, probe }: Rule, got: string): AuthError {
  const expected = [...accept].join(', ')
  return new AuthError(probe ? 'unauthorized' : 'forbidden', { reason: 'caller_kind_not_accepted', expected, got })
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
  const enter = async (): Promise<KeptUser> => {
    const resolved = await users(identity, selection, knownRoles, tokenOf(state.credential))
    if (resolved.provisioned !== undefined) record.provisioned(resolved.provisioned)
    return toKeptUser(resolved)
  }
  state.resolvedUser ??= { selection, result: record.timed('users', enter) }
  const resolvedUser = await state.resolvedUser.result
  record.principal({ kind: 'user', id: resolvedUser.userId })
  return resolvedUser
}

// As with users: once per request, whatever its mounts ask.
async function resolveMachine(
  steps: Steps,
  { rule, state, record }: Attempt,
  identity: Identity,
): Promise<KeptMachine> {
  state.machine ??= record.timed('users', () => findMachine(steps, identity))
  const kept = await state.machine
  record.principal(principalOf(kept.machine))
  const name = `machine:${kept.machine.name}`
  if (rule.accept.has('machine') || (kept.isNamed && rule.accept.has(name))) return kept
  throw notAccepted(rule, name)
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
    return toActed(acting, await grantedIn(steps, caller, acting))
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

// What the role allows where the caller acts; without an organization, nothing. `null`: there is no such role.
async function grantedIn(
  { knownRoles, permissions }: Steps,
  caller: Caller,
  { org, role }: ActingOrg,
): Promise<Acted['granted']> {
  if (org === null) return NONE
  const ofRole = role === null ? null : await knownRoles.find(org.id, role)
  if (caller.kind !== 'machine' || (role !== null && ofRole === null)) return ofRole
  return givenTo({ role, permissions: caller.machine.permissions }, ofRole ?? NONE, permissions)
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

// Where no role says what a person may do, the token alone does, of what there is to be allowed.
function holdingsOf({ permissions }: Steps, identity: Identity): Holdings {
  const { scopes: bound } = identity
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
  const holdings = granted === null ? holdingsOf(steps, identity) : { granted, bound: identity.scopes, token: true }
  requirePermissions(holdings, rule.permissions)
  return Object.freeze({ kind: 'user', identity, user, role: own, permissions: effectiveOf(holdings) })
}

function userOrgContext(identity: Identity, { user }: KeptUser, { org, role, permissions }: Acting): UserOrgContext {
  return Object.freeze({ kind: 'user', identity, user, org, role: role as string, permissions })
}

async function machineContext(
  steps: Steps,
  attempt: Attempt,
  identity: Identity,
): Promise<MachineContext | MachineOrgContext> {
  const { machine, hasOrg } = await resolveMachine(steps, attempt, identity)
  const context = { kind: 'machine', machine, identity } as const
  if (attempt.rule.needs === 'identity') {
    const holdings = givenByItself(steps, machine, identity)
    requirePermissions(holdings, attempt.rule.permissions)
    return Object.freeze({ ...context, permissions: effectiveOf(holdings) })
  }
  const selection = readSelection(steps, attempt)
  if (!hasOrg) throw new AuthError('forbidden', { reason: 'machine_without_org' })
  const caller: Caller = { kind: 'machine', machine }
  const acting = await actingOrg(steps, attempt, { caller, bound: identity.scopes, selection })
  const { org, role, permissions } = acting
  if (org === null) throw new Error('sallyport: the org resolver gave a machine no organization')
  return Object.freeze({ ...context, org, role, permissions })
}

// Without an organization; where nothing was given to it, its token alone says what it may do.
function givenByItself(steps: Steps, machine: Machine, identity: Identity): Holdings {
  const { role, permissions } = machine
  if (role === null && permissions === null) return holdingsOf(steps, identity)
  const ofRole = role === null ? NONE : steps.roles.permissionsOf(role)
  return { granted: givenTo(machine, ofRole, steps.permissions), bound: identity.scopes, token: true }
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
