/** An audit log: every decision as one line of JSON. Who asked, in which organization, for what, and why it was refused. */
import type { Decision } from 'sallyport'

/** Make an `onDecision` that writes lines, without their end. */
export function createAuditLog(write: (line: string) => void): (decision: Decision) => void {
  return (decision) => write(JSON.stringify(entryOf(decision)))
}

// The caller is always the real one: the key and not the person who made it, the service and not the org it acts in.
function entryOf({ at, principal, credential, orgId, role, method, path, outcome, code, reason }: Decision) {
  return {
    at: at.toISOString(),
    who: principal === null ? null : `${principal.kind}:${principal.id}`,
    by: credential,
    org: orgId,
    role,
    asked: `${method} ${path}`,
    outcome,
    ...(code !== null && { code }),
    ...(reason !== null && { reason }),
  }
}
