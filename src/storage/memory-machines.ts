/** The machines of the in-memory storage. */
import { byCreation, identityKeyOf, isOwnedBy, type Table, toRow } from './memory-tables.ts'
import type { ApiKeyOwner, MachineAdmin, MachineRepository, RegisteredMachine } from './repositories.ts'
import { ConflictError } from './storage-errors.ts'

interface MemoryMachineOptions {
  /** Machines stand by identity. */
  readonly tables: { readonly machines: Table<RegisteredMachine>; readonly orgs: Pick<Table<unknown>, 'get'> }
  readonly clock: () => number
}

/** Build the machine repository over one set of tables. */
export function memoryMachines({ tables, clock }: MemoryMachineOptions): MachineRepository & MachineAdmin {
  const { machines, orgs } = tables
  const find = (owner: ApiKeyOwner, machineId: string): RegisteredMachine | undefined =>
    [...machines.values()].find((machine) => machine.id === machineId && isOwnedBy(owner, machine))
  return {
    findByIdentity: async (identity) => machines.get(identityKeyOf(identity)) ?? null,
    async insert(machine) {
      if (machine.orgId !== null && orgs.get(machine.orgId) === undefined) {
        throw new Error('a machine needs an organization that exists, or none')
      }
      if (machines.get(identityKeyOf(machine)) !== undefined)
        throw new ConflictError('there is a machine of this identity')
      const { issuer, subject, name, orgId, role, permissions } = machine
      const row = { id: crypto.randomUUID(), issuer, subject, name, orgId, role, permissions }
      return write(machines, { ...row, disabled: false, createdAt: new Date(clock()) })
    },
    list: async (owner) => [...machines.values()].filter((machine) => isOwnedBy(owner, machine)).sort(byCreation),
    async setDisabled(owner, machineId, disabled) {
      const machine = find(owner, machineId)
      return machine === undefined ? null : write(machines, { ...machine, disabled })
    },
    async remove(owner, machineId) {
      const machine = find(owner, machineId)
      if (machine !== undefined) machines.delete(identityKeyOf(machine))
      return machine !== undefined
    },
  }
}

function write(machines: Table<RegisteredMachine>, machine: RegisteredMachine): RegisteredMachine {
  const row = toRow(machine)
  machines.set(identityKeyOf(row), row)
  return row
}
