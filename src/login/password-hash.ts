/**
 * Passwords to hashes (PHC strings) and back to a yes or no, as slowly as it has to be and never too many at once: scrypt
 * shares the thread pool with WebCrypto, so a flood of logins must not stop the verification of tokens.
 */
import * as nodeCrypto from 'node:crypto'
import { AuthError } from '../errors.ts'
import {
  aCount,
  aFunction,
  aListOf,
  aValue,
  optional,
  optionsError,
  parseOptions,
  type Shape,
} from '../lib/parse-options.ts'

/** The cost of scrypt (RFC 7914). */
interface ScryptCost {
  readonly kind: 'scrypt'
  /** Base-2 logarithm of N, the rounds. A hash takes 128 × N × r bytes of memory. */
  readonly ln: number
  /** Block size, in units of 128 bytes. */
  readonly r: number
  /** How many times, one after another. */
  readonly p: number
}

/** The cost of Argon2id (RFC 9106). */
interface Argon2Cost {
  readonly kind: 'argon2id'
  /** Memory, in KiB. */
  readonly m: number
  /** Passes over the memory. */
  readonly t: number
  /** Lanes. */
  readonly p: number
}

type HashCost = ScryptCost | Argon2Cost

/** Options of {@link createPasswordHasher}. */
export interface PasswordHasherOptions {
  /**
   * What a hash costs. Default `{ kind: 'scrypt', ln: 15, r: 8, p: 3 }`: 32 MiB and some 0.3 s. `argon2id` needs a runtime
   * whose `node:crypto` has it (Node 24.7), or `argon2`.
   */
  readonly cost?: HashCost | undefined
  /**
   * Other costs that stored hashes may have: dearer ones, or of the other kind. Default none: then a hash opens that is of
   * the kind of `cost` and not dearer. Each verify, of nobody's password too, costs what the dearest of each kind do
   * together, so that nobody sees whose hash is which. A hash beyond them opens nothing.
   */
  readonly storedCosts?: readonly HashCost[] | undefined
  /** What computes Argon2id. Default: `node:crypto`, where it has it. */
  readonly argon2?: Argon2Function | undefined
  /** Hashes at once. Default 2 of the thread pool's four. */
  readonly maxConcurrent?: number | undefined
  /** Hashes that may wait. Beyond them: 503. A quarter of them is kept for addresses without failures. Default 64. */
  readonly maxQueued?: number | undefined
}

/**
 * Argon2id, version 1.3 (RFC 9106), of the caller's own: what of `@node-rs/argon2`, `argon2` or `hash-wasm` is wrapped. It
 * hands back the raw hash of `hashLength` bytes, nothing encoded; memory is in KiB, time in passes, parallelism in lanes.
 */
export type Argon2Function = (
  input: HashInput & { readonly memoryCost: number; readonly timeCost: number; readonly parallelism: number },
) => Promise<Uint8Array>

interface HashInput {
  readonly password: Uint8Array
  readonly salt: Uint8Array
  readonly hashLength: number
}

/** A place in the queue of a {@link PasswordHasher}: taken before a try is counted, given back after it. */
export interface HashingPlace {
  /** Run the work of a hash when it is its turn. */
  run<T>(work: () => Promise<T>): Promise<T>
  /** Give the place back. A second time means nothing. */
  leave(): void
}

/**
 * What {@link createPasswordHasher} makes: put one of your own in its place to use another algorithm. `hash` and `verify`
 * work in the `place` they are given, else in one that they take; where there is none, each throws AuthError
 * `temporarily_unavailable`.
 */
export interface PasswordHasher {
  /** Hash a password, its NFKC form, with a new salt. */
  hash(password: string, place?: HashingPlace): Promise<string>
  /**
   * Ask whether `stored` is the hash of the password. `null` (no such user, no password) costs the same and is `false`.
   * @throws Error at once for a stored hash that can't be computed: it is none, costs too much, or needs what the runtime
   * has not. The login then spends what nobody's password costs, answers as for a wrong one, and tells `onEvent`
   */
  verify(password: string, stored: string | null, place?: HashingPlace): Promise<boolean>
  /** Ask whether a hash has another cost than the one in use, and should be replaced. */
  needsRehash(stored: string): boolean
  /**
   * Take a place in the queue, with `mayTakeKept` also one that is kept for addresses without failures. The login takes it
   * before it counts a try, so that a try without one costs no write. A hasher of your own may leave it out.
   */
  takePlace?(mayTakeKept: boolean): HashingPlace
}

