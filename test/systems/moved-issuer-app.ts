/**
 * An app whose issuer is being replaced, in a process of its own: who calls is answered by the id of their user. It trusts
 * the issuers that are named, of which the last has the place of the first. Not a test: `moved-issuer.ts` starts it.
 */
import { createServer } from 'node:http'
import express from 'express'
import pg from 'pg'
import { createAdapter } from '../../adapters/express.ts'
import { createAuth } from '../../src/auth.ts'
import { createOrgResolver } from '../../src/orgs/org-resolver.ts'
import { createPostgresStorage, migrate } from '../../src/storage/postgres.ts'
import { createProvisioner } from '../../src/users/provisioner.ts'
import { oidc } from '../../src/verify/issuer-presets.ts'

const { DATABASE_URL = '', BEFORE = '', ISSUERS = '' } = process.env
const pool = new pg.Pool({ connectionString: DATABASE_URL, max: 10 })
await migrate({ pool })
const storage = createPostgresStorage({ pool })
const auth = createAuth({
  roles: ['member', 'owner'],
  issuers: ISSUERS.split(' ').map((issuer) => ({
    ...oidc({ issuer, audience: 'authenticated' }),
    identityIssuer: issuer === BEFORE ? undefined : BEFORE,
  })),
  users: createProvisioner({ storage }),
  orgs: createOrgResolver({ memberships: storage.memberships, selectors: [], whenUnnamed: 'only-membership' }),
})
const { protect } = createAdapter(auth, { errors: 'write' })
const app = express()
app.get(
  '/me',
  protect({}, ({ user, identity }, _request, response) => response.json([user.id, identity.tokenIssuer])),
)
const server = createServer(app).listen(0, '127.0.0.1', () => {
  const address = server.address()
  console.log(`moved-issuer ready on http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`)
})
process.on('SIGTERM', () => server.close(() => pool.end().then(() => process.exit(0))))
