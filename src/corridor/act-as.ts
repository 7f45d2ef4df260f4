/** A service names the organization it acts in, in its body: the one way into an org without a user. */
import type { AuthContext, Organization, ServiceOrgContext } from '../context.ts'
import { AuthError } from '../errors.ts'
import { recordThrow, SERVICE_WALKS, type ServiceWalk } from './entrance.ts'
import { toActed } from './own-copies.ts'
import type { Recorder } from './recorder.ts'
import type { Rooms } from './rooms.ts'
import { selectTogether } from './walk-state.ts'

/**
 * Let a service act in the org `orgId`. Leaves a decision record of its own, since the walk's knew no org yet.
 * @throws AuthError `forbidden` for another kind of caller or an unknown org, `invalid_org_id`, `org_selector_conflict`
 */
export async function actAs(rooms: Rooms, context: AuthContext, orgId: unknown): Promise<ServiceOrgContext> {
  const walked = context.kind === 'service' ? SERVICE_WALKS.get(context) : undefined
  // A context of another auth is no service here: that one may trust callers that this one does not.
  if (walked?.rooms !== rooms || context.kind !== 'service')
    throw new AuthError('forbidden', { reason: 'act_as_no_service' })
  const record = walked.begin()
  walked.state.record = record
  record.credential(walked.state.credential ?? null)
  record.principal('service', context.principal.name)
  try {
    const org = await resolve(rooms, walked, record, context.principal.name, orgId)
    const acting = Object.freeze({ ...context, org })
    record.allowed(acting, false)
    return acting
  } catch (error) {
    throw recordThrow(walked.state, record, error)
  }
}

async function resolve(
  rooms: Rooms,
  { request, rule, state }: ServiceWalk,
  record: Recorder,
  name: string,
  orgId: unknown,
): Promise<Organization> {
  const named = typeof orgId === 'string' ? rooms.orgs.toOrgId(orgId) : null
  if (named === null) throw new AuthError('invalid_org_id', { reason: 'act_as_org_id_malformed' })
  const selection = selectTogether(state, rooms.orgs.readSelection(request, rule.selectors))
  const wanted = selection.kind === 'unnamed' ? ({ kind: 'named', orgId: named } as const) : selection
  record.selection(wanted)
  if (selection.kind === 'named' && selection.orgId !== named) {
    throw new AuthError('org_selector_conflict', { reason: 'act_as_selector_differs' })
  }
  const { org } = await record.timed('orgs', () => rooms.orgs.resolve({ kind: 'service', name }, wanted))
  if (org === null) throw new Error('sallyport: the orgs room gave a service no organization')
  record.acting(org.id, null)
  Object.assign(state, { servingOrgId: org.id, acted: toActed({ org, role: null }) })
  return org
}
