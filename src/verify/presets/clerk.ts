/** The preset of Clerk. */
import { aFilledListOf, checkedBy, oneOf, optional, orNull, parseOptions, type Shape } from '../../lib/parse-options.ts'
import { describeText } from '../../lib/secret-check.ts'
import type { VerifiedClaims } from '../claims.ts'
import type { IssuerOptions } from '../issuer-options.ts'
import {
  type Audience,
  aCheckedAudience,
  describeOrigin,
  type PresetOptions,
  placesOf,
  presetShape,
  requireKind,
  requireText,
  sayClaim,
  textOf,
} from './preset.ts'

/** Options of {@link clerk}. */
export interface ClerkOptions extends PresetOptions {
  /** The Frontend API URL of your instance: `https://clerk.example.com`, `https://<name>.clerk.accounts.dev`. */
  readonly frontendApi: string
  /**
   * The origins of your own pages (`azp`), as `https://app.example.com`: only sessions that began there are let in. `null`
   * takes those of any origin, and must be written: session tokens have no audience that would say whom they are for.
   */
  readonly authorizedParties: readonly string[] | null
  /** Sessions that name no origin, as those of native apps and of backends. Default `refuse`, where there are `authorizedParties`. */
  readonly withoutParty?: 'refuse' | 'accept' | undefined
  /**
   * The `aud` that you put into session tokens, if you do. Default: none, and a token that has one is refused, as it is for
   * somebody else.
   */
  readonly audience?: Audience | undefined
}

const clerkShape = (): Shape<ClerkOptions> => ({
  frontendApi: checkedBy(describeFrontendApi),
  authorizedParties: orNull(aFilledListOf(checkedBy(describeParty))),
  withoutParty: optional(oneOf('refuse', 'accept')),
  audience: optional(aCheckedAudience()),
  ...presetShape(),
})

/**
 * Write the issuer of a Clerk instance. One key of it signs sessions, tokens of JWT templates, of OAuth applications and of
 * machines: people are let in by their active sessions alone (`sid`, which no template can write), machines by a subject
 * `mch_…`. Session tokens have no e-mail, unless you add it to them, from what Clerk has verified and never from
 * `unsafe_metadata`. Who acts as somebody else (`act`) stands in `identity.actor`. A machine's token must be made with an
 * expiry. Pure: nothing is fetched here.
 *
 * @returns issuer options: `{ issuer: frontendApi, keys: [{ kind: 'jwks', … }], audience: null, types: ['JWT'], machine, accepts, people: 'own' }`
 * @throws OptionsError an API key, a dashboard's or a Backend API's URL; a party that is no origin; no `authorizedParties`
 * @example
 * clerk({ frontendApi: 'https://clerk.example.com', authorizedParties: ['https://app.example.com'] })
 */
export function clerk(options: ClerkOptions): IssuerOptions {
  const parsed = parseOptions('clerk', clerkShape(), options)
  const { frontendApi, authorizedParties, withoutParty = 'refuse', audience = null, claims } = parsed
  const withNone: readonly (string | undefined)[] = withoutParty === 'accept' ? [undefined] : []
  return {
    issuer: frontendApi,
    keys: [{ kind: 'jwks', url: `${frontendApi}/.well-known/jwks.json`, algorithms: ['RS256'] }],
    audience,
    types: ['JWT'],
    claims: placesOf({}, claims),
    machine: isMachine,
    accepts(token) {
      if (isMachine(token)) return true
      requireActiveSession(token)
      if (audience === null) requireKind(token['aud'] === undefined, 'no aud: `audience` is not written', 'an aud')
      if (authorizedParties === null) return true
      const isKnown = [...withNone, ...authorizedParties].includes(token['azp'] as string)
      requireKind(isKnown, `azp ${authorizedParties.join(', ')}`, sayClaim(token, 'azp'))
      return true
    },
    people: 'own',
  }
}

function isMachine(token: VerifiedClaims): boolean {
  return textOf(token, 'sub').startsWith('mch_')
}

// Where something must be done yet before somebody is signed in (a second factor, an organization), the status is `pending`.
function requireActiveSession(token: VerifiedClaims): void {
  const { sts } = token
  requireKind(textOf(token, 'sub').startsWith('user_'), 'a sub of a user or a machine', 'another sub')
  requireText(token, 'sid', 'as sessions have, and tokens of JWT templates don’t')
  requireKind(sts === undefined || sts === 'active', 'sts active', sayClaim(token, 'sts'))
}

function describeFrontendApi(value: unknown): string | null {
  const text = typeof value === 'string' ? value : ''
  if (/^pk_/.test(text)) return 'is the publishable key, not the Frontend API URL'
  if (/^sk_/.test(text)) return 'is a secret key, not the Frontend API URL'
  if (/^https:\/\/(?:api|dashboard)\.clerk\.(?:com|dev)\b/.test(text))
    return "is Clerk's, not the Frontend API URL of your instance"
  return describeOrigin(value)
}

function describeParty(value: unknown): string | null {
  const wrong = describeText(value)
  if (wrong !== null) return wrong
  return /^[a-z][a-z\d+.-]*:\/\/[^/?#@\s]+$/.test(value as string)
    ? null
    : 'must be an origin, as https://app.example.com, without a path and a slash at its end'
}
