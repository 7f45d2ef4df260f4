/** A corridor over a SQL storage, with real tokens and host's tables of its own, written in the provisioning transaction. */
import { type Auth, createAuth } from '../../src/auth.ts'
import { createOrgResolver } from '../../src/orgs/org-resolver.ts'
import { header } from '../../src/orgs/selector.ts'
import type { Storage } from '../../src/storage/repositories.ts'
import type { PgQueryable, SqliteDatabase } from '../../src/storage/sql-executor.ts'
import type { StoredOrganization, StoredUser } from '../../src/storage/stored.ts'
import { createProvisioner } from '../../src/users/provisioner.ts'
import { createJwtVerifier } from '../../src/verify/jwt-verifier.ts'
import { fakeRequest } from '../corridor/fake-request.ts'
import { issuer } from '../corridor/world.ts'

/** The host's tables: one row of each for a new organization. */
export const HOST_TABLES: readonly string[] = [
  'CREATE TABLE tenants (org_id text PRIMARY KEY)',
  'CREATE TABLE pipelines (org_id text PRIMARY KEY REFERENCES tenants (org_id))',
]

/** What the host's hook writes. */
const HOST_ROWS: readonly ((orgId: string) => string)[] = [
  (orgId) => `INSERT INTO tenants (org_id) VALUES ('${orgId}')`,
  (orgId) => `INSERT INTO pipelines (org_id) VALUES ('${orgId}')`,
]

/** A hook that writes the host's rows through the transaction's own handle. */
export async function writeHostRows(handle: PgQueryable | SqliteDatabase, orgId: string): Promise<void> {
  for (const row of HOST_ROWS) {
    if ('exec' in handle) handle.exec(row(orgId))
    else await handle.query(row(orgId))
  }
}

/** A corridor, and people to walk it. */
export interface Corridor {
  readonly auth: Auth
  /** A token of somebody; the same subject is the same person. */
  tokenOf(subject: string): Promise<string>
  /** Walk with a token; the org and role the walk ended with. */
  walk(
    token: string,
    orgId?: string,
  ): Promise<{ readonly userId: string; readonly orgId: string; readonly role: string }>
}

/** Build the corridor of a storage. */
export function createCorridor(storage: Storage<StoredUser, StoredOrganization, unknown>): Corridor {
  const auth = createAuth({
    roles: ['member', 'admin', 'owner'],
    verify: createJwtVerifier({
      issuers: [{ issuer: issuer.issuer, keys: [{ kind: 'secret', secret: issuer.secret }] }],
      audience: issuer.audience,
    }),
    users: createProvisioner({
      storage,
      bootstrap: async ({ org, transaction }) => {
        if (org !== null) await writeHostRows(transaction.handle as PgQueryable, org.id)
      },
    }),
    orgs: createOrgResolver({
      source: storage.memberships,
      selectors: [header('X-Org-Id')],
      unnamed: 'earliest-joined',
    }),
  })
  return {
    auth: auth as unknown as Auth,
    tokenOf: (subject) => issuer.sign({ sub: subject, email: `${subject}@example.test` }),
    async walk(token, orgId) {
      const named = orgId === undefined ? {} : { 'x-org-id': orgId }
      const { user, org, role } = await auth.authenticate(
        fakeRequest({ headers: { authorization: `Bearer ${token}`, ...named } }),
      )
      return { userId: user.id, orgId: org.id, role }
    },
  }
}
