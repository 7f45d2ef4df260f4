/** A service names the organization it acts in, in its body: the one way into an org without a user. */
import type { AuthContext, Organization, ServiceOrgContext } from '../context.ts'
import { AuthError } from '../errors.ts'
import { requireAtOnce } from '../lib/at-once.ts'
import { ID_FORMAT } from '../orgs/selector.ts'
import type { Steps } from './auth-options.ts'
import { recordThrow, SERVICE_REQUESTS, type ServiceRequest } from './authorize.ts'
import { SILENT } from './decision-record.ts'
import { toActed } from './own-copies.ts'
import { selectTogether } from './request-state.ts'

/**
 * Let a service act in the org `orgId`. The request's record says which.
 * @throws AuthError `forbidden` for another kind of caller or an unknown org, `invalid_org_id`, `org_selector_conflict`
 */
export async function actIn(steps: Steps, context: AuthContext, orgId: unknown): Promise<ServiceOrgContext> {
  const known = context.kind === 'service' ? SERVICE_REQUESTS.get(context) : undefined
  // A context of another auth is no service here: that one may trust callers that this one does not.
  if (known?.steps !== steps || context.kind !== 'service')
    throw new AuthError('forbidden', {
      reason: 'act_in_no_service',
      expected: 'a service of this auth',
      got: context.kind,
    })
  const { state } = known
  try {
    const org = await resolve(steps, known, context.service, orgId)
    const acting = Object.freeze({ ...context, org })
    state.record?.allowed(acting, false)
    return acting
  } catch (error) {
    throw recordThrow(known, error)
  } finally {
    state.record?.settled()
  }
}

async function resolve(
  steps: Steps,
  { request, rule, state }: ServiceRequest,
  name: string,
  orgId: unknown,
): Promise<Organization> {
  const record = state.record ?? SILENT
  const named = typeof orgId === 'string' ? requireAtOnce(ID_FORMAT, steps.orgs.toOrgId(orgId)) : null
  if (named === null) throw new AuthError('invalid_org_id', { reason: 'act_in_org_id_malformed' })
  const selection = selectTogether(state, steps.orgs.readSelection(request, rule.selectors))
  const wanted = selection.kind === 'unnamed' ? ({ kind: 'named', orgId: named } as const) : selection
  record.selection(wanted)
  if (selection.kind === 'named' && selection.orgId !== named) {
    throw new AuthError('org_selector_conflict', { reason: 'act_in_selector_differs' })
  }
  const end = record.begin('orgs')
  try {
    const { org } = await steps.orgs.resolve({ kind: 'service', name }, wanted)
    if (org === null) throw new Error('sallyport: the org resolver gave a service no organization')
    record.acting(org.id, null)
    state.servingOrgId = org.id
    state.acted = toActed(null, { org, role: null })
    return org
  } finally {
    end?.()
  }
}
