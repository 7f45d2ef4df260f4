/**
 * One object of each shape that requests make and leave behind. V8 throws compiled code away together with a shape it was
 * compiled for, and a shape goes when a major collection finds no object of it left: then all is slow until it is compiled anew.
 */
import type { Identity } from '../context.ts'
import { CONTEXT_ORIGINS, type ContextOrigin } from '../users/context-origin.ts'
import type { Rule } from './access.ts'
import type { Steps } from './auth-options.ts'
import { identityContext, userContext, userOrgContext } from './contexts.ts'
import { KeptUser, toActed } from './own-copies.ts'
import { RequestState } from './request-state.ts'

let shapes: readonly object[] | undefined

/** Keep them, for as long as the process lives. They are of nobody. */
export function keepShapes(): readonly object[] {
  shapes ??= createShapes()
  return shapes
}

function createShapes(): readonly object[] {
  const steps = { permissions: null } as Steps
  const rule = { role: null, permissions: [] as readonly string[] } as Rule
  const identity = { scopes: null } as Identity
  const user = new KeptUser({ user: { id: '', email: null, disabled: true } })
  const acted = toActed(null, { org: null, role: null })
  const contexts = [
    identityContext(steps, rule, identity),
    userContext(steps, rule, identity, user),
    userOrgContext(acted, { identity, user: user.user }),
  ]
  for (const context of contexts) CONTEXT_ORIGINS.set(context, {} as ContextOrigin)
  return [new RequestState(identity, steps, async () => undefined), user, acted, ...contexts]
}
