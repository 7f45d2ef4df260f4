/** The preset of Logto. */
import { checkedBy, parseOptions, type Shape } from '../../lib/parse-options.ts'
import type { IssuerOptions } from '../issuer-options.ts'
import {
  type Audience,
  aCheckedAudience,
  describeServerUrl,
  type PresetOptions,
  placesOf,
  presetShape,
  requireText,
} from './preset.ts'

/** Options of {@link logto}. */
export interface LogtoOptions extends PresetOptions {
  /** The endpoint: `https://<tenant>.logto.app`, or that of your own server. */
  readonly endpoint: string
  /** The identifier of your API resource; for tokens of organizations without one `urn:logto:organization:<id>`. */
  readonly audience: Audience
}

const logtoShape = (): Shape<LogtoOptions> => ({
  endpoint: checkedBy(describeEndpoint),
  audience: aCheckedAudience(),
  ...presetShape(),
})

/**
 * Write the issuer of a Logto tenant, whose keys are ES384 unless it is older. Access tokens for an API resource are let in;
 * without one they are opaque. They carry no e-mail, unless you add it as a custom claim; `claims: { scopes: 'scope' }` binds
 * callers to the permissions of the API that they were given. A machine's subject is its client. Pure: nothing is fetched here.
 *
 * @returns issuer options: `{ issuer: '<endpoint>/oidc', keys: [{ kind: 'jwks', … }], audience, types: ['at+jwt'], machine, accepts, people: 'own' }`
 * @throws OptionsError the issuer for the endpoint; no audience
 * @example
 * logto({ endpoint: 'https://acme.logto.app', audience: 'https://api.example.com' })
 */
export function logto(options: LogtoOptions): IssuerOptions {
  const { endpoint, audience, claims } = parseOptions('logto', logtoShape(), options)
  return {
    issuer: `${endpoint}/oidc`,
    keys: [{ kind: 'jwks', url: `${endpoint}/oidc/jwks`, algorithms: ['ES384', 'ES256', 'ES512', 'RS256'] }],
    audience,
    types: ['at+jwt'],
    claims: placesOf({}, claims),
    machine: (token) => token['sub'] === token['client_id'],
    // ID tokens name their client as their audience.
    accepts(token) {
      requireText(token, 'client_id', 'as access tokens have')
      return true
    },
    people: 'own',
  }
}

function describeEndpoint(value: unknown): string | null {
  const wrong = describeServerUrl(value)
  if (wrong !== null) return wrong
  return /\/oidc(?:\/|$)/.test(new URL(value as string).pathname)
    ? 'is the endpoint, without /oidc and what follows'
    : null
}
