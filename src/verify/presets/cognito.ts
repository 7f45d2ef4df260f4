/** The preset of Amazon Cognito. */
import { checkedBy, oneOf, parseOptions, type Shape } from '../../lib/parse-options.ts'
import { describeText } from '../../lib/secret-check.ts'
import type { VerifiedClaims } from '../claims.ts'
import type { IssuerOptions } from '../issuer-options.ts'
import { type PresetOptions, placesOf, presetShape, requireKind, sayClaim, someIds } from './preset.ts'

/** Options of {@link cognito}. */
export interface CognitoOptions extends PresetOptions {
  /** The id of the user pool, which begins with its region: `eu-west-1_EXAMPLE`. */
  readonly userPoolId: string
  /** The ids of the app clients whose tokens are let in. */
  readonly clientIds: readonly string[]
  /**
   * What apps send here. `access`: access tokens, also of client credentials; no e-mail. `id`: ID tokens, which say who signed
   * in to an app and what it knows of them.
   */
  readonly tokens: 'access' | 'id'
}

const cognitoShape = (): Shape<CognitoOptions> => ({
  userPoolId: checkedBy(describePoolId),
  clientIds: someIds(),
  tokens: oneOf('access', 'id'),
  ...presetShape(),
})

/**
 * Write the issuer of a Cognito user pool, by its original and its updated issuer URL, which have the same keys;
 * `identity.issuer` is the original one in both cases. ID and access tokens are of one key and alike in their headers:
 * `token_use` tells them apart. Access tokens have no audience: their `client_id` is checked instead. A machine's subject is
 * its client, and it has no user name. Pure: nothing is fetched here.
 *
 * @returns issuer options: `{ issuer: [original, updated], keys: [{ kind: 'jwks', … }], audience, machine, accepts, people: 'own' }`
 * @throws OptionsError the id of an identity pool, an ARN or a URL; no client
 * @example
 * cognito({ userPoolId: 'eu-west-1_EXAMPLE', clientIds: ['6p1example'], tokens: 'access' })
 */
export function cognito(options: CognitoOptions): IssuerOptions {
  const { userPoolId, clientIds, tokens, claims } = parseOptions('cognito', cognitoShape(), options)
  const region = userPoolId.slice(0, userPoolId.indexOf('_'))
  const place = `${region}.amazonaws.com${region.startsWith('cn-') ? '.cn' : ''}/${userPoolId}`
  const common = {
    issuer: [`https://cognito-idp.${place}`, `https://issuer-cognito-idp.${place}`],
    keys: [{ kind: 'jwks', url: `https://cognito-idp.${place}/.well-known/jwks.json`, algorithms: ['RS256'] }],
    claims: placesOf({}, claims),
    people: 'own',
  } as const
  if (tokens === 'id') {
    return { ...common, audience: clientIds, machine: () => false, accepts: (token) => requireUse(token, 'id') }
  }
  const known = new Set<unknown>(clientIds)
  return {
    ...common,
    audience: null,
    machine: (token) => token['sub'] === token['client_id'] || token['username'] === undefined,
    accepts(token) {
      requireUse(token, 'access')
      requireKind(known.has(token['client_id']), `client_id ${clientIds.join(', ')}`, sayClaim(token, 'client_id'))
      return true
    },
  }
}

function requireUse(token: VerifiedClaims, use: CognitoOptions['tokens']): true {
  requireKind(token['token_use'] === use, `token_use ${use}`, sayClaim(token, 'token_use'))
  return true
}

function describePoolId(value: unknown): string | null {
  const wrong = describeText(value)
  if (wrong !== null) return wrong
  const text = value as string
  if (/^[a-z]{2}(?:-[a-z]+)+-\d+_[A-Za-z\d]+$/.test(text)) return null
  return /^[a-z\d-]+:[\da-f-]{36}$/i.test(text)
    ? 'is the id of an identity pool, not of a user pool'
    : 'must be the id of a user pool alone, as eu-west-1_EXAMPLE'
}
