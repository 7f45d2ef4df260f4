/**
 * What a thief of the database or of the logs gets to read: after a request with tokens, API keys, service secrets and passwords
 * through real processes, no table, file, line of output or record holds one of them, as it is or encoded.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { send } from '../../examples/demo/send.ts'
import { openWorld, SERVICE_SECRET, SYSTEMS, type World } from '../../examples/demo/world.ts'
import type { Environment } from '../../examples/start/settings.ts'
import { createTokenClient } from '../../src/machine/index.ts'
import { startSupabaseIssuer } from '../../src/testing/index.ts'
import { until } from '../patience.ts'
import { createTestDatabase, openPool } from '../postgres.ts'
import { type Ending, startProcess } from './app-process.ts'
import { dump, filesUnder, found } from './canary-search.ts'

const CANARY = 'canary-5e0c7a91'
const KEYS = '/api/keys'
const THINGS = '/api/dependencies'

/** The systems as processes, each with what it said in the end. */
async function openSystems(storeOf: (system: string) => Environment) {
  const endings: Ending[] = []
  const { iron, intello } = SYSTEMS
  const systems = { iron, intello } as typeof SYSTEMS
  const start = async (app: string, environment: Environment) => {
    const main = app === 'iron' ? 'examples/iron-crm/main.ts' : 'examples/intello/main.ts'
    const child = await startProcess([main], environment)
    return { ...child, stop: async () => void endings.push(await child.end()) }
  }
  return { world: await openWorld(systems, start, { storeOf }), endings }
}

interface Bringing {
  readonly bearer?: string
  readonly header?: readonly [string, string]
  readonly json?: object
}

/** Go everywhere with everything; what nobody may find again, what must be found, and how often what was answered. */
async function runStep(world: World) {
  const secrets = new Set<string>([SERVICE_SECRET, CANARY])
  const statuses: number[] = []
  const ask = async (at: string, line: string, { bearer, header, json }: Bringing) => {
    const [method = '', path = ''] = line.split(' ')
    const lines = [
      ...(bearer === undefined ? [] : [['Authorization', `Bearer ${bearer}`] as const]),
      ...(header === undefined ? [] : [header]),
      ...(json === undefined ? [] : [['Content-Type', 'application/json'] as const]),
    ]
    for (const each of [bearer, header?.[1]]) if (each !== undefined) secrets.add(each)
    const body = json === undefined ? undefined : JSON.stringify(json)
    const { status, text } = await send({ method, url: world.urlOf(at) + path, lines, body })
    statuses.push(status)
    const key = /"key":"([^"]+)"/.exec(text)?.[1]
    if (key !== undefined) for (const part of [key, key.split('_').slice(2).join('_')]) secrets.add(part)
    return { text, id: /"id":"([^"]+)"/.exec(text)?.[1] ?? '', key: key ?? '' }
  }
  for (const at of ['iron', 'intello']) secrets.add(world.issuerOf(at).issuer.secret)

  for (const who of ['ada', 'ada expired', 'ada forged by HS256', 'ada with a foreign kid', 'ada of another issuer']) {
    await ask('intello', 'POST /auth/sync', { bearer: await world.token('intello', who) })
    await ask('iron', 'GET /api/v1/me', { bearer: await world.token('iron', who) })
  }
  const bearer = await world.token('intello', 'ada')
  const { id, key } = await ask('intello', `POST ${KEYS}`, {
    ...{ bearer, json: { name: 'found again', scopes: ['dependencies:write', 'dependencies:read'] } },
  })
  await ask('intello', `POST ${THINGS}`, { bearer: key, json: { name: 'made by a key' } })
  const { key: next } = await ask('intello', `POST ${KEYS}/${id}/rotate`, { bearer, json: { overlap_seconds: 60 } })
  for (const each of [key, next, `${key}x`, `itk_${CANARY}`]) await ask('intello', `GET ${THINGS}`, { bearer: each })
  await ask('intello', `GET ${THINGS}?access_token=${CANARY}`, {})
  const { id: gone, key: revoked } = await ask('intello', `POST ${KEYS}`, { bearer, json: { name: 'gone' } })
  await ask('intello', `DELETE ${KEYS}/${gone}`, { bearer })
  await ask('intello', `GET ${THINGS}`, { bearer: revoked })

  const booking = { org_id: (await ask('iron', 'GET /api/v1/orgs', { bearer: await world.token('iron', 'ada') })).id }
  for (const secret of [SERVICE_SECRET, CANARY.repeat(3)]) {
    await ask('intello', 'GET /internal/stats', { header: ['X-Platform-Api-Key', secret] })
    const json = { ...booking, title: 'found again' }
    await ask('iron', 'POST /internal/bookings', { header: ['X-Iron-CRM-Secret', secret], json })
    await ask('iron', 'POST /internal/bookings', { bearer, header: ['X-Iron-CRM-Secret', secret], json })
  }
  return { secrets, statuses, keyId: id, key, bearer, ask }
}

