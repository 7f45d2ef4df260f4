/** Peer addresses as they count: who can choose the lower half of an IPv6 address must not be many clients by it. */

/**
 * Bring a peer's address to the form it is counted by: IPv4 as it is, an IPv4-mapped one as IPv4, IPv6 as its /64 network.
 * What is no address counts as one client, `unknown`.
 */
export function toAddressKey(address: string | null): string {
  const text = (address ?? '').toLowerCase().split('%', 1)[0] as string
  const mapped = /^(?:::ffff:)?(\d{1,3}(?:\.\d{1,3}){3})$/.exec(text)?.[1]
  if (mapped !== undefined) return mapped
  const groups = expand(text)
  if (groups === null) return 'unknown'
  const [, , , , , fifth, high, low] = groups
  if (groups.slice(0, 5).every((group) => group === 0) && fifth === 0xffff) {
    return [high, low].flatMap((group = 0) => [group >> 8, group & 255]).join('.')
  }
  return `${groups
    .slice(0, 4)
    .map((group) => group.toString(16))
    .join(':')}::/64`
}

/** Ask whether a peer's address is this very machine: 127.0.0.0/8, `::1`, and the former mapped into IPv6. */
export function isLoopbackAddress(address: string | null): boolean {
  const text = (address ?? '').toLowerCase()
  return /^(?:::ffff:)?127(?:\.\d{1,3}){3}$/.test(text) || text === '::1'
}

function expand(text: string): number[] | null {
  const [head = '', tail, ...more] = text.split('::')
  const left = groupsOf(head)
  const right = tail === undefined ? [] : groupsOf(tail)
  if (left === null || right === null || more.length > 0 || !text.includes(':')) return null
  const missing = 8 - left.length - right.length
  if (tail === undefined ? missing !== 0 : missing < 1) return null
  return [...left, ...Array.from({ length: missing }, () => 0), ...right]
}

function groupsOf(text: string): number[] | null {
  if (text === '') return []
  const groups = text.split(':')
  return groups.every((group) => /^[0-9a-f]{1,4}$/.test(group))
    ? groups.map((group) => Number.parseInt(group, 16))
    : null
}
