/**
 * Who stands behind a token that is good in every other respect: the Identity, of named claims only, deeply frozen (no
 * spread of the payload anywhere), and whether that is somebody whom the issuer's options and the host's own check let in.
 * One key of an issuer signs several classes of token; signature, audience and times don't tell them apart.
 */
import type { Identity } from '../context.ts'
import { AuthError } from '../errors.ts'
import { toEmail } from '../lib/email.ts'
import type { CheckedClaims } from './claims.ts'
import type { EmailPolicy, Issuer, VerifiedClaims } from './issuers.ts'
import { ownOf } from './token-form.ts'

/**
 * Build the identity.
 *
 * @param issuer the issuer the token was verified for, and when it says that an e-mail is verified
 * @param payload the verified claims; the named ones are frozen in place
 * @param names the further claims the host asked for
 */
export function toIdentity<C extends string>(
  { issuer, emails }: { readonly issuer: string; readonly emails: EmailPolicy },
  checked: CheckedClaims,
  payload: object,
  names: readonly C[],
): Identity<C> {
  const { subject, audience, expiresAt } = checked
  const email = toEmail(ownOf(payload, 'email'))
  return Object.freeze({
    issuer,
    subject,
    audience,
    email,
    emailVerified: readEmailVerified(payload, email !== null && emails === 'confirmed'),
    tokenId: stringOf(payload, 'jti'),
    // A Date can't be frozen, and this object is shared by all requests that bring the same token.
    get expiresAt() {
      return new Date(expiresAt)
    },
    claims: pickClaims(payload, names),
  })
}

function stringOf(payload: object, name: string): string | null {
  const value = ownOf(payload, name)
  return typeof value === 'string' ? value : null
}

// Some issuers write "false" as a string. What is there and isn't `true` has not been verified.
function readEmailVerified(payload: object, isConfirmed: boolean): boolean | null {
  const value = ownOf(payload, 'email_verified')
  if (value === undefined) return isConfirmed ? true : null
  return value === true
}

function pickClaims<C extends string>(payload: object, names: readonly C[]): Readonly<Record<C, unknown>> {
  const picked = Object.create(null) as Record<C, unknown>
  for (const name of names) {
    const value = name === '__proto__' ? undefined : ownOf(payload, name)
    if (value !== undefined) picked[name] = deepFreeze(value)
  }
  return Object.freeze(picked)
}

// With a list of its own instead of recursion: a token may be nested deeper than the stack is.
function deepFreeze(root: unknown): unknown {
  const open: unknown[] = [root]
  while (open.length > 0) {
    const value = open.pop()
    if (typeof value !== 'object' || value === null) continue
    // JSON.parse makes it an own member; merged into another object later it would become its prototype.
    if (Object.hasOwn(value, '__proto__')) Reflect.deleteProperty(value, '__proto__')
    for (const member of Object.values(value)) open.push(member)
    Object.freeze(value)
  }
  return root
}

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

/**
 * Ask the check, and wait for it. What it throws passes through.
 *
 * @param name what to call it in the error
 * @throws Error where it answers anything but `true` or `false`: a function that forgets to answer must let nobody in
 */
export async function passesCheck<T>(name: string, check: (value: T) => unknown, value: T): Promise<boolean> {
  const answer = await check(value)
  if (typeof answer === 'boolean') return answer
  throw new Error(
    `sallyport: ${name}: option "check" must answer true or false, not ${answer === null ? null : typeof answer}`,
  )
}
