/** What somebody wants a new key to be, judged: its name, scopes, role and end. Hands on what may be stored. */
import { AuthError } from '../errors.ts'
import { isText, readField } from '../http/read-json.ts'
import type { ApiKeySettings } from './api-keys-options.ts'

/** What a new key is to be. Values may come straight from a client: everything is checked. */
export interface ApiKeyWish {
  /** For people: 1 to 255 characters, none of them a control character. */
  readonly name: unknown
  /** A role of the ladder. Default: the lowest that the scopes need; without any scopes configured it must be given. */
  readonly role?: unknown
  /** Scopes, each at most once stored; `[]`: none. Default: `defaultScopes`. */
  readonly scopes?: unknown
  /** When it ends: a `Date`, RFC 3339 text, or `null` for never. Default `null`. */
  readonly expiresAt?: unknown
  /** The org it is to be bound to, where keys are the installation's; `null`: none. Default `null`. Else not read. */
  readonly orgId?: unknown
}

/** A wish that is well-formed; the creator's role is not judged yet. */
export interface JudgedWish {
  readonly name: string
  readonly role: string
  readonly scopes: readonly string[]
  readonly expiresAt: Date | null
}

/**
 * Judge a wish.
 * @throws AuthError `validation_error` naming `name`, `scopes`, `role` or `expires_at`
 */
export function parseWish(settings: ApiKeySettings, wish: ApiKeyWish, now: number): JudgedWish {
  const name = readField({ name: wish.name }, 'name', isText)
  const scopes = scopesOf(settings, wish.scopes)
  const role = roleOf(settings, wish.role, scopes)
  return { name, role, scopes, expiresAt: expiryOf(wish.expiresAt ?? null, now) }
}

function scopesOf({ scopes: known, defaultScopes }: ApiKeySettings, wanted: unknown): readonly string[] {
  const areKnown = (value: unknown): value is readonly string[] =>
    Array.isArray(value) && value.every((scope) => known.has(scope as string))
  return [...new Set(wanted === undefined ? defaultScopes : readField({ scopes: wanted }, 'scopes', areKnown))]
}

function roleOf(
  { ladder: { roles }, scopes: known }: ApiKeySettings,
  wanted: unknown,
  scopes: readonly string[],
): string {
  const needed = Math.max(0, ...scopes.map((scope) => roles.indexOf(known.get(scope) ?? '')))
  if (wanted === undefined && known.size > 0) return roles[needed] as string
  const role = readField({ role: wanted }, 'role', (value): value is string => roles.includes(value as string))
  if (roles.indexOf(role) < needed) {
    throw new AuthError('validation_error', { field: 'role', reason: 'api_key_role_below_scopes' })
  }
  return role
}

function expiryOf(wanted: unknown, now: number): Date | null {
  if (wanted === null) return null
  const parsed = typeof wanted === 'string' ? parseInstant(wanted) : wanted
  const expiresAt = readField({ expires_at: parsed }, 'expires_at', isInstant)
  if (expiresAt.getTime() <= now) {
    throw new AuthError('validation_error', { field: 'expires_at', reason: 'api_key_expires_in_the_past' })
  }
  return new Date(expiresAt)
}

function isInstant(value: unknown): value is Date {
  return value instanceof Date && !Number.isNaN(value.getTime())
}

/** Whether a value is a whole number of seconds from 0 to `max`. */
export function isSeconds(max: number): (value: unknown) => value is number {
  return (value): value is number => Number.isInteger(value) && (value as number) >= 0 && (value as number) <= max
}

const RFC3339 = /^(\d{4})-(\d{2})-(\d{2})T(\d{2}):(\d{2}):(\d{2})(?:\.(\d{1,9}))?(?:Z|([+-])(\d{2}):(\d{2}))$/i

/**
 * Parse an RFC 3339 date-time with its offset; `null` for anything else: a date that no calendar has, an hour of 24, no
 * offset. Digits beyond the millisecond are dropped. A leap second is refused: no clock here knows it.
 */
export function parseInstant(text: string): Date | null {
  const match = RFC3339.exec(text)
  if (match === null) return null
  const [year, month, day, hour, minute, second] = match.slice(1, 7).map(Number) as [
    number,
    number,
    number,
    number,
    number,
    number,
  ]
  const [offsetHours, offsetMinutes] = [Number(match[9] ?? 0), Number(match[10] ?? 0)]
  if (hour > 23 || minute > 59 || second > 59 || offsetHours > 23 || offsetMinutes > 59) return null
  const local = new Date(0)
  local.setUTCFullYear(year, month - 1, day)
  if (local.getUTCMonth() !== month - 1 || local.getUTCDate() !== day) return null
  local.setUTCHours(hour, minute, second, Number((match[7] ?? '').slice(0, 3).padEnd(3, '0')))
  const offset = (offsetHours * 60 + offsetMinutes) * 60_000
  const instant = new Date(local.getTime() - (match[8] === '-' ? -offset : offset))
  // The offset may lead into a year that RFC 3339 cannot write.
  return /^\d/.test(instant.toISOString()) ? instant : null
}
