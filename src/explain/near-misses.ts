/**
 * What is nearly right: from what was expected and what came, a guess at the mistake behind it, as the end of a sentence.
 * Hands on the likeliest one, or nothing.
 */
import { nearestOf } from '../lib/nearest-name.ts'

type NearMiss = (expected: string, got: string) => string | null

/** Guess what is behind a refusal, by its reason, `expected` and `got`; `null`: nothing is nearly right. */
export function nearMissOf(reason: string, expected: string | null, got: string | null): string | null {
  if (got === null || !Object.hasOwn(NEAR_MISSES, reason)) return null
  return NEAR_MISSES[reason]?.(expected ?? '', got) ?? null
}

const NEAR_MISSES: Readonly<Record<string, NearMiss>> = {
  credential_missing: missingCredential,
  key_servers_failing: (_, got) => keyServerMiss(got),
  token_not_a_jwt: () => 'a variable without a value, where the client makes the header',
  token_issuer_unknown: (expected, got) => ownNameOf(got) ?? issuerMiss(expected, got),
  token_audience_other: (expected, got) => audienceMiss(expected, got),
  token_kind_not_accepted: kindMiss,
  token_type_refused: (_, got) => typeMiss(got),
  token_algorithm_not_of_issuer: algorithmMiss,
  token_algorithm_unknown: (_, got) => (/^none$/i.test(got) ? 'the token is not signed at all' : null),
  token_expiry_passed: timeMiss,
  token_not_yet_valid: timeMiss,
  token_issued_in_future: timeMiss,
  role_unknown: (expected, got) => first(expected, (role) => nameMiss(role, got)),
  session_issuer_other: (expected, got) => issuerMiss(expected, got),
}

function first(list: string, ask: (each: string) => string | null): string | null {
  return (
    list
      .split(', ')
      .map(ask)
      .find((said) => said !== null) ?? null
  )
}

function missingCredential(expected: string, got: string): string | null {
  if (got === '' || got === 'none') return null
  if (!got.startsWith('Authorization: ')) return null
  if (!expected.includes('Bearer')) return null
  return got.endsWith('without a scheme')
    ? 'the word "Bearer " is missing before the token'
    : 'the scheme must be "Bearer", or the header left out'
}

// Where a server answers, waiting for it is no help.
function keyServerMiss(got: string): string | null {
  if (got.includes('metadata_issuer')) return 'host: its metadata names another issuer: a trailing slash?'
  return /: 4\d\d(?:,|$)/.test(got) ? 'host: the server answers, and has no keys there: is the URL right?' : null
}

// Tokens whose name says what they are.
function ownNameOf(got: string): string | null {
  if (got === 'none') return 'the token names no issuer: is it a session of your own?'
  if (/^supabase(?:-demo)?$/.test(got)) return 'an API key of the project (anon or service_role), no session of a user'
  if (/^https:\/\/sts\.windows\.net\//.test(got)) {
    return 'a v1 token: write requestedAccessTokenVersion 2 into the manifest of the app'
  }
  return null
}

