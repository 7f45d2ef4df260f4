/** What an auth hands, beside a context, to routes that make users by themselves: they know no auth. */
import type { KnownRoles, Provisioned } from '../context.ts'
import { type Beside, createBeside } from '../lib/beside.ts'

/** Where a context comes from. */
export interface ContextOrigin {
  /** The roles of the auth that made it: whoever writes one writes no other. */
  readonly roles: KnownRoles
  /** The token behind it, for a provisioner that asks its issuer for more. */
  readonly token: string | undefined
  /** Write down in the request's record what became of somebody seen for the first time. */
  provisioned(provisioned: Provisioned): void
}

/** The origins of contexts. */
export const CONTEXT_ORIGINS: Beside<ContextOrigin> = createBeside()