const NAME = 'createPasswordHasher'
const DEFAULT: HashCost = Object.freeze({ kind: 'scrypt', ln: 15, r: 8, p: 3 })
const SALT_BYTES = 16
const HASH_BYTES = 32
const RETRY_AFTER_SECONDS = 5
const HALVINGS = 7
const NOTHING = new Uint8Array()
const MAX_PASSWORD_BYTES = 1024

/**
 * Create the hasher of passwords. Whatever is stored, one `verify` costs what one hash with the present cost does: for no
 * user a hash of nobody's password is computed, and one with a smaller cost is made up for.
 *
 * @throws OptionsError for an unknown option, a cost out of bounds, argon2id where there is none
 * @example
 * const passwords = createPasswordHasher({ cost: { kind: 'scrypt', ln: 17, r: 8, p: 1 } })
 * @example
 * // `hashRaw` is that of argon2 by node-rs.
 * const passwords = createPasswordHasher({
 *   cost: { kind: 'argon2id', m: 19_456, t: 2, p: 1 },
 *   argon2: ({ password, hashLength, ...input }) => hashRaw(password, { ...input, outputLen: hashLength, algorithm: 2 }),
 * })
 */
export function createPasswordHasher(options: PasswordHasherOptions = {}): PasswordHasher {
  const parsed = parseOptions(NAME, SHAPE, options)
  const { cost = DEFAULT, argon2 = nodeArgon2(), maxConcurrent = 2, maxQueued = 64, storedCosts = [] } = parsed
  requireComputable('cost', cost, argon2)
  for (const each of storedCosts) requireComputable('storedCosts', each, argon2)
  const derive = createDerive(argon2)
  const dearest = dearestOf([...storedCosts, cost])
  const take = createSlots(maxConcurrent, maxQueued, Math.floor(maxQueued / 4))
  const nobodys: PasswordHash = { cost, salt: random(SALT_BYTES), hash: random(HASH_BYTES) }
  const takePlace = (mayTakeKept: boolean): HashingPlace => {
    const place = take(mayTakeKept)
    if (place !== null) return place
    throw new AuthError('temporarily_unavailable', {
      reason: 'password_queue_full',
      retryAfterSeconds: RETRY_AFTER_SECONDS,
    })
  }
  const inPlace = async <T>(given: HashingPlace | undefined, work: () => Promise<T>): Promise<T> => {
    const place = given ?? takePlace(true)
    try {
      return await place.run(work)
    } finally {
      if (given === undefined) place.leave()
    }
  }

  return Object.freeze({
    takePlace,
    async hash(password: string, place?: HashingPlace) {
      const text = readPasswordText(password)
      if (text === null) throw new TypeError('sallyport: a password to be hashed must be checked before')
      const salt = random(SALT_BYTES)
      const input = { password: text.bytes, salt, hashLength: HASH_BYTES }
      return formatHash({ cost, salt, hash: await inPlace(place, () => derive(cost, input)) })
    },
    async verify(password: string, stored: string | null, place?: HashingPlace) {
      const wanted = stored === null ? nobodys : parseHash(stored)
      requireWithin(dearest, wanted.cost)
      const text = readPasswordText(password)
      const input = { password: text?.bytes ?? NOTHING, salt: wanted.salt, hashLength: wanted.hash.length }
      const derived = await inPlace(place, async () => {
        const hash = await derive(wanted.cost, input)
        await padCost(derive, wanted.cost, dearest)
        return hash
      })
      return nodeCrypto.timingSafeEqual(derived, wanted.hash) && stored !== null && text !== null
    },
    needsRehash: (stored: string) => formatCost(parseHash(stored).cost) !== formatCost(cost),
  })
}

function requireComputable(option: string, cost: HashCost, argon2: Argon2Function | undefined): void {
  const outOfBounds = describeCost(cost)
  if (outOfBounds !== null) throw optionsError(NAME, option, outOfBounds)
  if (cost.kind === 'argon2id' && argon2 === undefined) {
    throw optionsError(NAME, option, 'names argon2id, which this runtime has not: hand in "argon2"')
  }
}

// What each verify spends: the dearest cost of each kind in use.
function dearestOf(costs: readonly HashCost[]): ReadonlyMap<string, HashCost> {
  const rising = costs.toSorted((a, b) => workOf(a) - workOf(b))
  return new Map(rising.map((cost) => [cost.kind, cost]))
}

