/** Rows to records, column by column: what a driver adds, leaves out or types in its own way does not get through. */
import type { ActingOrg } from '../context.ts'
import type { Invitation, Membership } from './repositories.ts'
import type { SqlRow } from './sql-executor.ts'
import type { StoredOrganization, StoredUser } from './stored.ts'

/** Read a user. */
export function toUser(row: SqlRow): StoredUser {
  const orgId = toTextOrNull(row['own_org_id'])
  return {
    id: String(row['user_id']),
    issuer: String(row['issuer']),
    subject: String(row['subject']),
    email: toTextOrNull(row['email']),
    // Whatever is not plainly false is a disabled user.
    disabled: row['disabled'] !== false && row['disabled'] !== 0 && row['disabled'] !== 0n,
    createdAt: toDate(row['user_created_at']),
    orgId,
    role: orgId === null ? null : toTextOrNull(row['own_role']),
  }
}

/** Read an organization. */
export function toOrganization(row: SqlRow): StoredOrganization {
  return { id: String(row['org_id']), name: String(row['org_name']), createdAt: toDate(row['org_created_at']) }
}

/** Read what somebody may act in, or `null` where the join found none. */
export function toActing(row: SqlRow): ActingOrg<StoredOrganization> | null {
  if (toTextOrNull(row['org_id']) === null) return null
  return { org: toOrganization(row), role: toTextOrNull(row['acting_role']) }
}

/** Read a membership. */
export function toMembership(row: SqlRow): Membership {
  return {
    orgId: String(row['org_id']),
    userId: String(row['user_id']),
    role: String(row['role']),
    joinedAt: toDate(row['joined']),
  }
}

/** Read an invitation. */
export function toInvitation(row: SqlRow): Invitation {
  return {
    id: String(row['id']),
    orgId: String(row['org_id']),
    email: String(row['email']),
    role: String(row['role']),
    createdAt: toDate(row['created']),
  }
}

/** Read a count. */
export function toCount(rows: readonly SqlRow[]): number {
  return Number(rows[0]?.['count'] ?? 0)
}

/** Read a text that may be absent. */
export function toTextOrNull(value: unknown): string | null {
  return value === null || value === undefined ? null : String(value)
}

/** Read an instant: drivers hand out numbers, big integers or text; a millisecond is a whole number in all of them. */
export function toDate(value: unknown): Date {
  return new Date(Math.round(Number(value)))
}
