/** The host's hook that sends an invitation: after it is stored, for a bounded time, and never on the way to its answer. */
import type { Organization, User } from '../context.ts'
import { createLinePrinter, describeCause } from '../lib/standard-error.ts'
import { withDeadline } from '../lib/time.ts'
import type { Invitation } from '../storage/repositories.ts'

const LONGEST_MS = 10_000

/** What a mail needs. */
export interface InvitationMail<U extends User = User, O extends Organization = Organization> {
  /** The invitation, as it is stored. */
  readonly invitation: Invitation
  /** The organization that invites. */
  readonly org: O
  /** Who invites. */
  readonly inviter: U
  /** The secret of its link, where there are links: it is handed out here and kept nowhere. Else `null`. */
  readonly secret: string | null
}

/** The hook. */
export type SendInvitation<U extends User, O extends Organization> = (
  mail: InvitationMail<U, O>,
  signal: AbortSignal,
) => unknown

/** Sends what it is handed; never rejects. */
export type Send<U extends User, O extends Organization> = (
  mail: InvitationMail<U, O>,
  notSent: ((cause: unknown) => void) | null,
) => Promise<void>

/** Make the sender. What fails is told to who listens; where nobody does, a line on standard error says it. */
export function createSend<U extends User, O extends Organization>(
  send: SendInvitation<U, O>,
  clock: () => number,
): Send<U, O> {
  const print = createLinePrinter(clock)
  const late = (): Error => new Error('sending an invitation took too long')
  return async (mail, notSent) => {
    try {
      await withDeadline(new AbortController(), LONGEST_MS, late, async (signal) => send(Object.freeze(mail), signal))
    } catch (cause) {
      if (notSent !== null) notSent(cause)
      else print(`sallyport: an invitation was not sent: ${describeCause(cause)}; onEvent is told the cause`)
    }
  }
}
