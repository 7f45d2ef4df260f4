/** Broken machine repositories, with one flaw each that real ones had: what the machine contract is tested by. */
import type { IdentityKey } from '../../../src/context.ts'
import type { RegisteredMachine } from '../../../src/storage/repositories.ts'
import { ConflictError } from '../../../src/storage/storage-errors.ts'
import type { MachinesUnderTest } from '../../../src/testing/contracts/machines/machine-world.ts'
import { pause } from '../../../src/testing/contracts/races.ts'
import { isOwn, type MachineFlaw, plainMachines } from './plain-machines.ts'

/** A machine repository with a flaw, and the contract cases that must find it. */
interface BrokenMachines {
  readonly name: string
  /** What is wrong, and how it comes about. */
  readonly why: string
  /** Ids of the cases that fail on it; others may fail too. */
  readonly breaks: readonly string[]
  readonly make: () => MachinesUnderTest
}

interface Spec extends Omit<BrokenMachines, 'make'> {
  readonly flaw: MachineFlaw
}

// Identities of one key are one.
function foundBy(keyOf: (identity: IdentityKey) => string): MachineFlaw {
  return ({ insert }, { rows, clone }) => {
    const find = (identity: IdentityKey): RegisteredMachine | null =>
      [...rows.values()].find((row) => keyOf(row) === keyOf(identity)) ?? null
    return {
      findByIdentity: async (identity) => clone(find(identity)),
      async insert(machine) {
        if (find(machine) !== null) throw new ConflictError('taken')
        return insert(machine)
      },
    }
  }
}

const RECORDS: readonly Spec[] = [
  {
    name: 'machines: disabled until somebody looks',
    why: 'A column that is true by default: what was registered does not work.',
    breaks: ['machines/found-after-insert'],
    flaw: ({ insert }, { rows }) => ({
      async insert(machine) {
        const row = { ...(await insert(machine)), disabled: true }
        rows.set(row.id, row)
        return row
      },
    }),
  },
  {
    name: 'machines: permissions joined by commas',
    why: 'Keeps permissions as one text: one with a comma becomes two, none becomes one that is empty.',
    breaks: ['machines/texts-exact', 'machines/none-is-not-empty'],
    flaw: ({ insert }) => ({
      insert: ({ permissions, ...machine }) =>
        insert({ ...machine, permissions: permissions?.join(',').split(',') ?? null }),
    }),
  },
  {
    name: 'machines: permissions in a table of their own',
    why: 'No rows for a machine that has no list, and for one whose list is empty: it may do what its role may.',
    breaks: ['machines/none-is-not-empty'],
    flaw: ({ insert }) => ({
      insert: ({ permissions, ...machine }) =>
        insert({ ...machine, permissions: permissions?.length === 0 ? null : permissions }),
    }),
  },
  {
    name: 'machines: subjects without case',
    why: 'A case-insensitive collation: one subject is found for another.',
    breaks: ['machines/subject-is-exact'],
    flaw: ({ findByIdentity }) => ({
      findByIdentity: ({ issuer, subject }) => findByIdentity({ issuer, subject: subject.toLowerCase() }),
    }),
  },
  {
    name: 'machines: by subject',
    why: "Looks for the subject alone: another issuer's machine is found.",
    breaks: ['machines/identity-is-the-pair'],
    flaw: ({ findByIdentity }, { rows, clone }) => ({
      findByIdentity: async (identity) =>
        clone([...rows.values()].find(({ subject }) => subject === identity.subject) ?? null) ??
        findByIdentity(identity),
    }),
  },
  {
    name: 'machines: issuer and subject joined by a colon',
    why: 'One text is the key of a cache or a column: another issuer’s machine is found.',
    breaks: ['machines/joined-pairs'],
    flaw: foundBy(({ issuer, subject }) => `${issuer}:${subject}`),
  },
  {
    name: 'machines: issuers without a final slash',
    why: 'Two issuers that somebody took for one.',
    breaks: ['machines/issuer-is-exact'],
    flaw: foundBy(({ issuer, subject }) => JSON.stringify([issuer.replace(/\/$/, ''), subject])),
  },
  {
    name: 'machines: cut at 100 characters',
    why: 'A database that cuts what is too long: whoever has the same beginning is the same machine.',
    breaks: ['machines/long-subjects', 'machines/issuer-is-exact'],
    flaw: foundBy(({ issuer, subject }) => JSON.stringify([issuer.slice(0, 100), subject.slice(0, 100)])),
  },
  {
    name: 'machines: written as UTF-8',
    why: 'What UTF-8 can not hold becomes a replacement character, which a subject may have.',
    breaks: ['machines/lone-surrogates'],
    flaw: foundBy(({ issuer, subject }) => JSON.stringify([issuer, Buffer.from(subject).toString()])),
  },
  {
    name: 'machines: the driver throws for an issuer',
    why: 'The subject is looked at before it goes to the database, and the issuer is not.',
    breaks: ['machines/hostile-issuers'],
    flaw: ({ findByIdentity }) => ({
      async findByIdentity(identity) {
        if (identity.issuer.includes('\0')) throw new Error('invalid byte sequence for encoding "UTF8"')
        return findByIdentity(identity)
      },
    }),
  },
  {
    name: 'machines: the driver throws',
    why: 'Hands every text to the database: NUL or a lone surrogate become its error and a 500.',
    breaks: ['machines/hostile-identities'],
    flaw: ({ findByIdentity }) => ({
      async findByIdentity(identity) {
        if (/[\0\ud800-\udfff]/.test(identity.subject)) throw new Error('invalid byte sequence for encoding "UTF8"')
        return findByIdentity(identity)
      },
    }),
  },
  {
    name: 'machines: upsert',
    why: 'Writes over a machine that has the identity: whoever registers it again takes it.',
    breaks: ['machines/insert-twice', 'machines/insert-race'],
    flaw: ({ insert }, { rows }) => ({
      async insert(machine) {
        for (const row of rows.values()) if (isSame(row, machine)) rows.delete(row.id)
        return insert(machine)
      },
    }),
  },
  {
    name: 'machines: select, then insert',
    why: 'No unique constraint: of several at once each finds the identity free.',
    breaks: ['machines/insert-race'],
    flaw: ({ insert }, { rows }) => ({
      async insert(machine) {
        const isTaken = [...rows.values()].some((row) => isSame(row, machine))
        await pause(1)
        if (isTaken) throw new ConflictError('taken')
        for (const row of rows.values()) if (isSame(row, machine)) rows.delete(row.id)
        return insert(machine)
      },
    }),
  },
  {
    name: 'machines: no organization needed',
    why: 'No foreign key: a machine of an org that is not there, which nobody can see or remove.',
    breaks: ['machines/insert-unknown-org', 'machines/deleted-org'],
    flaw: ({ insert }, { orgs }) => ({
      insert(machine) {
        if (machine.orgId !== null) orgs.add(machine.orgId)
        return insert(machine)
      },
    }),
  },
  {
    name: 'machines: shared references',
    why: 'Hands out the stored object itself, Date and permissions included.',
    breaks: ['machines/copies'],
    flaw: (_, { rows }) => ({
      findByIdentity: async (identity) => [...rows.values()].find((row) => isSame(row, identity)) ?? null,
    }),
  },
]

