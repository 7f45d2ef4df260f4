/** The preset of Okta. */
import { describeHttpUrl } from '../../lib/http-url.ts'
import { checkedBy, parseOptions, type Shape } from '../../lib/parse-options.ts'
import type { IssuerOptions } from '../issuer-options.ts'
import {
  type Audience,
  aCheckedAudience,
  type PresetOptions,
  placesOf,
  presetShape,
  requireKind,
  requireText,
} from './preset.ts'

/** Options of {@link okta}. */
export interface OktaOptions extends PresetOptions {
  /** The issuer of a custom authorization server: `https://acme.okta.com/oauth2/default`. */
  readonly issuer: string
  /** The audience of that authorization server, `api://default` of the one called `default`. */
  readonly audience: Audience
}

const oktaShape = (): Shape<OktaOptions> => ({
  issuer: checkedBy(describeAuthorizationServer),
  audience: aCheckedAudience(),
  ...presetShape(),
})

/**
 * Write the issuer of one of Okta's custom authorization servers. Its access tokens name a person by `uid`, for ever; their
 * `sub` is what they log in with, which changes. A machine's have no `uid`: its subject is its client (`cid`). They carry no
 * e-mail, unless a claim of yours adds one. Pure: nothing is fetched here.
 *
 * @returns issuer options: `{ issuer, keys: [{ kind: 'jwks', url: '<issuer>/v1/keys', … }], audience, claims, machine, accepts, people: 'own' }`
 * @throws OptionsError the org authorization server, whose access tokens are for Okta alone; the admin console's host
 * @example
 * okta({ issuer: 'https://acme.okta.com/oauth2/default', audience: 'api://default' })
 */
export function okta(options: OktaOptions): IssuerOptions {
  const { issuer, audience, claims } = parseOptions('okta', oktaShape(), options)
  return {
    issuer,
    keys: [{ kind: 'jwks', url: `${issuer}/v1/keys`, algorithms: ['RS256'] }],
    audience,
    claims: placesOf({ subject: ({ uid, sub }) => uid ?? sub }, claims),
    machine: ({ uid }) => uid === undefined,
    accepts(token) {
      requireText(token, 'cid', 'as access tokens have')
      const { uid, sub, cid } = token
      requireKind(uid !== undefined || sub === cid, 'uid, or a sub that is the cid', 'neither')
      return true
    },
    people: 'own',
  }
}

function describeAuthorizationServer(value: unknown): string | null {
  const wrong = describeHttpUrl(value)
  if (wrong !== null) return wrong
  const { hostname, pathname, search } = new URL(value as string)
  if (/-admin\.okta(?:preview)?\.com$|-admin\.okta-emea\.com$/.test(hostname))
    return "has the admin console's host: leave out -admin"
  if (!pathname.startsWith('/oauth2/')) {
    return 'must be of a custom authorization server, as https://acme.okta.com/oauth2/default: access tokens of the org server are for Okta alone'
  }
  return /^\/oauth2\/[\w-]+$/.test(pathname) && !/^\/oauth2\/v\d$/.test(pathname) && search === ''
    ? null
    : 'must end with the id of the authorization server'
}
