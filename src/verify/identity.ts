/** Build the Identity of a verified token: named claims only, deeply frozen. No spread of the payload anywhere. */
import type { Identity } from '../context.ts'
import { toEmail } from '../lib/email.ts'
import type { CheckedClaims } from './claims.ts'
import { ownOf } from './token-form.ts'

/** When an e-mail counts as verified: see `emails` of `IssuerOptions`. */
export type EmailPolicy = 'confirmed' | 'as-claimed'

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