const saidBy = (endings: readonly Ending[]): string => endings.map(({ stdout, stderr }) => stdout + stderr).join('\n')

const roots: string[] = []
afterAll(() => {
  for (const root of roots) rmSync(root, { recursive: true, force: true })
})
function folderFor(): string {
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-canaries-'))
  roots.push(folder)
  return folder
}

it('the search finds what is there, encoded too', () => {
  const secret = `${CANARY}?`
  const hidden = [secret, Buffer.from(secret).toString('hex').toUpperCase(), Buffer.from(secret).toString('base64')]
  for (const text of [...hidden, encodeURIComponent(secret)]) expect(found(`x${text}x`, [secret])).toEqual([secret])
  expect(found('eyJ.b.sig', ['eyJ.a.sig'])).toEqual(['sig'])
  expect(found('nothing', [secret])).toEqual([])
})

describe('Iron and Intello', () => {
  it('keep no secret in their SQLite files, while they run and after, and say none', async () => {
    const folder = folderFor()
    const { world, endings } = await openSystems((system) => ({ DATA_DIR: join(folder, system) }))
    const { secrets, statuses, keyId } = await runStep(world).catch(async (error) => {
      await world.close()
      throw error
    })
    const whileOpen = filesUnder(folder)
    await world.close()
    expect([...new Set(statuses)].sort()).toEqual([200, 201, 204, 400, 401])
    for (const bytes of [whileOpen, filesUnder(folder)]) {
      for (const kept of [keyId, 'found again', 'made by a key']) expect(bytes.includes(kept)).toBe(true)
      expect(found(bytes, secrets)).toEqual([])
    }
    expect(saidBy(endings)).toContain('ready on')
    expect(found(saidBy(endings), secrets)).toEqual([])
  })

  it('keep none in any row of PostgreSQL, and say none, faults of the database included', async () => {
    const urls: Record<string, string> = {}
    for (const system of ['iron', 'intello']) urls[system] = await createTestDatabase('empty')
    const { world, endings } = await openSystems((system) => ({ DATABASE_URL: urls[system] ?? '' }))
    try {
      const { secrets, statuses, keyId, key, bearer, ask } = await runStep(world)
      const tables = (await Promise.all(Object.values(urls).map(dump))).join('\n')
      expect([...new Set(statuses)].sort()).toEqual([200, 201, 204, 400, 401])
      for (const kept of [keyId, 'found again', 'made by a key']) expect(tables).toContain(kept)
      expect(found(tables, secrets)).toEqual([])
      const pool = openPool(urls['intello'] ?? '')
      for (const table of ['api_keys', 'users']) await pool.query(`ALTER TABLE ${table} RENAME TO ${table}_gone`)
      statuses.length = 0
      for (const each of [key, bearer]) await ask('intello', `GET ${THINGS}`, { bearer: each })
      await ask('intello', 'POST /auth/sync', { bearer: await world.token('intello', 'bob') })
      expect(statuses).toEqual([500, 500, 500])
      await world.close()
      expect(saidBy(endings)).toContain('does not exist')
      expect(found(saidBy(endings), secrets)).toEqual([])
    } finally {
      await world.close()
    }
  })
})

it('a machine account tells of its renewals and failures, never of its password or a token', async () => {
  const account = { email: 'bot@example.test', password: `${CANARY} password` }
  const project = await startSupabaseIssuer({ users: [account], expiresInSeconds: 1 })
  const seen: unknown[] = []
  const tokens = new Set<string>([account.password])
  const grant = { kind: 'supabase', url: project.url, apiKey: `${CANARY}-anon`, email: account.email } as const
  const clientOf = (password: string) =>
    createTokenClient({ grant: { ...grant, password }, origins: [], onEvent: (event) => seen.push(event) })
  const [client, wrong] = [clientOf(account.password), clientOf(`${CANARY} wrong`)]
  try {
    await until(async () => {
      tokens.add(await client.token())
      return project.requests.refresh > 0
    })
    await wrong.token().catch((error: unknown) => seen.push(error, (error as Error).stack, (error as Error).cause))
    expect(seen.length).toBeGreaterThan(3)
    const text = seen.map((each) => `${String(each)} ${JSON.stringify(each)}`).join('\n')
    expect(text).toContain('token_refused')
    expect(found(text, [...tokens, CANARY])).toEqual([])
  } finally {
    client.close()
    wrong.close()
    await project.close()
  }
})
