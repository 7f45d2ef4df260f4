/**
 * The API keys of the corpus: what each is, in the world's storage, and the ways a case may spell one wrongly. Hands on
 * `{{key.name}}` (its text), `{{keyid.name}}` (its public id) and `{{key.name|damage}}`.
 */

import { type ApiKeys, type ApiKeysOptions, createApiKeys } from '../../src/api-keys/index.ts'
import { createKeyFormat } from '../../src/api-keys/key-format.ts'
import { type AuthContext, AuthError, createRoles, type Roles } from '../../src/index.ts'
import type { ApiKeyRepository } from '../../src/storage/repositories.ts'
import { testContext, testUser } from '../../src/testing/principals.ts'

const PREFIX = 'cky'
const HOUR = 3_600_000

interface KeyPlan {
  readonly org: 'acme' | 'globex' | 'closed'
  readonly role?: 'member' | 'admin' | 'owner'
  readonly permissions: readonly string[]
  /** Seconds from now; a negative one has ended. */
  readonly ends?: number
  /** Rotated an hour ago, once for each: the overlap in seconds. */
  readonly rotated?: readonly number[]
  readonly revoked?: true
  /** Who made it. Default: the owner. */
  readonly by?: 'owner' | 'disabled'
}

const READ = ['things:read']
const BOTH = ['things:read', 'things:write']

// By name; after a rotation `name.old`, `name.older` are the texts before.
const KEYS: Readonly<Record<string, KeyPlan>> = {
  reader: { org: 'acme', role: 'member', permissions: READ },
  writer: { org: 'acme', role: 'member', permissions: BOTH },
  'write-only': { org: 'acme', role: 'member', permissions: ['things:write'] },
  admin: { org: 'acme', role: 'admin', permissions: [...BOTH, 'things:purge'] },
  'admin-reader': { org: 'acme', role: 'admin', permissions: READ },
  'owner-none': { org: 'acme', role: 'owner', permissions: [] },
  none: { org: 'acme', role: 'member', permissions: [] },
  lookalikes: {
    org: 'acme',
    role: 'member',
    permissions: ['things', 'things:*', '*', 'THINGS:READ', 'things:readable'],
  },
  globex: { org: 'globex', role: 'member', permissions: BOTH },
  closed: { org: 'closed', role: 'member', permissions: BOTH },
  revoked: { org: 'acme', role: 'member', permissions: BOTH, revoked: true },
  expired: { org: 'acme', role: 'member', permissions: BOTH, ends: -60 },
  lasting: { org: 'acme', role: 'member', permissions: BOTH, ends: 60 },
  'revoked-expired': { org: 'acme', role: 'admin', permissions: BOTH, revoked: true, ends: -60 },
  overlapping: { org: 'acme', role: 'member', permissions: BOTH, rotated: [2 * 3600] },
  overlapped: { org: 'acme', role: 'member', permissions: BOTH, rotated: [1800] },
  cut: { org: 'acme', role: 'member', permissions: BOTH, rotated: [0] },
  twice: { org: 'acme', role: 'member', permissions: BOTH, rotated: [2 * 3600, 2 * 3600] },
  'rotated-revoked': { org: 'acme', role: 'member', permissions: BOTH, rotated: [2 * 3600], revoked: true },
  orphan: { org: 'acme', role: 'member', permissions: BOTH, by: 'disabled' },
  limited: { org: 'acme', role: 'admin', permissions: [...BOTH, 'things:purge'] },
}

/** The roles of the corpus: each holds whatever a key of it carries. */
export const ROLES: Roles<'member' | 'admin' | 'owner', string> = createRoles(
  ['member', 'admin', 'owner'],
  Object.fromEntries(Object.values(KEYS).flatMap(({ permissions }) => permissions.map((each) => [each, 'member']))),
)

/** Make every key, two hours before `now`, and put their texts and ids among `ids`. */
export async function createKeys(repository: ApiKeyRepository, ids: Map<string, string>, now: number): Promise<void> {
  let at = now - 2 * HOUR
  const keys = keysOf(repository, { maxOverlapSeconds: 86_400, clock: () => at })
  for (const [name, plan] of Object.entries(KEYS)) {
    at = now - 2 * HOUR
    await createKey(keys, name, plan, ids, now, () => {
      at = now - HOUR
    })
  }
}

