/** Routes as data with the types of one auth: the handler's context follows from its `access`. */
import type { Access, Auth, AuthTypes, Route } from 'sallyport'

/** Make the function that types routes for `auth`; it does nothing at run time. */
export function routesOf<T extends AuthTypes>(
  _auth: Auth<T>,
): <const A extends Access<T['role']>>(route: Route<T, A>) => Route {
  return (route) => route as unknown as Route
}
