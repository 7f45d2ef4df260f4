/**
 * Authority is what it is when the body is whole: where reading it took over a second, all that the mounts asked is asked
 * once more, of storage too, before anything is done. The refusal is the one that a fresh request would get.
 */
import { AuthError } from '../errors.ts'
import { walk } from './corridor.ts'
import { type Acted, toActed } from './own-copies.ts'
import { SILENT } from './recorder.ts'
import type { Rooms } from './rooms.ts'
import { newState, type WalkState } from './walk-state.ts'

// What was decided so long ago still counts.
const GOOD_FOR_MS = 1000

/**
 * Judge the caller once more, if the last look is over a second old.
 * @throws AuthError what the walk refuses; `forbidden` where the caller may do less than the handler was told
 */
export async function judgeAgain(rooms: Rooms, state: WalkState, clock: () => number): Promise<void> {
  const now = clock()
  const age = now - (state.judgedAt ?? Number.NaN)
  // A clock that was set back says nothing of how long it took.
  if (age >= 0 && age <= GOOD_FOR_MS) return
  const fresh: WalkState = { ...newState(), credential: state.credential, selection: state.selection }
  for (const mount of state.passed) {
    await walk(rooms, { ...mount, state: fresh, record: SILENT })
    fresh.passed.push(mount)
  }
  const isLess = !isAtLeast(rooms, await authorityOf(rooms, fresh, state.acted), await authorityOf(rooms, state))
  if (isLess) throw new AuthError('forbidden', { reason: 'authority_ended_meanwhile' })
  state.judgedAt = now
}

interface Authority {
  readonly userId: string | null
  /** The user's own role, and the one where the caller acts. */
  readonly roles: readonly (string | null)[]
  readonly orgId: string | null
  readonly scopes: readonly string[]
}

async function authorityOf(rooms: Rooms, state: WalkState, earlier?: Acted): Promise<Authority> {
  const verified = await state.verified
  const admitted = await state.admission?.result
  const acted = state.acted ?? (verified?.kind === 'service' ? await actsStill(rooms, verified.name, earlier) : null)
  return {
    userId: admitted?.userId ?? null,
    roles: [admitted?.role ?? null, acted?.role ?? null],
    orgId: acted?.orgId ?? null,
    scopes: verified?.kind === 'apiKey' ? verified.key.scopes : [],
  }
}

// A service may have said where it acts before its body was whole.
async function actsStill({ orgs }: Rooms, name: string, earlier: Acted | undefined): Promise<Acted | null> {
  if (earlier === undefined || earlier.orgId === null) return null
  return toActed(await orgs.resolve({ kind: 'service', name }, { kind: 'named', orgId: earlier.orgId }))
}

function isAtLeast({ ladder }: Rooms, now: Authority, then: Authority): boolean {
  const rank = (role: string | null | undefined): number => (role == null ? -1 : ladder.roles.indexOf(role))
  return (
    now.userId === then.userId &&
    now.orgId === then.orgId &&
    now.roles.every((role, index) => rank(role) >= rank(then.roles[index])) &&
    then.scopes.every((scope) => now.scopes.includes(scope))
  )
}
