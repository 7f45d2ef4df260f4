/**
 * Who stands behind a token that is good in every other respect: a person of the kind that its issuer's options let in, or
 * a refusal. One key of an issuer signs several classes of token; signature, audience and times don't tell them apart.
 */
import { AuthError } from '../errors.ts'
import type { Issuer, VerifiedClaims } from './issuers.ts'
import { ownOf } from './token-form.ts'

/**
 * Require a person, of a kind that the issuer's options accept.
 *
 * @throws AuthError `forbidden` for a machine, and for what `accepts` does not
 * @throws Error where `accepts` answers anything but `true` or `false`
 */
export function requirePerson(payload: object, { accepts }: Pick<Issuer, 'accepts'>): void {
  if (isMachine(payload)) throw new AuthError('forbidden', { reason: 'token_of_a_machine' })
  if (accepts === null) return
  const answer: unknown = accepts(Object.freeze(Object.assign(Object.create(null) as VerifiedClaims, payload)))
  if (answer === false) throw new AuthError('forbidden', { reason: 'token_kind_not_accepted' })
  if (answer !== true) throw new Error('sallyport: createJwtVerifier: option "accepts" must answer true or false')
}

/**
 * Ask whether nobody stands behind a token: its subject is the client itself (RFC 9068 §2.2; `azp` and `cid` where issuers
 * call it so, Auth0 appends `@clients`), or it says that it was granted by client credentials (`gty`) or to an app (`idtyp`).
 */
function isMachine(payload: object): boolean {
  const subject = ownOf(payload, 'sub')
  const clients = ['client_id', 'azp', 'cid'].map((name) => ownOf(payload, name))
  if (clients.some((client) => typeof client === 'string' && (subject === client || subject === `${client}@clients`))) {
    return true
  }
  const grants = ['gty', 'grant_type'].flatMap((name) => ownOf(payload, name))
  return grants.some(isClientCredentials) || ownOf(payload, 'idtyp') === 'app'
}

function isClientCredentials(grant: unknown): boolean {
  return grant === 'client-credentials' || grant === 'client_credentials'
}
