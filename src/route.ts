/** A route as data: what it is, what it asks, what it answers. It imports no pipeline and no guard. */
import type { AuthContextOf, AuthTypes } from './context.ts'
import type { Access, AuthRequest, AuthResponse } from './request.ts'

/**
 * A route as data: mount it with any adapter's `mount(app, [route])`.
 *
 * @example
 * const ping: Route = { method: 'GET', path: '/ping', access: 'public', handle: () => jsonResponse(200, { ok: true }) }
 */
export interface Route<
  T extends AuthTypes = AuthTypes,
  A extends Access<T['role'], T['permission'], T['service']> = Access<T['role'], T['permission'], T['service']>,
> {
  /** GET answers HEAD, too. */
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  /** Path with `:name` parameters, each one whole segment: `/orgs/:id/members`. */
  readonly path: string
  /** What a caller must be; `public`: nobody is asked. */
  readonly access: A
  /** Answer the request. A thrown {@link AuthError} is written as a refusal; anything else reaches the framework. */
  handle(context: AuthContextOf<T, A>, request: AuthRequest): AuthResponse | Promise<AuthResponse>
}
