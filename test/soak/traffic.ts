/** Kinds of requests, each with all that its right answer depends on. Workers send them, one after another each. */
import { randomUUID } from 'node:crypto'
import { createKeyFormat } from '../../src/api-keys/key-format.ts'
import type { BreakOff, Sent } from './client.ts'
import type { Answer, Ask, BodyFacts, CredentialFacts, Person, RouteFacts, SelectorFacts } from './oracle.ts'
import type { ServerProcess } from './server-process.ts'
import { type IssuedKey, oneOf, type Somebody, signToken, type Token, type World } from './world.ts'

/** A request to be sent, and what it is. */
export interface Planned extends Pick<Ask, 'route' | 'credential' | 'selector' | 'body'> {
  readonly sent: Sent
}

interface Kind {
  readonly name: string
  /** How often it comes, against the others. */
  readonly weight: number
  plan(world: World): Planned | Promise<Planned>
}

type Lines = Sent['headers']

interface Place {
  readonly path: string
  readonly method: 'GET' | 'POST'
  readonly facts: RouteFacts
}

const user = (path: string, more: Partial<RouteFacts> = {}): Place => ({
  path,
  method: 'GET',
  facts: { accept: 'user', needs: 'org', status: 200, ...more },
})
const ME = user('/me')
const USER = user('/user', { needs: 'user' })
const MAYBE = user('/maybe', { isOptional: true })
const NOTES: Place = { ...user('/notes', { status: 201 }), method: 'POST' }
const KEYED = user('/keyed', { accept: 'apiKey' })
const INTERNAL: Place = { ...user('/internal', { accept: 'service' }), method: 'POST' }
const ADMIN = user('/admin', { role: 'admin' })
const TWICE = user('/twice', { role: 'admin', isMountedTwice: true })
const USER_PLACES = [ME, ME, ME, USER, MAYBE, ADMIN, TWICE]
const PLACES = [...USER_PLACES, KEYED, INTERNAL]

const NO_BODY: BodyFacts = { kind: 'none' }
const UNNAMED: SelectorFacts = { kind: 'unnamed' }
const JSON_LINE = ['content-type', 'application/json'] as const
const bearer = (text: string): Lines[number] => ['authorization', `Bearer ${text}`]

function plan(place: Place, credential: CredentialFacts, lines: Lines, more: Partial<Planned & Sent> = {}): Planned {
  const { selector = UNNAMED, body = NO_BODY, path = place.path, headers = [] } = more
  const sent = {
    method: place.method,
    path,
    headers: [...lines, ...headers],
    body: more.body === undefined ? undefined : '',
  }
  return { route: place.facts, credential, selector, body, sent: more.sent ?? sent }
}

/** A request of somebody with a token: anywhere, naming one of the organizations in one of the ways there are. */
export function planOf(
  { random, orgs }: World,
  person: Somebody,
  token: Token,
  places: readonly Place[] = USER_PLACES,
): Planned {
  const credential = { kind: 'token', token: token.facts, person } as const
  const place = oneOf(random, places)
  const [selector, headers, path] = selectorOf(random, oneOf(random, [...orgs, person.ownOrg]))
  const isPath = path !== null && place === ME
  const isNamed = place.facts.accept === 'user'
  if (!isNamed || (path !== null && !isPath)) return plan(place, credential, [bearer(token.text)])
  return plan(place, credential, [bearer(token.text)], { selector, headers, ...(isPath && { path }) })
}

function selectorOf(random: () => number, org: string): [SelectorFacts, Lines, string | null] {
  const named = { kind: 'named', org } as const
  const other = '11111111-1111-4111-8111-111111111111'
  const drawn = random()
  if (drawn < 0.35) return [UNNAMED, [], null]
  if (drawn < 0.7) return [named, [['x-org-id', oneOf(random, [org, org.toUpperCase()])]], null]
  if (drawn < 0.8) return [named, [], `/orgs/${org}/me`]
  if (drawn < 0.85) return [{ kind: 'named', org: other }, [['x-org-id', other]], null]
  if (drawn < 0.9) return [{ kind: 'conflict' }, [['x-org-id', other]], `/orgs/${org}/me`]
  const malformed: Lines = oneOf(random, [
    [['x-org-id', 'none']],
    [['x-org-id', '']],
    [
      ['x-org-id', org],
      ['x-org-id', org],
    ],
  ])
  return [{ kind: 'malformed' }, malformed, null]
}

const BODIES: readonly (readonly [BodyFacts, Lines, (text: string) => string])[] = [
  [{ kind: 'note', text: '' }, [JSON_LINE], (text) => JSON.stringify({ note: text })],
  [{ kind: 'refused', code: 'unsupported_media_type' }, [['content-type', 'text/plain']], () => 'a note'],
  [{ kind: 'refused', code: 'validation_error' }, [JSON_LINE], () => '{"note":'],
  [{ kind: 'refused', code: 'payload_too_large' }, [JSON_LINE], () => JSON.stringify({ note: 'x'.repeat(17_000) })],
]

