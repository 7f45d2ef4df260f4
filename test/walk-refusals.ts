/**
 * Every refusal the library can make: each `new AuthError(` of `src/` by its reason, with a scenario that provokes it.
 * `walk-list.test.ts` compares this list with the source, both ways; a new room adds its own list here.
 */
import type { Refusal } from './walk/refusal.ts'
import { REFUSALS_OF_API_KEYS } from './walk/refusals-of-api-keys.ts'
import { REFUSALS_OF_BODIES } from './walk/refusals-of-bodies.ts'
import { REFUSALS_OF_CREDENTIALS } from './walk/refusals-of-credentials.ts'
import { REFUSALS_OF_LOGIN } from './walk/refusals-of-login.ts'
import { REFUSALS_OF_TOKENS } from './walk/refusals-of-tokens.ts'
import { REFUSALS_OF_USERS_AND_ORGS } from './walk/refusals-of-users-and-orgs.ts'

export const REFUSALS: readonly Refusal[] = [
  ...REFUSALS_OF_CREDENTIALS,
  ...REFUSALS_OF_TOKENS,
  ...REFUSALS_OF_USERS_AND_ORGS,
  ...REFUSALS_OF_API_KEYS,
  ...REFUSALS_OF_BODIES,
  ...REFUSALS_OF_LOGIN,
]
