/** Ironflow's own routes, as data: each says what it asks of its caller. */
import { AuthError, type AuthRequest, jsonResponse, noContent, type Route, readJson } from 'sallyport'
import * as z from 'zod'
import { text } from '../start/fields.ts'
import { present } from '../store/org-table.ts'
import { type Ironflow, presentKey } from './auth.ts'
import { ENVIRONMENTS } from './environments.ts'
import type { IronflowStorage } from './storage.ts'

const NamedFunction = z.object({ name: text })

/** Make the routes. */
export function routesOfIronflow(
  { auth, apiKeys, routes }: Ironflow,
  { functions }: IronflowStorage,
): readonly Route[] {
  const { route } = auth
  const accept = ['user', 'apiKey'] as const
  return [
    ...routes,
    route({ method: 'GET', path: '/health', access: 'public', handle: () => jsonResponse(200, { status: 'ok' }) }),
    route({
      method: 'GET',
      path: '/api/v1/me',
      access: { needs: 'user', role: 'viewer' },
      handle: ({ user: { id, email }, role }) => jsonResponse(200, { user: { id, email, role } }),
    }),
    route({
      method: 'GET',
      path: '/api/v1/environments',
      access: { needs: 'user', role: 'viewer' },
      handle: () => jsonResponse(200, { environments: ENVIRONMENTS }),
    }),
    route({
      method: 'GET',
      path: '/api/v1/functions',
      access: { accept, role: 'viewer' },
      handle: async (context) => jsonResponse(200, { functions: (await functions.of(context).list()).map(present) }),
    }),
    route({
      method: 'POST',
      path: '/api/v1/functions',
      access: { accept, role: 'developer' },
      async handle(context, request) {
        const { name } = await readJson(request, NamedFunction)
        return jsonResponse(201, { function: present(await functions.of(context).insert(name)) })
      },
    }),
    route({
      method: 'DELETE',
      path: '/api/v1/functions/:id',
      access: { accept, role: 'developer' },
      async handle(context, request) {
        await functions.of(context).remove(idOf(request))
        return noContent()
      },
    }),
    route({
      method: 'GET',
      path: '/api/v1/api-keys/:id',
      access: { needs: 'user', role: 'admin' },
      async handle(context, request) {
        const found = (await apiKeys.list(context)).find(({ id }) => id === idOf(request))
        if (found === undefined) throw new AuthError('not_found')
        return jsonResponse(200, { api_key: presentKey(found) })
      },
    }),
  ]
}

function idOf({ params }: AuthRequest): string {
  const { id = '' } = { ...params }
  return id
}
