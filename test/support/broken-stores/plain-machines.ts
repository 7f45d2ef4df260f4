/** The plainest machine repository that holds the port: rows in a map. Broken ones are this one with a method replaced. */
import type { ApiKeyOwner, RegisteredMachine } from '../../../src/storage/repositories.ts'
import { ConflictError } from '../../../src/storage/storage-errors.ts'
import type { MachinesUnderTest } from '../../../src/testing/contracts/machines/machine-world.ts'

type Machines = MachinesUnderTest['machines']

/** The rows below a repository, by id, for a flaw to do with as it likes. */
export interface PlainMachines {
  readonly rows: Map<string, RegisteredMachine>
  readonly orgs: Set<string>
  /** A copy, as a database driver makes one for each query. */
  readonly clone: <T>(value: T) => T
}

/** A flaw: methods in the place of those of a repository that has none. */
export type MachineFlaw = (repository: Machines, plain: PlainMachines) => Partial<Machines>

/** Whether the row is the owner's. */
export function isOwn(owner: ApiKeyOwner, { orgId }: Pick<RegisteredMachine, 'orgId'>): boolean {
  return owner.kind === 'installation' || (orgId !== null && orgId === owner.orgId)
}

/** A repository, and the rows below it. `flaw` replaces methods. */
export function plainMachines(flaw: MachineFlaw = () => ({})): MachinesUnderTest {
  const plain: PlainMachines = { rows: new Map(), orgs: new Set(), clone: structuredClone }
  const repository = repositoryOver(plain)
  return {
    machines: { ...repository, ...flaw(repository, plain) },
    async newOrg() {
      const id = crypto.randomUUID()
      plain.orgs.add(id)
      return { id }
    },
    async deleteOrg(orgId) {
      plain.orgs.delete(orgId)
      for (const { id, orgId: boundTo } of plain.rows.values()) if (boundTo === orgId) plain.rows.delete(id)
    },
  }
}

function repositoryOver({ rows, orgs, clone }: PlainMachines): Machines {
  const find = (isOne: (row: RegisteredMachine) => boolean): RegisteredMachine | null =>
    [...rows.values()].find(isOne) ?? null
  return {
    findByIdentity: async ({ issuer, subject }) =>
      clone(find((row) => row.issuer === issuer && row.subject === subject)),
    async insert(machine) {
      if (machine.orgId !== null && !orgs.has(machine.orgId)) throw new Error('no such organization')
      if (find((row) => row.issuer === machine.issuer && row.subject === machine.subject)) {
        throw new ConflictError('taken')
      }
      const row = { ...machine, id: crypto.randomUUID(), disabled: false, createdAt: new Date() }
      rows.set(row.id, clone(row))
      return clone(row)
    },
    list: async (owner) =>
      clone(
        [...rows.values()]
          .filter((row) => isOwn(owner, row))
          .sort((a, b) => +a.createdAt - +b.createdAt || (a.id < b.id ? -1 : 1)),
      ),
    async setDisabled(owner, machineId, disabled) {
      const row = find(({ id, orgId }) => id === machineId && isOwn(owner, { orgId }))
      if (row !== null) rows.set(machineId, { ...row, disabled })
      return clone(rows.get(row?.id ?? '') ?? null)
    },
    remove: async (owner, machineId) =>
      find(({ id, orgId }) => id === machineId && isOwn(owner, { orgId })) !== null && rows.delete(machineId),
  }
}
