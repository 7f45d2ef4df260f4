/** The routes every corpus server has, below each prefix, as data: the same values on all three frameworks. */

import * as z from 'zod/mini'
import { isText } from '../../src/api-keys/api-key-actions.ts'
import {
  type Access,
  type AuthContext,
  AuthError,
  type AuthRequest,
  type AuthResponse,
  createProvisioner,
  createSyncRoute,
  jsonResponse,
  noContent,
  pathParam,
  type Route,
  readJson,
} from '../../src/index.ts'
import { isConflictError } from '../../src/storage/storage-errors.ts'
import type { Endpoint } from '../support/hosts.ts'
import type { CorpusAuth, World } from './world.ts'

type Handle = (context: never, request: AuthRequest) => AuthResponse | Promise<AuthResponse>

/** All routes of one auth, below `prefix`. */
export function routesFor(prefix: string, auth: CorpusAuth, world: World): readonly Route[] {
  const route = (method: Route['method'], path: string, access: Access, handle: Handle): Route =>
    ({ method, path: `${prefix}${path}`, access, handle }) as Route
  return [
    route('GET', '/admin', { role: 'admin' }, (context) => show(context)),
    route('GET', '/owner', { role: 'owner' }, (context) => show(context)),
    route('GET', '/me', { needs: 'user' }, (context) => show(context)),
    route('GET', '/whoami', { needs: 'identity' }, (context) => show(context)),
    route('GET', '/optional', { optional: true }, (context) => show(context)),
    route('GET', '/either', { accept: ['user', 'service'] }, (context) => show(context)),
    route('GET', '/public', 'public', () => jsonResponse(200, { public: true })),
    route('POST', '/public', 'public', createItem),
    route('POST', '/items', {}, createItem),
    route('POST', '/admin/items', { role: 'admin' }, createItem),
    route('GET', '/orgs/:id/thing', { selectors: [pathParam('id')] }, (context) => show(context)),
    route('GET', '/orgs/:id/admin', { selectors: [pathParam('id')], role: 'admin' }, (context) => show(context)),
    route('GET', '/things/:id', {}, thingOf(world)),
    ...memberRoutes(route, world),
    ...serviceRoutes(route, auth),
    ...(prefix === '/none' ? [] : keyRoutes(route)),
    createSyncRoute({
      provision: createProvisioner({ storage: world.storage }),
      memberships: world.storage.memberships,
      path: `${prefix}/auth/sync`,
    }) as Route,
  ]
}

/** What a handler was handed, as JSON. */
export function show(context: AuthContext | null): AuthResponse {
  return jsonResponse(200, describe(context))
}

/** A context, described: what `protect` and `middleware` handlers of the hosts answer with. */
function describe(context: AuthContext | null): object {
  if (context === null) return { anonymous: true }
  if (context.kind === 'service') return { service: context.service }
  if (context.kind === 'apiKey') {
    const { key, org, role, permissions: scopes } = context
    return { apiKey: key.id, org: { id: org.id }, role, scopes }
  }
  const { identity } = context
  return {
    subject: identity.subject,
    ...('user' in context && { user: { id: context.user.id } }),
    ...('org' in context && { org: { id: context.org?.id ?? null } }),
    ...('role' in context && { role: context.role }),
  }
}

const aText = z.custom<string>(isText)

async function createItem(_context: unknown, request: AuthRequest): Promise<AuthResponse> {
  const { name } = await readJson(request, z.object({ name: aText }))
  return jsonResponse(201, { item: { id: 'item-1', name } })
}

// thing-acme belongs to acme, thing-globex to globex: for everybody else it does not exist.
function thingOf({ ids }: World): Handle {
  return (context: { readonly org: { readonly id: string } }, { params }) => {
    const id = params?.['id'] ?? ''
    const owner = /^thing-[a-z]+$/.test(id) ? ids.get(`org.${id.slice('thing-'.length)}`) : undefined
    if (owner !== context.org.id) throw new AuthError('not_found', { reason: 'thing_of_nobody_here' })
    return jsonResponse(200, { thing: { id } })
  }
}

/** The host's own handlers below `prefix`: one in `protect`, one behind `middleware`. */
export function endpointsFor(prefix: string): readonly Endpoint[] {
  const answer: Endpoint['answer'] = (context) => show(context as AuthContext)
  return [
    { method: 'GET', path: `${prefix}/protected`, mounts: [], access: {}, answer },
    { method: 'GET', path: `${prefix}/mw/protected`, mounts: [{}], access: null, answer },
  ]
}

type MakeRoute = (method: Route['method'], path: string, access: Access, handle: Handle) => Route
interface InOrg {
  readonly org: { readonly id: string }
}

const ROLES: readonly unknown[] = ['member', 'admin', 'owner']

function memberRoutes(route: MakeRoute, { storage }: World): readonly Route[] {
  const member = z.object({ user_id: aText, role: z.custom<string>((value) => ROLES.includes(value)) })
  return [
    route('POST', '/members', { role: 'admin' }, async ({ org }: InOrg, request) => {
      const { user_id: userId, role } = await readJson(request, member)
      if ((await storage.users.findById(userId)) === null) throw new AuthError('not_found')
      try {
        await storage.memberships.insert({ orgId: org.id, userId, role })
      } catch (cause) {
        if (isConflictError(cause)) throw new AuthError('conflict', { cause })
        throw cause
      }
      return jsonResponse(201, { member: { id: userId, role } })
    }),
    route('DELETE', '/members/:user', { role: 'owner' }, async ({ org }: InOrg, { params }) => {
      const outcome = await storage.memberships.remove(org.id, params?.['user'] ?? '', { keep: 'owner' })
      if (outcome === 'last') throw new AuthError('conflict')
      if (outcome === 'missing') throw new AuthError('not_found')
      return noContent()
    }),
  ]
}

function keyRoutes(route: MakeRoute): readonly Route[] {
  const read = { accept: ['apiKey'], permissions: ['things:read'] } as const
  return [
    route('GET', '/key/any', { accept: ['apiKey'] }, (context) => show(context)),
    route('GET', '/key/things', read, (context) => show(context)),
    route('POST', '/key/things', { ...read, role: 'member', permissions: ['things:read', 'things:write'] }, createItem),
    route('GET', '/key/admin', { ...read, role: 'admin', permissions: ['things:purge'] }, (context) => show(context)),
    route('GET', '/key/either', { ...read, accept: ['user', 'apiKey'] }, (context) => show(context)),
    route('GET', '/key/optional', { ...read, optional: true }, (context) => show(context)),
    route('GET', '/key/orgs/:id/things', { ...read, selectors: [pathParam('id')] }, (context) => show(context)),
  ]
}

function serviceRoutes(route: MakeRoute, auth: CorpusAuth): readonly Route[] {
  const job = z.object({ org_id: z.custom<unknown>((value) => value !== undefined) })
  const createJob: Handle = async (context: AuthContext, request) => {
    const { org_id: orgId } = await readJson(request, job)
    const { org, service } = await auth.actIn(context as never, orgId)
    return jsonResponse(201, { job: { id: 'job-1', org: org.id, service } })
  }
  return [
    route('GET', '/internal/ping', { accept: ['service:telephony'] }, (context) => show(context)),
    route('POST', '/internal/jobs', { accept: ['service'] }, createJob),
    // Lets users in too: what keeps them from acting as any org is `actIn` itself.
    route('POST', '/either/jobs', { accept: ['user', 'service'] }, createJob),
  ]
}
