/** Instants that clients write: RFC 3339 text to a `Date`. */
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
