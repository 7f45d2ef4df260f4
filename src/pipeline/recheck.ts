/**
 * Authority is what it is when the body is whole: where reading it took over a second, all that the mounts asked is asked
 * once more, of storage too, before anything is done. The refusal is the one that a fresh request would get.
 */
import type { AuthContext } from '../context.ts'
import { AuthError } from '../errors.ts'
import type { Steps } from './auth-options.ts'
import { authenticate } from './authenticate.ts'
import { SILENT } from './decision-record.ts'
import { type Acted, toActed } from './own-copies.ts'
import { RequestState } from './request-state.ts'

// What was decided so long ago still counts.
const GOOD_FOR_MS = 1000

/**
 * Check the caller once more, if the last look is over a second old.
 * @throws AuthError what the pipeline refuses; `forbidden` where the caller may do less than the handler was told
 */
export async function recheck(steps: Steps, state: RequestState, clock: () => number): Promise<void> {
  const now = clock()
  const age = now - (state.checkedAt ?? Number.NaN)
  // A clock that was set back says nothing of how long it took.
  if (age >= 0 && age <= GOOD_FOR_MS) return
  const fresh = new RequestState(state.source, steps, async () => undefined)
  fresh.credential = state.credential
  fresh.selection = state.selection
  let isLess = false
  for (const mount of state.passed) {
    const context = await authenticate({ ...mount, steps, state: fresh, record: SILENT })
    isLess ||= !permissionsOf(mount.context).every((permission) => permissionsOf(context).includes(permission))
    fresh.passed = [...fresh.passed, mount]
  }
  isLess ||= !isAtLeast(steps, await authorityOf(steps, fresh, state.acted), await authorityOf(steps, state))
  if (isLess) throw new AuthError('forbidden', { reason: 'authority_ended_meanwhile' })
  state.checkedAt = now
}

function permissionsOf(context: AuthContext | null): readonly string[] {
  return context?.permissions ?? []
}

interface Authority {
  readonly callerId: string | null
  /** The user's own role, and the one where the caller acts. */
  readonly roles: readonly (string | null)[]
  readonly orgId: string | null
}

async function authorityOf(steps: Steps, state: RequestState, earlier?: Acted): Promise<Authority> {
  const verified = await state.verified
  const resolved = await state.resolvedUser?.result
  const acted = state.acted ?? (verified?.kind === 'service' ? await actsStill(steps, verified.name, earlier) : null)
  return {
    callerId: resolved?.userId ?? (await state.machine)?.machine.id ?? null,
    roles: [resolved?.role ?? null, acted?.role ?? null],
    orgId: acted?.orgId ?? null,
  }
}

// A service may have said where it acts before its body was whole.
async function actsStill({ orgs }: Steps, name: string, earlier: Acted | undefined): Promise<Acted | null> {
  if (earlier === undefined || earlier.orgId === null) return null
  return toActed(null, await orgs.resolve({ kind: 'service', name }, { kind: 'named', orgId: earlier.orgId }))
}

function isAtLeast({ roles }: Steps, now: Authority, then: Authority): boolean {
  const covers = (role: string | null, earlier: string | null | undefined): boolean =>
    earlier == null || role === earlier || (role !== null && roles.includes(role, earlier))
  return (
    now.callerId === then.callerId &&
    now.orgId === then.orgId &&
    now.roles.every((role, index) => covers(role, then.roles[index]))
  )
}
