/** Intello's routes, as data: each says what it asks of its caller. */
import { type AuthRequest, jsonResponse, noContent, type Route, readJson } from 'sallyport'
import * as z from 'zod'
import { text } from '../start/fields.ts'
import { present } from '../store/org-table.ts'
import type { Intello } from './auth.ts'

const NewDependency = z.object({ name: text })

/** Make the routes. */
export function routesOfIntello(intello: Intello): readonly Route[] {
  return [...accountRoutes(intello), ...dependencyRoutes(intello), ...intello.routes]
}

function accountRoutes({ auth, storage }: Intello): Route[] {
  const { route } = auth
  return [
    route({ method: 'GET', path: '/health', access: 'public', handle: () => jsonResponse(200, { status: 'ok' }) }),
    route({
      method: 'GET',
      path: '/api/me',
      access: {},
      handle: ({ user, org, role }) =>
        jsonResponse(200, { data: { user: { id: user.id, email: user.email, org_id: org.id, role } } }),
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
function dependencyRoutes({ auth, hasApiKeys, tables }: Intello): Route[] {
  const { route } = auth
  const accept = hasApiKeys ? (['user', 'apiKey'] as const) : (['user'] as const)
  const read = { accept, permissions: ['dependencies:read'] } as const
  const write = { accept, permissions: ['dependencies:write'] } as const
  const { dependencies } = tables
  return [
    route({
      method: 'GET',
      path: '/api/dependencies',
      access: read,
      async handle(context) {
        return jsonResponse(200, { data: (await dependencies.of(context).list()).map(present) })
      },
    }),
    route({
      method: 'POST',
      path: '/api/dependencies',
      access: write,
      async handle(context, request) {
        const { name } = await readJson(request, NewDependency)
        return jsonResponse(201, { data: present(await dependencies.of(context).insert(name)) })
      },
    }),
    route({
      method: 'GET',
      path: '/api/dependencies/:id',
      access: read,
      async handle(context, request) {
        return jsonResponse(200, { data: present(await dependencies.of(context).find(idOf(request))) })
      },
    }),
    route({
      method: 'DELETE',
      path: '/api/dependencies/:id',
      access: write,
      async handle(context, request) {
        await dependencies.of(context).remove(idOf(request))
        return noContent()
      },
    }),
  ]
}

function idOf({ params }: AuthRequest): string {
  const { id = '' } = { ...params }
  return id
}
