/**
 * What is nearly right: from what was expected and what came, a guess at the mistake behind it, as the end of a sentence.
 * Hands on the likeliest one, or nothing.
 */
import { nearestOf } from '../lib/nearest-name.ts'

type NearMiss = (expected: string, got: string) => string | null

/** Guess what is behind a refusal, by its reason, `expected` and `got`; `null`: nothing is nearly right. */
export function nearMissOf(reason: string, expected: string | null, got: string | null): string | null {
  if (Object.hasOwn(UNNAMED, reason)) return expected === null ? null : (UNNAMED[reason]?.(expected) ?? null)
  if (got === null || !Object.hasOwn(NEAR_MISSES, reason)) return null
  return NEAR_MISSES[reason]?.(expected ?? '', got) ?? null
}

// Where nothing came, and what was wanted is a name.
const UNNAMED: Readonly<Record<string, (expected: string) => string>> = {
  org_not_named: (expected) => `client: send ${expected}, with the organization’s id`,
  org_not_the_only_one: (expected) => `client: send ${expected}, with the id of one of them`,
}

const NEAR_MISSES: Readonly<Record<string, NearMiss>> = {
  credential_missing: missingCredential,
  key_servers_failing: (_, got) => keyServerMiss(got),
  bearer_token_malformed: (_, got) => damageMiss(got),
  token_part_encoding: (_, got) => damageMiss(got),
  token_not_a_jwt: (_, got) => apiKeyMiss(got) ?? 'a variable without a value, where the client makes the header',
  token_issuer_unknown: (expected, got) => ownNameOf(got) ?? issuerMiss(expected, got),
  token_subject_malformed: (_, got) =>
    got === 'none' ? 'issuer: write `sub`; host: say where the subject is: `claims.subject`' : null,
  not_a_member: (_, got) => (Object.hasOwn(WITHOUT_ORG, got) ? (WITHOUT_ORG[got] ?? null) : null),
  invitation_without_verified_email: (_, got) => (Object.hasOwn(ADDRESSES, got) ? (ADDRESSES[got] ?? null) : null),
  cross_site_request: crossSiteMiss,
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
  if (!expected.includes('Bearer')) return null
  if (got === 'an empty Authorization')
    return 'client: a variable without a value, where it makes the header; without a token, leave the header out'
  if (!got.startsWith('Authorization: ')) return null
  return got.endsWith('without a scheme')
    ? 'the word "Bearer " is missing before the token'
    : 'the scheme must be "Bearer", or the header left out'
}

const WITHOUT_ORG: Readonly<Record<string, string>> = {
  none: 'host: make a membership, or have a first login make an organization (`createProvisioner`)',
  'none of a machine':
    'client: name one, by `X-Org-Id` or what your selectors are; host: or bind the machine to one (`orgId`)',
}

const ADDRESSES: Readonly<Record<string, string>> = {
  none: 'issuer: write the e-mail into the token; host: or ask for it once, by `profile: { load: userInfo() }` of the provisioner',
  'not verified':
    'host: the token does not say `email_verified: true`: where the issuer confirms addresses, say so by its `emails`',
}

// What happened to a token on its way, by what it left there.
const DAMAGES: Readonly<Record<string, string>> = {
  'the word Bearer': 'client: the word "Bearer" stands there twice',
  quotes: 'client: take the quotes away: `jq -r`, `JSON.parse`',
  'percent signs': 'client: decode it: it is percent-encoded, as in a URL or a cookie',
  'a comma': 'client: send one token alone: a proxy joins two headers by a comma',
  'white space': 'client: copy it anew: a line break or a blank came into it',
  backslashes: 'client: take the backslashes away: it was escaped',
  padding: 'client: send it as the issuer gave it: base64url has no padding',
}

function damageMiss(got: string): string | null {
  return Object.hasOwn(DAMAGES, got) ? (DAMAGES[got] ?? null) : null
}

const SESSION = 'client: send the `access_token` of a session'
const LEAKED = 'whoever has it may do everything: take it out of the client, and rotate it'

function apiKeyMiss(got: string): string | null {
  if (got === 'sb_secret_') return `a secret API key of the project, no session; ${SESSION}; ${LEAKED}`
  if (got === 'sb_publishable_') return `the publishable key of the project, no session; ${SESSION}`
  if (got.startsWith('sk_')) return `a secret API key, no token; ${LEAKED}`
  return got.startsWith('pk_') ? 'a publishable API key, no token; client: send the token of the session' : null
}

const IS_LOOPBACK = /^https?:\/\/(?:localhost|127\.0\.0\.1|\[::1\])(?::\d+)?$/

function crossSiteMiss(expected: string, got: string): string | null {
  if (got === 'neither')
    return 'client: no browser sent it: use a bearer token, or send `Origin` as a page of your own would'
  const origin = got.split(', ').find((each) => each.includes('://')) ?? ''
  const own = /^Origin: (.+)$/.exec(expected)?.[1] ?? ''
  if (IS_LOOPBACK.test(origin)) {
    return 'host: a page of a dev server: have its proxy hand on the API, so that both are one origin (Vite: `server.proxy`); client: or send a bearer token in the place of the cookie'
  }
  if (origin.startsWith('https:') && origin.replace(/^https:/, 'http:') === own)
    return `host: a proxy ends TLS: write \`publicUrl: '${origin}'\`, of \`cookie\` or of \`createLogin\``
  return got.startsWith('same-site')
    ? 'a page of another port or subdomain; host: have one origin for both, by a proxy; client: or send a bearer token'
    : null
}

