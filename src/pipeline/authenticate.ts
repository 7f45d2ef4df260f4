/**
 * The pipeline: one request through the steps, one after another, up to where its route's Access says. What a step
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
  ResolvedUser,
  ServiceContext,
  Verified,
} from '../context.ts'
import { AuthError } from '../errors.ts'
import { type AtOnce, answerOf, follow, isPending, later } from '../lib/at-once.ts'
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
import type { Recorder, Step } from './decision-record.ts'
import { findMachine, type KeptMachine, principalOf } from './machine.ts'
import { type Acted, KeptUser, keepIdentity, keepKey, toActed } from './own-copies.ts'
import { type AskedOrg, append, NAMES_ANOTHER, type RequestState, selectTogether, UNNAMED } from './request-state.ts'

/** One request: who decides, what is asked, by which rule, and where its work is kept. */
export interface Attempt {
  readonly steps: Steps
  readonly request: AuthRequest
  readonly rule: Rule
  readonly state: RequestState
  readonly record: Recorder
}

/** Take a request through the pipeline: the context for the handler, or `null` for an optional route without a credential. */
export function authenticate(attempt: Attempt): AtOnce<AuthContext | null> {
  const credential = requireCredential(attempt)
  if (credential === null) return null
  const verified = verify(attempt, credential)
  return 'then' in verified ? later(verified, enter, attempt) : enter(verified, attempt)
}

function enter(verified: Verified, attempt: Attempt): AtOnce<AuthContext> {
  requireAccepted(attempt, verified)
  if (verified.kind === 'service') return enterService(attempt, verified.name)
  if (verified.kind === 'machine') return enterMachine(attempt, verified.identity)
  if (verified.kind === 'apiKey') return enterApiKey(attempt, verified)
  const { identity } = verified
  const { steps, rule } = attempt
  if (rule.needs === 'identity') return identityContext(steps, rule, identity)
  const person = { attempt, identity, selection: readSelection(attempt) }
  const resolvedUser = resolveUser(person)
  return 'then' in resolvedUser ? later(resolvedUser, enterUser, person) : enterUser(resolvedUser, person)
}

/** A person who calls, and the organization that the request names. */
interface Person {
  readonly attempt: Attempt
  readonly identity: Identity
  readonly selection: OrgSelection
}

function enterUser(resolvedUser: KeptUser, { attempt, identity, selection }: Person): AtOnce<AuthContext> {
  const { steps, rule } = attempt
  if (rule.needs === 'user') return userContext(steps, rule, identity, resolvedUser)
  const caller: Caller = { kind: 'user', user: resolvedUser.asResolved() }
  const acted = actingOrg({ attempt, caller, bound: identity.scopes, selection, resolvedUser })
  const own = { identity, user: resolvedUser.user }
  return 'then' in acted ? later(acted, userOrgContext, own) : userOrgContext(acted, own)
}

