/**
 * An audit log: every decision and every change to a key as one line of JSON. Who asked, in which organization, for what,
 * and why it was refused.
 */
import type { Decision } from 'sallyport'
import type { ApiKeyEvent } from 'sallyport/api-keys'

/** Where an app tells what it does. */
export interface AuditLog {
  /** For `createAuth({ onDecision })`. */
  decided(decision: Decision): void
  /** For `createApiKeys({ onEvent })`. */
  happened(event: ApiKeyEvent): void
}

/** Make a log that writes lines, without their end. */
export function createAuditLog(write: (line: string) => void): AuditLog {
  return {
    decided: (decision) => write(JSON.stringify(entryOf(decision))),
    happened: ({ at, byId, ownerOrgId, kind, keyId }) =>
      write(JSON.stringify({ at: at.toISOString(), who: `user:${byId}`, org: ownerOrgId, did: kind, key: keyId })),
  }
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