const KEY_SERVERS: readonly (readonly [answer: RegExp, said: string])[] = [
  [/metadata_issuer/, 'its metadata names another issuer: a trailing slash?'],
  [/: ECONNREFUSED\b/, 'nothing listens there: start that server, or mend the URL of the keys'],
  [/: (?:ENOTFOUND|EAI_AGAIN)\b/, 'no machine has this name: mend the URL of the keys'],
  [
    /: CERT_(?:HAS_EXPIRED|NOT_YET_VALID)\b/,
    'its certificate is of another time: renew it, or set the clock of this machine',
  ],
  [
    /: ERR_TLS_CERT_ALTNAME_INVALID\b/,
    'its certificate is for another name: mend the URL of the keys, or the certificate',
  ],
  [/: (?:ERR_SSL_[A-Z_]+|EPROTO)\b/, 'what answers there speaks no TLS that is spoken here: is the port right?'],
  [
    /: (?:[A-Z_]*SELF_SIGNED_CERT[A-Z_]*|UNABLE_TO_(?:GET_ISSUER|VERIFY)[A-Z_]*|CERT_UNTRUSTED)\b/,
    'its certificate is not trusted here: `NODE_EXTRA_CA_CERTS` names more',
  ],
  [/: (?:not_json|not_object|no_keys_array)\b/, 'what is there is no JWK Set: is the URL right?'],
  [/: timeout\b/, 'no answer from there within 5 seconds: is the URL right, and the network?'],
  [/: no_usable_key\b/, 'none of its keys is for the algorithms of the source: look at `algorithms`'],
]

// Where a server answers, waiting for it is no help.
function keyServerMiss(got: string): string | null {
  const known = KEY_SERVERS.find(([answer]) => answer.test(got))
  if (known !== undefined) return `host: ${known[1]}`
  if (!/: 4\d\d(?:,|$)/.test(got)) return null
  const path = got.includes('/.well-known/') ? 'is the URL right?' : 'is the path …/.well-known/jwks.json?'
  return `host: the server answers, and has no keys there: ${path}`
}

// Tokens whose name says what they are.
function ownNameOf(got: string): string | null {
  if (got === 'none') return 'is it a session of your own?'
  const [, role = ''] = /^(?:supabase(?:-demo)?|none)(?: \((\w+)\))?$/.exec(got) ?? []
  if (role === 'service_role') return `the service_role key of the project, no session; ${SESSION}; ${LEAKED}`
  if (role === 'anon') return `the anon key of the project, no session; ${SESSION}`
  if (/^supabase(?:-demo)?$/.test(got)) return `an API key of the project, no session of a user; ${SESSION}`
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
    return 'provider: if it is Keycloak, add an audience mapper that writes the name of this API'
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
  if (got === 'token_use id') return "an ID token; client: send the access token; host: or `tokens: 'id'`"
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
    return "signed by a shared secret, and only public keys are known; host: `secret` of a preset, or a source { kind: 'secret' }, if the issuer still signs by it"
  if (isSecret) return `write ${got} into algorithms of the secret`
  if (!/(?:ES|RS|PS)\d|EdDSA/.test(expected)) {
    return "signed by a key pair, and only a secret is known: has the project moved to signing keys? host: `url` of a preset, or a source { kind: 'jwks' }"
  }
  return `write ${got} into algorithms of the keys`
}

const YEAR_SECONDS = 31_557_600

// `exp > 2026-11-20T12:00:00.500Z - 5 s`, and an instant.
function timeMiss(expected: string, got: string): string | null {
  const now = Date.parse(/\d{4}-\d\d-\d\dT[\d:.]+Z/.exec(expected)?.[0] ?? '')
  if (got.startsWith('never') || /^\+\d{6}/.test(got)) return 'milliseconds in the place of seconds?'
  const [then = ''] = got.split(', ')
  const seconds = (Date.parse(then) - now) / 1000
  if (Number.isNaN(seconds)) return null
  if (Date.parse(then) < YEAR_SECONDS * 1000)
    return 'a number of seconds in the place of an instant, or a date read wrongly?'
  const here = `${new Date(now).toJSON().replace(/\.\d+/, '')} by the clock of this machine`
  if (seconds < 0)
    return `${toSpan(-seconds)} ago: it is ${here}; client: refresh the token; host: if it is new, that clock is ahead`
  const isHours = seconds > 1500 && Math.abs(((seconds + 900) % 1800) - 900) < 60
  if (isHours) return `in ${toSpan(seconds)}: local time in the place of UTC?`
  return `in ${toSpan(seconds)}: it is ${here}; host: that clock is behind, or the issuer’s is ahead`
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
