/** The promises of a machine repository: found by exact identity, as it was registered; whose machines are listed and changed. */
import type { IdentityKey } from '../../../context.ts'
import type { ApiKeyOwner, RegisteredMachine } from '../../../storage/repositories.ts'
import { type Cases, type Contract, createContract, needing, test } from '../contract.ts'
import * as expect from '../expectations.ts'
import { hostileIds } from '../expectations.ts'
import { byId, idsOf, pause, RACERS, race, retried } from '../races.ts'
import { expectCopies, missing } from '../storage-world.ts'
import {
  createMachineWorld,
  type MachinesUnderTest,
  type MachineWorld,
  ODD,
  ownerOf,
  recordOf,
} from './machine-world.ts'

const INSTALLATION: ApiKeyOwner = { kind: 'installation' }

// Each is nobody's, and can be registered as a machine of its own, which is found by it and by no other.
async function expectOthers(world: MachineWorld, identities: readonly IdentityKey[]): Promise<void> {
  const { machines, newMachine, now } = world
  const registered: RegisteredMachine[] = []
  for (const identity of identities) {
    expect.absent(await machines.findByIdentity(identity), `the machine of ${JSON.stringify(identity)}`)
    registered.push(await newMachine(identity))
  }
  for (const machine of registered) {
    const { issuer, subject } = machine
    expect.same(
      recordOf(await now(machine)),
      recordOf(machine),
      `the machine of ${JSON.stringify({ issuer, subject })}`,
    )
  }
}

