/**
 * The walk: one request through the rooms, one `await` after another, up to where its route's Access says. What a room
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
import type { AuthRequest } from '../request.ts'
import { requireScopes } from '../roles/role-ladder.ts'
import { accepts, type Rule } from './access.ts'
import { type Acted, type Admitted, toActed, toAdmitted, toVerified } from './own-copies.ts'
import type { Recorder } from './recorder.ts'
import type { Rooms } from './rooms.ts'
import { NAMES_ANOTHER, selectTogether, UNNAMED, type WalkState } from './walk-state.ts'

/** One walk: what is asked, by which rule, and where its work is kept. */
export interface Walk {
  readonly request: AuthRequest
  readonly rule: Rule
  readonly state: WalkState
  readonly record: Recorder
}

/** Walk the corridor: the context for the handler, or `null` for an optional route without a credential. */
export async function walk(rooms: Rooms, w: Walk): Promise<AuthContext | null> {
  const credential = requireCredential(rooms, w)
  if (credential === null) return null
  const verified = await verify(rooms, w, credential)
  requireAccepted(w, verified)
  if (verified.kind === 'service') return serviceContext(rooms, w, verified.name)
  if (verified.kind === 'user' && w.rule.stage === 'identity') return identityContext(verified.identity)
  const selection = readSelection(rooms, w)
  if (verified.kind === 'apiKey') return apiKeyContext(verified.key, await actingOrg(rooms, w, verified, selection))
  const admission = await admit(rooms, w, verified.identity, selection)
  if (w.rule.stage === 'user') return userContext(rooms, w, verified.identity, admission)
  const caller: Caller = { kind: 'user', user: admission.asAdmitted() }
  return userOrgContext(verified.identity, admission, await actingOrg(rooms, w, caller, selection, admission))
}

function requireCredential({ extractor }: Rooms, { request, rule, state, record }: Walk): Credential | null {
  state.credential ??= extractor.extract(request)
  record.credential(state.credential)
  if (state.credential === null && !rule.optional) {
    throw new AuthError('unauthorized', { reason: 'credential_missing', absent: true })
  }
  return state.credential
}

function verify(rooms: Rooms, { state, record }: Walk, credential: Credential): Promise<Verified> {
  state.verified ??= record.timed('verify', async () => toVerified(await verifyByKind(rooms, credential)))
  return state.verified
}

// Which verifier runs is the credential's kind; none is ever tried after another one.
async function verifyByKind({ verify, apiKeys, services }: Rooms, credential: Credential): Promise<Verified> {
  if (credential.kind === 'bearer') return { kind: 'user', identity: await verify.verify(credential.token) }
  if (credential.kind === 'apiKey' && apiKeys !== null) {
    return { kind: 'apiKey', key: await apiKeys.verify(credential.token) }
  }
  if (credential.kind === 'service' && services !== null) {
    return { kind: 'service', name: await services.verify(credential.header, credential.secret) }
  }
  throw new Error(`sallyport: no verifier for a credential of kind ${credential.kind}`)
}

function requireAccepted({ rule, record }: Walk, verified: Verified): void {
  if (verified.kind === 'service') record.principal('service', verified.name)
  if (verified.kind === 'apiKey') record.principal('apiKey', verified.key.id)
  if (!accepts(rule, verified)) throw new AuthError('forbidden', { reason: 'caller_kind_not_accepted' })
}

function readSelection({ orgs }: Rooms, { request, rule, state, record }: Walk): OrgSelection {
  if (rule.stage !== 'org') return UNNAMED
  const selection = selectTogether(state, orgs.readSelection(request, rule.selectors))
  record.selection(selection)
  return selection
}

// The users room is entered once per request; a later mount may have another selection, the user is the same.
async function admit(
  { users, ladder }: Rooms,
  w: Walk,
  identity: Identity,
  selection: OrgSelection,
): Promise<Admitted> {
  const { state, record } = w
  const enter = async (): Promise<Admitted> => toAdmitted(await users(identity, selection, ladder.roles))
  state.admission ??= { selection, result: record.timed('users', enter) }
  const admission = await state.admission.result
  record.principal('user', admission.userId)
  return admission
}

async function actingOrg(
  rooms: Rooms,
  w: Walk,
  caller: Caller,
  selection: OrgSelection,
  admission?: Admitted,
): Promise<Acted> {
  const { state, record } = w
  if (selection === NAMES_ANOTHER) {
    throw new AuthError('org_selector_conflict', { reason: 'mounts_name_different_orgs' })
  }
  const key = keyOf(selection)
  const known =
    state.admission !== undefined && key === keyOf(state.admission.selection) ? admission?.membership : undefined
  const resolve = async (): Promise<Acted> => toActed(await rooms.orgs.resolve(caller, selection, known))
  const resolving = state.acting.get(key) ?? record.timed('orgs', resolve)
  state.acting.set(key, resolving)
  const acting = await resolving
  record.acting(acting.orgId, acting.role)
  requireRules(rooms, w, caller, acting)
  // A later mount may name what serves already.
  if (acting.orgId !== null) state.acting.set(keyOf({ kind: 'named', orgId: acting.orgId }), resolving)
  Object.assign(state, { servingOrgId: acting.orgId, acted: acting })
  return acting
}

function keyOf(selection: OrgSelection): string {
  return selection.kind === 'named' ? `named ${selection.orgId}` : selection.kind
}

// The rules of earlier mounts hold for this org too: a second mount never weakens a first one.
function requireRules({ ladder }: Rooms, { rule, state }: Walk, caller: Caller, { orgId, role }: Acted): void {
  if (orgId !== null) ladder.requireKnown(role)
  const earlier = state.passed.map((mount) => mount.rule).filter(({ stage }) => stage === 'org')
  for (const { role: minimum, scopes } of [...earlier, rule]) {
    if (minimum !== null) ladder.requireAtLeast(role, minimum)
    if (caller.kind === 'apiKey') requireScopes(caller.key.scopes, scopes)
  }
}

function identityContext(identity: Identity): IdentityContext {
  return Object.freeze({ kind: 'user', principal: Object.freeze({ kind: 'user', identity }), identity })
}

function userContext({ ladder }: Rooms, { rule }: Walk, identity: Identity, { user, role }: Admitted): UserContext {
  const own = role === undefined ? null : ladder.requireKnown(role)
  if (rule.role !== null) ladder.requireAtLeast(own, rule.role)
  return Object.freeze({ ...identityContext(identity), user, role: own })
}

function userOrgContext(identity: Identity, { user }: Admitted, { org, role }: Acted): UserOrgContext {
  return Object.freeze({ ...identityContext(identity), user, org, role: role as string })
}

function apiKeyContext(key: ApiKey, { org, role }: Acted): ApiKeyContext {
  if (org === null) throw new Error('sallyport: the orgs room gave an API key no organization')
  const principal = Object.freeze({ kind: 'apiKey', key } as const)
  return Object.freeze({
    kind: 'apiKey',
    principal,
    org,
    role: role as string,
    scopes: key.scopes,
  })
}

// What the request names is judged when the service says where it acts; later mounts must know it all the same.
function serviceContext({ orgs }: Rooms, { request, rule, state }: Walk, name: string): ServiceContext {
  if (rule.stage === 'org') selectTogether(state, orgs.readSelection(request, rule.selectors))
  return Object.freeze({ kind: 'service', principal: Object.freeze({ kind: 'service', name }) })
}
