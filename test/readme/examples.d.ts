// What the examples of docstrings name of a host's own. No test reads it at run time: it stands beside them in one compilation.
import type { Express, NextFunction, Request, Response } from 'express'
import type { Pool } from 'pg'
import type { Adapter } from '../../adapters/express.ts'
import type * as front from '../../src/index.ts'
import type * as people from '../../src/people/index.ts'
import type { createMemoryStorage } from '../../src/storage/memory.ts'

type Id = string
type Types = front.HostTypes<'member' | 'admin', front.User, front.Organization, never, never>

declare global {
  const app: Express
  const req: Request
  const res: Response
  const next: NextFunction
  const error: unknown
  const code: string
  const auth: front.Auth<Types>
  const mount: Adapter<Types>['mount']
  const protect: Adapter<Types>['protect']
  const routes: readonly front.Route[]
  const handler: (given?: unknown) => Promise<never>
  const context: front.UserOrgContext<Types>
  const issuers: readonly front.IssuerOptions[]
  const issuer: string
  const audience: string
  const token: string
  const verifier: front.Verifier
  const roles: readonly ['member', 'admin', 'owner']
  const storage: ReturnType<typeof createMemoryStorage>
  const users: front.Provisioner<front.User, front.Organization>
  const orgs: front.OrgResolver<front.Organization>
  const orgId: Id
  const userId: Id
  const members: people.Members
  const invitations: people.Invitations
  const organizations: people.Organizations
  const z: typeof import('zod').z
  const pool: Pool
  const pg: { readonly Pool: new (options: { connectionString: string | undefined }) => Pool }
  const db: {
    one(text: string, values: readonly unknown[]): Promise<object>
    run(text: string, values: readonly unknown[]): Promise<void>
    insertInto(table: string): { values(row: object): { execute(): Promise<unknown> } }
  }
  const row: object
  const contact: object
  const contacts: { list(orgId: Id): Promise<object[]>; remove(orgId: Id, id: Id | undefined): Promise<void> }
  const customers: { findByIssuer(issuer: string): Promise<{ readonly audience: string } | null> }
  const log: { info(...given: unknown[]): void }
  const audit: { write(event: unknown): void }
  const mail: (invitation: unknown) => Promise<void>
  const insertTenant: (handle: unknown, org: front.Organization | null) => Promise<void>
  const forget: (user: unknown, transaction: unknown) => Promise<void>
  const again: () => void
  const retryIn: (seconds: number | null) => void
  const current: string
  const previous: string
  const secret: Uint8Array
  const password: string
  const PUBLIC_KEY: string
  const SUPABASE_URL: string
  const SUPABASE_ANON_KEY: string
  const writeFileSync: typeof import('node:fs').writeFileSync
}
