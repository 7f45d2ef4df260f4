/** A pipeline over a SQL storage, with real tokens, and a hook that writes the host's own rows. */
import type { Auth } from '../../src/auth.ts'
import type { AuthStorage } from '../../src/storage/repositories.ts'
import type { StoredOrganization, StoredUser } from '../../src/storage/shipped-storage.ts'
import type { PgQueryable } from '../../src/storage/sql-executor.ts'
import { fakeRequest } from '../pipeline/fake-request.ts'
import { createTestAuth, issuer } from '../support/world.ts'
import { writeHostRows } from './host-rows.ts'

export { HOST_TABLES } from './host-rows.ts'

/** A pipeline, and people to authenticate. */
export interface Pipeline {
  readonly auth: Auth
  /** A token of somebody; the same subject is the same person. */
  tokenOf(subject: string): Promise<string>
  /** Authenticate with a token; the org and role the pipeline ended with. */
  authenticate(
    token: string,
    orgId?: string,
  ): Promise<{ readonly userId: string; readonly orgId: string; readonly role: string }>
}

/** Build the pipeline of a storage. */
export function createPipeline(storage: AuthStorage<StoredUser, StoredOrganization, unknown>): Pipeline {
  const auth = createTestAuth(storage, {
    bootstrap: async ({ org, transaction }) => {
      if (org !== null) await writeHostRows(transaction.handle as PgQueryable, org.id)
    },
  })
  return {
    auth: auth as unknown as Auth,
    tokenOf: (subject) => issuer.sign({ sub: subject, email: `${subject}@example.test` }),
    async authenticate(token, orgId) {
      const named = orgId === undefined ? {} : { 'x-org-id': orgId }
      const { user, org, role } = await auth.authenticate(
        fakeRequest({ headers: { authorization: `Bearer ${token}`, ...named } }),
      )
      return { userId: user.id, orgId: org.id, role }
    },
  }
}
