/**
 * The addresses of clients: what each counts as, which one counts behind proxies that the host trusts, and what this process
 * remembers of those that tried passwords here.
 */
import { createBoundedMap, type Used } from '../lib/bounded-map.ts'
import { aFunction, aValue, maker, optional, parseOptions, type Shape } from '../lib/parse-options.ts'
import { notify } from '../lib/standard-error.ts'
import type { AuthRequest } from '../request.ts'

/**
 * Bring a peer's address to the forms it is counted by: IPv4 as it is, an IPv4-mapped one as IPv4, IPv6 as its /64, which is
 * one client's, and as its /48, of which one client may have a good part. `null` for what is no address: nobody counts by it.
 */
export function toAddressKeys(
  address: string | null,
): { readonly address: string; readonly network: string | null } | null {
  const text = (address ?? '').toLowerCase().split('%', 1)[0] as string
  const mapped = /^(?:::ffff:)?(\d{1,3}(?:\.\d{1,3}){3})$/.exec(text)?.[1]
  if (mapped !== undefined) return { address: mapped, network: null }
  if (!/^[0-9a-f:]+$/.test(text) || !URL.canParse(`http://[${text}]`)) return null
  // In the form of RFC 5952: no leading zeros, `::` once at most.
  const host = new URL(`http://[${text}]`).hostname.slice(1, -1)
  const words = /^::ffff:([0-9a-f]+):([0-9a-f]+)$/.exec(host)
  if (words !== null) {
    const bytes = words.slice(1).flatMap((word) => [Number.parseInt(word, 16) >> 8, Number.parseInt(word, 16) & 255])
    return { address: bytes.join('.'), network: null }
  }
  const [left = [], right = []] = host.split('::').map((part) => part.match(/[0-9a-f]+/g) ?? [])
  const zeros = Array.from({ length: 8 - left.length - right.length }, () => '0')
  const [a, b, c, d] = [...left, ...zeros, ...right]
  return { address: `${a}:${b}:${c}:${d}::/64`, network: `${a}:${b}:${c}::/48` }
}

/** Ask whether a peer's address is this very machine: 127.0.0.0/8, `::1`, and the former mapped into IPv6. */
export function isLoopbackAddress(address: string | null): boolean {
  const text = (address ?? '').toLowerCase()
  return /^(?:::ffff:)?127(?:\.\d{1,3}){3}$/.test(text) || text === '::1'
}

/** Options of {@link forwardedAddress}. */
export interface ForwardedAddressOptions {
  /** How many proxies of your own stand between clients and this process, each adding the address of its peer: 1 to 16. */
  readonly hops: number
  /** Told once, where a request has fewer entries than hops: it has come past a proxy, or there are fewer. */
  readonly onWarning?: ((sentence: string) => unknown) | undefined
}

const NAME = 'forwardedAddress'

/**
 * Make the `clientAddress` of `createLogin` for a service behind proxies. What a client sends itself stands to the left of
 * what they add, and means nothing. Where there are fewer entries than hops, or no address in the one that counts, it is
 * the peer's.
 *
 * @throws OptionsError for a missing or unknown option
 * @example
 * const clientAddress = forwardedAddress({ hops: 1, onWarning: console.warn })
 * createLogin({ storage, secret, service: 'ironflow', roles, publicUrl: 'https://app.example.com', clientAddress })
 */
export const forwardedAddress: (options: ForwardedAddressOptions) => (request: AuthRequest) => string | null =
  /* @__PURE__ */ maker('forwardedAddress({ hops })', makeForwardedAddress)

function makeForwardedAddress(options: ForwardedAddressOptions): (request: AuthRequest) => string | null {
  const { hops, onWarning } = parseOptions(NAME, SHAPE, options)
  let isWarned = false
  return ({ lines, remoteAddress }) => {
    const entries = lines('x-forwarded-for')
      .flatMap((line) => line.split(','))
      .map(bare)
    const address = entries.at(-hops)
    if (address !== undefined && toAddressKeys(address) !== null) return address
    const warning = `${NAME}: a request had no address of the proxy ${hops} before this process: its peer counts`
    if (!isWarned) notify(`${NAME}: onWarning`, onWarning, warning)
    isWarned = true
    return remoteAddress
  }
}

// Some proxies add the port: `192.0.2.1:5000`, `[2001:db8::1]:5000`.
function bare(entry: string): string {
  const text = entry.replace(/^[ \t]+|[ \t]+$/g, '')
  return /^\[([^\]]+)\](?::\d+)?$/.exec(text)?.[1] ?? /^(\d+(?:\.\d+){3}):\d+$/.exec(text)?.[1] ?? text
}

const SHAPE: Shape<ForwardedAddressOptions> = {
  hops: aValue(
    (value) => Number.isInteger(value) && (value as number) >= 1 && (value as number) <= 16,
    'must be a whole number from 1 to 16',
  ),
  onWarning: optional(aFunction()),
}

/** What this process remembers of addresses that tried passwords here. */
export interface AddressNotes {
  /** Whether an address has no failures here and no try in flight. One that is not known is never quiet. */
  isQuiet(address: string | null): boolean
  /** Note that a try is in flight, until it is told how it ended. */
  begin(address: string | null): (isFailure: boolean) => void
}

const MOST_ADDRESSES = 10_000

/** Create the notes; a failure is remembered for `windowSeconds`. IPv6 counts by its /48. */
export function createAddressNotes(windowSeconds: number, clock: () => number): AddressNotes {
  const failures = createBoundedMap<string, Used & { readonly until: number }>(MOST_ADDRESSES)
  const inFlight = new Map<string, number>()
  const keyOf = (address: string | null): string | null => {
    const keys = toAddressKeys(address)
    return keys === null ? null : (keys.network ?? keys.address)
  }
  return {
    isQuiet(address) {
      const key = keyOf(address)
      return key !== null && !inFlight.has(key) && !((failures.get(key)?.until ?? 0) > clock())
    },
    begin(address) {
      const key = keyOf(address)
      if (key === null) return () => undefined
      inFlight.set(key, (inFlight.get(key) ?? 0) + 1)
      return (isFailure) => {
        const left = (inFlight.get(key) ?? 1) - 1
        if (left === 0) inFlight.delete(key)
        else inFlight.set(key, left)
        if (isFailure) failures.set(key, { used: false, until: clock() + windowSeconds * 1000 })
      }
    },
  }
}
