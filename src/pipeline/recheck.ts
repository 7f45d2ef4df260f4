/**
 * Authority is what it is when the body is whole: where reading it took over a second, all that the mounts asked is asked
 * once more, of storage too, before anything is done. The refusal is the one that a fresh request would get.
 */
import { AuthError } from '../errors.ts'
import type { Steps } from './auth-options.ts'
import { authenticate } from './authenticate.ts'
import { SILENT } from './decision-record.ts'
import { type Acted, toActed } from './own-copies.ts'
import { newState, type RequestState } from './request-state.ts'

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
  const fresh: RequestState = { ...newState(), credential: state.credential, selection: state.selection }
  for (const mount of state.passed) {
    await authenticate(steps, { ...mount, state: fresh, record: SILENT })
    fresh.passed.push(mount)
  }
  const isLess = !isAtLeast(steps, await authorityOf(steps, fresh, state.acted), await authorityOf(steps, state))
  if (isLess) throw new AuthError('forbidden', { reason: 'authority_ended_meanwhile' })
  state.checkedAt = now
}

interface Authority {
  readonly userId: string | null
  /** The user's own role, and the one where the caller acts. */
  readonly roles: readonly (string | null)[]
  readonly orgId: string | null
  readonly scopes: readonly string[]
}

async function authorityOf(steps: Steps, state: RequestState, earlier?: Acted): Promise<Authority> {
  const verified = await state.verified
  const resolved = await state.resolvedUser?.result
  const acted = state.acted ?? (verified?.kind === 'service' ? await actsStill(steps, verified.name, earlier) : null)
  return {
    userId: resolved?.userId ?? null,
    roles: [resolved?.role ?? null, acted?.role ?? null],
    orgId: acted?.orgId ?? null,
    scopes: verified?.kind === 'apiKey' ? verified.key.scopes : [],
  }
}

// A service may have said where it acts before its body was whole.
async function actsStill({ orgs }: Steps, name: string, earlier: Acted | undefined): Promise<Acted | null> {
  if (earlier === undefined || earlier.orgId === null) return null
  return toActed(await orgs.resolve({ kind: 'service', name }, { kind: 'named', orgId: earlier.orgId }))
}

function isAtLeast({ ladder }: Steps, now: Authority, then: Authority): boolean {
  const rank = (role: string | null | undefined): number => (role == null ? -1 : ladder.roles.indexOf(role))
  return (
    now.userId === then.userId &&
    now.orgId === then.orgId &&
    now.roles.every((role, index) => rank(role) >= rank(then.roles[index])) &&
    then.scopes.every((scope) => now.scopes.includes(scope))
  )
}
