/**
 * Passwords that everybody tries first: the 3,000 most common ones, words for a password or an account, rows of the
 * keyboard, and what people do to make them longer. Hands on a yes or no.
 */
import { MOST_COMMON_PASSWORDS } from './most-common-passwords.ts'

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
const ROWS: readonly string[] = [
  'abcdefghijklmnopqrstuvwxyz',
  '0123456789',
  '1234567890',
  'qwertyuiopasdfghjklzxcvbnm',
  'qwertzuiopasdfghjklyxcvbnm',
  'azertyuiopqsdfghjklmwxcvbn',
  '1qaz2wsx3edc4rfv5tgb6yhn7ujm8ik9ol0p',
  'qazwsxedcrfvtgbyhnujmikolp',
  '1q2w3e4r5t6y7u8i9o0p',
  'q1w2e3r4t5y6u7i8o9p0',
  '!@#$%^&*()',
  '!"§$%&/()=',
]
const AROUND: readonly string[] = ROWS.flatMap((row) => [row, [...row].reverse().join('')]).map((row) => row.repeat(2))

const LETTERS_OF: Readonly<Record<string, string>> = {
  '0': 'o',
  '1': 'l',
  '3': 'e',
  '4': 'a',
  '5': 's',
  '7': 't',
  '8': 'b',
  '@': 'a',
  $: 's',
  '!': 'i',
}
const MAX_DECORATION = 4

// A long password is not bad for being a repetition: only for what it repeats.
const LONG = 15

/**
 * Ask whether a password is common: a listed one or a row of keys, also repeated, with digits for letters, one after
 * another with a second such, or with up to four characters around it. From 15 letters on a repetition is common only
 * where what it repeats is listed. Cost: at most some thousand short comparisons.
 */
export function isCommonPassword(text: string): boolean {
  const plain = text.toLowerCase()
  const unit = unitOf(plain)
  if (isListed(plain) || isListed(unit)) return true
  if (unit !== plain) return plain.length < LONG && (unit.length <= 3 || isRow(unit))
  return isWeak(plain) || splitsOf(plain).some(([head, tail]) => isWeakPair(head, tail))
}

/**
 * Ask whether a password is nothing but what it is used for: the service's name, the e-mail or parts of it, repeated or
 * with digits and punctuation around them.
 */
export function isNearContext(text: string, context: readonly string[]): boolean {
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

// Long passwords have few splits that can be weak: what isn't repeated is never longer than the longest row.
function splitsOf(text: string): readonly (readonly [string, string])[] {
  return Array.from({ length: Math.max(0, text.length - 1) }, (_, i) => [text.slice(0, i + 1), text.slice(i + 1)])
}

function isListed(text: string): boolean {
  const inLetters = [...text].map((letter) => LETTERS_OF[letter] ?? letter).join('')
  return [text, inLetters].some((each) => MOST_COMMON_PASSWORDS.has(each) || WORDS.has(each))
}

function isRow(text: string): boolean {
  return AROUND.some((row) => row.includes(text))
}

// The shortest part of which the text is a repetition; the text itself where it is none.
function unitOf(text: string): string {
  return text.slice(0, (text + text).indexOf(text, 1))
}
