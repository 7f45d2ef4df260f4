/** A service names the organization it acts in, in its body: the one way into an org without a user. */
import type { AuthContext, ServiceOrgContext } from '../context.ts'
import { AuthError } from '../errors.ts'
import { SERVICE_WALKS } from './entrance.ts'
import type { Rooms } from './rooms.ts'

/**
 * Let a service act in the org `orgId`.
 * @throws AuthError `forbidden` for another kind of caller or an unknown org, `invalid_org_id`, `org_selector_conflict`
 */
export async function actAs(rooms: Rooms, context: AuthContext, orgId: unknown): Promise<ServiceOrgContext> {
  const walked = context.kind === 'service' ? SERVICE_WALKS.get(context) : undefined
  // A context of another auth is no service here: that one may trust callers that this one does not.
  if (walked?.rooms !== rooms || context.kind !== 'service')
    throw new AuthError('forbidden', { reason: 'act_as_no_service' })
  const named = typeof orgId === 'string' ? rooms.orgs.toOrgId(orgId) : null
  if (named === null) throw new AuthError('invalid_org_id', { reason: 'act_as_org_id_malformed' })
  const selection = rooms.orgs.readSelection(walked.request, walked.rule.selectors)
  if (selection.kind === 'named' && selection.orgId !== named) {
    throw new AuthError('org_selector_conflict', { reason: 'act_as_selector_differs' })
  }
  const caller = { kind: 'service', name: context.principal.name } as const
  const wanted = selection.kind === 'unnamed' ? ({ kind: 'named', orgId: named } as const) : selection
  const { org } = await rooms.orgs.resolve(caller, wanted)
  if (org === null) throw new Error('sallyport: the orgs room gave a service no organization')
  walked.state.servingOrgId = org.id
  return Object.freeze({ ...context, org })
}
