/** The routes by which people handle API keys, as data. Hands them to an adapter's `mount`. */
import * as z from 'zod/mini'
import type { AuthContext } from '../context.ts'
import { jsonResponse, noContent } from '../http/json-response.ts'
import { type JsonObject, LIMIT_BYTES, readJson } from '../http/read-json.ts'
import { aFunction, aGroup, aName, anObjectWith, parseOptions } from '../lib/parse-options.ts'
import type { AuthRequest, AuthResponse } from '../request.ts'
import type { Route } from '../route.ts'
import type { ApiKeyInfo, ApiKeys, IssuedApiKey } from './api-keys.ts'

/** How keys look in a body. */
export interface ApiKeyPresenter {
  /** A new or rotated key with its text. Default `{"data":{"id","name","prefix","key","role","scopes","expires_at"}}`. */
  issued(issued: IssuedApiKey): unknown
  /** The list. Default `{"data":[…]}`: each the same without `key`, and with `created_at` and `last_used_at`. */
  listed(apiKeys: readonly ApiKeyInfo[]): unknown
}

/** Options of {@link createApiKeyRoutes}. */
export interface ApiKeyRoutesOptions<R extends string = string> {
  /** What the routes handle: {@link createApiKeys} makes it. */
  readonly apiKeys: ApiKeys
  /** The lowest role that handles keys. Required: there is no safe default. */
  readonly role: R
  /** Where the routes are. Default `/api/keys`. */
  readonly path?: string | undefined
  /** Other bodies than the default ones. */
  readonly present?: ApiKeyPresenter | undefined
}

/**
 * Create the routes: `GET` and `POST` of the path, `POST <path>/:id/rotate`, `DELETE <path>/:id`. Bodies: `{"name","role"?,
 * "scopes"?,"expires_at"?}`, with the org's field where keys are the installation's, and `{"overlap_seconds"?}`, which may be
 * left out altogether. Only users enter; where keys are an org's they act in it.
 *
 * Refuses as {@link ApiKeys} and `readJson` do; another org's key is `not_found` (404), as one that is not there.
 * Cost beside the pipeline: one or two storage queries a call, no network.
 *
 * @throws TypeError for a missing or unknown option
 * @example
 * mount(app, createApiKeyRoutes({ apiKeys, role: 'admin' }))
 */
export function createApiKeyRoutes<const R extends string>(options: ApiKeyRoutesOptions<R>): readonly Route[] {
  const { apiKeys, role, path = '/api/keys', present = DEFAULT_PRESENTER } = parseOptions(NAME, shape(), options)
  const access = Object.freeze({ role, needs: apiKeys.owner === 'org' ? ('org' as const) : ('user' as const) })
  const route = (method: Route['method'], below: string, handle: Handle): Route =>
    Object.freeze({
      method,
      path: `${path}${below}`,
      access,
      handle: (context: AuthContext | null, request: AuthRequest) => handle(context as AuthContext, request),
    }) as Route

  return Object.freeze([
    route('GET', '', async (context) => answer(200, present.listed(await apiKeys.list(context)))),
    route('POST', '', async (context, request) => {
      const wish = wishOf(await readJson(request), apiKeys.orgField)
      return answer(201, present.issued(await apiKeys.issue(context, wish)))
    }),
    route('POST', '/:id/rotate', async (context, request) => {
      const overlapSeconds = memberOf(await readOptionalJson(request), 'overlap_seconds')
      return answer(200, present.issued(await apiKeys.rotate(context, idOf(request), { overlapSeconds })))
    }),
    route('DELETE', '/:id', async (context, request) => {
      await apiKeys.revoke(context, idOf(request))
      return noContent()
    }),
  ])
}

type Handle = (context: AuthContext, request: AuthRequest) => Promise<AuthResponse>

// A secret in it: no cache keeps it, shared or private.
function answer(status: number, value: unknown): AuthResponse {
  return jsonResponse(status, value, [['Cache-Control', 'no-store']])
}

function wishOf(body: JsonObject, orgField: string | null): Parameters<ApiKeys['issue']>[1] {
  return {
    name: memberOf(body, 'name'),
    role: memberOf(body, 'role'),
    scopes: memberOf(body, 'scopes'),
    expiresAt: memberOf(body, 'expires_at'),
    orgId: orgField === null ? null : memberOf(body, orgField),
  }
}

function memberOf(body: JsonObject, name: string): unknown {
  return Object.hasOwn(body, name) ? body[name] : undefined
}

// Nothing sent is an empty wish, whatever type it was said to be; anything else goes through the strict reader.
async function readOptionalJson(request: AuthRequest): Promise<JsonObject> {
  const body = await request.body(LIMIT_BYTES)
  return body.kind === 'bytes' && body.bytes.length === 0 ? {} : readJson(request)
}

function idOf({ params }: AuthRequest): string {
  return (params !== null && Object.hasOwn(params, 'id') && params['id']) || ''
}

const DEFAULT_PRESENTER: ApiKeyPresenter = {
  issued: ({ apiKey: { id, name, prefix, role, scopes, expiresAt }, key }) => ({
    data: { id, name, prefix, key, role, scopes, expires_at: expiresAt },
  }),
  listed: (apiKeys) => ({
    data: apiKeys.map(({ id, name, prefix, role, scopes, expiresAt, createdAt, lastUsedAt }) => ({
      ...{ id, name, prefix, role, scopes },
      ...{ expires_at: expiresAt, created_at: createdAt, last_used_at: lastUsedAt },
    })),
  }),
}

const NAME = 'createApiKeyRoutes'
// A function: what a host does not use must not stay in its bundle.
const shape = () => ({
  apiKeys: anObjectWith<ApiKeys>('issue', 'list', 'rotate', 'revoke'),
  role: aName(),
  path: z.optional(
    z.custom<string>(
      (path) => typeof path === 'string' && /^(?:\/[\x21-\x2e\x30-\x7e]+)+$/.test(path),
      'must be a path',
    ),
  ),
  present: z.optional(
    aGroup({ issued: aFunction<ApiKeyPresenter['issued']>(), listed: aFunction<ApiKeyPresenter['listed']>() }),
  ),
})
