/**
 * The pipeline: one request through the steps, one `await` after another, up to where its route's Access says. What a step
 * refuses is thrown as `AuthError`; any other throw is ours or the host's and passes through untouched.
 */
import type {
  ApiKey,
  ApiKeyContext,
  AuthContext,
  Caller,
  Credential,
  Identity,
  IdentityContext,
  OrgSelection,
  ServiceContext,
  UserContext,
  UserOrgContext,
  Verified,
} from '../context.ts'
import { AuthError } from '../errors.ts'
import { requireScopes } from '../permissions/role-ladder.ts'
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
  if (verified.kind === 'user' && attempt.rule.needs === 'identity') return identityContext(verified.identity)
  const selection = readSelection(steps, attempt)
  if (verified.kind === 'apiKey')
    return apiKeyContext(verified.key, await actingOrg(steps, attempt, { caller: verified, selection }))
  const resolvedUser = await resolveUser(steps, attempt, verified.identity, selection)
  if (attempt.rule.needs === 'user') return userContext(steps, attempt, verified.identity, resolvedUser)
  const caller: Caller = { kind: 'user', user: resolvedUser.asResolved() }
  return userOrgContext(
    verified.identity,
    resolvedUser,
    await actingOrg(steps, attempt, { caller, selection, resolvedUser }),
  )
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
  { users, ladder }: Steps,
  attempt: Attempt,
  identity: Identity,
  selection: OrgSelection,
): Promise<KeptUser> {
  const { state, record } = attempt
  const enter = async (): Promise<KeptUser> => toKeptUser(await users(identity, selection, ladder.roles))
  state.resolvedUser ??= { selection, result: record.timed('users', enter) }
  const resolvedUser = await state.resolvedUser.result
  record.principal('user', resolvedUser.userId)
  return resolvedUser
}

interface OrgQuestion {
  readonly caller: Caller
  readonly selection: OrgSelection
  /** The user who calls, whose look-up may have found the membership. */
  readonly resolvedUser?: KeptUser | undefined
}

async function actingOrg(steps: Steps, attempt: Attempt, question: OrgQuestion): Promise<Acted> {
  const { state, record } = attempt
  const { caller, selection, resolvedUser } = question
  if (selection === NAMES_ANOTHER) {
    throw new AuthError('org_selector_conflict', { reason: 'mounts_name_different_orgs' })
  }
  const key = keyOf(selection)
  const known =
    state.resolvedUser !== undefined && key === keyOf(state.resolvedUser.selection)
      ? resolvedUser?.membership
      : undefined
  const resolve = async (): Promise<Acted> => toActed(await steps.orgs.resolve(caller, selection, known))
  const resolving = state.acting.get(key) ?? record.timed('orgs', resolve)
  state.acting.set(key, resolving)
  const acting = await resolving
  record.acting(acting.orgId, acting.role)
  requireRules(steps, attempt, caller, acting)
  // A later mount may name what serves already.
  if (acting.orgId !== null) state.acting.set(keyOf({ kind: 'named', orgId: acting.orgId }), resolving)
  Object.assign(state, { servingOrgId: acting.orgId, acted: acting })
  return acting
}

function keyOf(selection: OrgSelection): string {
  return selection.kind === 'named' ? `named ${selection.orgId}` : selection.kind
}

// The rules of earlier mounts hold for this org too: a second mount never weakens a first one.
function requireRules({ ladder }: Steps, { rule, state }: Attempt, caller: Caller, { orgId, role }: Acted): void {
  if (orgId !== null) ladder.requireKnown(role)
  const earlier = state.passed.map((mount) => mount.rule).filter(({ needs }) => needs === 'org')
  for (const { role: minimum, scopes } of [...earlier, rule]) {
    if (minimum !== null) ladder.requireAtLeast(role, minimum)
    if (caller.kind === 'apiKey') requireScopes(caller.key.scopes, scopes)
  }
}

function identityContext(identity: Identity): IdentityContext {
  return Object.freeze({ kind: 'user', identity })
}

function userContext({ ladder }: Steps, { rule }: Attempt, identity: Identity, { user, role }: KeptUser): UserContext {
  const own = role === undefined ? null : ladder.requireKnown(role)
  if (rule.role !== null) ladder.requireAtLeast(own, rule.role)
  return Object.freeze({ ...identityContext(identity), user, role: own })
}

function userOrgContext(identity: Identity, { user }: KeptUser, { org, role }: Acted): UserOrgContext {
  return Object.freeze({ ...identityContext(identity), user, org, role: role as string })
}

function apiKeyContext(key: ApiKey, { org, role }: Acted): ApiKeyContext {
  if (org === null) throw new Error('sallyport: the org resolver gave an API key no organization')
  return Object.freeze({
    kind: 'apiKey',
    key,
    org,
    role: role as string,
    scopes: key.scopes,
  })
}

// What the request names is judged when the service says where it acts; later mounts must know it all the same.
function serviceContext({ orgs }: Steps, { request, rule, state }: Attempt, name: string): ServiceContext {
  if (rule.needs === 'org') selectTogether(state, orgs.readSelection(request, rule.selectors))
  return Object.freeze({ kind: 'service', service: name })
}
