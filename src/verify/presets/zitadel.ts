/** The preset of Zitadel. */
import { checkedBy, oneOf, optional, parseOptions, type Shape } from '../../lib/parse-options.ts'
import { describeText } from '../../lib/secret-check.ts'
import type { VerifiedClaims } from '../claims.ts'
import type { IssuerOptions } from '../issuer-options.ts'
import {
  describeOrigin,
  type PresetOptions,
  placesOf,
  presetShape,
  requireKind,
  requireText,
  sayClaim,
  textOf,
} from './preset.ts'

/** Options of {@link zitadel}. */
export interface ZitadelOptions extends PresetOptions {
  /** The instance: `https://acme-x1y2z3.zitadel.cloud`, or your own domain. */
  readonly issuer: string
  /** The id of the project that your API is in. */
  readonly projectId: string
  /**
   * People and machines without a role of the project. Default `refuse`: every client of the instance can put your project into
   * the audience of its tokens, so that a role alone says who was let in to it.
   */
  readonly withoutRole?: 'refuse' | 'accept' | undefined
}

const zitadelShape = (): Shape<ZitadelOptions> => ({
  issuer: checkedBy(describeOrigin),
  projectId: checkedBy(describeProjectId),
  withoutRole: optional(oneOf('refuse', 'accept')),
  ...presetShape(),
})

/**
 * Write the issuer of a Zitadel instance. Access tokens are opaque, unless the token type of the application, or of the
 * service account, is JWT. ID tokens have the same audience, but name their client as `azp`, and no `jti`: they are refused.
 * Roles are in a token where the project asserts them, or its scopes ask for them. Nothing else tells a machine than its
 * `client_id`: its own name or id, where an application's is a number. Neither kind of token carries an e-mail.
 * Pure: nothing is fetched here.
 *
 * @returns issuer options: `{ issuer, keys: [{ kind: 'jwks', url: '<issuer>/oauth/v2/keys', … }], audience: projectId, machine, accepts, people: 'own' }`
 * @throws OptionsError a client id or a name for the project's id; a URL with a path
 * @example
 * zitadel({ issuer: 'https://acme-x1y2z3.zitadel.cloud', projectId: '69233711234567890' })
 */
export function zitadel(options: ZitadelOptions): IssuerOptions {
  const { issuer, projectId, withoutRole = 'refuse', claims } = parseOptions('zitadel', zitadelShape(), options)
  const roles = `urn:zitadel:iam:org:project:${projectId}:roles`
  return {
    issuer,
    keys: [
      {
        kind: 'jwks',
        url: `${issuer}/oauth/v2/keys`,
        algorithms: ['RS256', 'RS384', 'RS512', 'ES256', 'ES384', 'ES512', 'EdDSA'],
      },
    ],
    audience: projectId,
    claims: placesOf({}, claims),
    machine: isServiceAccount,
    accepts(token) {
      requireText(token, 'jti', 'as access tokens have')
      requireKind(token['azp'] === undefined, 'no azp, which ID tokens have', sayClaim(token, 'azp'))
      const hasRole = withoutRole === 'accept' || Object.keys(Object(token[roles])).length > 0
      requireKind(hasRole, `a role of project ${projectId}`, 'none')
      return true
    },
    people: 'own',
  }
}

// By client credentials it is named by its login name, by a key of its own by its id. Older applications have their project's
// name behind their number.
function isServiceAccount(token: VerifiedClaims): boolean {
  const client = textOf(token, 'client_id')
  return client === token['sub'] || !/^\d+(?:@[^@]+)?$/.test(client)
}

function describeProjectId(value: unknown): string | null {
  const wrong = describeText(value)
  if (wrong !== null) return wrong
  if (/^\d+@/.test(value as string)) return "is a client id, not the project's"
  return /^\d+$/.test(value as string) ? null : 'must be the id of a project, a number as text'
}
