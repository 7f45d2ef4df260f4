/** Peer addresses as they count: who can choose the lower half of an IPv6 address must not be many clients by it. */

/** What an address counts as. */
export interface AddressKeys {
  /** IPv4 as it is, an IPv4-mapped one as IPv4, IPv6 as its /64: one client's. */
  readonly address: string
  /** IPv6 as its /48, of which one client may have a good part; `null` for IPv4. */
  readonly network: string | null
}

/** Bring a peer's address to the forms it is counted by; `null` for what is no address: nobody is counted by it. */
export function toAddressKeys(address: string | null): AddressKeys | null {
  const text = (address ?? '').toLowerCase().split('%', 1)[0] as string
  const mapped = /^(?:::ffff:)?(\d{1,3}(?:\.\d{1,3}){3})$/.exec(text)?.[1]
  if (mapped !== undefined) return { address: mapped, network: null }
  const groups = expand(text)
  if (groups === null) return null
  const [, , , , , fifth, high, low] = groups
  if (groups.slice(0, 5).every((group) => group === 0) && fifth === 0xffff) {
    const bytes = [high, low].flatMap((group = 0) => [group >> 8, group & 255])
    return { address: bytes.join('.'), network: null }
  }
  const prefix = (length: number): string =>
    groups
      .slice(0, length)
      .map((group) => group.toString(16))
      .join(':')
  return { address: `${prefix(4)}::/64`, network: `${prefix(3)}::/48` }
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
