/** Intello and the quick start on PostgreSQL, as processes: the same tour as on a SQLite file and in memory. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { INTELLO } from '../../examples/demo/tour-intello.ts'
import { INTELLO_KEYS } from '../../examples/demo/tour-intello-keys.ts'
import type { World } from '../../examples/demo/world.ts'
import { createTestDatabase } from '../postgres.ts'
import { openWorldOf, startProcess } from './app-process.ts'
import { runChapters } from './run-chapters.ts'

const databases: Record<string, string> = {}
let world: World
beforeAll(async () => {
  for (const system of ['intello', 'intello without seam']) databases[system] = await createTestDatabase('empty')
  world = await openWorldOf(Object.keys(databases), {
    storeOf: (system) => ({ DATABASE_URL: databases[system] ?? '' }),
  })
})
const folder = mkdtempSync(join(tmpdir(), 'sallyport-quick-'))
afterAll(async () => {
  await world.close()
  rmSync(folder, { recursive: true, force: true })
})

describe('the contract', () => runChapters([...INTELLO, ...INTELLO_KEYS], () => world))

describe('the quick start', () => {
  it.each(['DATABASE_URL', 'DATA_DIR'])(
    'keeps its users where %s says, over a restart and a framework',
    async (name) => {
      const { issuer, jwksUrl } = world.issuerOf('intello')
      const where = { [name]: name === 'DATA_DIR' ? folder : await createTestDatabase('empty') }
      const environment = { PORT: '0', ISSUER: issuer.issuer, JWKS_URL: jwksUrl, ...where }
      const headers = { authorization: `Bearer ${await world.token('intello', 'ada')}` }
      const bodies: string[] = []
      for (const framework of ['express', 'hono']) {
        const app = await startProcess(['examples/quickstart/main.ts', framework], environment)
        bodies.push(await (await fetch(`${app.url}/protected`, { headers })).text())
        expect(await app.end()).toMatchObject({ code: 0, stderr: '' })
      }
      expect(bodies[0]).toContain('"role":"owner"')
      expect(bodies[1]).toBe(bodies[0])
    },
  )
})
