/** Which roles there are where a context comes from: known to the auth that made it, asked by routes that write roles. */

const ROLES = new WeakMap<object, readonly string[]>()

/** Remember the roles of the auth that made a context. */
export function rememberRoles(context: object, roles: readonly string[]): void {
  ROLES.set(context, roles)
}

/** The roles of the auth that made a context, lowest first; `undefined` where no auth made it. */
export function rolesOf(context: object): readonly string[] | undefined {
  return ROLES.get(context)
}
