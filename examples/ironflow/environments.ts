/**
 * Environments are organizations by another name: ids of another form, another header, and everybody may act in each of
 * them, as what their account is. Hands the org resolver its source.
 */
import type { ActingOrg, Caller } from 'sallyport'
import type { Account, ActingOrgSource } from 'sallyport/storage'

/** An environment of a project. */
export interface WorkEnvironment {
  readonly id: string
  readonly name: string
}

/** Those this example starts with; where none is named it is the first. */
export const ENVIRONMENTS: readonly WorkEnvironment[] = [
  { id: 'env_default', name: 'Default' },
  { id: 'env_myproject_staging', name: 'My project · staging' },
]

/** Who may act where, and as what. A key that is bound to no environment acts in all of them. */
export const environments: ActingOrgSource<Account, WorkEnvironment> = {
  async findActing(caller, environmentId) {
    const found = actingIn(caller).find(({ org }) => org.id === environmentId)
    return found ?? null
  },
  listActing: async (caller, limit) => actingIn(caller).slice(0, limit),
}

function actingIn(caller: Caller<Account>): ActingOrg<WorkEnvironment>[] {
  if (caller.kind === 'service' || caller.kind === 'machine') return []
  const own = caller.kind === 'apiKey' ? caller.key.orgId : null
  const role = caller.kind === 'apiKey' ? caller.key.role : caller.user.role
  return ENVIRONMENTS.filter(({ id }) => own === null || own === id).map((org) => ({ org, role }))
}
