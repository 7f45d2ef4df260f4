/** Roles that organizations make at run time: asked of the host for what is no role of `roles`, and never wider than those. */
import type { KnownRoles, Roles } from '../context.ts'
import { withStorageErrors } from '../storage/storage-errors.ts'
import { isKnown } from './roles.ts'

/** Roles that organizations make for themselves, each with permissions of the host's. */
export interface CustomRoles {
  /**
   * Find what a role of an organization may do; `null`: there is no such role, and whoever has it is refused. Asked for a
   * stored role that is none of `roles`, on every request of its holders. What it answers is never wider than `roles`: whatever
   * is none of their permissions (`createRoles` takes further ones) counts for nothing. Such a role includes no other one. Let
   * no organization make one by the name of one of `roles`: its holders would have that one.
   */
  find(orgId: string, role: string): Promise<readonly string[] | null>
}

/** Put the roles of an auth and those made at run time together. */
export function toKnownRoles(roles: Roles, custom: CustomRoles | undefined): KnownRoles {
  const asked = custom === undefined ? null : withStorageErrors(custom)
  const findCustom = async (orgId: string, role: string): Promise<readonly string[] | null> => {
    const found: unknown = await asked?.find(orgId, role)
    if (found === null) return null
    if (Array.isArray(found)) return Object.freeze(roles.permissions.filter((permission) => found.includes(permission)))
    throw new Error('sallyport: customRoles.find must answer a list of permissions, or null for no such role')
  }
  return Object.freeze({
    roles,
    hasCustom: asked !== null,
    find(orgId: string, role: string) {
      if (isKnown(roles, role)) return roles.permissionsOf(role)
      // A client may name any. No database holds such a text, and some say so by an error.
      if (/[\0\p{Surrogate}]/u.test(role)) return null
      return asked === null ? null : findCustom(orgId, role)
    },
  })
}
