/**
 * Passwords to hashes and back to a yes or no, as slowly as it has to be and never too many at once: scrypt shares the
 * thread pool with WebCrypto, so a flood of logins must not stop the verification of tokens. Hands on PHC strings.
 */
import * as nodeCrypto from 'node:crypto'
import * as z from 'zod/mini'
import { AuthError } from '../errors.ts'
import { aFunction, aNumber, optionsError, parseOptions, type Shape } from '../lib/parse-options.ts'
import {
  type Argon2Cost,
  describeCost,
  formatHash,
  type HashCost,
  isSameCost,
  type PasswordHash,
  parseHash,
  readPasswordText,
  type ScryptCost,
  workOf,
} from './password-text.ts'

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
export type Argon2Function = (input: {
  readonly password: Uint8Array
  readonly salt: Uint8Array
  readonly memoryCost: number
  readonly timeCost: number
  readonly parallelism: number
  readonly hashLength: number
}) => Promise<Uint8Array>

/** A place in the queue of a {@link PasswordHasher}: taken before a try is counted, given back after it. */
export interface HashingPlace {
  /** Run the work of a hash when it is its turn. */
  run<T>(work: () => Promise<T>): Promise<T>
  /** Give the place back. A second time means nothing. */
  leave(): void
}

/** What {@link createPasswordHasher} makes: put one of your own in its place to use another algorithm. */
export interface PasswordHasher {
  /**
   * Hash a password, its NFKC form, with a new salt.
   * @param place one of `takePlace`; without it one is taken for this hash
   * @throws AuthError `temporarily_unavailable` where the queue is full
   */
  hash(password: string, place?: HashingPlace): Promise<string>
  /**
   * Ask whether `stored` is the hash of the password. `null` (no such user, no password) costs the same and is `false`.
   * @param place one of `takePlace`; without it one is taken for this hash
   * @throws AuthError `temporarily_unavailable` where the queue is full
   * @throws Error at once for a stored hash that can't be computed: it is none, costs too much, or needs what the runtime
   * has not. The login then spends what nobody's password costs, answers as for a wrong one, and tells `onEvent`
   */
  verify(password: string, stored: string | null, place?: HashingPlace): Promise<boolean>
  /** Ask whether a hash has another cost than the one in use, and should be replaced. */
  needsRehash(stored: string): boolean
  /**
   * Take a place in the queue: the login asks for one before it counts a try, so that a try without one costs no write.
   * A hasher of your own may leave it out.
   * @param mayTakeKept whether those places may be taken that are kept for addresses without failures
   * @throws AuthError `temporarily_unavailable` where there is none
   */
  takePlace?(mayTakeKept: boolean): HashingPlace
}

const NAME = 'createPasswordHasher'
const DEFAULT: HashCost = Object.freeze({ kind: 'scrypt', ln: 15, r: 8, p: 3 })
const SALT_BYTES = 16
const HASH_BYTES = 32
const RETRY_AFTER_SECONDS = 5
const HALVINGS = 7

/**
 * Create the hasher of passwords. Whatever is stored, one `verify` costs what one hash with the present cost does: for no
 * user a hash of nobody's password is computed, and one with a smaller cost is made up for.
 *
 * @throws OptionsError for an unknown option, a cost out of bounds, argon2id where there is none
 * @example
 * const passwords = createPasswordHasher({ cost: { kind: 'scrypt', ln: 17, r: 8, p: 1 } })
 * @example
 * // `hashRaw` of @node-rs/argon2
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
  const derive: Derive = (password, salt, each, length) =>
    each.kind === 'scrypt'
      ? scrypt(password, salt, each, length)
      : argon2id(argon2, { password, salt, hashLength: length }, each)
  const dearest = dearestOf([cost, ...storedCosts])
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
      const hash = await inPlace(place, () => derive(text.bytes, salt, cost, HASH_BYTES))
      return formatHash({ cost, salt, hash })
    },
    async verify(password: string, stored: string | null, place?: HashingPlace) {
      const wanted = stored === null ? nobodys : parseHash(stored)
      requireWithin(dearest, wanted.cost)
      const text = readPasswordText(password)
      const bytes = text?.bytes ?? new Uint8Array()
      const derived = await inPlace(place, async () => {
        const hash = await derive(bytes, wanted.salt, wanted.cost, wanted.hash.length)
        await padCost(derive, wanted.cost, dearest)
        return hash
      })
      return nodeCrypto.timingSafeEqual(derived, wanted.hash) && stored !== null && text !== null
    },
    needsRehash: (stored: string) => !isSameCost(parseHash(stored).cost, cost),
  })
}

function requireComputable(option: string, cost: HashCost, argon2: Argon2Function | undefined): void {
  const outOfBounds = describeCost(cost)
  if (outOfBounds !== null) throw optionsError(NAME, option, outOfBounds)
  if (cost.kind === 'argon2id' && argon2 === undefined) {
    throw optionsError(NAME, option, 'names argon2id, which this runtime has not: hand in "argon2"')
  }
}

/** What each verify spends: the dearest cost of each kind in use. */
type Dearest = Readonly<Partial<Record<HashCost['kind'], HashCost>>>

