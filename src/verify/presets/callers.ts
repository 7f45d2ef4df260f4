/** Machines that a preset names by what their tokens say: how they are written, and the rules that they are. */
import { aGroup, also, aRecordOf, type OptionType, type Shape } from '../../lib/parse-options.ts'
import { readClaim, type VerifiedClaims } from '../claims.ts'
import type { IssuerOptions } from '../issuer-options.ts'
import { type ClaimMatch, MACHINE_NAME, type MachineGrant, placesIn } from '../machine-rules.ts'
import { requireKind } from './preset.ts'

/** Callers by the names that routes accept them by, at least one. */
export function someCallers<C extends MachineGrant>(shape: Shape<C>): OptionType<Readonly<Record<string, C>>> {
  const areNamed = (callers: unknown): boolean => {
    const names = Object.keys(Object(callers))
    return names.length > 0 && names.every((name) => MACHINE_NAME.test(name))
  }
  return also(aRecordOf(aGroup(shape)), areNamed, 'must name a caller; a name is 1 to 64 letters, digits and ._-')
}

/** Write the rules of callers, of an issuer that signs for machines alone: whom none names is not let in. */
export function callersOnly<C extends MachineGrant>(
  callers: Readonly<Record<string, C>>,
  whenOf: (caller: C) => ClaimMatch,
): Pick<IssuerOptions, 'machine' | 'machines' | 'accepts' | 'people'> {
  const machines = Object.entries(callers).map(([name, caller]) => {
    const { orgId, role, permissions } = caller
    return { name, when: whenOf(caller), ...given({ orgId, role, permissions }) }
  })
  const rules = machines.map(({ name, when }) => ({ name, places: placesIn(when) }))
  return {
    machine: () => true,
    machines,
    accepts(token) {
      const misses = rules.map(({ name, places }) => ({ name, claims: missesOf(token, places) }))
      const [nearest] = misses.sort((one, other) => one.claims.length - other.claims.length)
      const got = nearest === undefined ? 'none' : `${nearest.name} but for ${nearest.claims.join(', ')}`
      requireKind(nearest?.claims.length === 0, `a caller: ${Object.keys(callers).join(', ')}`, got)
      return true
    },
    people: 'own',
  }
}

// The names of the claims alone: what they say is nobody's to read in a log.
function missesOf(token: VerifiedClaims, places: ReturnType<typeof placesIn>): readonly string[] {
  return places.filter(([path, values]) => !values.includes(readClaim(token, path))).map(([path]) => path.join('.'))
}

/** What was given of some members. */
export function given<T extends object>(members: T): { readonly [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined)) as never
}
