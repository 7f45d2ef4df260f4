/** What the presets have in common: how they are asked, and small things their rules are made of. */
import { describeHttpUrl } from '../../lib/http-url.ts'
import { describeValue } from '../../lib/log-text.ts'
import { aFilledListOf, aGroup, checkedBy, type OptionType, optional, type Shape } from '../../lib/parse-options.ts'
import { describeText } from '../../lib/secret-check.ts'
import { kindNotAccepted } from '../caller-classes.ts'
import type { VerifiedClaims } from '../claims.ts'
import { type IssuerClaims, issuerClaimsShape } from '../issuer-options.ts'

export { placesOf } from '../claims.ts'

/** One audience or several; the check can't be switched off. */
export type Audience = string | readonly string[]

/** What every preset takes beside its own options. */
export interface PresetOptions {
  /** Where tokens say something else than this provider's usually do: a claim that an action or a mapper of yours writes. */
  readonly claims?: IssuerClaims | undefined
}

export const presetShape = (): Shape<PresetOptions> => ({ claims: optional(aGroup(issuerClaimsShape())) })

/** A host name as a dashboard shows it: `tenant.eu.example.com`. */
export function aHost(): OptionType<string> {
  return checkedBy((value) => {
    const wrong = describeText(value)
    if (wrong !== null) return wrong
    return /^[a-z\d](?:[a-z\d-]*[a-z\d])?(?:\.[a-z\d](?:[a-z\d-]*[a-z\d])?)+$/i.test(value as string)
      ? null
      : 'must be a host name alone, without https:// and without a path'
  })
}

/** A name or id, which is text without blanks around it. */
export function anId(): OptionType<string> {
  return checkedBy(describeText)
}

/** An audience that is checked: where one key signs for everybody, it alone says whom a token is for. */
export function aCheckedAudience(): OptionType<Audience> {
  return checkedBy((value) => {
    const names: readonly unknown[] = Array.isArray(value) ? value : [value]
    return names.length > 0 && names.every((name) => describeText(name) === null)
      ? null
      : 'must be a string or a list of strings, none blank, or with white space or quotes around it'
  })
}

/** Some of them, at least one. */
export function someIds(): OptionType<readonly string[]> {
  return aFilledListOf(anId())
}

/** Read a claim that is text, else `''`. */
export function textOf(claims: VerifiedClaims, name: string): string {
  const value = claims[name]
  return typeof value === 'string' ? value : ''
}

/**
 * Require what a preset's rule asks of a token that is good in every other respect. What it got is said of no claim but those
 * that name a client, a party or a class; of others only whether they are there.
 * @throws AuthError `forbidden`
 */
export function requireKind(isMet: boolean, expected: string, got: string): void {
  if (!isMet) throw kindNotAccepted({ expected, got })
}

/** Say a claim that names a client, a party or a class. */
export function sayClaim(claims: VerifiedClaims, name: 'azp' | 'client_id' | 'token_use' | 'typ' | 'sts'): string {
  const value = claims[name]
  return value === undefined ? `no ${name}` : `${name} ${describeValue(value)}`
}

/** Say a claim that must be there and is text, and of any other one no more than that. */
export function requireText(claims: VerifiedClaims, name: string, why: string): void {
  requireKind(textOf(claims, name) !== '', `${name}, ${why}`, `no ${name}`)
}

/** Say what is wrong with a URL of a server that may be your own, or `null`; which hosts may be asked by plain http says the verifier. */
export function describeServerUrl(value: unknown): string | null {
  const wrong = describeHttpUrl(value, () => true)
  if (wrong !== null) return wrong
  const { search } = new URL(value as string)
  if (search !== '') return 'must not contain a query'
  if (/[{}]/.test(value as string)) return 'must be one exact URL'
  return (value as string).endsWith('/') ? 'must not end in a slash' : null
}

/** Say what is wrong with a URL of a host alone, or `null`. */
export function describeOrigin(value: unknown): string | null {
  const wrong = describeServerUrl(value)
  if (wrong !== null) return wrong
  return new URL(value as string).origin === value ? null : 'must be the URL of a host in lower case, without a path'
}