function dearestOf(costs: readonly HashCost[]): Dearest {
  const dearest: Partial<Record<HashCost['kind'], HashCost>> = {}
  for (const cost of costs) {
    const known = dearest[cost.kind]
    if (known === undefined || workOf(cost) > workOf(known)) dearest[cost.kind] = cost
  }
  return dearest
}

// Before any work: what is dearer, or of a kind that nobody else pays for, would be seen by the clock.
function requireWithin(dearest: Dearest, cost: HashCost): void {
  const limit = dearest[cost.kind]
  if (limit !== undefined && workOf(cost) <= workOf(limit)) return
  throw new Error('sallyport: a stored password hash costs more than "cost" and "storedCosts" of the hasher allow')
}

type Derive = (password: Uint8Array, salt: Uint8Array, cost: HashCost, length: number) => Promise<Uint8Array>

// What another cost has saved is spent, so that nobody sees whose hash is old. With the dearest cost's own table as far as
// possible, then with halves of it: a much smaller one would fit into a cache, and be faster for the same work.
async function padCost(derive: Derive, spent: HashCost, dearest: Dearest): Promise<void> {
  for (const limit of Object.values(dearest)) {
    let saved = workOf(limit) - (limit.kind === spent.kind ? workOf(spent) : 0)
    for (let halvings = 0; halvings < HALVINGS && saved > 0; halvings += 1) {
      const unit = partOf(limit, halvings)
      const times = unit === null ? 0 : Math.floor(saved / workOf(unit))
      if (unit === null || times < 1) continue
      await derive(new Uint8Array(), new Uint8Array(SALT_BYTES), timesOf(unit, times), HASH_BYTES)
      saved -= times * workOf(unit)
    }
  }
}

// A table of half the size for each halving, gone through once.
function partOf(cost: HashCost, halvings: number): HashCost | null {
  if (cost.kind === 'scrypt') return cost.ln > halvings ? { ...cost, ln: cost.ln - halvings, p: 1 } : null
  const m = Math.floor(cost.m / 2 ** halvings)
  return m >= 8 * cost.p ? { ...cost, m, t: 1 } : null
}

function timesOf(unit: HashCost, times: number): HashCost {
  return unit.kind === 'scrypt' ? { ...unit, p: times } : { ...unit, t: times }
}

function scrypt(password: Uint8Array, salt: Uint8Array, { ln, r, p }: ScryptCost, length: number): Promise<Buffer> {
  const N = 2 ** ln
  // Twice the big table: OpenSSL counts its small ones too.
  const settings = { N, r, p, maxmem: 256 * N * r + 256 * r * p + 4096 }
  return new Promise((resolve, reject) => {
    nodeCrypto.scrypt(password, salt, length, settings, (error, key) => (error ? reject(error) : resolve(key)))
  })
}

async function argon2id(
  argon2: Argon2Function | undefined,
  input: Pick<Parameters<Argon2Function>[0], 'password' | 'salt' | 'hashLength'>,
  { m, t, p }: Argon2Cost,
): Promise<Uint8Array> {
  if (argon2 === undefined) throw new Error('sallyport: a stored hash needs argon2id, which this runtime has not')
  const hash = await argon2({ ...input, memoryCost: m, timeCost: t, parallelism: p })
  if (hash instanceof Uint8Array && hash.length === input.hashLength) return hash
  throw new Error(`sallyport: ${NAME}: "argon2" must hand back the ${input.hashLength} bytes of the hash itself`)
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

const aCost = z.custom<HashCost>(
  (value) => typeof value === 'object' && value !== null && ['scrypt', 'argon2id'].includes((value as HashCost).kind),
  'must be of kind "scrypt" or "argon2id"',
)

const SHAPE: Shape<PasswordHasherOptions> = {
  cost: z.optional(aCost),
  storedCosts: z.optional(z.array(aCost)),
  argon2: z.optional(aFunction()),
  maxConcurrent: z.optional(aNumber(1, 64)),
  maxQueued: z.optional(aNumber(0, 10_000)),
}

/**
 * Create a few slots for costly work, and places before them that have an end: who gets no place is told so at once.
 *
 * @param slots how much work runs at once, in the order of asking; a slot is given back however the work ends
 * @param queued how many more places there are
 * @param kept how many of those are for who may take them
 * @returns takes a place; `null` where there is none
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
