/**
 * What the right answer to a request is: the order of checks, written a second time and as plainly as can be, over facts that
 * may be changing just now. Hands on every answer that is right for a request, and whether an answer is one of them.
 */
import { isDeepStrictEqual } from 'node:util'
import type { AuthErrorCode } from '../../src/errors.ts'
import { bytesOf } from '../refusal-bytes.ts'
import { type Choose, everyOutcome, type Timeline } from './timeline.ts'

/** Roles of the soak, lowest first. */
export const ROLES = ['member', 'admin', 'owner'] as const
export type Role = (typeof ROLES)[number]

/** `away`: nobody reaches it. `cut`: some connections break. `stalled`: some statements take longer than they may. */
export type StorageState = 'there' | 'away' | 'cut' | 'stalled'

/** Somebody. */
export interface Person {
  readonly subject: string
  readonly userId: string
  /** The organization of their own, the first they joined. */
  readonly ownOrg: string
  readonly disabled: Timeline<boolean>
  /** Their role in other organizations, by id; `null`: they are no member. */
  readonly roles: ReadonlyMap<string, Timeline<Role | null>>
}

/** What one server knows of one issuer's keys. */
export interface KnownKeys {
  readonly kids: Timeline<ReadonlySet<string>>
  /** Whether its key server could not be asked the last time. */
  readonly failing: Timeline<boolean>
}

/** A server, as far as its answers depend on it. */
export interface ServerFacts {
  readonly name: string
  readonly keys: ReadonlyMap<string, KnownKeys>
}

/** What is known of a bearer token. */
export interface TokenFacts {
  readonly issuer: string
  /** The key it names; `null`: a secret, which every server has. */
  readonly kid: string | null
  /** From when on it is expired, leeway included; milliseconds by the clock of the requests. */
  readonly endsAt: number
  /** What it is refused by, whoever brings it and whenever. */
  readonly flaw: 'unauthorized' | 'token_expired' | null
}

/** What proves who calls. */
export type CredentialFacts =
  | { readonly kind: 'none' }
  /** Headers that are refused before anybody is verified. */
  | { readonly kind: 'malformed' }
  | { readonly kind: 'token'; readonly token: TokenFacts; readonly person: Person | null }
  | { readonly kind: 'apiKey'; readonly key: KeyFacts | null; readonly isWellFormed: boolean }
  | { readonly kind: 'service'; readonly isRight: boolean }

/** An API key that was issued. */
export interface KeyFacts {
  readonly id: string
  readonly org: string
  readonly role: Role
  readonly isLive: Timeline<boolean>
}

/** How the request names its organization. */
export type SelectorFacts =
  | { readonly kind: 'unnamed' }
  | { readonly kind: 'named'; readonly org: string }
  | { readonly kind: 'malformed' }
  | { readonly kind: 'conflict' }

/** What a route asks. */
export interface RouteFacts {
  readonly accept: 'user' | 'apiKey' | 'service'
  readonly needs: 'user' | 'org'
  readonly isOptional?: boolean
  readonly role?: Role
  /** A mount before it asks for the organization alone: whoever is refused by their role has passed that one. */
  readonly isMountedTwice?: boolean
  /** The status of what passes. */
  readonly status: 200 | 201
}

/** The body of a request. */
export type BodyFacts =
  | { readonly kind: 'none' }
  | { readonly kind: 'note'; readonly text: string }
  | { readonly kind: 'refused'; readonly code: AuthErrorCode }

/** A request, and all that its answer depends on. */
export interface Ask {
  readonly kind: string
  readonly server: ServerFacts
  readonly storage: Timeline<StorageState>
  readonly route: RouteFacts
  readonly credential: CredentialFacts
  readonly selector: SelectorFacts
  readonly body: BodyFacts
  /** Whether its body takes so long that its sender is looked at twice: who may do less by then is refused. */
  readonly isSlow?: boolean
  /** Of what has passed: since when it must be so that it passes. Default: since it was sent. */
  readonly holdsFrom?: number
  /** When it was sent, and when it was answered. */
  readonly from: number
  readonly until: number
}

/** An answer as it came. */
export interface Answer {
  readonly status: number
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly body: string
}

/** An answer that is right. */
export type Right =
  | { readonly kind: 'passed'; readonly status: number; readonly org: string | null; readonly body: object | null }
  /** `org`: of what was refused after it had passed: where it acted. */
  | {
      readonly kind: 'refused'
      readonly code: AuthErrorCode
      readonly challenge?: string
      readonly org?: string | null
    }
/** The framework's own page for a fault. */

const BAD_TOKEN: Right = { kind: 'refused', code: 'unauthorized' }
const NO_CREDENTIAL: Right = { kind: 'refused', code: 'unauthorized', challenge: 'Bearer' }
const FORBIDDEN: Right & { readonly kind: 'refused' } = { kind: 'refused', code: 'forbidden' }

/** Every right answer to a request: one where nothing it depends on was changing. */
export function rightAnswers(ask: Ask): readonly Right[] {
  const found: Right[] = []
  for (const right of everyOutcome((choose) => decide(ask, choose))) {
    if (!found.some((each) => isDeepStrictEqual(each, right))) found.push(right)
  }
  return isLookedAtAgain(ask) ? found.flatMap((right) => [right, ...refusedLater(right, found)]) : found
}

// Whoever sends a body for more than a second is looked at once more when it is whole.
function isLookedAtAgain({ isSlow = false, body, from, until }: Ask): boolean {
  return isSlow || (body.kind !== 'none' && until - from > 1000)
}

// Whoever is refused then has passed before, and is told where.
function refusedLater(right: Right, all: readonly Right[]): Right[] {
  if (right.kind === 'passed' || right.org != null) return []
  return [...new Set(all.flatMap(({ org }) => org ?? []))].map((org) => ({ ...right, org }))
}

