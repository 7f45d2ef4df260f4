/** The preset of WorkOS AuthKit. */
import { checkedBy, optional, parseOptions, type Shape } from '../../lib/parse-options.ts'
import { describeText } from '../../lib/secret-check.ts'
import type { IssuerOptions } from '../issuer-options.ts'
import { aHost, type PresetOptions, placesOf, presetShape, requireKind, requireText, textOf } from './preset.ts'

/** Options of {@link workos}. */
export interface WorkosOptions extends PresetOptions {
  /** The client id: `client_01HZX…`. */
  readonly clientId: string
  /** Your custom authentication domain, if you have one: `auth.example.com`. */
  readonly authDomain?: string | undefined
}

const workosShape = (): Shape<WorkosOptions> => ({
  clientId: checkedBy(describeClientId),
  authDomain: optional(aHost()),
  ...presetShape(),
})

/**
 * Write the issuer of AuthKit sessions. Their tokens have no audience: the keys are those of your client alone, and are the
 * check. Their `iss` has several forms, of which `identity.issuer` is always the one with the client id. They carry no e-mail,
 * unless a JWT template adds one. Who acts as somebody else (`act`) stands in `identity.actor`, by e-mail. Tokens of WorkOS
 * Connect (other apps, machines) have an issuer and keys of their own: `oidc`. Pure: nothing is fetched here.
 *
 * @returns issuer options: `{ issuer: ['https://api.workos.com/user_management/<clientId>', …], keys: [{ kind: 'jwks', … }], audience: null, types: ['JWT'], machine, accepts, people: 'own' }`
 * @throws OptionsError an API key for the client id; a URL for the domain
 * @example
 * workos({ clientId: 'client_01HZX4Y5Z6' })
 */
export function workos(options: WorkosOptions): IssuerOptions {
  const { clientId, authDomain, claims } = parseOptions('workos', workosShape(), options)
  const hosts = ['https://api.workos.com', ...(authDomain === undefined ? [] : [`https://${authDomain}`])]
  return {
    issuer: hosts.flatMap((host) => [`${host}/user_management/${clientId}`, host, `${host}/`]),
    keys: [{ kind: 'jwks', url: `https://api.workos.com/sso/jwks/${clientId}`, algorithms: ['RS256'] }],
    audience: null,
    types: ['JWT'],
    claims: placesOf({}, claims),
    machine: () => false,
    accepts(token) {
      requireKind(textOf(token, 'sub').startsWith('user_'), 'a sub of a user', 'another sub')
      requireText(token, 'sid', 'as sessions have')
      return true
    },
    people: 'own',
  }
}

function describeClientId(value: unknown): string | null {
  const wrong = describeText(value)
  if (wrong !== null) return wrong
  if ((value as string).startsWith('sk_')) return 'is an API key, not the client id'
  return /^(?:client|project)_[A-Za-z\d]+$/.test(value as string) ? null : 'must be a client id, as client_01HZX4Y5Z6'
}
