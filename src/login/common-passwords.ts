/**
 * Passwords that everybody tries first: words, rows of the keyboard, counting and repeating, and what people do to make
 * them longer. A short list and a few rules refuse what a list of thousands would. Hands on a yes or no.
 */

// Compared in lower case, also with digits read as the letters they stand for.
const WORDS: ReadonlySet<string> = new Set(
  `password passwort passwd passw0rd motdepasse contrasena wachtwoord parola senha salasana haslo lozinka heslo jelszo
  secret secrets geheim topsecret letmein letmeinnow openthedoor opensesame welcome willkommen bienvenue bienvenido hello
  helloworld hallo hola ciao bonjour goodbye administrator admin administrador root toor sysadmin superuser superadmin
  operator manager system server default guest user username login logon signin master changeme changeit changethis
  changemenow pleasechange temp temporary tempo test testing tester testtest testpass example sample demo qwerty qwertz
  azerty asdf zxcv asdfasdf qwerasdf qazwsx wasd iloveyou iloveu loveyou ilovegod ilovejesus iloveme tequiero teamo love
  lovely lover sunshine princess prince football baseball basketball volleyball softball soccer hockey tennis golf
  swimming dragon monkey shadow superman batman spiderman ironman wolverine starwars startrek pokemon pikachu naruto
  minecraft fortnite callofduty counterstrike warcraft worldofwarcraft starcraft diablo zelda mario nintendo playstation
  xbox gamer gaming trustno1 whatever freedom liberty jordan michael michelle jennifer jessica ashley amanda daniel andrew
  joshua matthew anthony christopher charlie thomas robert william richard george jonathan nicholas alexander alexandra
  samantha elizabeth victoria stephanie rebecca natalie veronica barbara patricia maria martin patrick sebastian benjamin
  oliver harley ranger hunter buster tigger ginger pepper cookie cheese chocolate banana orange strawberry blueberry
  pineapple watermelon coffee butterfly flower flowers rainbow unicorn diamond crystal silver golden purple yellow green
  black white summer winter autumn spring january february march april june july august september october november
  december monday tuesday wednesday thursday friday saturday sunday computer internet google facebook twitter instagram
  linkedin youtube microsoft windows apple samsung nokia android iphone linux ubuntu debian oracle database mysql postgres
  postgresql mongodb redis docker kubernetes github gitlab jenkins grafana wordpress security secure private access
  account mustang ferrari porsche mercedes corvette yamaha honda toyota chelsea liverpool arsenal barcelona realmadrid
  manchester manutd juventus yankees cowboys steelers eagles patriots lakers america american australia canada london
  england germany deutschland france italia espana brasil mexico newyork california texas chicago boston dallas
  jesus jesuschrist christ blessed heaven angel angels faith forever family friends friend mother father daddy mommy
  brother sister babygirl babyboy sweetheart sweetie darling honey beautiful gorgeous handsome lovelove happy
  happiness smile music guitar metallica nirvana blink182 slipknot eminem beatles elvis killer hacker hacking matrix
  phoenix merlin gandalf lordoftherings frodo potter harrypotter hogwarts hermione dumbledore voldemort jedi skywalker
  darthvader vader falcon eagle tiger lion panther jaguar dolphin snoopy scooby mickey mickeymouse minnie donald
  garfield tinkerbell cinderella winniethepooh hellokitty kitty kitten puppy doggy bailey maggie lucky lucky7 gold money
  dollar million millionaire business company office number number1 onetwothree abcdef abcd abcabc access14 aaaaaa bbbbbb
  thisisapassword thisismypassword mypassword mypasswordis yourpassword newpassword
  oldpassword passwordpassword nopassword noaccess nothing something anything everything nobody somebody idontknow
  idontcare ihatepasswords ihateyou fuckyou fuckoff asshole bitch bullshit pussy porn sexy bigdick biteme starlight
  moonlight midnight thunder lightning storm hurricane volcano mountain ocean river forest nature planet galaxy universe
  space rocket apollo discovery enterprise voyager explorer champion winner victory legend hero ninja samurai warrior
  soldier sniper commander captain general genius einstein newton darwin tesla`
    .split(/\s+/)
    .filter((word) => word !== ''),
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

/**
 * Ask whether a password is common: a listed word or a row of keys, also repeated, with digits for letters, one after
 * another with a second such, or with up to four characters around it. Cost: at most some thousand short comparisons.
 */
export function isCommonPassword(text: string): boolean {
  const plain = text.toLowerCase()
  return isWeak(plain) || splitsOf(plain).some(([head, tail]) => isWeakPair(head, tail))
}

/**
 * Ask whether a password is little more than what it is used for: without the service's name and the e-mail's parts,
 * fewer than eight characters are left of it.
 */
export function isNearContext(text: string, context: readonly string[]): boolean {
  const words = context.flatMap((each) => [each, ...each.split(/[^\p{L}\p{N}]+/u)]).map((word) => word.toLowerCase())
  const known = [...new Set(words)].filter((word) => word.length >= 3).sort((a, b) => b.length - a.length)
  const lower = text.toLowerCase()
  const left = known.reduce((rest, word) => rest.replaceAll(word, ''), lower)
  return left !== lower && [...left].length < 8
}

function isWeak(text: string): boolean {
  const unit = unitOf(text)
  return (unit !== text && unit.length <= 3) || isListed(unit) || (unit.length >= 3 && isRow(unit))
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
  return WORDS.has(text) || WORDS.has([...text].map((letter) => LETTERS_OF[letter] ?? letter).join(''))
}

function isRow(text: string): boolean {
  return AROUND.some((row) => row.includes(text))
}

// The shortest part of which the text is a repetition; the text itself where it is none.
function unitOf(text: string): string {
  return text.slice(0, (text + text).indexOf(text, 1))
}
