/** The preset of Keycloak. */
import { describeHttpUrl } from '../../lib/http-url.ts'
import { checkedBy, optional, optionsError, parseOptions, type Shape } from '../../lib/parse-options.ts'
import type { VerifiedClaims } from '../claims.ts'
import type { IssuerOptions } from '../issuer-options.ts'
import {
  type Audience,
  aCheckedAudience,
  describeServerUrl,
  type PresetOptions,
  placesOf,
  presetShape,
  requireKind,
  requireText,
  sayClaim,
  textOf,
} from './preset.ts'

/** Options of {@link keycloak}. */
export interface KeycloakOptions extends PresetOptions {
  /** The realm's URL as tokens name it: `https://sso.example.com/realms/acme`. */
  readonly realmUrl: string
  /**
   * What the audience mapper of a client scope writes for your API. Without one tokens name nobody, or `account`, which is in
   * those of every client.
   */
  readonly audience: Audience
  /**
   * Where the keys are, if this service has another way to the server than browsers have:
   * `http://keycloak.internal:8080/realms/acme/protocol/openid-connect/certs`. Default: below `realmUrl`.
   */
  readonly keysUrl?: string | undefined
}

const keycloakShape = (): Shape<KeycloakOptions> => ({
  realmUrl: checkedBy(describeRealmUrl),
  audience: aCheckedAudience(),
  keysUrl: optional(checkedBy((value) => describeHttpUrl(value, () => true))),
  ...presetShape(),
})

/**
 * Write the issuer of a Keycloak realm. Access, ID and refresh tokens may share key and header: the claim `typ` tells them
 * apart, and only `Bearer` is let in. A machine (service account) has a hidden user's id for its subject and is known by
 * `preferred_username`, `service-account-<client>`, or by the claims of its client. Tokens without the scope `basic` have no
 * subject (Keycloak 25) and are refused, as are those without the scope `profile`, which don't say whose they are.
 * Pure: nothing is fetched here.
 *
 * @returns issuer options: `{ issuer: realmUrl, keys: [{ kind: 'jwks', … }], audience, machine, accepts, people: 'own' }`
 * @throws OptionsError a URL of no realm, or of something below one; the audience `account`
 * @example
 * keycloak({ realmUrl: 'https://sso.example.com/realms/acme', audience: 'contacts-api' })
 */
export function keycloak(options: KeycloakOptions): IssuerOptions {
  const { realmUrl, audience, keysUrl, claims } = parseOptions('keycloak', keycloakShape(), options)
  if ([audience].flat().includes('account')) {
    throw optionsError(
      'keycloak',
      'audience',
      'is "account", which tokens of every client name: add an audience mapper for your API',
    )
  }
  return {
    issuer: realmUrl,
    keys: [
      {
        kind: 'jwks',
        url: keysUrl ?? `${realmUrl}/protocol/openid-connect/certs`,
        algorithms: ['RS256', 'PS256', 'ES256', 'EdDSA'],
      },
    ],
    audience,
    claims: placesOf({}, claims),
    machine: isServiceAccount,
    accepts(token) {
      requireKind(token['typ'] === 'Bearer', 'typ Bearer', sayClaim(token, 'typ'))
      if (!isServiceAccount(token)) requireText(token, 'preferred_username', 'by the client scope profile')
      return true
    },
    people: 'own',
  }
}

// The last three come of the client scope `service_account`, however the client's other scopes are set.
function isServiceAccount(token: VerifiedClaims): boolean {
  return (
    textOf(token, 'preferred_username').startsWith('service-account-') ||
    ['client_id', 'clientHost', 'clientAddress'].some((name) => token[name] !== undefined)
  )
}

function describeRealmUrl(value: unknown): string | null {
  const wrong = describeServerUrl(value)
  if (wrong !== null) return wrong
  const { pathname } = new URL(value as string)
  if (/\/admin\//.test(pathname)) return "is the admin console's"
  if (!/\/realms\/[^/]+/.test(pathname)) return 'must name a realm, as https://sso.example.com/realms/acme'
  return /\/realms\/[^/]+$/.test(pathname) ? null : 'must end with the name of the realm'
}
