/** The preset of Auth0. */
import { parseOptions, type Shape } from '../../lib/parse-options.ts'
import type { IssuerOptions } from '../issuer-options.ts'
import { type Audience, aCheckedAudience, aHost, type PresetOptions, placesOf, presetShape, textOf } from './preset.ts'

/** Options of {@link auth0}. */
export interface Auth0Options extends PresetOptions {
  /** The tenant's domain, or your custom one: `tenant.eu.auth0.com`. */
  readonly domain: string
  /** The identifier of your API. Never a client id: the tokens for that are ID tokens, which say who signed in to an app. */
  readonly audience: Audience
}

const auth0Shape = (): Shape<Auth0Options> => ({
  domain: aHost(),
  audience: aCheckedAudience(),
  ...presetShape(),
})

/**
 * Write the issuer of an Auth0 tenant: its `iss` ends in a slash, access tokens are `JWT` or `at+jwt`, and the subject of a
 * machine's is `<client id>@clients` in both profiles. Access tokens have no e-mail, unless an action adds one under a name
 * of yours: `claims: { email: 'https://example.com/email' }`. By RBAC with "Add Permissions in the Access Token":
 * `claims: { scopes: 'permissions' }`. Pure: nothing is fetched here.
 *
 * @returns issuer options: `{ issuer: 'https://<domain>/', keys: [{ kind: 'jwks', … }], audience, machine, people: 'own' }`
 * @throws OptionsError a domain that is a URL; no audience
 * @example
 * auth0({ domain: 'tenant.eu.auth0.com', audience: 'https://api.example.com' })
 */
export function auth0(options: Auth0Options): IssuerOptions {
  const { domain, audience, claims } = parseOptions('auth0', auth0Shape(), options)
  return {
    issuer: `https://${domain}/`,
    keys: [{ kind: 'jwks', url: `https://${domain}/.well-known/jwks.json`, algorithms: ['RS256', 'PS256'] }],
    audience,
    claims: placesOf({}, claims),
    machine: (token) => textOf(token, 'sub').endsWith('@clients') || token['gty'] === 'client-credentials',
    people: 'own',
  }
}
