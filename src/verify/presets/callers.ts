/** Machines that a preset names by what their tokens say: how they are written, and the rules that they are. */
import { aGroup, also, aRecordOf, type OptionType, type Shape } from '../../lib/parse-options.ts'
import type { IssuerOptions } from '../issuer-options.ts'
import { type ClaimMatch, MACHINE_NAME, type MachineGrant, readRules } from '../machine-rules.ts'

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
  const rules = readRules(machines)
  return {
    machine: () => true,
    machines,
    accepts: (token) => rules.some(({ fits }) => fits(token) === true),
    people: 'own',
  }
}

/** What was given of some members. */
export function given<T extends object>(members: T): { readonly [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined)) as never
}
