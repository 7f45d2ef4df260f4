/**
 * The text of an API key: prefix, public id, secret and checksum, so that a scanner recognises it and a typing error
 * costs nothing. Makes keys and reads them back without any storage; every key has exactly one text.
 */
import { optionsError } from '../lib/parse-options.ts'

/** A key's parts. */
interface KeyParts {
  /** 12 letters of base62, random: public, safe to log, what a key is found by. */
  readonly id: string
  /** 32 random bytes as 43 letters of base62. */
  readonly secret: string
}

/** A key that was just made. */
export interface NewKey extends KeyParts {
  /** The whole text, for its owner, once. */
  readonly key: string
}

/** What {@link createKeyFormat} makes. */
export interface KeyFormat {
  readonly prefix: string
  /** Make a key with an id of its own, or another secret for the id of one. */
  create(id?: string): NewKey
  /** Read a key; `null` where anything is wrong with it, a typing error included. Costs no storage, no digest. */
  parse(text: string): KeyParts | null
}

const LETTERS = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'
const ID_LETTERS = 12
const SECRET_BYTES = 32
const SECRET_LETTERS = 43
const CHECKSUM_LETTERS = 6

/**
 * Create the format for one prefix: `prefix_<id 12>_<secret 43>_<crc32 6>`, all of base62 (`0-9A-Za-z`), the checksum over
 * everything before its own underscore. For secret scanning: `\b<prefix>_[0-9A-Za-z]{12}_[0-9A-Za-z]{43}_[0-9A-Za-z]{6}\b`.
 *
 * @param name the function to name in the error, as the host calls it
 * @param prefix a lower-case letter, then 1 to 15 lower-case letters and digits
 * @throws OptionsError for another prefix
 */
export function createKeyFormat(name: string, prefix: string): KeyFormat {
  if (typeof prefix !== 'string' || !/^[a-z][a-z0-9]{1,15}$/.test(prefix)) {
    throw optionsError(name, 'prefix', 'must be 2 to 16 lower-case letters and digits, a letter first')
  }
  const form = new RegExp(`^${prefix}_([0-9A-Za-z]{12})_([0-9A-Za-z]{43})_([0-9A-Za-z]{6})$`)
  const length = prefix.length + ID_LETTERS + SECRET_LETTERS + CHECKSUM_LETTERS + 3
  return {
    prefix,
    create(id = randomLetters(ID_LETTERS)) {
      const secret = toLetters(toNumber(crypto.getRandomValues(new Uint8Array(SECRET_BYTES))), SECRET_LETTERS)
      const text = `${prefix}_${id}_${secret}`
      return { id, secret, key: `${text}_${checksumOf(text)}` }
    },
    parse(text) {
      // The length first: `$` would let a line feed pass, and nothing long is worth a look.
      const match = text.length === length ? form.exec(text) : null
      if (match === null) return null
      const [, id = '', secret = '', checksum] = match
      const isWhole = checksumOf(text.slice(0, -1 - CHECKSUM_LETTERS)) === checksum
      return isWhole && isSecret(secret) ? { id, secret } : null
    },
  }
}

/** Ask whether a text has the form of a key's public id. */
export function isKeyId(text: unknown): text is string {
  return typeof text === 'string' && text.length === ID_LETTERS && /^[0-9A-Za-z]+$/.test(text)
}

// 62^43 is a little more than 2^256: what lies above was never made, and would be 32 bytes in a second spelling.
function isSecret(secret: string): boolean {
  return secret < FIRST_UNUSED
}

function toNumber(bytes: Uint8Array): bigint {
  return bytes.reduce((number, byte) => (number << 8n) | BigInt(byte), 0n)
}

// The letters are in the order of their codes: texts of one length compare as the numbers they stand for.
function toLetters(number: bigint, length: number): string {
  let text = ''
  for (let rest = number; text.length < length; rest /= 62n) text = LETTERS.charAt(Number(rest % 62n)) + text
  return text
}

const FIRST_UNUSED: string = /* @__PURE__ */ toLetters(2n ** 256n, SECRET_LETTERS)

// A byte of 248 or more is thrown away: 62 does not divide 256, and no letter may be likelier than another.
function randomLetters(length: number): string {
  let text = ''
  while (text.length < length) {
    for (const byte of crypto.getRandomValues(new Uint8Array(length))) {
      if (byte < 248 && text.length < length) text += LETTERS.charAt(byte % 62)
    }
  }
  return text
}

function checksumOf(text: string): string {
  return toLetters(BigInt(crc32(text)), CHECKSUM_LETTERS)
}

/** CRC-32 (ISO-HDLC, as of zip and PNG) of an ASCII text. */
export function crc32(text: string): number {
  let rest = 0xffffffff
  for (let i = 0; i < text.length; i += 1) {
    rest ^= text.charCodeAt(i)
    for (let bit = 0; bit < 8; bit += 1) rest = (rest >>> 1) ^ (0xedb88320 & -(rest & 1))
  }
  return (rest ^ 0xffffffff) >>> 0
}