async function planNote(world: World): Promise<Planned> {
  const { random, people } = world
  const person = oneOf(random, people)
  const planned = planOf(world, person, oneOf(random, person.tokens), [NOTES])
  const [facts, headers, write] = oneOf(random, [BODIES[0] as (typeof BODIES)[number], ...BODIES])
  const text = `a note ${random()}`
  const body = facts.kind === 'note' ? { ...facts, text } : facts
  return {
    ...planned,
    body,
    sent: { ...planned.sent, headers: [...planned.sent.headers, ...headers], body: write(text) },
  }
}

/** A note of somebody, by a token that every server knows. */
export function planGoodNote(world: World, person: Somebody, token: Token, text: string): Planned {
  const planned = planOf(world, person, token, [NOTES])
  const sent = { ...planned.sent, headers: [...planned.sent.headers, JSON_LINE], body: JSON.stringify({ note: text }) }
  return { ...planned, body: { kind: 'note', text }, sent }
}

const FORMAT = createKeyFormat('soak', 'soak')

function planKey({ random, keys }: World): Planned {
  const place = oneOf(random, [KEYED, KEYED, KEYED, ME])
  const drawn = random()
  if (drawn < 0.15) {
    const unknown: CredentialFacts = { kind: 'apiKey', key: null, isWellFormed: true }
    return plan(place, unknown, [bearer(FORMAT.create().key)])
  }
  const key = keys.length === 0 ? undefined : oneOf<IssuedKey>(random, keys)
  if (drawn < 0.3 || key === undefined) {
    const torn: CredentialFacts = { kind: 'apiKey', key: null, isWellFormed: false }
    return plan(place, torn, [bearer(`${FORMAT.create().key.slice(0, -1)}!`)])
  }
  // Of the right id, with the secret of none.
  if (drawn < 0.4) {
    const guessed: CredentialFacts = { kind: 'apiKey', key: null, isWellFormed: true }
    return plan(place, guessed, [bearer(FORMAT.create(key.id).key)])
  }
  return plan(place, { kind: 'apiKey', key, isWellFormed: true }, [bearer(key.text)])
}

function planService({ random, orgs, serviceSecret }: World): Planned {
  const place = oneOf(random, [INTERNAL, INTERNAL, ME])
  const isRight = random() < 0.7
  const secret = ['x-robot-secret', isRight ? serviceSecret : `${random()}`.padEnd(40, 'x')] as const
  const org = oneOf(random, [...orgs, null])
  const planned = plan(place, { kind: 'service', isRight }, [secret, JSON_LINE])
  const body = JSON.stringify({ org_id: org ?? '11111111-1111-4111-8111-111111111111' })
  const selector: SelectorFacts = org === null ? UNNAMED : { kind: 'named', org }
  return { ...planned, selector, sent: { ...planned.sent, ...(place.method === 'POST' && { body }) } }
}

function planMalformed({ random, people, serviceSecret }: World): Planned {
  const token = oneOf(random, oneOf(random, people).tokens).text
  const lines = oneOf<Lines>(random, [
    [bearer(token), bearer(token)],
    [['authorization', 'Bearer']],
    [['authorization', `Bearer ${token} ${token}`]],
    [['authorization', `Bearer ${token},${token}`]],
    [bearer(token), ['x-robot-secret', serviceSecret]],
  ])
  return plan(oneOf(random, [ME, ADMIN, MAYBE]), { kind: 'malformed' }, lines)
}

function planNobody({ random }: World): Planned {
  const place = oneOf(random, [ME, MAYBE, KEYED, ADMIN])
  // Another scheme than ours is no credential of ours.
  const lines = oneOf<Lines>(random, [[], place === MAYBE ? [] : [['authorization', 'Basic YTpi']]])
  return plan(place, { kind: 'none' }, lines)
}

async function planUnknownKey(world: World): Promise<Planned> {
  const { random, people } = world
  const person = oneOf(random, people)
  const kid = `unknown-${random()}`
  const text = await person.issuer.sign({ sub: person.subject }, { algorithm: 'ES256', kid })
  const facts = { issuer: person.issuer.issuer, kid, endsAt: Date.now() + 3_600_000, flaw: null }
  return planOf(world, person, { text, facts }, PLACES)
}