// Before any work: what is dearer, or of a kind that nobody else pays for, would be seen by the clock.
function requireWithin(dearest: ReadonlyMap<string, HashCost>, cost: HashCost): void {
  const limit = dearest.get(cost.kind)
  if (limit !== undefined && workOf(cost) <= workOf(limit)) return
  throw new Error('sallyport: a stored password hash costs more than "cost" and "storedCosts" of the hasher allow')
}

// What another cost has saved is spent, so that nobody sees whose hash is old. With the dearest cost's own table as far as
// possible, then with halves of it: a much smaller one would fit into a cache, and be faster for the same work.
async function padCost(derive: Derive, spent: HashCost, dearest: ReadonlyMap<string, HashCost>): Promise<void> {
  const input = { password: NOTHING, salt: new Uint8Array(SALT_BYTES), hashLength: HASH_BYTES }
  for (const limit of dearest.values()) {
    let saved = workOf(limit) - (limit.kind === spent.kind ? workOf(spent) : 0)
    for (let halvings = 0; halvings < HALVINGS && saved > 0; halvings += 1) {
      const padding = paddingOf(limit, halvings, saved)
      if (padding === null) continue
      await derive(padding, input)
      saved -= workOf(padding)
    }
  }
}

// A table of half the size for each halving, gone through as often as is still to be spent.
function paddingOf(cost: HashCost, halvings: number, saved: number): HashCost | null {
  if (cost.kind === 'scrypt') {
    const ln = cost.ln - halvings
    const p = Math.floor(saved / (2 ** ln * cost.r))
    return ln >= 1 && p >= 1 ? { ...cost, ln, p } : null
  }
  const m = Math.floor(cost.m / 2 ** halvings)
  const t = Math.floor(saved / m)
  return m >= 8 * cost.p && t >= 1 ? { ...cost, m, t } : null
}

type Derive = (cost: HashCost, input: HashInput) => Promise<Uint8Array>

// Without `argon2` no cost in use is of argon2id (requireComputable), and no stored one passes requireWithin.
function createDerive(argon2: Argon2Function | undefined): Derive {
  return async (cost, input) => {
    if (cost.kind === 'scrypt') return scrypt(cost, input)
    const hash = await argon2?.({ ...input, memoryCost: cost.m, timeCost: cost.t, parallelism: cost.p })
    if (hash instanceof Uint8Array && hash.length === input.hashLength) return hash
    throw new Error(`sallyport: ${NAME}: "argon2" must hand back the ${input.hashLength} bytes of the hash itself`)
  }
}

function scrypt({ ln, r, p }: ScryptCost, { password, salt, hashLength }: HashInput): Promise<Buffer> {
  const N = 2 ** ln
  // Twice the big table: OpenSSL counts its small ones too.
  const settings = { N, r, p, maxmem: 256 * N * r + 256 * r * p + 4096 }
  return new Promise((resolve, reject) => {
    nodeCrypto.scrypt(password, salt, hashLength, settings, (error, key) => (error ? reject(error) : resolve(key)))
  })
}

interface NodeArgon2 {
  argon2?(kind: 'argon2id', input: object, callback: (error: Error | null, key: Buffer) => void): void
}

function nodeArgon2(): Argon2Function | undefined {
  const { argon2 } = nodeCrypto as NodeArgon2
  if (argon2 === undefined) return undefined
  return ({ password: message, salt: nonce, memoryCost: memory, timeCost: passes, parallelism, hashLength }) =>
    new Promise((resolve, reject) => {
      const input = { message, nonce, parallelism, tagLength: hashLength, memory, passes }
      argon2('argon2id', input, (error, key) => (error ? reject(error) : resolve(key)))
    })
}

function random(length: number): Uint8Array<ArrayBuffer> {
  return crypto.getRandomValues(new Uint8Array(length))
}

const aCost = aValue<HashCost>(
  (value) => typeof value === 'object' && value !== null && ['scrypt', 'argon2id'].includes((value as HashCost).kind),
  'must be of kind "scrypt" or "argon2id"',
)

const SHAPE: Shape<PasswordHasherOptions> = {
  cost: optional(aCost),
  storedCosts: optional(aListOf(aCost)),
  argon2: optional(aFunction()),
  maxConcurrent: optional(aCount(1, 64)),
  maxQueued: optional(aCount(0, 10_000)),
}

