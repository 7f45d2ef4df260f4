/**
 * The pipeline: one request through the steps, one `await` after another, up to where its route's Access says. What a step
 * refuses is thrown as `AuthError`; any other throw is ours or the host's and passes through untouched.
 */
import type {
  ActingOrg,
  ApiKeyContext,
  AuthContext,
  Caller,
  Credential,
  Identity,
  Machine,
  MachineContext,
  MachineOrgContext,
  OrgSelection,
  ServiceContext,
  Verified,
} from '../context.ts'
import { AuthError } from '../errors.ts'
import { ownOf } from '../lib/parse-options.ts'
import { givenTo, type Holdings, requirePermissions } from '../permissions/permission-check.ts'
import { requireAtLeast, requireKnown } from '../permissions/roles.ts'
import type { AuthRequest } from '../request.ts'
import { accepts, type Rule } from './access.ts'
import type { Steps } from './auth-options.ts'
import {
  apiKeyContext,
  identityContext,
  machineContext,
  machineOrgContext,
  userContext,
  userOrgContext,
} from './contexts.ts'
import type { Recorder } from './decision-record.ts'
import { findMachine, type KeptMachine, principalOf } from './machine.ts'
import { type Acted, KeptUser, keepIdentity, keepKey, toActed } from './own-copies.ts'
import { type AskedOrg, NAMES_ANOTHER, type RequestState, selectTogether, UNNAMED } from './request-state.ts'

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
  if (verified.kind === 'service') return enterService(steps, attempt, verified.name)
  if (verified.kind === 'machine') return enterMachine(steps, attempt, verified.identity)
  if (verified.kind === 'apiKey') return enterApiKey(steps, attempt, verified)
  const { rule } = attempt
  const { identity } = verified
  if (rule.needs === 'identity') return identityContext(steps, rule, identity)
  const selection = readSelection(steps, attempt)
  const resolvedUser = await resolveUser(steps, attempt, identity, selection)
  if (rule.needs === 'user') return userContext(steps, rule, identity, resolvedUser)
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
  state.verified ??= verifyByKind(steps, record, credential)
  return state.verified
}

// Which verifier runs is the credential's kind; none is ever tried after another one.
async function verifyByKind(
  { verifier, apiKeys, services }: Steps,
  record: Recorder,
  credential: Credential,
): Promise<Verified> {
  const end = record.begin('verify')
  try {
    if (credential.kind === 'bearer') {
      const identity = keepIdentity(await verifier.verify(credential.token))
      return { kind: identity.kind === 'machine' ? 'machine' : 'user', identity }
    }
    if (credential.kind === 'apiKey' && apiKeys !== null) {
      return Object.freeze({ kind: 'apiKey', key: keepKey(await apiKeys.verify(credential.token)) })
    }
    if (credential.kind === 'service' && services !== null) {
      return { kind: 'service', name: await services.verify(credential.header, credential.secret) }
    }
    throw new Error(`sallyport: no verifier for a credential of kind ${credential.kind}`)
  } finally {
    end()
  }
}

