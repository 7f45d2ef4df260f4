/**
 * Passwords to hashes and back to a yes or no, as slowly as it has to be and never too many at once: scrypt shares the
 * thread pool with WebCrypto, so a flood of logins must not stop the verification of tokens (L3). Hands on PHC strings.
 */
import * as nodeCrypto from 'node:crypto'
import * as z from 'zod/mini'
import { AuthError } from '../errors.ts'
import { aFunction, aNumber, parseOptions } from '../lib/parse-options.ts'
import { readPasswordText } from '../lib/password-text.ts'
import { createSlots, type Slots } from '../lib/slots.ts'
import {
  type Argon2Cost,
  describeCost,
  formatHash,
  type HashCost,
  isSameCost,
  type PasswordHash,
  parseHash,
  type ScryptCost,
  workOf,
} from './password-phc.ts'

export type { Argon2Cost, HashCost, ScryptCost } from './password-phc.ts'

/** Options of {@link createPasswordHasher}. */
export interface PasswordHasherOptions {
  /**
   * What a hash costs. Default `{ kind: 'scrypt', ln: 15, r: 8, p: 3 }`: 32 MiB and some 0.3 s. `argon2id` needs a runtime
   * whose `node:crypto` has it (Node 24.7), or `argon2`.
   */
  readonly cost?: HashCost | undefined
  /** What computes Argon2id. Default: `node:crypto`, where it has it. */
  readonly argon2?: Argon2Function | undefined
  /** Hashes at once. Default 2 of the thread pool's four. */
  readonly maxConcurrent?: number | undefined
  /** Hashes that may wait. Beyond them: 503. Default 50. */
  readonly maxQueued?: number | undefined
}

/** Argon2id, version 1.3 (RFC 9106), of the caller's own: what of `@node-rs/argon2`, `argon2` or `hash-wasm` is wrapped. */
export type Argon2Function = (input: Argon2Input) => Promise<Uint8Array>

/** What an {@link Argon2Function} is given: it hands back the raw hash of `hashLength` bytes, nothing encoded. */
export interface Argon2Input {
  readonly password: Uint8Array
  readonly salt: Uint8Array
  /** Memory in KiB. */
  readonly memoryCost: number
  /** Passes. */
  readonly timeCost: number
  /** Lanes. */
  readonly parallelism: number
  /** Length of the hash in bytes. */
  readonly hashLength: number
}

/** What {@link createPasswordHasher} makes: put one of your own in its place to use another algorithm. */
export interface PasswordHasher {
  /**
   * Hash a password, its NFKC form, with a new salt.
   * @throws AuthError `temporarily_unavailable` where the queue is full
   */
  hash(password: string): Promise<string>
  /**
   * Ask whether `stored` is the hash of the password. `null` (no such user, no password) costs the same and is `false`.
   * @throws AuthError `temporarily_unavailable` where the queue is full
   * @throws Error for a stored hash that is none, demands too much, or needs what the runtime has not
   */
  verify(password: string, stored: string | null): Promise<boolean>
  /** Ask whether a hash has another cost than the one in use, and should be replaced. */
  needsRehash(stored: string): boolean
}

const NAME = 'createPasswordHasher'
const DEFAULT: HashCost = Object.freeze({ kind: 'scrypt', ln: 15, r: 8, p: 3 })
const SALT_BYTES = 16
const HASH_BYTES = 32
const RETRY_AFTER_SECONDS = 5
const HALVINGS = 7

