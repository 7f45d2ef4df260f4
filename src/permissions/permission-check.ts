/**
 * What a caller may do, asked in one place for every kind of caller: what it was given, as far as its credential carries it.
 */
import type { Machine } from '../context.ts'
import { AuthError } from '../errors.ts'

/** What one caller has. */
export interface Holdings {
  /** What it was given: by its role, by where a service is declared. `null`: nothing is asked but the credential. */
  readonly granted: readonly string[] | null
  /** What its credential carries: an API key's permissions, a token's scopes. `null`: a credential without a bound. */
  readonly bound: readonly string[] | null
  /** Whether that is a token and no API key, for the sentence of the refusal. */
  readonly token: boolean
}

/** No permission, no role. */
export const NONE: readonly never[] = Object.freeze([])

/** Each once, in the order of their names. */
export function sortedOnce(names: Iterable<string>): readonly string[] {
  return Object.freeze([...new Set(names)].sort())
}

/**
 * What a caller may do: what it was given ∩ what its credential carries. Where nothing was given to it, the credential
 * alone decides, and one without a bound carries nothing.
 * @returns frozen; sorted where `granted` is
 */
export function effectiveOf({ granted, bound }: Omit<Holdings, 'token'>): readonly string[] {
  if (granted === null) return bound === null ? NONE : sortedOnce(bound)
  return bound === null ? granted : Object.freeze(granted.filter((permission) => bound.includes(permission)))
}

/**
 * Say what a machine was given: of its role's permissions, or of all that there are where it has no role, those that stand
 * by themselves in its row or rule; where none do, all that its role may.
 *
 * @param ofRole what its role may do
 * @param all every permission that somebody can have, sorted; `null`: any
 */
export function givenTo(
  { role, permissions }: Pick<Machine, 'role' | 'permissions'>,
  ofRole: readonly string[],
  all: readonly string[] | null,
): readonly string[] {
  if (permissions === null) return role === null ? NONE : ofRole
  const most = role === null ? (all ?? sortedOnce(permissions)) : ofRole
  return Object.freeze(most.filter((permission) => permissions.includes(permission)))
}

/**
 * Require that a caller may do all of `needed`: what it was given is asked first, then its credential.
 * @throws AuthError `forbidden` where it was not given one; `insufficient_scope` where the credential does not carry one, its
 * challenge naming all of `needed` (RFC 6750 §3.1)
 */
export function requirePermissions({ granted, bound, token }: Holdings, needed: readonly string[]): void {
  if (needed.length === 0) return
  if (granted !== null && !holdsAll(granted, needed)) {
    throw new AuthError('forbidden', { reason: 'permission_not_of_role', ...describe(needed, granted) })
  }
  const carried = bound ?? granted ?? NONE
  if (!holdsAll(carried, needed)) {
    const details = { scopes: needed, token, ...describe(needed, carried) }
    throw new AuthError('insufficient_scope', { reason: 'scope_missing', ...details })
  }
}

function describe(
  needed: readonly string[],
  held: readonly string[],
): { readonly expected: string; readonly got: string } {
  return { expected: needed.join(' '), got: held.join(' ') || 'none' }
}

function holdsAll(held: readonly string[], needed: readonly string[]): boolean {
  for (const permission of needed) if (!held.includes(permission)) return false
  return true
}