function requireCredential({ steps: { extractor }, request, rule, state, record }: Attempt): Credential | null {
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

function verify(attempt: Attempt, credential: Credential): AtOnce<Verified> {
  const { steps, state, record } = attempt
  state.verified ??= timed(record, 'verify', () => verifyByKind(steps, credential))
  return state.verified
}

// Which verifier runs is the credential's kind; none is ever tried after another one.
function verifyByKind({ verifier, apiKeys, services }: Steps, credential: Credential): AtOnce<Verified> {
  if (credential.kind === 'bearer') {
    const identity = answerOf(verifier.verify).call(verifier, credential.token)
    return 'then' in identity ? Promise.resolve(identity).then(toVerified) : toVerified(identity)
  }
  if (credential.kind === 'apiKey' && apiKeys !== null) {
    return follow(apiKeys.verify(credential.token), (key) => Object.freeze({ kind: 'apiKey', key: keepKey(key) }))
  }
  if (credential.kind === 'service' && services !== null) {
    return follow(services.verify(credential.header, credential.secret), (name) => ({ kind: 'service', name }))
  }
  throw new Error(`sallyport: no verifier for a credential of kind ${credential.kind}`)
}

function toVerified(given: Identity): Verified {
  const identity = keepIdentity(given)
  return { kind: identity.kind === 'machine' ? 'machine' : 'user', identity }
}

// What a step throws at once is kept as it would be if it had come later.
function timed<T>(record: Recorder, step: Step, work: () => AtOnce<T>): AtOnce<T> {
  const end = record.begin(step)
  let result: AtOnce<T>
  try {
    result = work()
  } catch (error) {
    result = Promise.reject(error)
  }
  if (end === null) return result
  if (isPending(result)) return result.finally(end)
  end()
  return result
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

function readSelection({ steps: { orgs }, request, rule, state, record }: Attempt): OrgSelection {
  if (rule.needs !== 'org') return UNNAMED
  const selection = selectTogether(state, orgs.readSelection(request, rule.selectors))
  record.selection(selection)
  return selection
}

// The user resolver is entered once per request; a later mount may have another selection, the user is the same.
function resolveUser(person: Person): AtOnce<KeptUser> {
  const { attempt, selection } = person
  const { state, record } = attempt
  state.resolvedUser ??= { selection, result: timed(record, 'users', () => lookUpUser(person)) }
  return state.resolvedUser.result
}

function lookUpUser({ attempt, identity, selection }: Person): AtOnce<KeptUser> {
  const { steps, state, record } = attempt
  const resolved = answerOf(steps.users)(identity, selection, steps.knownRoles, state.token)
  return 'then' in resolved ? later(resolved, keepUser, record) : keepUser(resolved, record)
}

function keepUser(resolved: ResolvedUser, record: Recorder): KeptUser {
  const provisioned = ownOf(resolved, 'provisioned')
  if (provisioned !== undefined) record.provisioned(provisioned)
  const kept = new KeptUser(resolved)
  record.principal({ kind: 'user', id: kept.userId })
  return kept
}

// As with users: once per request, whatever its mounts ask.
async function resolveMachine({ steps, rule, state, record }: Attempt, identity: Identity): Promise<KeptMachine> {
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
    end?.()
  }
}

interface OrgQuestion {
  readonly attempt: Attempt
  readonly caller: Caller
  /** What the caller's credential carries; `null`: no bound. */
  readonly bound: Holdings['bound']
  readonly selection: OrgSelection
  /** The user who calls, whose look-up may have found the membership; `null`: another caller. */
  readonly resolvedUser: KeptUser | null
}

function actingOrg(question: OrgQuestion): AtOnce<Acted> {
  const asked = askTogether(question)
  const { result } = asked
  const serving = { question, asked }
  return 'then' in result ? later(result, serve, serving) : serve(result, serving)
}

interface Serving {
  readonly question: OrgQuestion
  readonly asked: AskedOrg
}

function serve(acted: Acted, { question, asked }: Serving): Acted {
  const { state, record } = question.attempt
  // Of two mounts at once neither knew where the other one would act.
  if (acted.orgId !== null && acted.orgId !== (state.servingOrgId ?? acted.orgId)) throw namesAnother()
  record.acting(acted.orgId, acted.role)
  requireRules(acted, question)
  // A later mount may name what serves already.
  asked.orgId = acted.orgId
  state.servingOrgId = acted.orgId
  state.acted = acted
  return acted
}

function askTogether(question: OrgQuestion): AskedOrg {
  const { attempt, selection } = question
  const { state, record } = attempt
  if (selection === NAMES_ANOTHER) throw namesAnother()
  const serving = selection.kind === 'named' ? selection.orgId : null
  for (const each of state.asked) {
    if (isSame(each.selection, selection) || (serving !== null && each.orgId === serving)) return each
  }
  const result = timed(record, 'orgs', () => lookUpOrg(question))
  const asked = { selection, result, orgId: null }
  state.asked = append(state.asked, asked)
  return asked
}

function namesAnother(): AuthError {
  return new AuthError('org_selector_conflict', { reason: 'mounts_name_different_orgs' })
}

function isSame(one: OrgSelection, other: OrgSelection): boolean {
  if (one.kind !== 'named' || other.kind !== 'named') return one.kind === other.kind
  return one.orgId === other.orgId
}

function lookUpOrg(question: OrgQuestion): AtOnce<Acted> {
  const { attempt, caller, selection, resolvedUser } = question
  const { state } = attempt
  const { orgs } = attempt.steps
  // What the user's own look-up found, if it was for the same organization.
  const isKnown = state.resolvedUser !== undefined && isSame(state.resolvedUser.selection, selection)
  const known = isKnown ? resolvedUser?.membership : undefined
  const acting = answerOf(orgs.resolve).call(orgs, caller, selection, known)
  return 'then' in acting ? later(acting, grant, question) : grant(acting, question)
}

function grant(found: ActingOrg, { attempt, caller }: OrgQuestion): AtOnce<Acted> {
  const granted = grantedIn(attempt.steps, caller, found)
  return granted !== null && 'then' in granted ? later(granted, toActed, found) : toActed(granted, found)
}

type Granted = Acted['granted']

// What the role allows where the caller acts; without an organization, nothing. `null`: there is no such role.
function grantedIn(steps: Steps, caller: Caller, { org, role }: ActingOrg): AtOnce<Granted> {
  if (org === null) return NONE
  const ofRole = role === null ? null : steps.knownRoles.find(org.id, role)
  if (caller.kind !== 'machine') return ofRole
  const { machine } = caller
  return follow(ofRole, (found) => grantedTo(machine, role, found, steps))
}

function grantedTo(
  { permissions }: Machine,
  role: string | null,
  ofRole: Granted,
  { permissions: all }: Steps,
): Granted {
  return role !== null && ofRole === null ? null : givenTo({ role, permissions }, ofRole ?? NONE, all)
}

const NONE: readonly never[] = Object.freeze([])

// The rules of earlier mounts hold for this org too: a second mount never weakens a first one.
function requireRules(acted: Acted, question: OrgQuestion): void {
  const { steps, rule, state } = question.attempt
  if (acted.granted === null) requireKnown(steps.roles, acted.role)
  const holdings = { granted: acted.granted ?? NONE, bound: question.bound, token: question.caller.kind !== 'apiKey' }
  for (const mount of state.passed) if (mount.rule.needs === 'org') requireRule(steps, mount.rule, acted, holdings)
  requireRule(steps, rule, acted, holdings)
}

function requireRule({ roles }: Steps, { role, permissions }: Rule, acted: Acted, holdings: Holdings): void {
  if (role !== null) requireAtLeast(roles, acted.role, role)
  requirePermissions(holdings, permissions)
}

async function enterApiKey(attempt: Attempt, caller: Extract<Verified, { kind: 'apiKey' }>): Promise<ApiKeyContext> {
  const { key } = caller
  const selection = readSelection(attempt)
  return apiKeyContext(key, await actingOrg({ attempt, caller, bound: key.permissions, selection, resolvedUser: null }))
}

async function enterMachine(attempt: Attempt, identity: Identity): Promise<MachineContext | MachineOrgContext> {
  const { machine, hasOrg } = await resolveMachine(attempt, identity)
  if (attempt.rule.needs === 'identity') return machineContext(attempt.steps, attempt.rule, machine, identity)
  const selection = readSelection(attempt)
  if (!hasOrg) throw new AuthError('forbidden', { reason: 'machine_without_org' })
  const caller: Caller = { kind: 'machine', machine }
  const acted = await actingOrg({ attempt, caller, bound: identity.scopes, selection, resolvedUser: null })
  return machineOrgContext(machine, identity, acted)
}

// What the request names is judged when the service says where it acts; later mounts must know it all the same.
function enterService({ steps, request, rule, state }: Attempt, name: string): ServiceContext {
  const granted = steps.servicePermissions.get(name) ?? NONE
  requirePermissions({ granted, bound: null, token: false }, rule.permissions)
  if (rule.needs === 'org') selectTogether(state, steps.orgs.readSelection(request, rule.selectors))
  return Object.freeze({ kind: 'service', service: name, permissions: granted })
}
