/** The machine behind a token: the one that a written rule names, else the host's own row. No call makes one. */
import type { Identity, Machine, OrgResolver, Roles, Verifier, WrittenMachine } from '../context.ts'
import { AuthError, type Principal } from '../errors.ts'
import { optionsError } from '../lib/parse-options.ts'
import { isKnown } from '../permissions/roles.ts'
import type { MachineRecord, MachineRepository } from '../storage/repositories.ts'

/** A machine, as the pipeline keeps it. */
export interface KeptMachine {
  readonly machine: Machine
  /** Whether a route may accept it by its name. */
  readonly isNamed: boolean
  /** Whether it acts in organizations at all. */
  readonly hasOrg: boolean
}

interface KnowsMachines {
  readonly machines: MachineRepository | null
  readonly verifier: Pick<Verifier, 'machines' | 'namesOtherMachines'>
}

/**
 * Find the machine of an identity.
 * @throws AuthError `forbidden` where there is none, or it is disabled
 * @throws Error where the host's own row is none
 */
export async function findMachine({ machines, verifier }: KnowsMachines, identity: Identity): Promise<KeptMachine> {
  const { issuer, subject, machine: written } = identity
  const { machines: rules = [], namesOtherMachines = false } = verifier
  // Whoever may write rows, or rules of an issuer that is looked up, can give any name: that of a written rule is the rule's.
  const isFree = (name: string): boolean => !rules.some((rule) => rule.name === name)
  if (written != null) {
    const { orgId = null } = written
    const machine = toMachine({ ...written, orgId, id: written.name })
    const isNamed = !namesOtherMachines || rules.includes(written) || isFree(written.name)
    return { machine, isNamed, hasOrg: written.orgId !== undefined }
  }
  const row = machines === null ? null : await machines.findByIdentity({ issuer, subject })
  if (row == null) throw new AuthError('forbidden', { reason: 'machine_unknown' })
  const machine = toMachine(row)
  // Whatever is not plainly false is true.
  if (row.disabled !== false) {
    throw new AuthError('forbidden', { reason: 'machine_disabled', principal: principalOf(machine) })
  }
  return { machine, isNamed: isFree(machine.name), hasOrg: true }
}

/** What a record calls it. */
export function principalOf({ id, name }: Machine): Principal {
  return { kind: 'machine', id, name }
}

// What is missing must not be taken for the weaker: without an organization it would act in any, without a list do all.
function toMachine({ id, name, orgId, role, permissions }: Omit<MachineRecord, 'disabled'>): Machine {
  const areTexts = [id, name, orgId ?? '', role ?? ''].every((each) => typeof each === 'string')
  const isWhole = orgId !== undefined && role !== undefined && (permissions === null || Array.isArray(permissions))
  if (!areTexts || !isWhole) {
    throw new Error(
      'sallyport: a machine must have an id and a name, and orgId, role and permissions, each of them or null',
    )
  }
  return Object.freeze({ id, name, orgId, role, permissions: permissions && Object.freeze([...permissions]) })
}

interface KnownToAuth {
  readonly identityOnly: boolean
  readonly orgs: Pick<OrgResolver, 'toOrgId'>
  readonly roles: Roles
  readonly hasCustomRoles: boolean
  readonly permissions: readonly string[] | null
}

/**
 * Require at construction that what written rules give is there: a misspelt role or permission would give nothing.
 * @throws OptionsError naming the option
 */
export function requireWritten(
  machines: readonly WrittenMachine[] | undefined,
  steps: KnownToAuth,
  option: string,
): void {
  for (const machine of machines ?? []) {
    const wrong = describeWritten(machine, steps)
    if (wrong !== null) throw optionsError('createAuth', option, `names the machine ${machine.name}, ${wrong}`)
  }
}

function describeWritten({ orgId, role, permissions }: WrittenMachine, steps: KnownToAuth): string | null {
  if (steps.identityOnly) {
    const isMore = orgId !== undefined || role !== null
    return isMore ? 'with a role or an organization, and createAuth was given neither' : null
  }
  if (orgId != null && steps.orgs.toOrgId(orgId) !== orgId) return 'whose organization is no id in canonical form'
  if (role !== null && !isKnown(steps.roles, role) && !steps.hasCustomRoles) {
    return `whose role ${JSON.stringify(role)} is not one of ${steps.roles.names.join(', ')}`
  }
  const unknown = permissions?.find((permission) => steps.permissions?.includes(permission) === false)
  return unknown === undefined ? null : `whose permission ${JSON.stringify(unknown)} is in no role`
}
