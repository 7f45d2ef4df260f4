/** The preset of Google's ID tokens. */
import { aFilledListOf, aMatch, checkedBy, optional, parseOptions, type Shape } from '../../lib/parse-options.ts'
import { describeText } from '../../lib/secret-check.ts'
import type { VerifiedClaims } from '../claims.ts'
import type { IssuerOptions } from '../issuer-options.ts'
import { type PresetOptions, placesOf, presetShape, requireKind, textOf } from './preset.ts'

/** Options of {@link google}. */
export interface GoogleOptions extends PresetOptions {
  /** Your OAuth client ids, one for each platform: `<number>-<word>.apps.googleusercontent.com`. */
  readonly clientIds: readonly string[]
  /** The domains of your own Google Workspace (`hd`): nobody else is let in then. Default: everybody with a Google account. */
  readonly hostedDomains?: readonly string[] | undefined
  /**
   * Service accounts that are let in as machines, by their unique ids, which are never used again, or their e-mails. Default:
   * none, as every one there is can have a token with your client id for its audience.
   */
  readonly serviceAccounts?: readonly string[] | undefined
}

const googleShape = (): Shape<GoogleOptions> => ({
  clientIds: aFilledListOf(checkedBy(describeClientId)),
  hostedDomains: optional(aFilledListOf(checkedBy(describeDomain))),
  serviceAccounts: optional(
    aFilledListOf(
      aMatch(/^(?:\d+|\S+@\S+\.gserviceaccount\.com)$/, 'must be the unique id or the e-mail of a service account'),
    ),
  ),
  ...presetShape(),
})

/**
 * Write the issuer of Google's ID tokens, by both names that it has in them. Google speaks for an e-mail of Gmail, or of a
 * Workspace (`hd`), and for no other one, whatever `email_verified` says: elsewhere `identity.emailVerified` is `false`.
 * Pure: nothing is fetched here.
 *
 * @returns issuer options: `{ issuer: ['https://accounts.google.com', 'accounts.google.com'], keys: [{ kind: 'jwks', … }], audience: clientIds, types: ['JWT'], claims, machine, accepts, people }`;
 * `people` is `own` with `hostedDomains`, else `anybody`
 * @throws OptionsError a client secret, or a part of an id, for a client id; `gmail.com` for a Workspace's domain
 * @example
 * google({ clientIds: ['1234-abcd.apps.googleusercontent.com'], hostedDomains: ['example.com'] })
 */
export function google(options: GoogleOptions): IssuerOptions {
  const { clientIds, hostedDomains, serviceAccounts = [], claims } = parseOptions('google', googleShape(), options)
  return {
    issuer: ['https://accounts.google.com', 'accounts.google.com'],
    keys: [{ kind: 'jwks', url: 'https://www.googleapis.com/oauth2/v3/certs', algorithms: ['RS256'] }],
    audience: clientIds,
    types: ['JWT'],
    claims: placesOf({ emailVerified: isEmailVerified }, claims),
    machine: isServiceAccount,
    accepts(token) {
      if (isServiceAccount(token)) {
        const isListed = [token['sub'], token['email']].some((name) => serviceAccounts.includes(name as string))
        requireKind(isListed, 'a person, or a service account of `serviceAccounts`', 'another service account')
        return true
      }
      const domain = textOf(token, 'hd')
      const isHosted = hostedDomains === undefined || hostedDomains.includes(domain)
      requireKind(isHosted, `hd ${hostedDomains?.join(', ')}`, domain === '' ? 'no hd' : 'another hd')
      return true
    },
    people: hostedDomains === undefined ? 'anybody' : 'own',
  }
}

// Who asked for a person's token is an OAuth client; an account that asks for its own is named by its id, or by its e-mail.
function isServiceAccount(token: VerifiedClaims): boolean {
  const { azp } = token
  const isOfClient = azp === undefined || textOf(token, 'azp').endsWith('.apps.googleusercontent.com')
  return !isOfClient || /[.@]gserviceaccount\.com$/i.test(textOf(token, 'email'))
}

function isEmailVerified(token: VerifiedClaims): unknown {
  const isAuthority = textOf(token, 'hd') !== '' || /@gmail\.com$/i.test(textOf(token, 'email'))
  return token['email_verified'] === true ? isAuthority : token['email_verified']
}

function describeClientId(value: unknown): string | null {
  const wrong = describeText(value)
  if (wrong !== null) return wrong
  if ((value as string).startsWith('GOCSPX-')) return 'is a client secret, not a client id'
  return /^[\w-]+\.apps\.googleusercontent\.com$/.test(value as string)
    ? null
    : 'must be a whole client id, which ends in .apps.googleusercontent.com'
}

function describeDomain(value: unknown): string | null {
  const wrong = describeText(value)
  if (wrong !== null) return wrong
  if (/^(?:gmail|googlemail)\.com$/.test(value as string))
    return "is no Workspace's: such accounts have no hosted domain"
  return /^[a-z\d-]+(?:\.[a-z\d-]+)+$/.test(value as string) ? null : 'must be a domain in lower case, as example.com'
}
