/** Written rules that name machines: which of an issuer's tokens that nobody stands behind are whom here, and as what. */
import type { WrittenMachine } from '../context.ts'
import {
  aGroup,
  aListOf,
  also,
  aMatch,
  aName,
  aScope,
  checkedBy,
  isPlain,
  type OptionType,
  optional,
  orNull,
  type Shape,
} from '../lib/parse-options.ts'
import { readClaim, toClaims, type VerifiedClaims } from './claims.ts'

type ClaimValue = string | number | boolean

/** Claims by name, each with its value or a list of those it may have; where a token has an object, what must be in that. All must be so. */
export interface ClaimMatch {
  readonly [claim: string]: ClaimValue | readonly ClaimValue[] | ClaimMatch
}

/** A machine, named by what its tokens say. */
export interface MachineRule extends MachineGrant {
  /** What it is called, in `accept: ['machine:deploy']` and in records: 1 to 64 letters, digits and `._-`. */
  readonly name: string
  /**
   * Which tokens are its own, of those that the issuer's `machine` takes for a machine's: claims and their exact values (no
   * wildcards, nothing folded), or a function of all claims that answers `true` or `false`; anything else is a fault of the
   * host (500).
   */
  readonly when: ClaimMatch | ((claims: VerifiedClaims) => boolean)
}

/** Where a machine acts, and as what. */
export interface MachineGrant {
  /** The one organization it acts in; `null`: whichever the request names. Default: it acts in none. */
  readonly orgId?: string | null | undefined
  /** The role it acts as. Default: none. */
  readonly role?: string | undefined
  /** What it may do: of the role's permissions these alone, without a role these. Default: what its role may. */
  readonly permissions?: readonly string[] | undefined
}

/** A rule, ready to be asked. */
export interface ReadRule {
  readonly machine: WrittenMachine
  /** Whether a token is the machine's; of a function, whatever it answers. */
  fits(payload: object): unknown
}

/** Read rules. What a host does with its own objects later changes none. */
export function readRules(rules: readonly MachineRule[] = []): readonly ReadRule[] {
  return rules.map(({ name, when, orgId, role = null, permissions }) => {
    const list = permissions === undefined ? null : Object.freeze([...permissions])
    const machine = Object.freeze({ name, orgId, role, permissions: list })
    if (typeof when === 'function') return { machine, fits: (payload) => when(toClaims(payload)) }
    const places = placesIn(when)
    return { machine, fits: (payload) => places.every(([path, values]) => values.includes(readClaim(payload, path))) }
  })
}

/** Where a claim is, and the values that it may have. */
export type Place = readonly [path: readonly string[], values: readonly unknown[]]

/** Take a match apart: the place of each claim, and what may stand there. */
export function placesIn(match: ClaimMatch, path: readonly string[] = []): readonly Place[] {
  return Object.entries(match).flatMap(([name, value]): readonly Place[] =>
    isPlain(value) ? placesIn(value as ClaimMatch, [...path, name]) : [[[...path, name], [value].flat()]],
  )
}

/** How a grant is checked. */
export const grantShape = (): Shape<MachineGrant> => ({
  orgId: optional(orNull(aName())),
  role: optional(aName()),
  permissions: optional(aListOf(aScope())),
})

/** How rules are checked. */
export function machineRules(): OptionType<readonly MachineRule[]> {
  const rule = aGroup<MachineRule>({
    name: aMatch(MACHINE_NAME, 'must be 1 to 64 letters, digits and ._-'),
    when: checkedBy((when) => (typeof when === 'function' || isMatch(when) ? null : NO_MATCH)),
    ...grantShape(),
  })
  const areApart = (rules: readonly MachineRule[]): boolean =>
    new Set(rules.map(({ name }) => name)).size === rules.length
  return also(aListOf(rule), areApart, 'has two machines of one name')
}

/** What a machine can be called. */
export const MACHINE_NAME: RegExp = /^[\w.-]{1,64}$/

const NO_MATCH = 'must name claims, each with its exact value or values (there are no wildcards), or be a function'

// An asterisk would be compared like any other character, and fit nothing: whoever writes one means something else.
function isMatch(match: unknown): match is ClaimMatch {
  if (!isPlain(match) || Object.keys(match).length === 0) return false
  return Object.values(match).every(
    (value: unknown) =>
      isMatch(value) || (Array.isArray(value) ? value.length > 0 && value.every(isValue) : isValue(value)),
  )
}

function isValue(value: unknown): boolean {
  if (typeof value === 'string') return value.trim() === value && value !== '' && !value.includes('*')
  return Number.isFinite(value) || typeof value === 'boolean'
}
