/**
 * The people and organizations of the corpus, in a fresh storage for each server, and the auths over it: one issuer with
 * an HS256 secret and a real key server, and each way a host may configure the rooms under a path prefix of its own.
 */

import {
  type Auth,
  createAuth,
  createJwtVerifier,
  createOrgResolver,
  createProvisioner,
  createServiceVerifier,
  createSyncGate,
  type HostTypes,
  header,
  type KeySource,
  type Verifier,
} from '../../src/index.ts'
import type { WhenUnnamed } from '../../src/orgs/org-resolver.ts'
import { createMemoryStorage, type MemoryStorage } from '../../src/storage/memory.ts'
import type { StorageTransaction } from '../../src/storage/repositories.ts'
import type { StoredOrganization, StoredUser } from '../../src/storage/shipped-storage.ts'
import { TransientError } from '../../src/storage/storage-errors.ts'
import type { TokenIssuer } from '../../src/testing/token-issuer.ts'
import type { ProvisionerOptions } from '../../src/users/provisioner.ts'
import type { Service } from './case-format.ts'
import { createKeys, createKeyVerifier, ROLES } from './keys.ts'

/** The clock of issuer and verifiers: it stands still, so that edges of leeway are exact. */
export const NOW: number = Date.parse('2026-11-20T12:00:00.500Z')
/** What the telephony service sends in `X-Service-Secret`; `X-Closed-Secret` is one that nobody can enter. */
export const SERVICE_SECRET = 'corpus-telephony-secret-0123456789abcdef'
/** The one before, still accepted. */
export const PREVIOUS_SERVICE_SECRET = 'corpus-telephony-secret-previous-9876543210'

const ORGS = ['acme', 'globex', 'initech', 'solo', 'closed'] as const

// In order of joining.
const MEMBERSHIPS: readonly (readonly [subject: string, org: (typeof ORGS)[number], role: string])[] = [
  ['member', 'acme', 'member'],
  ['admin', 'acme', 'admin'],
  ['owner', 'acme', 'owner'],
  ['owner', 'globex', 'owner'],
  ['dual', 'globex', 'member'],
  ['dual', 'acme', 'admin'],
  ['stranger', 'initech', 'owner'],
  ['solo', 'solo', 'owner'],
  ['disabled', 'acme', 'admin'],
  ['ghost', 'closed', 'owner'],
  ['odd', 'acme', 'superuser'],
  ['proto', 'acme', '__proto__'],
  ['shouting', 'acme', 'ADMIN'],
]

/** A storage with everybody in it, and the ids by name, for placeholders. */
export interface World {
  readonly storage: MemoryStorage
  readonly ids: ReadonlyMap<string, string>
}

/** Make a world, its API keys too: the deleted org is `closed`, the disabled user `disabled`, `lonely` belongs nowhere. */
export async function createWorld(issuer: string): Promise<World> {
  let tick = NOW
  const storage = createMemoryStorage({ clock: () => tick++ })
  const ids = new Map<string, string>()
  for (const name of ORGS) ids.set(`org.${name}`, (await storage.orgs.insert({ name })).id)
  const idOf = (name: string): string => ids.get(name) as string
  for (const subject of new Set(['lonely', 'spare', ...MEMBERSHIPS.map(([name]) => name)])) {
    const { user } = await storage.users.upsertByIdentity({ issuer, subject, email: `${subject}@example.test` })
    ids.set(`user.${subject}`, user.id)
  }
  for (const [subject, org, role] of MEMBERSHIPS) {
    await storage.memberships.insert({ orgId: idOf(`org.${org}`), userId: idOf(`user.${subject}`), role })
  }
  await createKeys(storage.apiKeys, ids, NOW)
  await storage.users.setDisabled(idOf('user.disabled'), true)
  await storage.orgs.remove(idOf('org.closed'))
  return { storage, ids }
}

/** The corpus's auth, whatever its steps. */
export type CorpusAuth = Auth<
  HostTypes<'member' | 'admin' | 'owner', StoredUser, StoredOrganization, string, 'telephony' | 'closed', string>