const CHANGES: readonly Spec[] = [
  {
    name: 'machines: disabled ones hidden',
    why: '"where not disabled" in the look-up: it is unknown, and can be registered again by nobody.',
    breaks: ['machines/disabled'],
    flaw: ({ findByIdentity }) => ({
      async findByIdentity(identity) {
        const row = await findByIdentity(identity)
        return row?.disabled === true ? null : row
      },
    }),
  },
  {
    name: 'machines: all of the org disabled with one',
    why: 'The UPDATE asks for the org of the machine, and not for its id.',
    breaks: ['machines/change-own'],
    flaw: ({ setDisabled }, { rows }) => ({
      async setDisabled(owner, machineId, disabled) {
        const changed = await setDisabled(owner, machineId, disabled)
        for (const row of rows.values()) {
          if (changed !== null && row.orgId === changed.orgId) rows.set(row.id, { ...row, disabled })
        }
        return changed
      },
    }),
  },
  {
    name: 'machines: removed means disabled',
    why: 'Marks the row: its identity is taken for ever.',
    breaks: ['machines/removed'],
    flaw: ({ setDisabled }) => ({
      remove: async (owner, machineId) => (await setDisabled(owner, machineId, true)) !== null,
    }),
  },
  {
    name: "machines: everybody's can be changed",
    why: 'By id alone: each org disables the machines of all.',
    breaks: ['machines/change-own', 'machines/hostile-ids'],
    flaw: ({ setDisabled }) => ({
      setDisabled: (_, machineId, disabled) => setDisabled({ kind: 'installation' }, machineId, disabled),
    }),
  },
  {
    name: 'machines: padded ids',
    why: 'A CHAR column: trailing blanks do not count.',
    breaks: ['machines/hostile-ids'],
    flaw: ({ remove }) => ({ remove: (owner, machineId) => remove(owner, machineId.trim()) }),
  },
  {
    name: "machines: everybody's listed",
    why: 'Forgets the where: each org sees the machines of all.',
    breaks: ['machines/list-own'],
    flaw: ({ list }) => ({ list: () => list({ kind: 'installation' }) }),
  },
  {
    name: 'machines: listed by id',
    why: 'No order by creation: a new one stands anywhere.',
    breaks: ['machines/list-order'],
    flaw: ({ list }) => ({
      list: async (owner) => [...(await list(owner))].sort((a, b) => (a.id < b.id ? 1 : -1)),
    }),
  },
  {
    name: 'machines: unbound ones in every org',
    why: '"or org_id is null" in the where: each org may remove what the installation owns.',
    breaks: ['machines/unbound'],
    flaw: (_, { rows }) => ({
      async remove(owner, machineId) {
        const row = rows.get(machineId)
        return row !== undefined && (row.orgId === null || isOwn(owner, row)) && rows.delete(machineId)
      },
    }),
  },
  {
    name: 'machines: outliving their org',
    why: 'The org is marked as deleted, and nothing asks whether it is: its machines go on.',
    breaks: ['machines/deleted-org'],
    flaw: ({ insert, findByIdentity }, { clone }) => {
      const kept: RegisteredMachine[] = []
      return {
        async insert(machine) {
          kept.push(await insert(machine))
          return clone(kept.at(-1) as RegisteredMachine)
        },
        findByIdentity: async (identity) =>
          (await findByIdentity(identity)) ?? clone(kept.find((row) => isSame(row, identity)) ?? null),
      }
    },
  },
]

type Named = Pick<RegisteredMachine, 'issuer' | 'subject'>

function isSame(row: Named, { issuer, subject }: Named): boolean {
  return row.issuer === issuer && row.subject === subject
}

/**
 * Machine repositories with one flaw each: to see {@link machineContract} fail.
 *
 * @example
 * for (const { name, make } of BROKEN_MACHINES) console.log(name, await runContract(machineContract, make))
 */
export const BROKEN_MACHINES: readonly BrokenMachines[] = [...RECORDS, ...CHANGES].map(({ flaw, ...rest }) => ({
  ...rest,
  make: () => plainMachines(flaw),
}))
