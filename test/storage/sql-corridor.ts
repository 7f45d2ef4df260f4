/** A corridor over a SQL storage, with real tokens, and a hook that writes the host's own rows. */
import { type Auth, createAuth } from '../../src/auth.ts'
import { createOrgResolver } from '../../src/orgs/org-resolver.ts'
import { header } from '../../src/orgs/selector.ts'
import type { Storage } from '../../src/storage/repositories.ts'
import type { PgQueryable } from '../../src/storage/sql-executor.ts'
import type { StoredOrganization, StoredUser } from '../../src/storage/stored.ts'
import { createProvisioner } from '../../src/users/provisioner.ts'
import { createJwtVerifier } from '../../src/verify/jwt-verifier.ts'
import { fakeRequest } from '../corridor/fake-request.ts'
import { issuer } from '../corridor/world.ts'
import { writeHostRows } from './host-rows.ts'

export { HOST_TABLES } from './host-rows.ts'

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
