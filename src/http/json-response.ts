/** Responses as values, for the handlers of Routes. */
import type { AuthResponse } from '../request.ts'

/**
 * Answer with what `JSON.stringify` makes of `value`.
 *
 * @param status the HTTP status code
 * @param headers further header lines
 *
 * @example
 * return jsonResponse(201, { contact })
 */
export function jsonResponse(
  status: number,
  value: unknown,
  headers: readonly (readonly [name: string, value: string])[] = [],
): AuthResponse {
  return {
    status,
    headers: [['Content-Type', 'application/json; charset=utf-8'], ...headers],
    body: JSON.stringify(value),
  }
}

/**
 * Answer without a body: 204 (RFC 9110 §15.3.5).
 *
 * @param headers further header lines
 *
 * @example
 * auth.route({
 *   method: 'DELETE',
 *   path: '/contacts/:id',
 *   access: {},
 *   handle: async ({ org }, { params }) => {
 *     await contacts.remove(org.id, params?.id)
 *     return noContent()
 *   },
 * })
 */
export function noContent(headers: readonly (readonly [name: string, value: string])[] = []): AuthResponse {
  return { status: 204, headers, body: null }
}
