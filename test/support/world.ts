/** What most tests stand on: an issuer with a secret, a verifier that trusts it, and an auth over a storage. */

import {
  type Auth,
  type AuthOptions,
  createAuth,
  createJwtVerifier,
  createOrgResolver,
  createProvisioner,
  type HostTypes,
  header,
  type Verifier,
} from '../../src/index.ts'
import type { AuthStorage } from '../../src/storage/repositories.ts'
import type { StoredOrganization, StoredUser } from '../../src/storage/shipped-storage.ts'
import { createTokenIssuer, type TokenIssuer } from '../../src/testing/token-issuer.ts'
import type { ProvisionerOptions } from '../../src/users/provisioner.ts'
import type { JwtVerifierOptions } from '../../src/verify/jwt-verifier.ts'

/** The issuer that the tests of a file share. */
export const issuer: TokenIssuer = await createTokenIssuer({ algorithms: ['HS256'] })

/** Make a verifier that trusts an issuer by its secret, and nobody else. */
export function trusting(
  { issuer: name, audience, secret }: Pick<TokenIssuer, 'issuer' | 'audience' | 'secret'>,
  more: Partial<JwtVerifierOptions<never>> = {},
): Verifier<never> {
  return createJwtVerifier({ issuers: [{ issuer: name, keys: [{ kind: 'secret', secret }], audience }], ...more })
}

const ROLES = ['member', 'admin', 'owner'] as const

type Options = AuthOptions<typeof ROLES, StoredUser, StoredOrganization, never, never, never>
type Bootstrap = ProvisionerOptions<StoredUser, StoredOrganization, unknown>['bootstrap']

/** Make an auth over a storage: first logins are provisioned, the header `X-Org-Id` names the org, else the earliest joined. */
export function createTestAuth(
  storage: AuthStorage<StoredUser, StoredOrganization, unknown>,
  { bootstrap, ...more }: Partial<Options> & { readonly bootstrap?: Bootstrap } = {},
): Auth<HostTypes<(typeof ROLES)[number], StoredUser, StoredOrganization, never, never>> {
  return createAuth({
    roles: ROLES,
    verifier: trusting(issuer),
    users: createProvisioner({ storage, bootstrap }),
    orgs: createOrgResolver({
      memberships: storage.memberships,
      selectors: [header('X-Org-Id')],
      whenUnnamed: 'earliest-joined',
    }),
    ...more,
  } as Options) as never
}