async function createKey(
  keys: ApiKeys,
  name: string,
  { org, role, permissions, ends, rotated = [], revoked, by = 'owner' }: KeyPlan,
  ids: Map<string, string>,
  now: number,
  later: () => void,
): Promise<void> {
  const user = testUser({ id: ids.get(`user.${by}`) as string })
  const context = testContext({ user, org: { id: ids.get(`org.${org}`) as string }, role: 'owner' }) as AuthContext
  const expiresAt = ends === undefined ? null : new Date(now + ends * 1000)
  const { apiKey, key } = await keys.issue(context, { name, role, permissions, expiresAt })
  const texts = [key]
  later()
  for (const overlapSeconds of rotated) {
    texts.unshift((await keys.rotate(context, apiKey.id, { overlapSeconds })).key)
  }
  if (revoked === true) await keys.revoke(context, apiKey.id)
  ids.set(`keyid.${name}`, apiKey.id)
  for (const [age, text] of texts.entries()) ids.set(`key.${name}${['', '.old', '.older'][age]}`, text)
}

/** The verifier of the corpus's keys; the host's own check has had enough of `limited` (A7). */
export function createKeyVerifier(repository: ApiKeyRepository, now: number): ApiKeys {
  return keysOf(repository, {
    clock: () => now,
    check: ({ name }) => {
      if (name === 'limited') throw new AuthError('rate_limit_exceeded', { retryAfterSeconds: 7 })
      return true
    },
  })
}

function keysOf(repository: ApiKeyRepository, more: Partial<ApiKeysOptions<Roles>>): ApiKeys {
  return createApiKeys<Roles>({
    storage: { apiKeys: repository },
    prefix: PREFIX,
    roles: ROLES,
    ...more,
  })
}

const format = createKeyFormat('corpus', PREFIX)
const other = (letter: string | undefined): string => (letter === 'x' ? 'y' : 'x')
const changed = (text: string, at: number): string => text.slice(0, at) + other(text[at]) + text.slice(at + 1)
const swapped = (text: string, at: number): string => {
  const next = [...text].findIndex((letter, index) => index > at && letter !== text[at])
  return `${text.slice(0, at)}${text[next]}${text.slice(at + 1, next)}${text[at]}${text.slice(next + 1)}`
}

// Of `cky_<id 12>_<secret 43>_<checksum 6>`.
const DAMAGES: Readonly<Record<string, (text: string) => string>> = {
  checksum: (text) => changed(text, text.length - 1),
  'checksum-first': (text) => changed(text, text.length - 6),
  'id-typo': (text) => changed(text, 6),
  'secret-typo': (text) => changed(text, 30),
  'secret-swap': (text) => swapped(text, 25),
  'no-checksum': (text) => text.slice(0, -7),
  'prefix-only': () => `${PREFIX}_`,
  'public-part': (text) => text.slice(0, PREFIX.length + 13),
  shorter: (text) => text.slice(0, -1),
  longer: (text) => `${text}0`,
  'last-spelling': (text) => `${text.slice(0, 17)}${'z'.repeat(43)}${text.slice(60)}`,
  hyphens: (text) => text.replaceAll('_', '-'),
  'upper-prefix': (text) => PREFIX.toUpperCase() + text.slice(PREFIX.length),
  'no-prefix': (text) => text.slice(PREFIX.length + 1),
  'other-prefix': (text) => createKeyFormat('corpus', 'itk').create(text.slice(4, 16)).key,
  'wrong-secret': (text) => format.create(text.slice(4, 16)).key,
  unknown: () => format.create().key,
}

/** What `key.name|damage` stands for, or `undefined`. */
export function damagedKey(placeholder: string, ids: ReadonlyMap<string, string>): string | undefined {
  const [name = '', damage = ''] = placeholder.split('|')
  const text = ids.get(name)
  return text === undefined || !Object.hasOwn(DAMAGES, damage) ? undefined : DAMAGES[damage]?.(text)
}