// A good token but for one letter of its signature, which stays a well-formed one: the key it names is known.
async function planForged(world: World): Promise<Planned> {
  const { random, people } = world
  const person = oneOf(random, people)
  const { text, facts } = await signToken(random, person.issuer, person.subject)
  const at = text.length - 20
  const forged = `${text.slice(0, at)}${text.charAt(at) === 'A' ? 'B' : 'A'}${text.slice(at + 1)}`
  return planOf(world, person, { text: forged, facts: { ...facts, flaw: 'unauthorized' } }, PLACES)
}

// The key that bad tokens were signed by.
const FIRST_KEY = 'es256-1'

function planBad(world: World): Planned {
  const { random, people, bad, steady } = world
  const { token: text, code: flaw } = oneOf(random, bad)
  // Good in all else: once its key is gone, it is refused for that.
  const kid = flaw === 'token_expired' ? FIRST_KEY : null
  const facts = { issuer: steady.issuer.issuer, kid, endsAt: Number.POSITIVE_INFINITY, flaw }
  return planOf(world, oneOf(random, people), { text, facts }, PLACES)
}

const EXPIRING: { person: Somebody; token: Token }[] = []

// Tokens that end within seconds, sent until a while after.
async function planExpiring(world: World): Promise<Planned> {
  const { random, people } = world
  const index = Math.floor(random() * 20)
  let chosen = EXPIRING[index]
  if (chosen === undefined || chosen.token.facts.endsAt < Date.now() - 3000) {
    const person = oneOf(random, people)
    const lifeSeconds = Math.floor(random() * 5) - 4
    chosen = { person, token: await signToken(random, person.issuer, person.subject, { lifeSeconds }) }
    EXPIRING[index] = chosen
  }
  return planOf(world, chosen.person, chosen.token)
}

const KINDS: readonly Kind[] = [
  {
    name: 'a token seen before',
    weight: 30,
    plan(world) {
      const person = oneOf(world.random, world.people)
      return planOf(world, person, oneOf(world.random, person.tokens), PLACES)
    },
  },
  {
    name: 'a new token',
    weight: 12,
    async plan(world) {
      const person = oneOf(world.random, world.people)
      const token = await signToken(world.random, person.issuer, person.subject)
      // One of those that are sent again takes another one's place, and is of the newest keys.
      if (world.random() < 0.3) person.tokens[Math.floor(world.random() * person.tokens.length)] = token
      return planOf(world, person, token)
    },
  },
  { name: 'a bad token', weight: 12, plan: planBad },
  { name: 'a forged token', weight: 4, plan: planForged },
  { name: 'an unknown key', weight: 4, plan: planUnknownKey },
  { name: 'an expiring token', weight: 6, plan: planExpiring },
  { name: 'no credential', weight: 3, plan: planNobody },
  { name: 'malformed credentials', weight: 3, plan: planMalformed },
  { name: 'a body', weight: 8, plan: planNote },
  { name: 'an API key', weight: 8, plan: planKey },
  { name: 'a service', weight: 4, plan: planService },
]
const TOTAL: number = KINDS.reduce((sum, { weight }) => sum + weight, 0)
const BREAK_OFF_SHARE = 0.05

/** Send one request after another until all ends. */
export async function work(world: World): Promise<void> {
  const { random, client, servers, signal } = world
  while (!signal.aborted) {
    const kind = kindOf(random)
    const planned = await kind.plan(world)
    const server = oneOf(random, servers)
    if (random() < BREAK_OFF_SHARE) {
      const places: BreakOff[] = [
        'in the head',
        'before the answer',
        ...(planned.sent.body ? (['in the body'] as const) : []),
      ]
      const where = oneOf(random, places)
      await client.breakOff(server.url, planned.sent, where)
      world.judge.tell(`broken off ${where}`, server.facts.name, null, null)
    } else await send(world, server, kind.name, planned)
  }
}

function kindOf(random: () => number): Kind {
  let drawn = random() * TOTAL
  for (const kind of KINDS) {
    drawn -= kind.weight
    if (drawn < 0) return kind
  }
  return KINDS[0] as Kind
}

/** Send a request and have its answer compared. Answers when it came, or `null`. */
export async function send(
  world: World,
  server: ServerProcess,
  kind: string,
  planned: Planned,
): Promise<Answer | null> {
  const { client, judge, storage } = world
  const { sent, ...facts } = planned
  const requestId = randomUUID()
  const from = Date.now()
  const headers = [...sent.headers, ['x-request-id', requestId] as const]
  const answer = await client.send(server.url, { ...sent, headers })
  const ask = { kind, server: server.facts, storage, ...facts, from, until: Date.now() }
  judge.take(ask, answer, requestId)
  return answer
}

/** Who somebody is. */
export function planMe(person: Person | null, token: Token): Planned {
  return plan(ME, { kind: 'token', token: token.facts, person }, [bearer(token.text)])
}
