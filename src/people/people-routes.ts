/** What the routes of people have in common: how one is made, answered, and named by its path. */
import type { AuthContext } from '../context.ts'
import { isAuthError } from '../errors.ts'
import { jsonResponse, noContent } from '../http/json-response.ts'
import { invalidField } from '../http/read-json.ts'
import { optionsError, ownMembers } from '../lib/parse-options.ts'
import type { AccessRule, AuthRequest, AuthResponse } from '../request.ts'
import type { Route } from '../route.ts'

/**
 * Check what routes are made for: it has these methods.
 * @param option what the parameter is called, after the function that makes it
 * @throws OptionsError naming it
 */
export function requireActions(name: string, option: string, given: unknown, methods: readonly string[]): void {
  const actions = Object(given) as Readonly<Record<string, unknown>>
  if (methods.every((method) => typeof actions[method] === 'function')) return
  throw optionsError(name, option, `must be what create${option.charAt(0).toUpperCase()}${option.slice(1)} made`)
}

/** Make a route of what answers it. */
export function routeOf(
  method: Route['method'],
  path: string,
  access: AccessRule,
  handle: (context: AuthContext, request: AuthRequest) => Promise<AuthResponse>,
): Route {
  return Object.freeze({ method, path, access: Object.freeze(access), handle: handle as Route['handle'] })
}

// People in it: no cache keeps it, shared or private.
const NO_STORE = [['Cache-Control', 'no-store']] as const

/** Answer with people in the body, which is waited for where a host's `present` asks somebody; `null`: with none at all. */
export async function answer(status: number, given: unknown): Promise<AuthResponse> {
  const value = await given
  return value === null ? noContent(NO_STORE) : jsonResponse(status, value, NO_STORE)
}

/** Make the bodies of answers: of one member, which has the name of what it holds where the host has no other one for all. */
export function bodiesOf(envelope: string | undefined): (name: string, value: unknown) => unknown {
  return (name, value) => ({ [envelope ?? name]: value })
}

/** The text of a path parameter. */
export function paramOf({ params }: AuthRequest, name: string): string {
  return ownMembers(params ?? {})[name] ?? ''
}

/** Run work on a body whose fields are called `names`: what it refuses by the name of a field, it refuses by that one. */
export async function withFieldNames<T>(names: Readonly<Record<string, string>>, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    const name =
      isAuthError(error) && error.code === 'validation_error' ? ownMembers(names)[error.field ?? ''] : undefined
    throw name === undefined ? error : invalidField(name)
  }
}
