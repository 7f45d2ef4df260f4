/** What a case of the machine contract finds around it: the repository, organizations and machines that nobody else uses. */
import type { IdentityKey } from '../../../context.ts'
import type {
  ApiKeyOwner,
  MachineAdmin,
  MachineRecord,
  MachineRepository,
  NewMachine,
  RegisteredMachine,
} from '../../../storage/repositories.ts'
import type { Closable, ParsedContractOptions } from '../contract.ts'
import * as expect from '../expectations.ts'

/** Machines to be tested. */
export interface MachinesUnderTest extends Closable {
  readonly machines: MachineRepository & MachineAdmin
  /** Make an organization that machines can be bound to. */
  newOrg(): Promise<{ readonly id: string }>
  /** Delete one, however this storage does that: row gone, or marked as deleted. */
  deleteOrg?(orgId: string): Promise<unknown>
}

/** The surroundings of one case. */
export interface MachineWorld extends MachinesUnderTest {
  /** A role that the storage can hold. */
  readonly role: string
  /** Role names that must come back exactly. */
  readonly oddRoles: readonly string[]
  /** Issuers that the storage can hold, at least one; `null`: any. */
  readonly issuers: readonly string[] | null
  /** An id in the form of the storage's own that no row has. */
  newId(): string
  newIdentity(): IdentityKey
  /** A machine that is not in the repository, of the org. */
  newMachineOf(orgId: string | null, over?: Partial<NewMachine>): NewMachine
  /** A new machine in the repository, of a new org unless given. */
  newMachine(over?: Partial<NewMachine>): Promise<RegisteredMachine>
  /** The machine as a request finds it now. */
  now(machine: IdentityKey): Promise<MachineRecord>
  /** The machine has not changed. */
  expectUnchanged(machine: RegisteredMachine, after: string): Promise<void>
}

/** Texts that a careless storage folds, trims, joins or takes for something else. */
export const ODD: readonly string[] = [
  ...['Owner', ' owner ', '__proto__', 'o\'wner"', 'bäcker 🥐', '{a,b}', '[]', 'null', 'r'.repeat(64)],
]

/** Build the surroundings of one case. */
export function createMachineWorld(
  made: MachinesUnderTest,
  { newId, roles, issuers }: ParsedContractOptions,
): MachineWorld {
  const { machines } = made
  const [role = 'member'] = roles
  const [issuer = 'https://issuer.test/machines'] = issuers ?? []
  const newIdentity = (): IdentityKey => ({ issuer, subject: crypto.randomUUID() })
  const newMachineOf: MachineWorld['newMachineOf'] = (orgId, over = {}) => ({
    ...{ ...newIdentity(), orgId, name: 'Nightly build', role, permissions: ['things:write', 'things:read'] },
    ...over,
  })
  const now: MachineWorld['now'] = async (identity) =>
    expect.found(await machines.findByIdentity(identity), 'the machine to be found by identity')
  return {
    ...made,
    role,
    oddRoles: roles.length > 0 ? roles : ODD,
    issuers,
    newId,
    newIdentity,
    newMachineOf,
    newMachine: async (over = {}) =>
      machines.insert(newMachineOf(over.orgId === undefined ? (await made.newOrg()).id : over.orgId, over)),
    now,
    expectUnchanged: async (machine, after) =>
      expect.same(recordOf(await now(machine)), recordOf(machine), `the machine, unchanged after ${after}`),
  }
}

/** What a request needs of a machine: a storage may hand out more. */
export function recordOf({ id, name, orgId, role, permissions, disabled }: MachineRecord): MachineRecord {
  return { id, name, orgId, role, permissions, disabled }
}

/** The owner of a machine that is bound to an org. */
export function ownerOf({ orgId }: Pick<MachineRecord, 'orgId'>): ApiKeyOwner {
  return { kind: 'org', orgId: expect.found(orgId, 'the machine to be bound to an org') }
}
