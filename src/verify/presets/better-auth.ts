/** The preset of Better Auth, with its JWT plugin. */
import {
  aListOf,
  aRoutePathAbove,
  checkedBy,
  oneOf,
  optional,
  parseOptions,
  type Shape,
} from '../../lib/parse-options.ts'
import { requireKnownApp, requireSignedUp } from '../caller-classes.ts'
import type { IssuerOptions } from '../issuer-options.ts'
import {
  type Audience,
  aCheckedAudience,
  anId,
  describeServerUrl,
  type PresetOptions,
  placesOf,
  presetShape,
} from './preset.ts'

/** Options of {@link betterAuth}. */
export interface BetterAuthOptions extends PresetOptions {
  /** Its base URL: `https://app.example.com`; with a path, it is the one its endpoints are under. */
  readonly baseUrl: string
  /** Its base path, where its base URL has none. Default `/api/auth`. */
  readonly basePath?: string | undefined
  /** What its `jwt.audience` says, or the audience of an app's access tokens. Default: the origin of `baseUrl`, as there. */
  readonly audience?: Audience | undefined
  /** People of its anonymous plugin. Default `refuse`: 403 everywhere. */
  readonly anonymous?: 'refuse' | 'accept' | undefined
  /**
   * Ids of the apps of its OAuth provider that may call here, for people or as machines: their tokens are signed by the same key
   * and name a client. Default: none, 403.
   */
  readonly apps?: readonly string[] | undefined
}

const betterAuthShape = (): Shape<BetterAuthOptions> => ({
  baseUrl: checkedBy(describeServerUrl),
  basePath: optional(aRoutePathAbove()),
  audience: optional(aCheckedAudience()),
  anonymous: optional(oneOf('refuse', 'accept')),
  apps: optional(aListOf(anId())),
  ...presetShape(),
})

/**
 * Write the issuer of a Better Auth server. Its keys are EdDSA, unless it is told otherwise. What the JWT
 * plugin signs for the origin is the user's whole row, by default: `emailVerified` in camel case, `isAnonymous`. Tokens for apps
 * of its OAuth provider are issued under the base path. Whatever else it signs is of another type, or for another audience.
 * Pure: nothing is fetched here.
 *
 * @returns issuer options: `{ issuer: ['https://app.example.com', 'https://app.example.com/api/auth'], keys: [{ kind: 'jwks', … }], audience, claims, machine, accepts, people: 'own' }`
 * @throws OptionsError a URL that ends in a slash; a path that is none
 * @example
 * betterAuth({ baseUrl: 'https://app.example.com' })
 */
export function betterAuth(options: BetterAuthOptions): IssuerOptions {
  const parsed = parseOptions('betterAuth', betterAuthShape(), options)
  const { baseUrl, basePath = '/api/auth', anonymous = 'refuse', apps = [], claims } = parsed
  const { origin, pathname } = new URL(baseUrl)
  const { audience = origin } = parsed
  const server = pathname === '/' ? `${origin}${basePath}` : baseUrl
  const known = new Set<unknown>(apps)
  return {
    issuer: [origin, server],
    keys: [{ kind: 'jwks', url: `${server}/jwks`, algorithms: ['EdDSA', 'ES256', 'ES512', 'PS256', 'RS256'] }],
    audience,
    claims: placesOf({ emailVerified: 'emailVerified' }, claims),
    machine: (token) => token['sub'] === token['client_id'],
    accepts(token) {
      if (anonymous !== 'accept') requireSignedUp(token['isAnonymous'] === true)
      requireKnownApp(token['client_id'] ?? token['azp'], known)
      return true
    },
    people: 'own',
  }
}
