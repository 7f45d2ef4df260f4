/** Coming from Clerk: sessions of an instance, by version 2 of their claims. */
import { createTokenIssuer, startJwksServer } from '../../src/testing/index.ts'
import type { Asked } from './guide.ts'
import { plain, type TokenWorld, token } from './token-requests.ts'

const ORG = { id: 'org_1', rol: 'admin', slg: 'acme', per: 'read,pay', fpm: '3' }

/** An instance of Clerk, as far as its tokens go: both apps verify them without asking it, by a PEM and by its JWK Set. */
export async function createClerkWorld(): Promise<TokenWorld> {
  const server = await startJwksServer((issuer) => createTokenIssuer({ issuer, algorithms: ['RS256'] }))
  const { publicKey } = server.issuer.key('RS256')
  return {
    env: {
      CLERK_JWT_KEY: publicKey.export({ type: 'spki', format: 'pem' }).toString(),
      CLERK_FRONTEND_API: server.url,
      CLERK_PUBLISHABLE_KEY: `pk_test_${Buffer.from(`${new URL(server.url).host}$`).toString('base64')}`,
      CLERK_SECRET_KEY: 'sk_test_of-nobody',
      CLERK_TELEMETRY_DISABLED: '1',
    },
    usual: '{"subject":"user_ada"}',
    provider: server.issuer,
    stranger: await createTokenIssuer({ algorithms: ['RS256'] }),
    claims: {
      ...{ sub: 'user_ada', sid: 'sess_1', v: 2, azp: 'https://app.example.com', aud: undefined },
      ...{ fea: 'o:invoices', o: ORG },
    },
    close: () => server.close(),
  }
}

/** What is Clerk's alone. */
export const SESSIONS: readonly Asked<TokenWorld>[] = [
  token('a session of another page (`azp`)', { azp: 'https://evil.example.com' }),
  token('a session that names no page', { azp: undefined }),
  token('a session that is pending (`sts`)', { sts: 'pending' }),
  token('a token of a JWT template, without a session (`sid`)', { sid: undefined }),
  token('a token of a machine', { sub: 'mch_1', sid: undefined }),
]

/** A route that wants the permission `org:invoices:read`. */
export const PERMISSIONS: readonly Asked<TokenWorld>[] = [
  token('a member who may read and pay'),
  token('a member who may read', { o: { ...ORG, fpm: '1' } }),
  token('a member who may pay only', { o: { ...ORG, fpm: '2' } }),
  token('a member who may nothing', { o: { ...ORG, fpm: '0' } }),
  token('a member of an organization without that feature', { fea: 'o:reports' }),
  token('the feature is the user’s own, not the organization’s', { fea: 'u:invoices' }),
  token('somebody in no organization', { o: undefined }),
  plain('no token', {}),
]
