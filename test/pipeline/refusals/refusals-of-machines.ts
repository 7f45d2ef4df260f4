/** The refusals of machines as callers. */
import type { Access } from '../../../src/request.ts'
import type { NewMachine } from '../../../src/storage/repositories.ts'
import { createJwtVerifier } from '../../../src/verify/jwt-verifier.ts'
import { createWorld, issuer, NOWHERE, type World } from '../world.ts'
import type { Refusal } from './refusal.ts'

const TRUSTED = {
  issuer: issuer.issuer,
  keys: [{ kind: 'secret', secret: issuer.secret }],
  audience: issuer.audience,
} as const

/** A token that was granted to a client itself, on a route for machines. */
async function machineAsks(world: World, headers: Readonly<Record<string, string>> = {}): Promise<unknown> {
  const authorization = `Bearer ${await issuer.sign({ sub: 'ci', client_id: 'ci' })}`
  const access: Access = { accept: ['machine'] }
  return world.authenticate({ headers: { authorization, ...headers } }, access)
}

/** A world that has a machine of that identity. */
async function worldWith(over: Partial<NewMachine> = {}): Promise<World> {
  const world = createWorld({ auth: ({ machines }) => ({ machines }) as never })
  const orgId = await world.org('acme')
  const machine = { issuer: issuer.issuer, subject: 'ci', name: 'ci', orgId, role: 'member', permissions: null }
  await world.storage.machines.insert({ ...machine, ...over })
  return world
}

export const REFUSALS_OF_MACHINES: readonly Refusal[] = [
  {
    reason: 'machine_unknown',
    code: 'forbidden',
    provoke: async () => machineAsks(await worldWith({ subject: 'another' })),
  },
  {
    reason: 'machine_disabled',
    code: 'forbidden',
    provoke: async () => {
      const world = await worldWith()
      const [machine] = await world.storage.machines.list({ kind: 'installation' })
      await world.storage.machines.setDisabled({ kind: 'installation' }, machine?.id ?? '', true)
      return machineAsks(world)
    },
  },
  {
    reason: 'machine_of_another_org',
    code: 'forbidden',
    provoke: async () => machineAsks(await worldWith(), { 'x-org-id': NOWHERE }),
  },
  {
    reason: 'machine_without_org',
    code: 'forbidden',
    provoke: () => {
      const machines = [{ name: 'ci', when: { client_id: 'ci' }, role: 'member' }]
      const verifier = createJwtVerifier({ issuers: [{ ...TRUSTED, machines }] })
      return machineAsks(createWorld({ auth: () => ({ verifier }) as never }))
    },
  },
]
