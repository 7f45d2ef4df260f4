/**
 * The rules of a new password, one for every way to set one (NIST SP 800-63B-4): length, and not one that everybody tries
 * first: the 3,000 most common ones, words for a password or an account, rows of the keyboard, and what people do to make
 * them longer. No composition rules. Refuses with 400 naming the field.
 */
import { AuthError } from '../errors.ts'
import commonPasswords from './common-passwords.json' with { type: 'json' }
import { readPasswordText } from './password-hash.ts'

/** What a new password is held to. */
export interface PasswordRules {
  /** Fewest code points, 8 to 64. */
  readonly minLength: number
  /** The name of the service. */
  readonly serviceName: string
}

const MAX_LENGTH = 256

/** Require that a new password follows the rules; `field` is the member of the body it came in. */
export function requireGoodPassword(
  password: string,
  { minLength, serviceName }: PasswordRules,
  email: string,
  field: string,
): void {
  const read = readPasswordText(password)
  if (read === null || read.codePoints < minLength || read.codePoints > MAX_LENGTH) {
    const expected = `${minLength} to ${MAX_LENGTH} characters`
    throw new AuthError('validation_error', { field, reason: 'password_length', expected })
  }
  if (isCommon(read.text)) throw new AuthError('validation_error', { field, reason: 'password_common' })
  if (isNearContext(read.text, [serviceName, email])) {
    throw new AuthError('validation_error', { field, reason: 'password_near_context' })
  }
}

// What the list of leaks has too far down: what people set who have to set something.
const WORDS: ReadonlySet<string> = new Set(
  `passwd motdepasse contrasena wachtwoord senha salasana haslo lozinka heslo topsecret administrator administrador
  sysadmin superuser superadmin operator root toor default guest username login logon changeit changethis changemenow
  pleasechange temporary letmeinnow openthedoor opensesame willkommen bienvenue bienvenido helloworld qwertz zxcv
  thisisapassword thisismypassword mypassword mypasswordis yourpassword newpassword oldpassword nopassword`.split(
    /\s+/,
  ),
)

// Read forwards, backwards and around.
const ROWS: readonly string[] = `abcdefghijklmnopqrstuvwxyz 0123456789 1234567890 !@#$%^&*() !"§$%&/()=
  qwertyuiopasdfghjklzxcvbnm qwertzuiopasdfghjklyxcvbnm azertyuiopqsdfghjklmwxcvbn 1q2w3e4r5t6y7u8i9o0p
  1qaz2wsx3edc4rfv5tgb6yhn7ujm8ik9ol0p qazwsxedcrfvtgbyhnujmikolp q1w2e3r4t5y6u7i8o9p0`.split(/\s+/)
const AROUND: readonly string[] = ROWS.flatMap((row) => [row, [...row].reverse().join('')]).map((row) => row.repeat(2))

// What stands for a letter, and the letters.
const SIGNS = '0134578@$!'
const LETTERS = 'oleastbasi'
const MAX_DECORATION = 4
// A long password is not bad for being a repetition: only for what it repeats.
const LONG = 15

// A listed one or a row of keys, also repeated, with digits for letters, one after another with a second such, or with up
// to four characters around it. At most some thousand short comparisons.
function isCommon(text: string): boolean {
  const plain = text.toLowerCase()
  const unit = unitOf(plain)
  if (isListed(plain) || isListed(unit)) return true
  if (unit !== plain) return plain.length < LONG && (unit.length <= 3 || isRow(unit))
  // Long passwords have few splits that can be weak: what isn't repeated is never longer than the longest row.
  const splits = Array.from({ length: Math.max(0, plain.length - 1) }, (_, i) => i + 1)
  return isWeak(plain) || splits.some((at) => isWeakPair(plain.slice(0, at), plain.slice(at)))
}

// Nothing but the service's name, the e-mail or parts of it, repeated or with digits and punctuation around them.
function isNearContext(text: string, context: readonly string[]): boolean {
  const words = context.flatMap((each) => [each, ...each.split(/[^\p{L}\p{N}]+/u)]).map((word) => word.toLowerCase())
  // Digits alone are padding, whoever's they are.
  const known = [...new Set(words)].filter((word) => word.length >= 3 && /\p{L}/u.test(word))
  const lower = text.toLowerCase()
  const left = known.sort((a, b) => b.length - a.length).reduce((rest, word) => rest.replaceAll(word, ''), lower)
  return left !== lower && /^[\p{N}\p{P}\p{Z}$+<=>^`|~]*$/u.test(left)
}

function isWeak(text: string): boolean {
  return isListed(text) || isListed(unitOf(text)) || (text.length >= 3 && isRow(text))
}

function isWeakPair(head: string, tail: string): boolean {
  const isShort = (part: string): boolean => part.length <= MAX_DECORATION
  return (isWeak(head) && (isShort(tail) || isWeak(tail))) || (isShort(head) && isWeak(tail))
}

function isListed(text: string): boolean {
  const inLetters = [...text].map((each) => LETTERS[SIGNS.indexOf(each)] ?? each).join('')
  return [text, inLetters].some((each) => MOST_COMMON_PASSWORDS.has(each) || WORDS.has(each))
}

function isRow(text: string): boolean {
  return AROUND.some((row) => row.includes(text))
}

// The shortest part of which the text is a repetition; the text itself where it is none.
function unitOf(text: string): string {
  return text.slice(0, (text + text).indexOf(text, 1))
}

/**
 * The 3,000 passwords that are used most, the most common one first, in lower case: facts, taken from the list of
 * `@zxcvbn-ts/language-common` 4.1.3 (MIT), which counts them in published leaks.
 */
export const MOST_COMMON_PASSWORDS: ReadonlySet<string> = new Set(commonPasswords)