const RECORD_CASES: Cases<MachineWorld> = [
  test('machines/found-after-insert: find a machine by its identity as it was registered: enabled', async (world) => {
    const { machines, newOrg, newMachineOf, newIdentity, now } = world
    const machine = newMachineOf((await newOrg()).id)
    const inserted = await machines.insert(machine)
    const { id, disabled, createdAt, ...rest } = inserted
    expect.same({ disabled, ...rest }, { disabled: false, ...machine }, 'the machine that was inserted')
    expect.that(typeof id === 'string' && id !== '', 'an id', id)
    expect.that(createdAt instanceof Date && !Number.isNaN(createdAt.getTime()), 'an instant as a Date', createdAt)
    expect.same(recordOf(await now(machine)), recordOf(inserted), 'the machine found by identity')
    expect.absent(await machines.findByIdentity(newIdentity()), 'a machine of another identity')
  }),
  test('machines/texts-exact: store and return name, role and permissions exactly, the permissions in their order', async (world) => {
    const { newMachine, now, oddRoles } = world
    for (const text of ODD) {
      const permissions = [`${text}:b`, `${text}:a`]
      const found = await now(await newMachine({ name: text, permissions }))
      expect.same([found.name, found.permissions], [text, permissions], 'name and permissions')
    }
    for (const role of oddRoles) expect.same((await now(await newMachine({ role }))).role, role, 'the role')
  }),
  test('machines/none-is-not-empty: tell no list of permissions from an empty one, and keep no role as none', async (world) => {
    const { newMachine, now } = world
    for (const permissions of [null, []]) {
      const found = await now(await newMachine({ role: null, permissions }))
      expect.same([found.role, found.permissions], [null, permissions], 'role and permissions')
    }
  }),
  test('machines/subject-is-exact: tell subjects apart exactly: nothing folded, trimmed, padded or cut', async (world) => {
    const { newMachine } = world
    const { issuer, subject } = await newMachine()
    const near = [subject.toUpperCase(), `${subject} `, ` ${subject}`, `${subject}%`, subject.slice(0, -1)]
    await expectOthers(
      world,
      near.map((other) => ({ issuer, subject: other })),
    )
    const accented = { issuer, subject: `José ${subject}` }
    await newMachine(accented)
    await expectOthers(world, [{ issuer, subject: accented.subject.normalize('NFD') }])
  }),
  test('machines/long-subjects: keep subjects of 255 characters whole: two that differ in the last are two machines', async (world) => {
    const { issuer, subject } = world.newIdentity()
    const start = subject.padEnd(254, 'x')
    await expectOthers(
      world,
      [`${start}1`, `${start}2`].map((long) => ({ issuer, subject: long })),
    )
  }),
  test('machines/lone-surrogates: NOT find a machine by a subject that only becomes the same in UTF-8', async (world) => {
    const { machines, newMachine } = world
    const { issuer, subject } = world.newIdentity()
    await newMachine({ issuer, subject: `${subject}\ufffd` })
    for (const surrogate of ['\ud83e', '\udd8a']) {
      const found = await machines.findByIdentity({ issuer, subject: `${subject}${surrogate}` })
      expect.absent(found, 'the machine of a subject that ends in a lone surrogate')
    }
  }),
  ...needing<MachineWorld>('twoIssuers', [
    test('machines/identity-is-the-pair: take issuer and subject together for the identity', async (world) => {
      const { newMachine, now, issuers } = world
      const [one = 'https://one.test', two = 'https://two.test'] = issuers ?? []
      const { subject } = await newMachine({ issuer: one })
      const machine = await newMachine({ issuer: two, subject })
      expect.same((await now({ issuer: two, subject })).id, machine.id, 'the machine of the other issuer')
      expect.that((await now({ issuer: one, subject })).id !== machine.id, 'two machines', machine.id)
    }),
  ]),
  ...needing<MachineWorld>('anyIssuer', [
    test('machines/issuer-is-exact: compare issuers exactly: case, white space and a final slash all count; 255 characters are kept whole', async (world) => {
      const [issuer, subject] = [`https://${crypto.randomUUID()}.test`, crypto.randomUUID()]
      await world.newMachine({ issuer, subject })
      const start = `${issuer}/`.padEnd(254, 'y')
      const issuers = [issuer.toUpperCase(), `${issuer}/`, `${issuer} `, `${start}1`, `${start}2`]
      await expectOthers(
        world,
        issuers.map((other) => ({ issuer: other, subject })),
      )
    }),
    test('machines/joined-pairs: NOT take pairs for one machine that are the same text once issuer and subject are joined, or changed over', async (world) => {
      for (const joint of ['', '|', ':', '/', '#', ' ', ',', '.', '-', '_', '::', '","']) {
        const [a, b, c] = [crypto.randomUUID(), crypto.randomUUID(), crypto.randomUUID()]
        await expectOthers(world, [
          { issuer: a, subject: `${b}${joint}${c}` },
          { issuer: `${a}${joint}${b}`, subject: c },
          { issuer: a, subject: c },
          { issuer: c, subject: a },
        ])
      }
    }),
    test('machines/hostile-issuers: find nothing by a hostile issuer, and never throw', async ({
      machines,
      newMachine,
    }) => {
      const { issuer, subject } = await newMachine()
      await expect.none('findByIdentity by issuer', hostileIds(issuer), (odd) =>
        machines.findByIdentity({ issuer: odd, subject }),
      )
    }),
  ]),
  test('machines/hostile-identities: find nothing by a hostile subject, and never throw', async (world) => {
    const { machines, newMachine } = world
    const { issuer, subject } = await newMachine()
    await expect.none('findByIdentity', hostileIds(subject), (odd) => machines.findByIdentity({ issuer, subject: odd }))
  }),
  test('machines/insert-twice: refuse an identity that is taken with a ConflictError, also by another org, and leave the first', async (world) => {
    const { machines, newOrg, newMachine, newMachineOf, expectUnchanged } = world
    const machine = await newMachine()
    const { issuer, subject } = machine
    for (const orgId of [machine.orgId, (await newOrg()).id]) {
      await expect.conflict(
        machines.insert(newMachineOf(orgId, { issuer, subject })),
        'a second machine of one identity',
      )
    }
    await expectUnchanged(machine, 'a second insert')
  }),
  test(`machines/insert-race: let one of ${RACERS} concurrent inserts of one identity win; the others get a ConflictError`, async (world) => {
    const { machines, newOrg, newIdentity, newMachineOf } = world
    const [{ id: orgId }, identity] = [await newOrg(), newIdentity()]
    const results = await race(RACERS, () => retried(() => machines.insert(newMachineOf(orgId, identity))))
    expect.oneWinner(results, 'insert')
  }),
  test('machines/insert-unknown-org: refuse a machine of an org that does not exist', async (world) => {
    const { machines, newId, newMachineOf } = world
    const machine = newMachineOf(newId())
    await expect.rejected(machines.insert(machine), 'a machine of an unknown org')
    expect.absent(await machines.findByIdentity(machine), 'a machine of an unknown org')
  }),
  test('machines/copies: return copies of machines, Dates and permissions included, and keep none of what it was given', async (world) => {
    const { machines, newOrg, newMachineOf, now } = world
    const given = newMachineOf((await newOrg()).id)
    const identity: IdentityKey = { issuer: given.issuer, subject: given.subject }
    const inserted = await machines.insert(given)
    const [owner, { id }] = [ownerOf(inserted), inserted]
    const enable = () => machines.setDisabled(owner, id, false)
    await expectCopies([inserted, given], [enable, () => machines.list(owner)])
    await expectCopies([await now(identity)], [() => now(identity)])
  }),
]

