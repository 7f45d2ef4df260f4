/**
 * A handler that threw what is no object (a word, or nothing, as `reject()` does) was answered 500, and its record said `allowed`; behind
 * two mounts it said `failed`.
 */
import { afterAll, beforeAll, beforeEach, expect, it, vi } from 'vitest'
import { createRig, createRigWorld, RIGS, type RigRoute, type RigWorld } from '../adapters/rigs.ts'

let world: RigWorld
beforeAll(async () => {
  world = await createRigWorld()
  vi.spyOn(console, 'error').mockImplementation(() => undefined)
})
afterAll(() => vi.restoreAllMocks())
beforeEach(() => {
  world.decisions.length = 0
})

const ROUTES: readonly RigRoute[] = [
  { path: '/nothing', how: 'protect', run: () => Promise.reject() },
  { path: '/word', how: 'protect', run: () => Promise.reject('route') },
]

it.each(RIGS.flatMap((name) => ROUTES.map(({ path }) => [name, path] as const)))(
  'on %s a failure is written down as one: %s',
  async (name, path) => {
    const rig = await createRig(name, world.auth, ROUTES)
    try {
      expect((await rig.send(path, { headers: world.caller.headers })).status).toBe(500)
    } finally {
      await rig.close()
    }
    const cause = { cause: path === '/word' ? 'route' : undefined }
    expect(world.decisions).toMatchObject([{ outcome: 'failed', reason: 'internal_error', path, cause }])
  },
)
