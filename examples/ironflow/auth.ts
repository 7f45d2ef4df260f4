/**
 * Ironflow's whole auth: accounts of its own with e-mail and password, sessions in a cookie, environments in the place of
 * organizations, API keys of the installation. Dev mode is another login in the same place.
 */
import { type Auth, createAuth, createOrgResolver, type HostTypes, header, type Route, slugFormat } from 'sallyport'
import { type ApiKeyInfo, type ApiKeys, createApiKeys, type IssuedApiKey } from 'sallyport/api-keys'
import { createDevLogin, createLogin, type Login, type LoginOptions } from 'sallyport/login'
import type { Account } from 'sallyport/storage'
import { environments, type WorkEnvironment } from './environments.ts'
import type { IronflowStorage } from './storage.ts'

/** The ladder, lowest first. */
export const ROLES = ['viewer', 'developer', 'admin'] as const

/** How people get in. */
export interface Entry {
  /** What sessions are signed with. */
  readonly secret: Uint8Array
  /** Where Ironflow is reached behind a proxy that has TLS. */
  readonly publicUrl?: string
  /** Whose address a request has there; goes together with `publicUrl`. */
  readonly clientAddress?: LoginOptions['clientAddress']
  /** Dev mode (`npm run example:ironflow -- --dev`): nobody logs in; its value says whether that may be. */
  readonly nodeEnv?: string
}

/** What Ironflow's handlers know of a caller. */
export type IronflowTypes = HostTypes<(typeof ROLES)[number], Account, WorkEnvironment, 'ver', never>

/** Ironflow, without its own routes. */
export interface Ironflow {
  readonly auth: Auth<IronflowTypes>
  readonly login: Login
  readonly apiKeys: ApiKeys
  /** Login, users, API keys. */
  readonly routes: readonly Route[]
}

/** Set everything up. Throws an `OptionsError` where an option is wrong. */
export function createIronflow(entry: Entry, storage: IronflowStorage): Ironflow {
  const common = {
    storage: storage.accounts,
    service: 'ironflow',
    roles: ROLES,
    cookieName: 'ironflow_dashboard_token',
  }
  const { nodeEnv, ...own } = entry
  const login = nodeEnv === undefined ? createLogin({ ...common, ...own }) : createDevLogin({ ...common, nodeEnv })

  const apiKeys = createApiKeys({
    // Whoever makes keys is asked for as they are written; in dev mode that is nobody who has an account.
    storage: nodeEnv === undefined ? storage : { apiKeys: storage.apiKeys },
    prefix: 'ifkey',
    roles: ROLES,
    owner: { kind: 'installation', memberships: environments, field: 'environment' },
  })
  const auth = createAuth({
    ...login.auth,
    apiKeys,
    orgs: createOrgResolver({
      memberships: environments,
      selectors: [header('X-Ironflow-Environment')],
      idFormat: slugFormat,
      whenUnnamed: 'earliest-joined',
    }),
  })
  const keyRoutes = apiKeys.routes({ role: 'admin', path: '/api/v1/api-keys', present: KEYS })
  return { auth, login, apiKeys, routes: [...login.routes, ...keyRoutes] }
}

/** How a key is shown in a list. */
export function presentKey(key: ApiKeyInfo): object {
  const { id, name, prefix, role, orgId: environment, createdAt, expiresAt, lastUsedAt } = key
  return {
    ...{ id, name, prefix, role, environment },
    ...{ expires_at: expiresAt, created_at: createdAt, last_used_at: lastUsedAt },
  }
}

const KEYS = {
  issued: ({ apiKey: { id, name, prefix, role }, key }: IssuedApiKey) => ({
    api_key: { id, name, prefix, role },
    key,
  }),
  listed: (keys: readonly ApiKeyInfo[]) => ({ api_keys: keys.map(presentKey) }),
}
