/** The entry of API keys: named re-exports. */
export type { ApiKeyEvent, ApiKeyInfo, IssuedApiKey } from './api-key-actions.ts'
export type { ApiKeyRoutesOptions } from './api-key-routes.ts'
export { type ApiKeys, type ApiKeysOptions, createApiKeys } from './api-keys.ts'
