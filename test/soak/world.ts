/** Everything a soak works on: servers, issuers, people, organizations, keys, and what is known of each of them. */
import pg from 'pg'
import { createPostgresStorage, type PostgresStorage } from '../../src/storage/postgres.ts'
import type { IssuerAlgorithm, TokenIssuer } from '../../src/testing/token-issuer.ts'
import type { Cluster } from '../postgres-cluster.ts'
import { type BadToken, badTokens } from '../support/bad-tokens/bad-tokens.ts'
import type { Client } from './client.ts'
import type { Judge } from './judge.ts'
import type { KeyServer } from './key-server.ts'
import { type KeyFacts, type Person, ROLES, type Role, type StorageState, type TokenFacts } from './oracle.ts'
import type { ServerProcess } from './server-process.ts'
import { Timeline } from './timeline.ts'

/** A token, and what is known of it. */
export interface Token {
  readonly text: string
  readonly facts: TokenFacts
}

/** Somebody who sends requests. */
export interface Somebody extends Person {
  readonly issuer: TokenIssuer
  /** Tokens that are sent again and again. */
  readonly tokens: Token[]
}

/** An API key, its text included. */
export interface IssuedKey extends KeyFacts {
  readonly text: string
  readonly owner: Somebody
}

/** What all parts of a soak share. */
export interface World {
  readonly random: () => number
  readonly client: Client
  readonly judge: Judge
  readonly cluster: Cluster
  readonly servers: readonly ServerProcess[]
  /** Its keys change and its key server fails. */
  readonly moving: KeyServer
  /** Its keys change and its key server is well. */
  readonly steady: KeyServer
  readonly storage: Timeline<StorageState>
  /** The soak's own way into the database. */
  readonly pool: pg.Pool
  readonly store: PostgresStorage<pg.PoolClient>
  readonly people: Somebody[]
  /** Organizations whose members change. */
  readonly orgs: readonly string[]
  readonly keys: IssuedKey[]
  readonly bad: readonly BadToken[]
  readonly serviceSecret: string
  readonly events: Map<string, number>
  /** Aborted when the time is up, or somebody wants it to end. */
  readonly signal: AbortSignal
}

/** The leeway of every server. */
const LEEWAY_MS = 5000
const ALGORITHMS: readonly IssuerAlgorithm[] = ['ES256', 'RS256', 'EdDSA', 'HS256']

/** Take one of a list. */
export function oneOf<T>(random: () => number, list: readonly T[]): T {
  return list[Math.floor(random() * list.length)] as T
}

/** A pause that ends early when all ends. */
export function pause({ signal }: Pick<World, 'signal'>, milliseconds: number): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve()
    const end = (): void => {
      clearTimeout(timer)
      signal.removeEventListener('abort', end)
      resolve()
    }
    const timer = setTimeout(end, milliseconds)
    signal.addEventListener('abort', end)
  })
}

/** Count something that was done to the servers. */
export function note({ events }: Pick<World, 'events'>, what: string): void {
  events.set(what, (events.get(what) ?? 0) + 1)
}

interface SignChoice {
  readonly lifeSeconds?: number
  readonly algorithm?: IssuerAlgorithm
}

/** Sign a token of a subject, by any of the issuer's keys unless told. */
export async function signToken(
  random: () => number,
  issuer: TokenIssuer,
  subject: string,
  { lifeSeconds = 3600, algorithm = oneOf(random, ALGORITHMS) }: SignChoice = {},
): Promise<Token> {
  const kid = algorithm === 'HS256' ? null : issuer.key(algorithm).kid
  const exp = Math.floor(Date.now() / 1000) + lifeSeconds
  const claims = { sub: subject, email: `${subject}@example.test`, exp, iat: exp - 7200, jti: String(random()) }
  const text = await issuer.sign(claims, { algorithm })
  return { text, facts: { issuer: issuer.issuer, kid, endsAt: exp * 1000 + LEEWAY_MS, flaw: null } }
}

/** Open the soak's own pool and storage. */
export function openStore(connectionString: string): Pick<World, 'pool' | 'store'> {
  const pool = new pg.Pool({ connectionString, max: 4, application_name: 'soak' })
  pool.on('error', () => undefined)
  return { pool, store: createPostgresStorage({ pool }) }
}

/** Make people who are here already, organizations that they share, and the tokens that are wrong. */
export async function populate(
  { random, store, moving, steady }: Pick<World, 'random' | 'store' | 'moving' | 'steady'>,
  sizes: { readonly people: number; readonly orgs: number },
): Promise<Pick<World, 'people' | 'orgs' | 'bad'>> {
  const orgs: string[] = []
  while (orgs.length < sizes.orgs) orgs.push((await store.orgs.insert({ name: `shared ${orgs.length}` })).id)
  const people: Somebody[] = []
  while (people.length < sizes.people) {
    const { issuer } = people.length % 2 === 0 ? moving : steady
    people.push(await addPerson({ random, store }, issuer, `known-${people.length}`, orgs))
  }
  const bad = await badTokens(steady.issuer, { algorithm: 'ES256' })
  return { people, orgs, bad }
}

async function addPerson(
  { random, store }: Pick<World, 'random' | 'store'>,
  issuer: TokenIssuer,
  subject: string,
  orgs: readonly string[],
): Promise<Somebody> {
  const identity = { issuer: issuer.issuer, subject, email: `${subject}@example.test` }
  const { userId, ownOrg } = await store.transaction(async ({ users, orgs: all, memberships }) => {
    const { user } = await users.upsertByIdentity(identity)
    const org = await all.insert({ name: subject })
    await memberships.insert({ orgId: org.id, userId: user.id, role: 'owner' })
    return { userId: user.id, ownOrg: org.id }
  })
  const person = somebody({ subject, userId, ownOrg }, orgs)
  // Their own is the first they joined: of those of one millisecond it would be the one with the lowest id.
  await new Promise((resolve) => setTimeout(resolve, 2))
  for (const [orgId, role] of person.roles) {
    if (random() < 0.3) continue
    const given = oneOf(random, ROLES)
    await store.memberships.insert({ orgId, userId, role: given })
    role.begin(given).done()
  }
  return { ...person, issuer, tokens: await tokensOf(random, issuer, subject) }
}

/** The facts of somebody who is a member of their own organization alone. */
export function somebody(who: Pick<Person, 'subject' | 'userId' | 'ownOrg'>, orgs: readonly string[]): Person {
  const roles = new Map(orgs.map((org) => [org, new Timeline<Role | null>(null)]))
  return { ...who, disabled: new Timeline(false), roles }
}

/** Some tokens to send again and again. */
export function tokensOf(random: () => number, issuer: TokenIssuer, subject: string): Promise<Token[]> {
  return Promise.all(Array.from({ length: 5 }, () => signToken(random, issuer, subject)))
}