function requireAccepted(attempt: Attempt, verified: Verified): void {
  const { rule, record } = attempt
  if (verified.kind === 'service') record.principal({ kind: 'service', id: verified.name })
  if (verified.kind === 'apiKey') record.principal({ kind: 'apiKey', id: verified.key.id })
  if (verified.kind === 'user' || verified.kind === 'machine') record.identity(verified.identity)
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
function resolveUser(steps: Steps, attempt: Attempt, identity: Identity, selection: OrgSelection): Promise<KeptUser> {
  const { state } = attempt
  state.resolvedUser ??= { selection, result: enterUsers(steps, attempt, identity, selection) }
  return state.resolvedUser.result
}

async function enterUsers(
  { users, knownRoles }: Steps,
  { state, record }: Attempt,
  identity: Identity,
  selection: OrgSelection,
): Promise<KeptUser> {
  const end = record.begin('users')
  try {
    const resolved = await users(identity, selection, knownRoles, tokenOf(state.credential))
    const provisioned = ownOf(resolved, 'provisioned')
    if (provisioned !== undefined) record.provisioned(provisioned)
    const kept = new KeptUser(resolved)
    record.principal({ kind: 'user', id: kept.userId })
    return kept
  } finally {
    end()
  }
}

// As with users: once per request, whatever its mounts ask.
async function resolveMachine(
  steps: Steps,
  { rule, state, record }: Attempt,
  identity: Identity,
): Promise<KeptMachine> {
  state.machine ??= lookUpMachine(steps, record, identity)
  const kept = await state.machine
  const name = `machine:${kept.machine.name}`
  if (rule.accept.has('machine') || (kept.isNamed && rule.accept.has(name))) return kept
  throw notAccepted(rule, name)
}

async function lookUpMachine(steps: Steps, record: Recorder, identity: Identity): Promise<KeptMachine> {
  const end = record.begin('users')
  try {
    const kept = await findMachine(steps, identity)
    record.principal(principalOf(kept.machine))
    return kept
  } finally {
    end()
  }
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

async function actingOrg(steps: Steps, attempt: Attempt, question: OrgQuestion): Promise<Acted> {
  const { state, record } = attempt
  const { selection } = question
  if (selection === NAMES_ANOTHER) {
    throw new AuthError('org_selector_conflict', { reason: 'mounts_name_different_orgs' })
  }
  const asked = askedBefore(state, selection) ?? { selection, result: enterOrgs(steps, attempt, question), orgId: null }
  if (!state.asked.includes(asked)) state.asked.push(asked)
  const acted = await asked.result
  record.acting(acted.orgId, acted.role)
  requireRules(steps, attempt, acted, question)
  // A later mount may name what serves already.
  asked.orgId = acted.orgId
  state.servingOrgId = acted.orgId
  state.acted = acted
  return acted
}

function askedBefore({ asked }: RequestState, selection: OrgSelection): AskedOrg | undefined {
  const serving = selection.kind === 'named' ? selection.orgId : null
  return asked.find((each) => isSame(each.selection, selection) || (serving !== null && each.orgId === serving))
}

function isSame(one: OrgSelection, other: OrgSelection): boolean {
  if (one.kind !== 'named' || other.kind !== 'named') return one.kind === other.kind
  return one.orgId === other.orgId
}

async function enterOrgs(
  steps: Steps,
  { state, record }: Attempt,
  { caller, selection, resolvedUser }: OrgQuestion,
): Promise<Acted> {
  const end = record.begin('orgs')
  try {
    // What the user's own look-up found, if it was for the same organization.
    const isKnown = state.resolvedUser !== undefined && isSame(state.resolvedUser.selection, selection)
    const acting = await steps.orgs.resolve(caller, selection, isKnown ? resolvedUser?.membership : undefined)
    const granted = grantedIn(steps, caller, acting)
    return toActed(acting, isList(granted) ? granted : await granted)
  } finally {
    end()
  }
}

type Granted = Acted['granted']

function isList(granted: Granted | Promise<Granted>): granted is readonly string[] {
  return Array.isArray(granted)
}

// What the role allows where the caller acts; without an organization, nothing. `null`: there is no such role.
function grantedIn(steps: Steps, caller: Caller, { org, role }: ActingOrg): Granted | Promise<Granted> {
  if (org === null) return NONE
  const ofRole = role === null ? null : steps.knownRoles.find(org.id, role)
  return caller.kind === 'machine' ? grantedTo(caller.machine, role, ofRole, steps) : ofRole
}

async function grantedTo(
  { permissions }: Machine,
  role: string | null,
  found: Granted | Promise<Granted>,
  { permissions: all }: Steps,
): Promise<Granted> {
  const ofRole = await found
  return role !== null && ofRole === null ? null : givenTo({ role, permissions }, ofRole ?? NONE, all)
}

const NONE: readonly never[] = Object.freeze([])

// The rules of earlier mounts hold for this org too: a second mount never weakens a first one.
function requireRules(
  { roles }: Steps,
  { rule, state }: Attempt,
  { role, granted }: Acted,
  { caller, bound }: OrgQuestion,
): void {
  if (granted === null) requireKnown(roles, role)
  const holdings = { granted: granted ?? NONE, bound, token: caller.kind !== 'apiKey' }
  const requireRule = ({ role: minimum, permissions }: Rule): void => {
    if (minimum !== null) requireAtLeast(roles, role, minimum)
    requirePermissions(holdings, permissions)
  }
  for (const mount of state.passed) if (mount.rule.needs === 'org') requireRule(mount.rule)
  requireRule(rule)
}

async function enterApiKey(
  steps: Steps,
  attempt: Attempt,
  caller: Extract<Verified, { kind: 'apiKey' }>,
): Promise<ApiKeyContext> {
  const { key } = caller
  const selection = readSelection(steps, attempt)
  return apiKeyContext(key, await actingOrg(steps, attempt, { caller, bound: key.permissions, selection }))
}

async function enterMachine(
  steps: Steps,
  attempt: Attempt,
  identity: Identity,
): Promise<MachineContext | MachineOrgContext> {
  const { machine, hasOrg } = await resolveMachine(steps, attempt, identity)
  if (attempt.rule.needs === 'identity') return machineContext(steps, attempt.rule, machine, identity)
  const selection = readSelection(steps, attempt)
  if (!hasOrg) throw new AuthError('forbidden', { reason: 'machine_without_org' })
  const caller: Caller = { kind: 'machine', machine }
  const acted = await actingOrg(steps, attempt, { caller, bound: identity.scopes, selection })
  return machineOrgContext(machine, identity, acted)
}

// What the request names is judged when the service says where it acts; later mounts must know it all the same.
function enterService(steps: Steps, { request, rule, state }: Attempt, name: string): ServiceContext {
  const granted = steps.servicePermissions.get(name) ?? NONE
  requirePermissions({ granted, bound: null, token: false }, rule.permissions)
  if (rule.needs === 'org') selectTogether(state, steps.orgs.readSelection(request, rule.selectors))
  return Object.freeze({ kind: 'service', service: name, permissions: granted })
}
