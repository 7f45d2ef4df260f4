/** The client's address behind proxies that the host trusts: so many entries from the right of `X-Forwarded-For`. */
import * as z from 'zod/mini'
import { notify } from '../lib/notify.ts'
import { aFunction, parseOptions } from '../lib/parse-options.ts'
import { toAddressKeys } from '../lib/peer-address.ts'
import type { AuthRequest } from '../request.ts'

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
 * @throws TypeError for a missing or unknown option
 * @example
 * createLogin({ …, publicUrl: 'https://app.example.com', clientAddress: forwardedAddress({ hops: 1, onWarning: console.warn }) })
 */
export function forwardedAddress(options: ForwardedAddressOptions): (request: AuthRequest) => string | null {
  const { hops, onWarning } = parseOptions(NAME, SHAPE, options)
  let isWarned = false
  return ({ lines, remoteAddress }) => {
    const entries = lines('x-forwarded-for')
      .flatMap((line) => line.split(','))
      .map(bare)
    const address = entries.at(-hops)
    if (address !== undefined && toAddressKeys(address) !== null) return address
    if (!isWarned)
      notify(onWarning, `${NAME}: a request had no address of the proxy ${hops} before this process: its peer counts`)
    isWarned = true
    return remoteAddress
  }
}

// Some proxies add the port: `192.0.2.1:5000`, `[2001:db8::1]:5000`.
function bare(entry: string): string {
  const text = entry.replace(/^[ \t]+|[ \t]+$/g, '')
  return /^\[([^\]]+)\](?::\d+)?$/.exec(text)?.[1] ?? /^(\d+(?:\.\d+){3}):\d+$/.exec(text)?.[1] ?? text
}

const SHAPE = {
  hops: z.custom<number>(
    (value) => Number.isInteger(value) && (value as number) >= 1 && (value as number) <= 16,
    'must be a whole number from 1 to 16',
  ),
  onWarning: z.optional(aFunction<(sentence: string) => unknown>()),
}