/**
 * Create slots for costly work, and places before them that have an end: `slots` at once in the order of asking, `queued`
 * more places, `kept` of them for who may take them. What it makes takes a place; `null` where there is none.
 */
export function createSlots(
  slots: number,
  queued: number,
  kept: number,
): (mayTakeKept: boolean) => HashingPlace | null {
  const waiting: (() => void)[] = []
  let running = 0
  let taken = 0
  const run = async <T>(work: () => Promise<T>): Promise<T> => {
    if (running < slots) running += 1
    else await new Promise<void>((resolve) => void waiting.push(resolve))
    try {
      return await work()
    } finally {
      const next = waiting.shift()
      // A slot that is handed on stays taken: nobody slips in between.
      if (next === undefined) running -= 1
      else next()
    }
  }
  return (mayTakeKept) => {
    if (taken >= slots + queued - (mayTakeKept ? 0 : kept)) return null
    taken += 1
    let isHeld = true
    const leave = (): void => {
      if (isHeld) taken -= 1
      isHeld = false
    }
    return { run, leave }
  }
}

interface PasswordText {
  /** NFKC: what different keyboards make of the same characters is the same password. */
  readonly text: string
  readonly codePoints: number
  /** UTF-8. */
  readonly bytes: Uint8Array
}

/** Read a password; `null` where no password can be this: over 1,024 bytes, or not well-formed Unicode. */
export function readPasswordText(given: string): PasswordText | null {
  // Lone surrogates have no UTF-8: two different passwords would be the same bytes.
  if (given.length > MAX_PASSWORD_BYTES || /\p{Cs}/u.test(given)) return null
  const text = given.normalize('NFKC')
  const bytes = new TextEncoder().encode(text)
  return bytes.length > MAX_PASSWORD_BYTES ? null : { text, codePoints: [...text].length, bytes }
}

interface PasswordHash {
  readonly cost: HashCost
  readonly salt: Uint8Array
  readonly hash: Uint8Array
}

const SCRYPT = /^\$scrypt\$ln=(\d{1,2}),r=(\d{1,2}),p=(\d{1,2})\$([A-Za-z0-9+/]+)\$([A-Za-z0-9+/]+)$/
const ARGON2 = /^\$argon2id\$v=19\$m=(\d{1,6}),t=(\d{1,2}),p=(\d{1,2})\$([A-Za-z0-9+/]+)\$([A-Za-z0-9+/]+)$/

/**
 * Read a PHC string. Throws for anything else, and for a cost out of bounds, so that no row can demand gigabytes or minutes:
 * a fault of the row, never of who logs in.
 */
export function parseHash(text: string): PasswordHash {
  const found = text.length > 512 ? null : (SCRYPT.exec(text) ?? ARGON2.exec(text))
  if (found === null) throw new Error('sallyport: a stored password hash is not a PHC string of scrypt or argon2id')
  const [first = 0, second = 0, p = 0] = found.slice(1, 4).map(Number)
  const cost: HashCost = text.startsWith('$scrypt$')
    ? { kind: 'scrypt', ln: first, r: second, p }
    : { kind: 'argon2id', m: first, t: second, p }
  const salt = Buffer.from(found[4] as string, 'base64')
  const hash = Buffer.from(found[5] as string, 'base64')
  const isSized = salt.length >= 8 && salt.length <= 64 && hash.length >= 16 && hash.length <= 64
  if (!isSized || describeCost(cost) !== null) {
    throw new Error('sallyport: a stored password hash demands what is out of bounds')
  }
  return { cost, salt, hash }
}

function formatHash({ cost, salt, hash }: PasswordHash): string {
  const [saltText, hashText] = [salt, hash].map((bytes) => Buffer.from(bytes).toString('base64').replaceAll('=', ''))
  return `${formatCost(cost)}$${saltText}$${hashText}`
}

function formatCost(cost: HashCost): string {
  return cost.kind === 'scrypt'
    ? `$scrypt$ln=${cost.ln},r=${cost.r},p=${cost.p}`
    : `$argon2id$v=19$m=${cost.m},t=${cost.t},p=${cost.p}`
}

// What is out of bounds with a cost, or `null`: at most 128 MiB, and some seconds of work.
function describeCost(cost: HashCost): string | null {
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

// In units of its own kind (block mixes; KiB filled): what the time of one hash is proportional to.
function workOf(cost: HashCost): number {
  return cost.kind === 'scrypt' ? 2 ** cost.ln * cost.r * cost.p : cost.m * cost.t
}