/**
 * Create the hasher of passwords. Whatever is stored, one `verify` costs what one hash with the present cost does: for no
 * user a hash of nobody's password is computed, and one with a smaller scrypt cost is made up for (L1, L4).
 *
 * @throws TypeError for an unknown option, a cost out of bounds, argon2id where there is none
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
  const { cost = DEFAULT, argon2 = nodeArgon2(), maxConcurrent = 2, maxQueued = 50 } = parsed
  const outOfBounds = describeCost(cost)
  if (outOfBounds !== null) throw new TypeError(`${NAME}: option "cost" ${outOfBounds}`)
  if (cost.kind === 'argon2id' && argon2 === undefined) {
    throw new TypeError(`${NAME}: option "cost" names argon2id, which this runtime has not: hand in "argon2"`)
  }
  const derive = (password: Uint8Array, salt: Uint8Array, each: HashCost, length: number): Promise<Uint8Array> =>
    each.kind === 'scrypt' ? scrypt(password, salt, each, length) : argon2id(argon2, password, salt, each, length)
  const slots = createSlots(maxConcurrent, maxQueued)
  const nobodys: PasswordHash = { cost, salt: random(SALT_BYTES), hash: random(HASH_BYTES) }

  return Object.freeze({
    async hash(password: string) {
      const text = readPasswordText(password)
      if (text === null) throw new TypeError('sallyport: a password to be hashed must be checked before')
      const salt = random(SALT_BYTES)
      return formatHash({ cost, salt, hash: await inSlot(slots, () => derive(text.bytes, salt, cost, HASH_BYTES)) })
    },
    async verify(password: string, stored: string | null) {
      const wanted = stored === null ? nobodys : parseHash(stored)
      const text = readPasswordText(password)
      const bytes = text?.bytes ?? new Uint8Array()
      const derived = await inSlot(slots, async () => {
        const hash = await derive(bytes, wanted.salt, wanted.cost, wanted.hash.length)
        await makeUp(wanted.cost, cost)
        return hash
      })
      return nodeCrypto.timingSafeEqual(derived, wanted.hash) && stored !== null && text !== null
    },
    needsRehash: (stored: string) => !isSameCost(parseHash(stored).cost, cost),
  })
}

async function inSlot<T>(slots: Slots, work: () => Promise<T>): Promise<T> {
  const result = slots(work)
  if (result === null) {
    throw new AuthError('temporarily_unavailable', {
      reason: 'password_queue_full',
      retryAfterSeconds: RETRY_AFTER_SECONDS,
    })
  }
  return result
}

// What a smaller cost has saved is spent, so that nobody sees whose hash is old. With the present cost's own table as far as
// possible, then with halves of it: a much smaller one would fit into a cache, and be faster for the same work.
async function makeUp(spent: HashCost, cost: HashCost): Promise<void> {
  if (spent.kind !== 'scrypt' || cost.kind !== 'scrypt') return
  let saved = workOf(cost) - workOf(spent)
  for (let ln = cost.ln; ln > Math.max(0, cost.ln - HALVINGS); ln -= 1) {
    const unit = { ...cost, ln, p: 1 }
    const p = Math.floor(saved / workOf(unit))
    if (p >= 1) await scrypt(new Uint8Array(), new Uint8Array(SALT_BYTES), { ...unit, p }, HASH_BYTES)
    saved -= Math.max(0, p) * workOf(unit)
  }
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
  password: Uint8Array,
  salt: Uint8Array,
  { m, t, p }: Argon2Cost,
  hashLength: number,
): Promise<Uint8Array> {
  if (argon2 === undefined) throw new Error('sallyport: a stored hash needs argon2id, which this runtime has not')
  const hash = await argon2({ password, salt, memoryCost: m, timeCost: t, parallelism: p, hashLength })
  if (hash instanceof Uint8Array && hash.length === hashLength) return hash
  throw new Error(`sallyport: ${NAME}: "argon2" must hand back the ${hashLength} bytes of the hash itself`)
}

type NodeArgon2 = (
  algorithm: 'argon2id',
  parameters: Readonly<Record<string, number | Uint8Array>>,
  callback: (error: Error | null, key: Buffer) => void,
) => void

function nodeArgon2(): Argon2Function | undefined {
  const { argon2 } = nodeCrypto as { readonly argon2?: NodeArgon2 | undefined }
  if (argon2 === undefined) return undefined
  return ({
    password: message,
    salt: nonce,
    memoryCost: memory,
    timeCost: passes,
    parallelism,
    hashLength: tagLength,
  }) =>
    new Promise((resolve, reject) => {
      const parameters = { message, nonce, parallelism, tagLength, memory, passes }
      argon2('argon2id', parameters, (error, key) => (error ? reject(error) : resolve(key)))
    })
}

function random(length: number): Uint8Array<ArrayBuffer> {
  return crypto.getRandomValues(new Uint8Array(length))
}

const aCost = z.custom<HashCost>(
  (value) => typeof value === 'object' && value !== null && ['scrypt', 'argon2id'].includes((value as HashCost).kind),
  'must be of kind "scrypt" or "argon2id"',
)

const SHAPE = {
  cost: z.optional(aCost),
  argon2: z.optional(aFunction<Argon2Function>()),
  maxConcurrent: z.optional(aNumber(1, 64)),
  maxQueued: z.optional(aNumber(0, 10_000)),
}
