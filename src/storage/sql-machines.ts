/** The machines of the SQL storages: their statements, and the repository over a session. */
import { isUuid } from '../lib/id-form.ts'
import type { MachineAdmin, MachineRepository, RegisteredMachine } from './repositories.ts'
import {
  columnsOf,
  findFirst,
  hasRows,
  isIdentity,
  isText,
  LONGEST,
  requireIdentity,
  requireRole,
  runOwned,
  toDate,
  toFlag,
  toOwnerValues,
  toTextOrNull,
  toTexts,
} from './sql-rows.ts'
import { type SqlPlace, type SqlTables, toStatements } from './sql-statements.ts'
import { ConflictError } from './storage-errors.ts'

/** Build the machine repository over a session. */
export function sqlMachines({ session, ...tables }: SqlPlace, clock: () => number): MachineRepository & MachineAdmin {
  const { isOrgId, isOwner } = tables.orgIds
  const statements = toStatements(textsOf(tables), ['findMachine'])
  return {
    findByIdentity: async ({ issuer, subject }) =>
      isIdentity(issuer, subject) ? findFirst(session, statements.findMachine, [issuer, subject], MACHINE.read) : null,
    async insert({ issuer, subject, name, orgId, role, permissions }) {
      requireIdentity(issuer, subject)
      if (!isText(name, LONGEST.name)) {
        throw new TypeError(`the name of a machine is well-formed text of at most ${LONGEST.name} characters`)
      }
      if (orgId !== null && !isOrgId(orgId)) throw new Error('a machine needs an organization that exists, or none')
      const list = permissions === null ? null : JSON.stringify(permissions)
      const place = [orgId, role === null ? null : requireRole(role), list]
      const values = [crypto.randomUUID(), issuer, subject, name, ...place, clock()]
      const inserted = await findFirst(session, statements.insertMachine, values, MACHINE.read)
      if (inserted === null) throw new ConflictError('there is a machine of this identity')
      return inserted
    },
    async list(owner) {
      if (!isOwner(owner)) return []
      const { listMachines, listMachinesOfOrg } = statements
      return (await runOwned(session, owner, { all: listMachines, ofOrg: listMachinesOfOrg })).map(MACHINE.read)
    },
    async setDisabled(owner, machineId, disabled) {
      if (!isUuid(machineId) || !isOwner(owner)) return null
      const values = [machineId, ...toOwnerValues(owner), disabled ? 1 : 0]
      return findFirst(session, statements.setMachineDisabled, values, MACHINE.read)
    },
    remove: async (owner, machineId) =>
      isUuid(machineId) &&
      isOwner(owner) &&
      hasRows(session, statements.deleteMachine, [machineId, ...toOwnerValues(owner)]),
  }
}

function textsOf({ dialect, names }: SqlTables) {
  const columns = MACHINE.select(dialect.toMilliseconds, '')
  const owned = `WHERE id = $1 AND (${dialect.toFlag('$2')} OR org_id = $3)`
  const table = names.machines
  return {
    findMachine: `SELECT ${columns} FROM ${table} WHERE issuer = $1 AND subject = $2`,
    insertMachine: `INSERT INTO ${table} (id, issuer, subject, name, org_id, role, permissions, created_at)
      VALUES ($1, $2, $3, $4, $5, $6, $7, ${dialect.fromMilliseconds('$8')})
      ON CONFLICT (issuer, subject) DO NOTHING RETURNING ${columns}`,
    listMachines: `SELECT ${columns} FROM ${table} ORDER BY created_at, id`,
    listMachinesOfOrg: `SELECT ${columns} FROM ${table} WHERE org_id = $1 ORDER BY created_at, id`,
    setMachineDisabled: `UPDATE ${table} SET disabled = ${dialect.toFlag('$4')} ${owned} RETURNING ${columns}`,
    deleteMachine: `DELETE FROM ${table} ${owned} RETURNING id`,
  }
}

const MACHINE = columnsOf<RegisteredMachine>('machine', {
  ...{ id: String, issuer: String, subject: String, name: String, orgId: toTextOrNull, role: toTextOrNull },
  permissions: (text) => (text === null || text === undefined ? null : toTexts(text)),
  ...{ disabled: toFlag, createdAt: toDate },
})