const ADMIN_CASES: Cases<MachineWorld> = [
  test('machines/disabled: find and list a disabled machine, as disabled, until it is enabled again', async (world) => {
    const { machines, newMachine, now } = world
    const machine = await newMachine()
    const owner = ownerOf(machine)
    for (const disabled of [true, true, false]) {
      const changed = { ...machine, disabled }
      expect.same(await machines.setDisabled(owner, machine.id, disabled), changed, 'the machine that was changed')
      expect.same(recordOf(await now(machine)), recordOf(changed), 'the machine found by identity')
      expect.same(await machines.list(owner), [changed], 'the machines of its org')
    }
  }),
  test('machines/removed: find a removed machine no more; its identity can be registered again, as another machine', async (world) => {
    const { machines, newMachine } = world
    const machine = await newMachine()
    const [owner, { issuer, subject, orgId }] = [ownerOf(machine), machine]
    expect.same(await machines.remove(owner, machine.id), true, 'a removal')
    expect.absent(await machines.findByIdentity(machine), 'a machine that was removed')
    expect.same(await machines.list(owner), [], 'the machines of its org')
    expect.same(await machines.remove(owner, machine.id), false, 'a removal of what is gone')
    const again = await newMachine({ issuer, subject, orgId })
    expect.that(again.id !== machine.id, 'another id', again.id)
  }),
  test("machines/change-own: not disable or remove another machine of the org, another org's, nor one that is not there", async (world) => {
    const { machines, newMachine, newId, expectUnchanged } = world
    const [mine, theirs] = [await newMachine(), await newMachine()]
    const [disabled, removed] = [await newMachine({ orgId: mine.orgId }), await newMachine({ orgId: mine.orgId })]
    await machines.setDisabled(ownerOf(mine), disabled.id, true)
    await machines.remove(ownerOf(mine), removed.id)
    for (const id of [theirs.id, newId()]) {
      expect.absent(await machines.setDisabled(ownerOf(mine), id, true), 'a change of nobody, or of somebody else')
      expect.same(await machines.remove(ownerOf(mine), id), false, 'a removal of nobody, or of somebody else')
    }
    for (const machine of [mine, theirs]) await expectUnchanged(machine, 'it')
  }),
  test('machines/hostile-ids: list and change nothing by a hostile id, and never throw', async (world) => {
    const { machines, newMachine, expectUnchanged } = world
    const machine = await newMachine()
    const owner = ownerOf(machine)
    await expect.none('setDisabled', hostileIds(machine.id), (id) => machines.setDisabled(owner, id, true))
    await expect.none('remove', hostileIds(machine.id), (id) => machines.remove(owner, id), false)
    for (const orgId of hostileIds(machine.orgId ?? '')) {
      const odd: ApiKeyOwner = { kind: 'org', orgId }
      await expect.none('list', [orgId], () => machines.list(odd), [])
      await expect.none('setDisabled by a hostile org', [orgId], () => machines.setDisabled(odd, machine.id, true))
      await expect.none('remove by a hostile org', [orgId], () => machines.remove(odd, machine.id), false)
    }
    await expectUnchanged(machine, 'hostile calls')
  }),
  test("machines/list-own: list an org's own machines only", async ({ machines, newOrg, newMachine }) => {
    const [mine, theirs] = [await newMachine(), await newMachine()]
    expect.same(await machines.list(ownerOf(mine)), [mine], 'the machines of one org')
    expect.same(await machines.list(ownerOf(theirs)), [theirs], 'the machines of the other')
    const { id: orgId } = await newOrg()
    expect.same(await machines.list({ kind: 'org', orgId }), [], 'the machines of an org without any')
  }),
  test('machines/list-order: list by creation, then id in code units', async ({ machines, newOrg, newMachine }) => {
    const { id: orgId } = await newOrg()
    const written = []
    for (let index = 0; index < 6; index++) {
      written.push(await newMachine({ orgId }))
      if (index % 2 === 1) await pause(4)
    }
    const wanted = written.sort((a, b) => a.createdAt.getTime() - b.createdAt.getTime() || byId(a, b))
    expect.same(idsOf(await machines.list({ kind: 'org', orgId })), idsOf(wanted), 'the ids in order')
  }),
  ...needing<MachineWorld>('unboundMachines', [
    test('machines/unbound: keep a machine that is bound to no org apart from every org; the installation has all', async (world) => {
      const { machines, newMachine, expectUnchanged } = world
      const [bound, unbound] = [await newMachine(), await newMachine({ orgId: null })]
      expect.same(await machines.list(ownerOf(bound)), [bound], 'the machines of an org')
      for (const owner of [ownerOf(bound), { kind: 'org', orgId: '' }, { kind: 'org', orgId: 'null' }] as const) {
        expect.absent(await machines.setDisabled(owner, unbound.id, true), 'a change by an org')
        expect.same(await machines.remove(owner, unbound.id), false, 'a removal by an org')
      }
      await expectUnchanged(unbound, 'what orgs tried')
      for (const { id } of [bound, unbound]) {
        const listed = idsOf(await machines.list(INSTALLATION))
        expect.that(listed.includes(id), `the machine ${id} in the list of all`, listed)
        expect.same(
          (await machines.setDisabled(INSTALLATION, id, true))?.disabled,
          true,
          'a change by the installation',
        )
        expect.same(await machines.remove(INSTALLATION, id), true, 'a removal by the installation')
      }
    }),
  ]),
  ...needing<MachineWorld>('deleteOrg', [
    test('machines/deleted-org: treat the machines of a deleted org as if they had never been', async (world) => {
      const { machines, newMachine, newMachineOf, deleteOrg, expectUnchanged } = world
      if (deleteOrg === undefined) throw new Error(missing('deleteOrg', 'deleteOrg'))
      const [gone, stays] = [await newMachine(), await newMachine()]
      await deleteOrg(gone.orgId ?? '')
      expect.absent(await machines.findByIdentity(gone), 'a machine of a deleted org')
      for (const owner of [ownerOf(gone), INSTALLATION]) {
        expect.that(!idsOf(await machines.list(owner)).includes(gone.id), 'the machine in no list', owner)
        expect.absent(await machines.setDisabled(owner, gone.id, false), 'a change')
        expect.same(await machines.remove(owner, gone.id), false, 'a removal')
      }
      await expect.rejected(machines.insert(newMachineOf(gone.orgId)), 'a machine of a deleted org')
      await expectUnchanged(stays, 'the deletion of another org')
    }),
  ]),
]

/**
 * The promises of a machine repository, races and hostile ids included. Cost: some 20 cases with up to 40 queries each.
 *
 * @example
 * const make = () => ({
 *   machines: storage.machines,
 *   newOrg: () => storage.orgs.insert({ name: 'Acme' }),
 *   deleteOrg: (orgId: string) => storage.orgs.remove(orgId),
 * })
 * for (const { id, name, run } of machineContract.cases(make)) it(`${id}: ${name}`, run)
 */
export const machineContract: Contract<MachinesUnderTest> = createContract(
  'machineContract',
  [...RECORD_CASES, ...ADMIN_CASES],
  createMachineWorld,
)