function decide(ask: Ask, choose: Choose): Right {
  const { credential, route, from, until } = ask
  if (credential.kind === 'none') return route.isOptional ? passed(ask, null, null) : NO_CREDENTIAL
  if (credential.kind === 'malformed') return { kind: 'refused', code: 'bad_request' }
  if (credential.kind === 'service') return credential.isRight ? ofService(ask, choose) : BAD_TOKEN
  if (credential.kind === 'apiKey') return ofKey(ask, credential, choose)
  const { token, person } = credential
  const { kids, failing } = ask.server.keys.get(token.issuer) as KnownKeys
  if (token.kid !== null && !choose(kids.between(from, until)).has(token.kid)) {
    return choose(failing.between(from, until)) ? { kind: 'refused', code: 'keys_unavailable' } : BAD_TOKEN
  }
  if (token.flaw !== null) return { kind: 'refused', code: token.flaw }
  if (choose(endings(token, ask))) return { kind: 'refused', code: 'token_expired' }
  if (route.accept !== 'user' || person === null) return FORBIDDEN
  return ofPerson(ask, person, choose)
}

// Whether it was expired when it was looked at, some time between sending and answering.
function endings({ endsAt }: TokenFacts, { from, until }: Ask): readonly boolean[] {
  return [...(from < endsAt ? [false] : []), ...(until >= endsAt ? [true] : [])]
}

function ofPerson(ask: Ask, person: Person, choose: Choose): Right {
  const { route, selector, from, until, holdsFrom = from } = ask
  const failure = storageFailure(ask, choose)
  if (failure !== null) return failure
  if (choose(person.disabled.between(holdsFrom, until))) return FORBIDDEN
  const seen = { kind: 'user', user: person.userId, subject: person.subject }
  if (route.needs === 'user') return passed(ask, null, { ...seen, org: null, role: null })
  if (selector.kind === 'malformed') return { kind: 'refused', code: 'invalid_org_id' }
  if (selector.kind === 'conflict') return { kind: 'refused', code: 'org_selector_conflict' }
  const org = selector.kind === 'named' ? selector.org : person.ownOrg
  const rolesSince = (since: number): readonly (Role | null)[] =>
    org === person.ownOrg ? ['owner'] : (person.roles.get(org)?.between(since, until) ?? [null])
  const roles = rolesSince(from)
  // The one that is told is the first look's.
  const role = choose(roles)
  if (role === null || choose(rolesSince(holdsFrom)) === null) return FORBIDDEN
  if (ask.isSlow && roles.length > 1 && choose([true, false])) return FORBIDDEN
  if (!includes(role, route.role)) return route.isMountedTwice ? { ...FORBIDDEN, org } : FORBIDDEN
  return passed(ask, org, { ...seen, org, role })
}

function ofKey(ask: Ask, { key, isWellFormed }: CredentialFacts & { readonly kind: 'apiKey' }, choose: Choose): Right {
  if (!isWellFormed) return BAD_TOKEN
  const failure = storageFailure(ask, choose)
  if (failure !== null) return failure
  if (key === null || !choose(key.isLive.between(ask.from, ask.until))) return BAD_TOKEN
  if (ask.route.accept !== 'apiKey') return FORBIDDEN
  return passed(ask, key.org, { kind: 'apiKey', key: key.id, org: key.org, role: key.role })
}

// The organization of a service stands in its body.
function ofService(ask: Ask, choose: Choose): Right {
  const { route, selector, body } = ask
  if (route.accept !== 'service') return FORBIDDEN
  if (body.kind === 'refused') return { kind: 'refused', code: body.code }
  const failure = storageFailure(ask, choose)
  if (failure !== null) return failure
  if (selector.kind !== 'named') return FORBIDDEN
  return passed(ask, selector.org, { kind: 'service', org: selector.org })
}

function storageFailure({ storage, from, until }: Ask, choose: Choose): Right | null {
  const state = choose(storage.between(from, until))
  if (state === 'there' || (state !== 'away' && choose([true, false]))) return null
  return { kind: 'refused', code: 'temporarily_unavailable' }
}

function passed({ route, body }: Ask, org: string | null, seen: object | null): Right {
  if (body.kind === 'refused') return { kind: 'refused', code: body.code, org }
  const note = body.kind === 'note' ? { note: body.text } : {}
  return { kind: 'passed', status: route.status, org, body: seen === null ? null : { ...seen, ...note } }
}

function includes(role: Role, minimum: Role | undefined): boolean {
  return minimum === undefined || ROLES.indexOf(role) >= ROLES.indexOf(minimum)
}

/** Whether an answer is that one: status, code, challenge, organization, and all that the handler saw. */
export function isRight({ status, headers, body }: Answer, right: Right): boolean {
  const org = headers['x-org-id'] ?? null
  if (right.kind === 'refused') {
    const { challenge } = right
    const field = right.code === 'validation_error' ? { field: 'body' } : {}
    const bytes = bytesOf(right.code, { ...(challenge === undefined ? {} : { challenge }), ...field })
    return (
      status === bytes.status &&
      body === bytes.body &&
      org === (right.org ?? null) &&
      bytes.headers.every(([name, value]) => isLine(name, headers[name.toLowerCase()], value)) &&
      (bytes.headers.some(([name]) => name === 'WWW-Authenticate') || headers['www-authenticate'] === undefined)
    )
  }
  return status === right.status && org === right.org && isDeepStrictEqual(parse(body), right.body)
}

// How long to wait depends on when a key server was asked.
function isLine(name: string, value: unknown, wanted: string): boolean {
  return name === 'Retry-After' ? /^[1-9]\d*$/.test(String(value)) : value === wanted
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
