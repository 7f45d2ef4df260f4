/**
 * Passwords and their hashes as text: the one form in which a password is counted, checked and hashed, and PHC strings,
 * read strictly. What a row says of its own cost is bounded here, so that no row can demand gigabytes or minutes.
 */

/** A password in its normal form. */
export interface PasswordText {
  /** NFKC: what different keyboards make of the same characters is the same password. */
  readonly text: string
  readonly codePoints: number
  /** UTF-8. */
  readonly bytes: Uint8Array<ArrayBuffer>
}

const MAX_BYTES = 1024

/** Read a password; `null` where no password can be this: over 1,024 bytes, or not well-formed Unicode. */
export function readPasswordText(given: string): PasswordText | null {
  // Lone surrogates have no UTF-8: two different passwords would be the same bytes.
  if (given.length > MAX_BYTES || /\p{Cs}/u.test(given)) return null
  const text = given.normalize('NFKC')
  const bytes = new TextEncoder().encode(text)
  return bytes.length > MAX_BYTES ? null : { text, codePoints: [...text].length, bytes }
}

/** The cost of scrypt (RFC 7914): N = 2^ln, block size r, p times. */
export interface ScryptCost {
  readonly kind: 'scrypt'
  /** Base-2 logarithm of N, the rounds. A hash takes 128 × N × r bytes of memory. */
  readonly ln: number
  /** Block size, in units of 128 bytes. */
  readonly r: number
  /** How many times, one after another. */
  readonly p: number
}

/** The cost of Argon2id (RFC 9106): memory in KiB, passes, lanes. */
export interface Argon2Cost {
  readonly kind: 'argon2id'
  /** Memory, in KiB. */
  readonly m: number
  /** Passes over the memory. */
  readonly t: number
  /** Lanes. */
  readonly p: number
}

/** What one hash costs. */
export type HashCost = ScryptCost | Argon2Cost

/** A hash taken apart. */
export interface PasswordHash {
  readonly cost: HashCost
  readonly salt: Uint8Array
  readonly hash: Uint8Array
}

const SCRYPT = /^\$scrypt\$ln=(\d{1,2}),r=(\d{1,2}),p=(\d{1,2})\$([A-Za-z0-9+/]+)\$([A-Za-z0-9+/]+)$/
const ARGON2 = /^\$argon2id\$v=19\$m=(\d{1,6}),t=(\d{1,2}),p=(\d{1,2})\$([A-Za-z0-9+/]+)\$([A-Za-z0-9+/]+)$/

/**
 * Read a PHC string.
 * @throws Error for anything else, and for a cost out of bounds: a fault of the row, never of who logs in
 */
export function parseHash(text: string): PasswordHash {
  const found = text.length > 512 ? null : (SCRYPT.exec(text) ?? ARGON2.exec(text))
  if (found === null) throw new Error('sallyport: a stored password hash is not a PHC string of scrypt or argon2id')
  const [first = 0, second = 0, third = 0] = found.slice(1, 4).map(Number)
  const cost: HashCost = text.startsWith('$scrypt$')
    ? { kind: 'scrypt', ln: first, r: second, p: third }
    : { kind: 'argon2id', m: first, t: second, p: third }
  const salt = Buffer.from(found[4] as string, 'base64')
  const hash = Buffer.from(found[5] as string, 'base64')
  const isSized = salt.length >= 8 && salt.length <= 64 && hash.length >= 16 && hash.length <= 64
  if (!isSized || describeCost(cost) !== null) {
    throw new Error('sallyport: a stored password hash demands what is out of bounds')
  }
  return { cost, salt, hash }
}

/** Write a PHC string. */
export function formatHash({ cost, salt, hash }: PasswordHash): string {
  const numbers =
    cost.kind === 'scrypt' ? `ln=${cost.ln},r=${cost.r},p=${cost.p}` : `v=19$m=${cost.m},t=${cost.t},p=${cost.p}`
  return `$${cost.kind}$${numbers}$${unpadded(salt)}$${unpadded(hash)}`
}

/** Say what is out of bounds with a cost, or `null`: at most 128 MiB, and some seconds of work. */
export function describeCost(cost: HashCost): string | null {
  const isWhole = Object.entries(cost).every(([name, value]) => name === 'kind' || Number.isInteger(value))
  const least = cost.kind === 'scrypt' ? Math.min(cost.ln, cost.r, cost.p) : Math.min(cost.t, cost.p)
  if (!isWhole || !(least >= 1)) return 'must be whole numbers from 1'
  if (cost.kind === 'argon2id') {
    const fits = cost.m >= 8 * cost.p && cost.m <= 131_072 && cost.t <= 20 && cost.p <= 16
    return fits ? null : 'must have m from 8·p to 131072 (KiB), t to 20, p to 16'
  }
  const fits = cost.ln <= 20 && 128 * 2 ** cost.ln * cost.r <= 2 ** 27 && workOf(cost) <= 2 ** 23 && cost.p <= 16
  return fits ? null : 'must need at most 128 MiB (128·r·2^ln), at most 2^23 block mixes (p·r·2^ln), p to 16'
}

/** The work of one hash, in units of its own kind (block mixes; KiB filled): what its time is proportional to. */
export function workOf(cost: HashCost): number {
  return cost.kind === 'scrypt' ? 2 ** cost.ln * cost.r * cost.p : cost.m * cost.t
}

/** Whether two costs are the same. */
export function isSameCost(a: HashCost, b: HashCost): boolean {
  const { kind, p } = a
  if (kind !== b.kind || p !== b.p) return false
  return a.kind === 'scrypt'
    ? a.ln === (b as ScryptCost).ln && a.r === (b as ScryptCost).r
    : a.m === (b as Argon2Cost).m && a.t === (b as Argon2Cost).t
}

function unpadded(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64').replaceAll('=', '')
}
