/**
 * Every refusal the library can make: each `new AuthError(` of `src/` by its reason, with a scenario that provokes it.
 * `authenticate-list.test.ts` compares this list with the source, both ways; a new step adds its own list here.
 */
import type { Refusal } from './refusals/refusal.ts'
import { REFUSALS_OF_API_KEYS } from './refusals/refusals-of-api-keys.ts'
import { REFUSALS_OF_BODIES } from './refusals/refusals-of-bodies.ts'
import { REFUSALS_OF_CREDENTIALS } from './refusals/refusals-of-credentials.ts'
import { REFUSALS_OF_INVITATIONS } from './refusals/refusals-of-invitations.ts'
import { REFUSALS_OF_LOGIN } from './refusals/refusals-of-login.ts'
import { REFUSALS_OF_MACHINES } from './refusals/refusals-of-machines.ts'
import { REFUSALS_OF_PEOPLE } from './refusals/refusals-of-people.ts'
import { REFUSALS_OF_TOKENS } from './refusals/refusals-of-tokens.ts'
import { REFUSALS_OF_USER_ADMIN } from './refusals/refusals-of-user-admin.ts'
import { REFUSALS_OF_USERS_AND_ORGS } from './refusals/refusals-of-users-and-orgs.ts'

export const REFUSALS: readonly Refusal[] = [
  ...REFUSALS_OF_CREDENTIALS,
  ...REFUSALS_OF_TOKENS,
  ...REFUSALS_OF_USERS_AND_ORGS,
  ...REFUSALS_OF_MACHINES,
  ...REFUSALS_OF_API_KEYS,
  ...REFUSALS_OF_PEOPLE,
  ...REFUSALS_OF_INVITATIONS,
  ...REFUSALS_OF_USER_ADMIN,
  ...REFUSALS_OF_BODIES,
  ...REFUSALS_OF_LOGIN,
]
