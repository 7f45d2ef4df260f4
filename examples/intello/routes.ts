/** Intello's routes, as data: each says what it asks of its caller. */
import {
  AuthError,
  type AuthRequest,
  isText,
  jsonResponse,
  noContent,
  normalizeEmail,
  type Route,
  readField,
  readJson,
} from 'sallyport'
import { orConflict } from '../tables/conflict.ts'
import { createOrgTable, orgRow, present } from '../tables/org-table.ts'
import { type Intello, ROLES, type Role } from './auth.ts'

/** Make the routes. */
export function routesOfIntello(intello: Intello): readonly Route[] {
  return [...accountRoutes(intello), ...dependencyRoutes(intello), ...(intello.keyRoutes ?? [])]
}

function accountRoutes({ auth, storage, syncRoute }: Intello): Route[] {
  const { route } = auth
  return [
    route({ method: 'GET', path: '/health', access: 'public', handle: () => jsonResponse(200, { status: 'ok' }) }),
    syncRoute,
    route({
      method: 'GET',
      path: '/api/me',
      access: {},
      handle: ({ user, org, role }) =>
        jsonResponse(200, { data: { user: { id: user.id, email: user.email, org_id: org.id, role } } }),
    }),
    route({
      method: 'POST',
      path: '/api/invitations',
      access: { role: 'admin' },
      async handle({ org }, request) {
        const body = await readJson(request)
        const email = readField(body, 'email', isEmail)
        const role = readField(body, 'role', isRole)
        const invitation = await orConflict(storage.invitations.insert({ orgId: org.id, email, role }))
        return jsonResponse(201, { data: { id: invitation.id, email: invitation.email, role } })
      },
    }),
    route({
      method: 'GET',
      path: '/internal/stats',
      access: { accept: ['service:platform'] },
      async handle() {
        const [users, orgs] = await Promise.all([storage.users.count(), storage.orgs.count()])
        return jsonResponse(200, { data: { users, orgs } })
      },
    }),
  ]
}

// Where organizations have API keys, these are the routes that accept one.
function dependencyRoutes({ auth, keyRoutes }: Intello): Route[] {
  const { route } = auth
  const accept = ['user', 'apiKey'] as const
  const read = keyRoutes === null ? {} : { accept, scopes: ['dependencies:read'] }
  const write = keyRoutes === null ? {} : { accept, scopes: ['dependencies:write'] }
  const dependencies = createOrgTable()
  return [
    route({
      method: 'GET',
      path: '/api/dependencies',
      access: read,
      handle: ({ org }) => jsonResponse(200, { data: dependencies.list(org.id).map(present) }),
    }),
    route({
      method: 'POST',
      path: '/api/dependencies',
      access: { ...write, role: 'member' },
      async handle({ org }, request) {
        const dependency = orgRow(org.id, readField(await readJson(request), 'name', isText))
        dependencies.insert(dependency)
        return jsonResponse(201, { data: present(dependency) })
      },
    }),
    route({
      method: 'GET',
      path: '/api/dependencies/:id',
      access: read,
      handle({ org }, request) {
        const dependency = dependencies.find(org.id, idOf(request))
        if (dependency === null) throw new AuthError('not_found')
        return jsonResponse(200, { data: present(dependency) })
      },
    }),
    route({
      method: 'DELETE',
      path: '/api/dependencies/:id',
      access: { ...write, role: 'member' },
      handle({ org }, request) {
        if (!dependencies.remove(org.id, idOf(request))) throw new AuthError('not_found')
        return noContent()
      },
    }),
  ]
}

function idOf({ params }: AuthRequest): string {
  const { id = '' } = { ...params }
  return id
}

function isRole(value: unknown): value is Role {
  return ROLES.includes(value as Role)
}

function isEmail(value: unknown): value is string {
  return typeof value === 'string' && normalizeEmail(value) !== null
}
