/** The preset of Firebase Authentication. */
import { checkedBy, oneOf, optional, parseOptions, type Shape } from '../../lib/parse-options.ts'
import { describeText } from '../../lib/secret-check.ts'
import { requireSignedUp } from '../caller-classes.ts'
import { readClaim } from '../claims.ts'
import type { IssuerOptions } from '../issuer-options.ts'
import { type PresetOptions, placesOf, presetShape, requireKind, someIds } from './preset.ts'

/** Options of {@link firebase}. */
export interface FirebaseOptions extends PresetOptions {
  /** The id of the project: `my-project-1a2b3`. */
  readonly projectId: string
  /** Anonymous sign-ins. Default `refuse`: 403 everywhere. */
  readonly anonymous?: 'refuse' | 'accept' | undefined
  /**
   * Tenants of the project (Identity Platform) whose people are let in, and nobody else then. Default: those of the project
   * itself, who are of no tenant.
   */
  readonly tenants?: readonly string[] | undefined
}

const firebaseShape = (): Shape<FirebaseOptions> => ({
  projectId: checkedBy(describeProjectId),
  anonymous: optional(oneOf('refuse', 'accept')),
  tenants: optional(someIds()),
  ...presetShape(),
})

/**
 * Write the issuer of a Firebase project's ID tokens. One key set signs for all projects there are: issuer and audience tell
 * them apart. Custom tokens and session cookies are other tokens, of other issuers, and the emulator signs nothing.
 * Pure: nothing is fetched here.
 *
 * @returns issuer options: `{ issuer: 'https://securetoken.google.com/<projectId>', keys: [{ kind: 'jwks', … }], audience: projectId, types: ['JWT'], machine, accepts, people: 'own' }`
 * @throws OptionsError the project's number, its web API key, or a host for its id
 * @example
 * firebase({ projectId: 'my-project-1a2b3' })
 */
export function firebase(options: FirebaseOptions): IssuerOptions {
  const { projectId, anonymous = 'refuse', tenants, claims } = parseOptions('firebase', firebaseShape(), options)
  return {
    issuer: `https://securetoken.google.com/${projectId}`,
    keys: [
      {
        kind: 'jwks',
        url: 'https://www.googleapis.com/service_accounts/v1/jwk/securetoken@system.gserviceaccount.com',
        algorithms: ['RS256'],
      },
    ],
    audience: projectId,
    types: ['JWT'],
    claims: placesOf({}, claims),
    machine: () => false,
    accepts(token) {
      if (anonymous !== 'accept') requireSignedUp(readClaim(token, ['firebase', 'sign_in_provider']) === 'anonymous')
      const tenant = readClaim(token, ['firebase', 'tenant'])
      const got = tenant === undefined ? 'no tenant' : tenants === undefined ? 'a tenant' : 'another tenant'
      if (tenants === undefined) requireKind(tenant === undefined, 'no tenant: `tenants` is not written', got)
      else requireKind(tenants.includes(tenant as string), `tenant ${tenants.join(', ')}`, got)
      return true
    },
    people: 'own',
  }
}

function describeProjectId(value: unknown): string | null {
  const wrong = describeText(value)
  if (wrong !== null) return wrong
  const text = value as string
  if (/^\d+$/.test(text)) return "is the project's number, not its id"
  if (/^AIza/.test(text)) return "is the project's web API key, not its id"
  // Of old ones a domain is a part: `example.com:my-project`.
  return /^(?:[a-z\d.-]+:)?[a-z][a-z\d-]+$/.test(text) ? null : 'must be the id of a project alone, as my-project-1a2b3'
}
