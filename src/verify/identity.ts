/**
 * Who stands behind a token that is good in every other respect: the Identity, of named claims only, deeply frozen (no
 * spread of the payload anywhere), and whether that is somebody whom the issuer's options and the host's own check let in.
 * One key of an issuer signs several classes of token; signature, audience and times don't tell them apart.
 */
import type { Identity, WrittenMachine } from '../context.ts'
import { isLate } from '../lib/at-once.ts'
import { toDisplayName } from '../lib/display-name.ts'
import { toEmail } from '../lib/email.ts'
import { withFreshDate } from '../lib/fresh-date.ts'
import { kindNotAccepted } from './caller-classes.ts'
import { type CheckedClaims, type ClaimPlaces, readClaim, toClaims } from './claims.ts'
import type { EmailPolicy, IssuerOptions } from './issuer-options.ts'
import type { ReadRule } from './machine-rules.ts'
import { ownOf } from './token-form.ts'

/** What an issuer's tokens say of whoever stands behind them. */
export interface IdentityRules {
  readonly places: ClaimPlaces
  /** When it says that an e-mail is verified. */
  readonly emails: EmailPolicy
  readonly machine: (payload: object) => boolean
  readonly machines: readonly ReadRule[]
}

/** Whose token it is, what that one's tokens say, and the further claims the host asked for. */
interface IdentitySource<C extends string> {
  /** Whose identity it is. */
  readonly issuer: string
  /** Whom the token was verified for. Default: the same. */
  readonly tokenIssuer?: string | undefined
  readonly rules: IdentityRules
  readonly names: readonly C[]
}

/**
 * Build the identity.
 *
 * @param payload the verified claims; the named ones are frozen in place
 * @throws Error where the host's own `machine`, or a rule's `when`, answers anything but `true` or `false`
 */
export function toIdentity<C extends string>(
  { issuer, tokenIssuer = issuer, rules, names }: IdentitySource<C>,
  { subject, audience, scopes, actor, expiresAt }: CheckedClaims,
  payload: object,
): Identity<C> {
  const { places, emails } = rules
  const email = toEmail(readClaim(payload, places.email))
  const verified = readClaim(payload, places.emailVerified)
  const isNobodys = requireBoolean(`${OPTION} "machine"`, rules.machine(payload))
  const said = {
    issuer,
    tokenIssuer,
    subject,
    kind: isNobodys ? ('machine' as const) : ('person' as const),
    machine: isNobodys ? machineOf(payload, rules.machines) : null,
    audience,
    email,
    emailVerified: toEmailVerified(verified, email !== null && emails === 'confirmed'),
    name: toDisplayName(readClaim(payload, places.name)),
    scopes,
    actor,
    tokenId: toText(ownOf(payload, 'jti')),
  }
  const identity = withFreshDate(said, 'expiresAt', expiresAt)
  return Object.freeze(Object.assign(identity, { claims: pickClaims(payload, names) }))
}

const OPTION = 'createJwtVerifier: option'

function machineOf(payload: object, rules: readonly ReadRule[]): WrittenMachine | null {
  const rule = rules.find(({ fits }) => requireBoolean(`${OPTION} "machines"`, fits(payload)))
  return rule?.machine ?? null
}

function toText(value: unknown): string | null {
  return typeof value === 'string' ? value : null
}

// Some issuers write "false" as a string. What is there and isn't `true` has not been verified.
function toEmailVerified(value: unknown, isConfirmed: boolean): boolean | null {
  if (value === undefined) return isConfirmed ? true : null
  return value === true
}

const NO_CLAIMS: Readonly<Record<string, unknown>> = /* @__PURE__ */ Object.freeze(Object.create(null))

function pickClaims<C extends string>(payload: object, names: readonly C[]): Readonly<Record<C, unknown>> {
  if (names.length === 0) return NO_CLAIMS
  // Made by `Object.create(null)` each would be a dictionary of its own, three times as large.
  const picked = Object.setPrototypeOf({}, null) as Record<C, unknown>
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
 * Require that the issuer's options accept tokens of this kind.
 *
 * @throws AuthError `forbidden` for what `accepts` does not
 * @throws Error where `accepts` answers anything but `true` or `false`
 */
export function requireAccepted(payload: object, accepts: IssuerOptions['accepts'] | null): void {
  if (accepts == null || requireBoolean(`${OPTION} "accepts"`, accepts(toClaims(payload)))) return
  throw kindNotAccepted()
}

/**
 * Require that a function of the host's has answered `true` or `false`: one that forgets to must let nobody in.
 * @throws Error naming the option
 */
export function requireBoolean(option: string, answer: unknown): boolean {
  if (typeof answer === 'boolean') return answer
  const got = isLate(answer) ? 'a promise' : answer === null ? null : typeof answer
  throw new Error(`sallyport: ${option} must answer true or false, not ${got}`)
}

/**
 * Ask whether nobody stands behind a token: its subject is the client itself (RFC 9068 §2.2; `azp` and `cid` where issuers
 * call it so, Auth0 appends `@clients`), or it says that it was granted by client credentials (`gty`) or to an app (`idtyp`).
 */
export function isMachine(claims: object): boolean {
  const subject = ownOf(claims, 'sub')
  const isSubject = (name: string): boolean => {
    const client = ownOf(claims, name)
    return typeof client === 'string' && (subject === client || subject === `${client}@clients`)
  }
  const isGranted = (name: string): boolean => {
    const grant = ownOf(claims, name)
    return Array.isArray(grant) ? grant.some(isClientCredentials) : isClientCredentials(grant)
  }
  if (isSubject('client_id') || isSubject('azp') || isSubject('cid')) return true
  return isGranted('gty') || isGranted('grant_type') || ownOf(claims, 'idtyp') === 'app'
}

function isClientCredentials(grant: unknown): boolean {
  return grant === 'client-credentials' || grant === 'client_credentials'
}