>

/** The auths of one server, by path prefix. `/cold` is missing where no key server is asked. */
export function createAuths(
  { storage }: World,
  issuer: TokenIssuer,
  service: Service,
  jwksUrl: string,
): ReadonlyMap<string, CorpusAuth> {
  const verify = verifierFor(issuer, service, jwksUrl)
  const over = (more: Partial<Steps> = {}): CorpusAuth => corpusAuth({ verify, storage, ...more })
  const auths: [string, CorpusAuth][] = [
    ['', over()],
    ['/sync', over({ sync: true })],
    ['/reject', over({ unnamed: 'reject' })],
    ['/only', over({ unnamed: 'only-membership' })],
    ['/none', over({ decide: () => ({ kind: 'none' }), keys: false })],
    ['/busy', over({ storage: busy(storage) })],
    ['/cookie', over({ cookie: { name: 'session' } })],
    ['/public-url', over({ cookie: { name: 'session', publicUrl: 'https://app.example.test/base' } })],
    ['/problem', over({ errorFormat: 'problem' })],
  ]
  if (service !== 'hs256') {
    // Port 9 (discard) of this host: nobody listens, so the key server can't be asked.
    auths.push(['/cold', over({ verify: verifierFor(issuer, service, 'http://127.0.0.1:9/jwks.json') })])
  }
  return new Map(auths)
}

function verifierFor(issuer: TokenIssuer, service: Service, url: string): Verifier {
  const secret: KeySource = { kind: 'secret', secret: issuer.secret }
  const jwks: KeySource = { kind: 'jwks', url }
  const keys = { hs256: [secret], jwks: [jwks], both: [secret, jwks] }[service]
  return createJwtVerifier({
    issuers: [{ issuer: issuer.issuer, keys, audience: issuer.audience }],
    clock: () => NOW,
  })
}

interface Steps {
  readonly verify: Verifier
  readonly storage: MemoryStorage
  readonly sync?: boolean
  readonly unnamed?: Exclude<WhenUnnamed, 'none'>
  readonly decide?: NonNullable<ProvisionerOptions<StoredUser, StoredOrganization, null>['decide']>
  readonly cookie?: { readonly name: string; readonly publicUrl?: string }
  readonly errorFormat?: 'json' | 'problem'
  /** Whether it knows API keys. Default: it does. */
  readonly keys?: boolean
}

function corpusAuth({
  verify,
  storage,
  sync = false,
  unnamed = 'earliest-joined',
  decide,
  cookie,
  errorFormat,
  keys = true,
}: Steps): CorpusAuth {
  return createAuth({
    roles: ROLES,
    verifier: verify,
    services: createServiceVerifier({
      services: {
        telephony: { header: 'X-Service-Secret', secrets: [SERVICE_SECRET, PREVIOUS_SERVICE_SECRET] },
        closed: { header: 'X-Closed-Secret', secrets: null },
      },
    }),
    users: sync
      ? createSyncGate({ users: storage.users })
      : createProvisioner({ storage, ...(decide !== undefined && { decide }) }),
    orgs: createOrgResolver({
      memberships: storage.memberships,
      selectors: [header('X-Org-Id')],
      whenUnnamed: unnamed,
    }),
    ...(keys && { apiKeys: createKeyVerifier(storage.apiKeys, NOW) }),
    ...(cookie !== undefined && { cookie }),
    ...(errorFormat !== undefined && { errorFormat }),
  })
}

// A database that can be read but never commits.
function busy(storage: MemoryStorage): MemoryStorage {
  return {
    ...storage,
    transaction: async <T>(
      work: (transaction: StorageTransaction<StoredUser, StoredOrganization, null>) => Promise<T>,
    ) => {
      await storage.transaction(async (transaction) => {
        await work(transaction as never)
        throw new TransientError('could not serialize access')
      })
      throw new Error('unreachable')
    },
  } as unknown as MemoryStorage
}
