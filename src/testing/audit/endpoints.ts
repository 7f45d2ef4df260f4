/**
 * What a host of an adapter audit mounts: Routes by `mount`, endpoints by `middleware` and `protect`. All of them answer
 * with what they know of the caller, and with a mark that a handler has run.
 */
import * as z from 'zod/mini'
import {
  type Access,
  type Auth,
  type AuthContext,
  AuthError,
  type AuthResponse,
  jsonResponse,
  pathParam,
  type Route,
  readJson,
} from '../../index.ts'
import { aName } from '../../lib/parse-options.ts'

/** A path of the host's own: `middleware(access)` for each of `mounts` in order, then the handler. */
export interface AuditEndpoint {
  readonly method: 'GET' | 'POST'
  /** May hold `:name` parameters, which every one of the mounts must see. */
  readonly path: string
  readonly mounts: readonly Access[]
  /** Wrap the handler by `protect(access, …)`; `null`: it reads the `getAuth` of the last of `mounts`. */
  readonly access: Access | null
  /** What the handler writes, with the adapter's `writeAuthResponse`. */
  answer(context: AuthContext | null): AuthResponse
}

/** The mark of a handler that has run. */
const HANDLED = ['X-Audit', 'handled'] as const

/** Say in JSON who calls. */
function describeCaller(context: AuthContext | null): unknown {
  if (context === null) return { caller: null }
  return {
    caller: context.kind,
    user: 'user' in context ? context.user.id : undefined,
    org: 'org' in context ? (context.org?.id ?? null) : undefined,
    role: 'role' in context ? context.role : undefined,
    scopes: 'scopes' in context ? context.scopes : undefined,
  }
}

/** An answer of the audit's own handlers. */
export function handled(value: unknown, headers: AuthResponse['headers'] = []): AuthResponse {
  return jsonResponse(200, value, [HANDLED, ...headers])
}

/** A header twice, and one that the library writes too. */
export const TWO_COOKIES: AuthResponse = handled({}, [
  ['Set-Cookie', 'one=1; Path=/'],
  ['Set-Cookie', 'two=2; Path=/'],
  ['Cache-Control', 'no-store'],
])

const PATH: Access = { selectors: [pathParam('orgId')] }

const at = (path: string, access: Access | null, mounts: readonly Access[] = []): AuditEndpoint => ({
  method: 'GET',
  path,
  mounts,
  access,
  answer: (context) => handled(describeCaller(context)),
})

/** The endpoints, in the order they are to be mounted. */
export const AUDIT_ENDPOINTS: readonly AuditEndpoint[] = Object.freeze([
  at('/user', {}),
  { ...at('/user', {}), method: 'POST' },
  at('/below', null, [{}]),
  at('/admin', { role: 'admin' }),
  at('/identity', { needs: 'identity' }),
  at('/known', { needs: 'user' }),
  at('/anybody', { optional: true }),
  at('/service', { accept: ['service'] }),
  at('/telephony', { accept: ['service:telephony'] }),
  at('/keys', { accept: ['user', 'apiKey'], scopes: ['things:read'] }),
  at('/orgs/:orgId/inside', PATH),
  at('/optional-strict', {}, [{ optional: true }]),
  at('/strict-optional', { optional: true }, [{}]),
  at('/optional-twice', null, [{ optional: true }, { optional: true }]),
  at('/header-path/:orgId', PATH, [{}]),
  at('/admin-path/:orgId', PATH, [{ role: 'admin' }]),
  at('/path-admin/:orgId', { role: 'admin' }, [PATH]),
  at('/weaker-inside', {}, [{ role: 'admin' }]),
  at('/identity-org', {}, [{ needs: 'identity' }]),
  at('/user-service', { accept: ['service'] }, [{ accept: ['user', 'service'] }]),
])

const NAMED = z.object({ name: aName() })

/** The Routes, for `mount`. */
export function auditRoutes(auth: Auth): readonly Route[] {
  const route = (method: Route['method'], path: string, access: Access, handle: Route['handle']): Route =>
    Object.freeze({ method, path, access, handle })
  return Object.freeze([
    route('GET', '/public', 'public', () => handled({ ok: true })),
    route('POST', '/public', 'public', () => handled({ ok: true })),
    route('GET', '/route', {}, (context) => handled(describeCaller(context))),
    route('DELETE', '/route', {}, () => ({ status: 204, headers: [HANDLED], body: null })),
    route('GET', '/things/:id', 'public', (_context, { params }) => handled({ id: params?.['id'] })),
    route('GET', '/cookies', 'public', () => TWO_COOKIES),
    route('GET', '/missing', {}, () => Promise.reject(new AuthError('not_found', { reason: 'audit_missing' }))),
    route('POST', '/json', 'public', async (_context, request) => handled(await readJson(request))),
    route('PUT', '/json', {}, async (_context, request) => handled(await readJson(request))),
    route('POST', '/twice', 'public', async (_context, request) => {
      await readJson(request)
      return handled(await readJson(request))
    }),
    route('POST', '/named', 'public', async (_context, request) => handled(await readJson(request, NAMED))),
    route('POST', '/act', { accept: ['service'] }, async (context, request) => {
      const acting = await auth.actIn(context as AuthContext, (await readJson(request))['org_id'])
      return handled({ org: acting.org.id })
    }),
  ])
}