const ISSUER_RULES: readonly (readonly [said: string, fold: (name: string) => string])[] = [
  ['white space or quotes around it?', (name) => name.replace(/^[\s"']+|[\s"']+$/g, '')],
  ['a trailing slash?', (name) => name.replace(/\/+$/, '')],
  ['http in the place of https?', (name) => name.replace(/^http:/i, 'https:')],
  ['https:// is missing?', (name) => name.replace(/^https:\/\//i, '')],
  ['upper and lower case?', (name) => name.toLowerCase()],
  [
    'localhost and 127.0.0.1 are two names',
    (name) => name.replace(/\/\/(?:127\.0\.0\.1|\[::1\])(?=[:/]|$)/, '//localhost'),
  ],
  ['another port?', (name) => name.replace(/^([a-z]+:\/\/[^/:]+):\d+/i, '$1')],
  ['with and without /auth/v1?', (name) => name.replace(/\/auth\/v1$/, '')],
  ['with and without /v2.0?', (name) => name.replace(/\/v2\.0$/, '')],
  ['with and without /oauth2/default?', (name) => name.replace(/\/oauth2\/default$/, '')],
]

// What is written differently comes before what is another name.
function issuerMiss(expected: string, got: string): string | null {
  return (
    first(expected, (wanted) => spellingMiss(wanted, got)) ??
    first(expected, (wanted) => placeMiss(wanted, got)) ??
    first(expected, (wanted) => nameMiss(wanted, got))
  )
}

function spellingMiss(wanted: string, got: string): string | null {
  if (wanted === got || wanted === '') return null
  const rule = ISSUER_RULES.find(([, fold]) => fold(wanted) === fold(got))
  if (rule !== undefined) return rule[0]
  const all = (name: string): string => ISSUER_RULES.reduce((text, [, fold]) => fold(text), name)
  return all(wanted) === all(got) ? 'the same but for how it is written' : null
}

function placeMiss(wanted: string, got: string): string | null {
  const [one, other] = [hostOf(wanted), hostOf(got)]
  if (one === null || one !== other) return null
  return /\/realms\//.test(wanted + got) ? 'another realm of the same server?' : 'another path on the same host'
}

function hostOf(name: string): string | null {
  return URL.canParse(name) ? new URL(name).host : null
}

function audienceMiss(expected: string, got: string): string | null {
  const near = first(expected, (wanted) => first(got, (given) => audienceNameMiss(wanted, given)))
  if (near !== null) return near
  if (got.split(', ').includes('account'))
    return 'if it is Keycloak: the API is written in by an audience mapper of the client'
  return got === 'authenticated' ? "a Supabase session: its audience is 'authenticated'" : null
}

function audienceNameMiss(wanted: string, given: string): string | null {
  if (given === `api://${wanted}` || wanted === `api://${given}`) return 'with and without api://?'
  return spellingMiss(wanted, given) ?? nameMiss(wanted, given)
}

function nameMiss(wanted: string, given: string): string | null {
  if (wanted === '' || wanted === given) return null
  if (wanted.toLowerCase() === given.toLowerCase()) return 'upper and lower case?'
  return nearestOf(given, [wanted]) === null ? null : `"${given}" is nearly "${wanted}": misspelt?`
}

// What presets say, in their words.
function kindMiss(expected: string, got: string): string | null {
  if (got === 'no sid') return 'client: send the session token, not one of a template'
  if (got === 'token_use id') return "client: send the access token; host: or `tokens: 'id'`"
  if (got === 'an aud') return 'host: write `audience` of the preset, if you put it into session tokens'
  if (got === 'no azp') return 'host: write `withoutParty`, if native apps or backends call here'
  if (!got.startsWith('azp ') || !expected.startsWith('azp ')) return null
  const miss = issuerMiss(expected.slice('azp '.length), got.slice('azp '.length))
  return miss ?? 'host: add it to `authorizedParties`, if it is a page of yours'
}

function typeMiss(got: string): string | null {
  if (got === 'id+jwt' || got === 'id_token') return 'an ID token, which says who signed in and opens nothing'
  return got === 'logout+jwt' ? 'a logout token, which is for the logout endpoint alone' : null
}

function algorithmMiss(expected: string, got: string): string | null {
  if (expected === '') return null
  const isSecret = got.startsWith('HS')
  if (isSecret && !expected.includes('HS'))
    return "signed by a shared secret, and only public keys are known: `secret` of a preset, or a source { kind: 'secret' }"
  if (isSecret) return `write ${got} into algorithms of the secret`
  if (!/(?:ES|RS|PS)\d|EdDSA/.test(expected)) {
    return "signed by a key pair, and only a secret is known: has the project moved to signing keys? `url` of a preset, or a source { kind: 'jwks' }"
  }
  return `write ${got} into algorithms of the keys`
}

const YEAR_SECONDS = 31_557_600

// `exp > 2026-11-20T12:00:00.500Z - 5 s`, and an instant.
function timeMiss(expected: string, got: string): string | null {
  const now = Date.parse(/\d{4}-\d\d-\d\dT[\d:.]+Z/.exec(expected)?.[0] ?? '')
  if (got === 'never' || /^\+\d{6}/.test(got)) return 'milliseconds in the place of seconds?'
  const seconds = (Date.parse(got) - now) / 1000
  if (Number.isNaN(seconds)) return null
  if (Date.parse(got) < YEAR_SECONDS * 1000)
    return 'a number of seconds in the place of an instant, or a date read wrongly?'
  if (seconds < 0) return `${toSpan(-seconds)} ago; client: refresh the token; or is the clock of this machine ahead?`
  const isHours = seconds > 1500 && Math.abs(((seconds + 900) % 1800) - 900) < 60
  return `in ${toSpan(seconds)}: ${isHours ? 'local time in the place of UTC?' : 'a clock is off?'}`
}

const UNITS: readonly (readonly [seconds: number, name: string])[] = [
  [86_400, 'day'],
  [3600, 'hour'],
  [60, 'minute'],
  [1, 'second'],
]

/** Say how long something is, in the two greatest units: `2 days 3 hours`. */
export function toSpan(seconds: number): string {
  let left = Math.round(seconds)
  const parts = UNITS.flatMap(([size, name]) => {
    const count = Math.floor(left / size)
    left -= count * size
    return count === 0 ? [] : [`${count} ${name}${count === 1 ? '' : 's'}`]
  })
  return parts.slice(0, 2).join(' ') || 'less than a second'
}
