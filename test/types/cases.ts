/**
 * What hosts may write and what they may not: each case is a module, compiled with the repository's own settings, and the
 * compiler's error codes it must end in. None: it compiles. The codes are exact, so that a case fails for its own mistake.
 */
import type * as hosts from './hosts.ts'

export interface TypeCase {
  readonly name: string
  readonly code: string
  /** Error codes of the compiler, in order. */
  readonly errors: readonly number[]
}

const enter = (access: string, body: string, host: keyof typeof hosts = 'auth'): string => `
import { ${host}, same } from './hosts.ts'
import type { AuthRequest } from 'sallyport'
export async function handle(request: AuthRequest): Promise<unknown> {
  const context = await ${host}.authenticate(request, ${access})
  ${body}
}`

const IS_TRUE = 'const exact: true ='

export const CASES: readonly TypeCase[] = [
  // Options that decide trust
  {
    name: 'an audience that is forgotten',
    code: `import { createJwtVerifier } from 'sallyport'
export const verify: unknown = createJwtVerifier({ issuers: [{ issuer: 'https://issuer.test', keys: [] }] })`,
    errors: [2741],
  },
  {
    name: 'an audience switched off by undefined',
    code: `import { createJwtVerifier } from 'sallyport'
const issuer = { issuer: 'https://issuer.test', keys: [], audience: undefined }
export const verify: unknown = createJwtVerifier({ issuers: [issuer] })`,
    errors: [2322],
  },
  {
    name: 'an audience written null',
    code: `import { createJwtVerifier } from 'sallyport'
export const verify: unknown = createJwtVerifier({ issuers: [{ issuer: null, keys: [], audience: null }] })`,
    errors: [],
  },
  {
    name: 'a misspelt option',
    code: `import { createJwtVerifier } from 'sallyport'
import { issuers } from './hosts.ts'
export const verify: unknown = createJwtVerifier({ issuers, claim: [] })`,
    errors: [2561],
  },
  {
    name: 'no word on a request that names no org',
    code: `import { createOrgResolver } from 'sallyport'
import { storage } from './hosts.ts'
export const orgs: unknown = createOrgResolver({ memberships: storage.memberships, selectors: [] })`,
    errors: [2345],
  },
  {
    name: 'invitations that are none',
    code: `import { createProvisioner } from 'sallyport'
import { storage } from './hosts.ts'
export const users: unknown = createProvisioner({ storage, invitations: {} })`,
    errors: [2741],
  },
  // Access
  {
    name: 'a role on the ladder',
    code: `import { auth } from './hosts.ts'
export const door: unknown = [auth.authorizer({ role: 'admin' }), auth.requireRole('viewer')]`,
    errors: [],
  },
  {
    name: 'a role that is not on the ladder',
    code: `import { auth } from './hosts.ts'
export const door: unknown = auth.authorizer({ role: 'owner' })`,
    errors: [2322],
  },
  {
    name: 'a guard for one',
    code: `import { auth } from './hosts.ts'
export const guard: unknown = auth.requireRole('owner')`,
    errors: [2345],
  },
  {
    name: 'a misspelt rule',
    code: `import { auth } from './hosts.ts'
export const door: unknown = auth.authorizer({ roles: ['admin'] })`,
    errors: [2561],
  },
  {
    name: 'permissions of roles and of services',
    code: `import { auth } from './hosts.ts'
export const rule: unknown = auth.authorizer({ accept: ['user', 'service'], permissions: ['contacts:write', 'calls:write'] })
export const guard: unknown = auth.requirePermission('contacts:read')`,
    errors: [],
  },
  {
    name: 'a misspelt permission',
    code: `import { auth } from './hosts.ts'
export const rule: unknown = auth.authorizer({ permissions: ['contats:write'] })`,
    errors: [2820],
  },
  {
    name: 'a guard for one',
    code: `import { auth } from './hosts.ts'
export const guard: unknown = auth.requirePermission('contats:write')`,
    errors: [2345],
  },
  {
    name: 'a question for one',
    code: enter('{}', "return auth.can(context, 'contats:write')"),
    errors: [2345],
  },
  {
    name: 'scopes, which are permissions',
    code: `import { auth } from './hosts.ts'
export const rule: unknown = auth.authorizer({ scopes: ['contacts:write'] })`,
    errors: [2353],
  },
  {
    name: 'the permissions of sets, and their roles',
    code: `import { createAuth, createRoles } from 'sallyport'
import { createApiKeys } from 'sallyport/api-keys'
import { same, steps, storage } from './hosts.ts'
const sets = { support: ['tickets:write'], admin: ['support', 'users:write'] } as const
const roles = createRoles(sets, { permissions: ['reports:read'] })
const { orgs, users, verifier } = steps
const auth = createAuth({ roles, orgs, users, verifier })
const plain = createAuth({ roles: { support: ['tickets:write'], admin: ['support', 'users:write'] }, orgs, users, verifier })
export const exact: true = same<'support' | 'admin'>()(roles.names[0] ?? 'admin')
export const rules: unknown = [
  auth.authorizer({ role: 'support', permissions: ['tickets:write', 'reports:read'] }),
  plain.authorizer({ role: 'admin', permissions: ['users:write'] }),
  createApiKeys({ storage, prefix: 'x', roles, permissions: ['users:write'], defaultPermissions: ['tickets:write'] }),
]`,
    errors: [],
  },
  {
    name: 'a role’s name asked for as a permission',
    code: `import { createAuth } from 'sallyport'
import { steps } from './hosts.ts'
const { orgs, users, verifier } = steps
const auth = createAuth({ roles: { support: ['tickets:write'], admin: ['support'] }, orgs, users, verifier })
export const rule: unknown = auth.authorizer({ permissions: ['support'] })`,
    errors: [2322],
  },
  {
    name: 'a permission of a ladder that has none',
    code: `import { createAuth } from 'sallyport'
import { steps } from './hosts.ts'
const { orgs, users, verifier } = steps
const auth = createAuth({ roles: ['member', 'admin'], orgs, users, verifier })
export const rule: unknown = auth.authorizer({ permissions: ['tickets:write'] })`,
    errors: [2322],
  },
  {
    name: 'a permission whose lowest role there is not',
    code: `import { createRoles } from 'sallyport'
export const roles: unknown = createRoles(['member', 'admin'], { 'tickets:write': 'owner' })`,
    errors: [2769],
  },
  {
    name: 'a default of keys that no role has',
    code: `import { createApiKeys } from 'sallyport/api-keys'
import { storage } from './hosts.ts'
const roles = { member: ['tickets:read'], admin: ['member'] } as const
export const keys: unknown = createApiKeys({ storage, prefix: 'x', roles, defaultPermissions: ['tickets:raed'] })`,
    errors: [2322],
  },
  {
    name: 'who manages members and organizations, by the roles of a list and by permissions; typed handlers call them',
    code: `import { createMembers, createOrganizations } from 'sallyport/people'
import { auth, same, storage } from './hosts.ts'
import type { AuthRequest } from 'sallyport'
const members = createMembers({ storage, roles: ['member', 'admin'], manage: { role: 'admin' }, ownerRole: 'admin' })
const sets = { reader: ['tickets:read'], admin: ['reader', 'users:write'] } as const
const manage = { permissions: ['users:write'] } as const
const organizations = createOrganizations({ storage, roles: sets, manage, ownerRole: 'admin',
  bootstrap: ({ org, user }) => void same<string>()(org.name + user.subject) })
const authorize = auth.authorizer({})
export async function remove(request: AuthRequest): Promise<void> {
  const { context } = await authorize(request)
  await members.remove(context, 'u')
  const { org } = await organizations.create(context, { name: 'Acme' })
  same<Date>()(org.createdAt)
}`,
    errors: [],
  },
  {
    name: 'nobody who manages members',
    code: `import { createMembers } from 'sallyport/people'
import { storage } from './hosts.ts'
export const members: unknown = createMembers({ storage, roles: ['member', 'admin'] })`,
    errors: [2345],
  },
  {
    name: 'a role that there is not, who manages members',
    code: `import { createMembers } from 'sallyport/people'
import { storage } from './hosts.ts'
export const members: unknown = createMembers({ storage, roles: ['member', 'admin'], manage: { role: 'owner' } })`,
    errors: [2322],
  },
  {
    name: 'any role where organizations make some, and the host’s own where a route asks for one',
    code: `import { createAuth } from 'sallyport'
import { same, steps } from './hosts.ts'
import type { AuthRequest } from 'sallyport'
const { orgs, users, verifier } = steps
const customRoles = { find: async () => null }
const auth = createAuth({ roles: { member: ['tickets:read'] }, customRoles, orgs, users, verifier })
export async function handle(request: AuthRequest): Promise<unknown> {
  const { role, permissions } = await auth.authenticate(request, { role: 'member' })
  const exact: true = same<string>()(role)
  const known: true = same<readonly 'tickets:read'[]>()(permissions)
  return [exact, known]
}`,
    errors: [],
  },
  {
    name: 'the parameters of a look-up of roles that is written in place',
    code: `import { createAuth } from 'sallyport'
import { same, steps } from './hosts.ts'
import type { AuthRequest } from 'sallyport'
const { orgs, users, verifier } = steps
const made = new Map<string, readonly 'tickets:read'[]>()
const customRoles = { find: async (orgId: string, role: string) => made.get(orgId + role) ?? null }
const auth = createAuth({
  roles: { member: ['tickets:read'] },
  customRoles: { find: async (orgId, role) => customRoles.find(orgId, role) },
  orgs, users, verifier,
})
const none = createAuth({ roles: { member: ['tickets:read'] }, customRoles: undefined, orgs, users, verifier })
export async function handle(request: AuthRequest): Promise<unknown> {
  const exact: true = same<string>()((await auth.authenticate(request, {})).role)
  const known: true = same<'member'>()((await none.authenticate(request, {})).role)
  return [exact, known]
}`,
    errors: [],
  },
  // What a handler gets
  {
    name: 'user, org and role by default',
    code: enter(
      '{}',
      `${IS_TRUE} same<'viewer' | 'member' | 'admin'>()(context.role)
  return [exact, context.user.subject, context.org.name]`,
    ),
    errors: [],
  },
  { name: 'no org where it needs user', code: enter("{ needs: 'user' }", 'return context.org'), errors: [2339] },
  { name: 'a user where it needs user', code: enter("{ needs: 'user' }", 'return context.user.id'), errors: [] },
  {
    name: 'no user where it needs identity',
    code: enter("{ needs: 'identity' }", 'return context.user'),
    errors: [2339],
  },
  {
    name: 'an identity where it needs identity',
    code: enter("{ needs: 'identity' }", 'return context.identity.subject'),
    errors: [],
  },
  {
    name: 'nobody, perhaps, on an optional route',
    code: enter('{ optional: true }', 'return context.user'),
    errors: [18047],
  },
  {
    name: 'somebody on an optional route, once asked',
    code: enter('{ optional: true }', 'return context === null ? null : context.user.id'),
    errors: [],
  },
  {
    name: 'somebody on a route that is not optional',
    code: enter('{ optional: false }', 'return context.user.id'),
    errors: [],
  },
  {
    name: 'perhaps nobody, where optional is decided at run time',
    code: enter('{ optional: request.path === "/" }', 'return context.user'),
    errors: [18047],
  },
  {
    name: 'nobody on a public route',
    code: enter("'public'", `${IS_TRUE} same<null>()(context)\n  return exact`),
    errors: [],
  },
  // Kinds of caller
  {
    name: 'no user on a key’s context without narrowing',
    code: enter("{ accept: ['user', 'apiKey'] }", 'return context.user'),
    errors: [2339],
  },
  {
    name: 'a user after narrowing by kind',
    code: enter(
      "{ accept: ['user', 'apiKey'] }",
      "return context.kind === 'user' ? context.user.id : context.permissions",
    ),
    errors: [],
  },
  {
    name: 'what a key may do',
    code: enter(
      "{ accept: ['apiKey'] }",
      `${IS_TRUE} same<readonly ('contacts:read' | 'contacts:write' | 'calls:write')[]>()(context.permissions)
  return [exact, auth.can(context, 'contacts:read')]`,
    ),
    errors: [],
  },
  {
    name: 'an org whoever calls, where both kinds have one',
    code: enter("{ accept: ['user', 'apiKey'] }", 'return context.org.name'),
    errors: [],
  },
  {
    name: 'user and service, narrowed by kind',
    code: enter(
      "{ accept: ['user', 'service'] }",
      `if (context.kind === 'user') return context.user.id
  ${IS_TRUE} same<'telephony' | 'billing'>()(context.service)
  return exact`,
    ),
    errors: [],
  },
  {
    name: 'a machine acts in an org, perhaps as no role',
    code: enter(
      "{ accept: ['machine', 'machine:deploy'] }",
      `${IS_TRUE} same<'viewer' | 'member' | 'admin' | null>()(context.role)
  return [exact, context.machine.name, context.identity.subject, context.org.name, auth.can(context, 'contacts:read')]`,
    ),
    errors: [],
  },
  {
    name: 'and in none where the identity is all that is needed',
    code: enter("{ accept: ['machine'], needs: 'identity' }", 'return [context.machine.id, context.org]'),
    errors: [2339],
  },
  {
    name: 'a machine and a user have an org and an identity each',
    code: enter(
      "{ accept: ['user', 'machine'] }",
      'return [context.org.name, context.identity.subject, context.permissions]',
    ),
    errors: [],
  },
  {
    name: 'a machine is no user',
    code: enter("{ accept: ['user', 'machine'] }", 'return context.user'),
    errors: [2339],
  },
  {
    name: 'a service has no org before actIn',
    code: enter("{ accept: ['service'] }", 'return context.org'),
    errors: [2339],
  },
  {
    name: 'and has one after it',
    code: enter("{ accept: ['service:telephony'] }", "return (await auth.actIn(context, 'x')).org.name"),
    errors: [],
  },
  {
    name: 'a key is not among the kinds',
    code: enter('{}', "return context.kind === 'apiKey'"),
    errors: [2367],
  },
  // Claims and organizations
  {
    name: 'claims that the host named',
    code: enter('{}', `${IS_TRUE} same<unknown>()(context.identity.claims.aal)\n  return exact`),
    errors: [],
  },
  { name: 'a claim nobody named', code: enter('{}', 'return context.identity.claims.org_id'), errors: [2339] },
  {
    name: 'an org that is always there',
    code: enter('{}', 'return context.org.id'),
    errors: [],
  },
  {
    name: 'an org that may be none with unnamed: none',
    code: enter('{}', 'return context.org.id', 'loose'),
    errors: [18047],
  },
  {
    name: 'a role that may be none then',
    code: enter('{}', `${IS_TRUE} same<'viewer' | 'member' | 'admin' | null>()(context.role)\n  return exact`, 'loose'),
    errors: [],
  },
  {
    name: 'what a handler gets is read-only',
    code: enter('{}', "context.role = 'admin'\n  return context"),
    errors: [2540],
  },
]
