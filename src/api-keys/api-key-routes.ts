/** The routes by which people handle API keys, as data: bodies in, the actions called, bodies out. */
import type { AuthContext } from '../context.ts'
import { jsonResponse, noContent } from '../http/json-response.ts'
import { type JsonObject, LIMIT_BYTES, readJson } from '../http/read-json.ts'
import {
  aFilledListOf,
  aFunction,
  aGroup,
  aName,
  aRoutePathAbove,
  aScope,
  optional,
  optionsError,
  ownMembers,
  parseOptions,
  type Shape,
} from '../lib/parse-options.ts'
import { requireNamed } from '../permissions/roles.ts'
import type { AuthRequest, AuthResponse } from '../request.ts'
import type { Route } from '../route.ts'
import type { ApiKeyActions, ApiKeyInfo, ApiKeySettings, IssuedApiKey } from './api-key-actions.ts'

/** Options of `routes` of the API keys. */
export interface ApiKeyRoutesOptions<R extends string = string, P extends string = string> {
  /** The role that handles keys, with every one that includes it. This or `permissions` is required: there is no safe default. */
  readonly role?: R | undefined
  /** What whoever handles keys must be allowed to do, all of it. */
  readonly permissions?: readonly P[] | undefined
  /** Where the routes are. Default `/api/keys`. */
  readonly path?: string | undefined
  /**
   * Other bodies than the default ones, or promises of them: `issued` for a new or rotated key, by default
   * `{"data":{"id","name","prefix","key","role","scopes","expires_at"}}`; `listed` for the list, by default `{"data":[…]}`,
   * each the same without `key`, and with `created_at` and `last_used_at`.
   */
  readonly present?:
    | {
        /** The body of a key that was made or rotated: the one answer with the secret in it. */
        issued(issued: IssuedApiKey): unknown
        /** The body of the list. */
        listed(apiKeys: readonly ApiKeyInfo[]): unknown
      }
    | undefined
}

type Presenter = NonNullable<ApiKeyRoutesOptions['present']>

/** Make the routes; what they take and refuse stands at `routes` of `ApiKeys`. */
export function createApiKeyRoutes(
  actions: ApiKeyActions,
  { owner, roles }: Pick<ApiKeySettings, 'owner' | 'roles'>,
  options: ApiKeyRoutesOptions,
): readonly Route[] {
  const { role, permissions, path = '/api/keys', present = DEFAULT_PRESENTER } = parseOptions(NAME, shape(), options)
  if (role === undefined && permissions === undefined)
    throw optionsError(NAME, 'role', 'is required, or option "permissions"')
  if (role !== undefined) requireNamed(roles, role, NAME)
  const needs = owner.kind === 'org' ? ('org' as const) : ('user' as const)
  const access = Object.freeze({ role, permissions, needs })
  const route = (method: Route['method'], below: string, handle: Handle): Route =>
    Object.freeze({ method, path: `${path}${below}`, access, handle: handle as Route['handle'] })

  return Object.freeze([
    route('GET', '', async (context) => answer(200, present.listed(await actions.list(context)))),
    route('POST', '', async (context, request) => {
      const body = ownMembers(await readJson(request))
      const { name, role, scopes: permissions, expires_at: expiresAt } = body
      const orgId = owner.kind === 'installation' ? body[owner.field] : null
      return answer(201, present.issued(await actions.issue(context, { name, role, permissions, expiresAt, orgId })))
    }),
    route('POST', '/:id/rotate', async (context, request) => {
      const { overlap_seconds: overlapSeconds } = ownMembers(await readOptionalJson(request))
      return answer(200, present.issued(await actions.rotate(context, idOf(request), { overlapSeconds })))
    }),
    route('DELETE', '/:id', async (context, request) => {
      await actions.revoke(context, idOf(request))
      return noContent()
    }),
  ])
}

type Handle = (context: AuthContext, request: AuthRequest) => Promise<AuthResponse>

// A secret in it: no cache keeps it, shared or private. It is waited for where a host's `present` asks somebody.
async function answer(status: number, value: unknown): Promise<AuthResponse> {
  return jsonResponse(status, await value, [['Cache-Control', 'no-store']])
}

// Nothing sent is an empty object, whatever type it was said to be; anything else goes through the strict reader.
async function readOptionalJson(request: AuthRequest): Promise<JsonObject> {
  const body = await request.body(LIMIT_BYTES)
  return body.kind === 'bytes' && body.bytes.length === 0 ? {} : readJson(request)
}

function idOf({ params }: AuthRequest): string {
  return ownMembers(params ?? {})['id'] ?? ''
}

const DEFAULT_PRESENTER: Presenter = {
  issued: ({ apiKey: { id, name, prefix, role, permissions: scopes, expiresAt }, key }) => ({
    data: { id, name, prefix, key, role, scopes, expires_at: expiresAt },
  }),
  listed: (apiKeys) => ({
    data: apiKeys.map(({ id, name, prefix, role, permissions: scopes, expiresAt, createdAt, lastUsedAt }) => ({
      ...{ id, name, prefix, role, scopes },
      ...{ expires_at: expiresAt, created_at: createdAt, last_used_at: lastUsedAt },
    })),
  }),
}

const NAME = 'apiKeys.routes'
// A function: what a host does not use must not stay in its bundle.
const shape = (): Shape<ApiKeyRoutesOptions> => ({
  role: optional(aName()),
  permissions: optional(aFilledListOf(aScope())),
  path: optional(aRoutePathAbove('id')),
  present: optional(aGroup<Presenter>({ issued: aFunction(), listed: aFunction() })),
})
