/**
 * S6: every kind of credential × every kind of route × what may be wrong with it, on the three frameworks: the status, the
 * same bytes everywhere, and one decision record that names the caller.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createKeyFormat } from '../../src/api-keys/key-format.ts'
import type { AuthContext } from '../../src/context.ts'
import { testContext, testUser } from '../../src/testing/principals.ts'
import { issuer, NOWHERE, SERVICE_SECRET } from '../pipeline/world.ts'
import { CI, FRAMEWORKS, type Headers, type KeyHosts, openKeyHosts, PREVIOUS_SECRET } from './key-hosts.ts'

interface Request {
  readonly line: string
  readonly json?: object
}

const KEY = 'Bearer error="invalid_token"'

// Every line answers 200 where a route is public, whatever it brings; each cell is written by hand.
/** By credential: what each route answers, in the order of the columns. */
const TABLE: Readonly<Record<string, string>> = {
  // user person identity key both service telephony any optional public path elsewhere booking nowhere sync list create revoke machine deploy all
  nothing: '401 401 401 401 401 401 401 401 200 200 401 401 401 401 401 401 401 401 401 401 401',
  'a user': '200 200 200 403 200 403 403 200 200 200 200 403 403 403 200 200 201 204 403 403 200',
  'a user of a low role': '200 200 200 403 200 403 403 200 200 200 200 403 403 403 200 403 403 403 403 403 200',
  'a user by cookie': '200 200 200 403 200 403 403 200 200 200 200 403 403 403 403 200 403 403 403 403 200',
  'a user by cookie, same origin':
    '200 200 200 403 200 403 403 200 200 200 200 403 403 403 200 200 201 204 403 403 200',
  'a user by a forged token': '401 401 401 401 401 401 401 401 401 200 401 401 401 401 401 401 401 401 401 401 401',
  'a user by an expired token': '401 401 401 401 401 401 401 401 401 200 401 401 401 401 401 401 401 401 401 401 401',
  'a user who is disabled': '403 403 200 403 403 403 403 403 403 200 403 403 403 403 403 403 403 403 403 403 403',
  'a user in another org': '403 200 200 403 403 403 403 403 403 200 400 403 403 403 200 403 403 403 403 403 403',
  'a user and a malformed org': '400 200 200 403 400 403 403 400 400 200 400 400 403 403 200 400 400 400 403 403 400',
  'a key': '403 403 403 200 200 403 403 200 403 200 200 403 403 403 403 403 403 403 403 403 200',
  'a key and its org': '403 403 403 200 200 403 403 200 403 200 200 400 403 403 403 403 403 403 403 403 200',
  'a key of a low role': '403 403 403 403 200 403 403 200 403 200 200 403 403 403 403 403 403 403 403 403 200',
  'a key of a high role': '403 403 403 200 200 403 403 200 403 200 200 403 403 403 403 403 403 403 403 403 200',
  'a key without the scope': '403 403 403 403 200 403 403 200 403 200 200 403 403 403 403 403 403 403 403 403 200',
  'a key without any scope': '403 403 403 403 403 403 403 200 403 200 200 403 403 403 403 403 403 403 403 403 403',
  'a key in its overlap': '403 403 403 200 200 403 403 200 403 200 200 403 403 403 403 403 403 403 403 403 200',
  'a key in another org': '403 403 403 403 403 403 403 403 403 200 400 403 403 403 403 403 403 403 403 403 403',
  'a key and a malformed org': '403 403 403 400 400 403 403 400 403 200 400 400 403 403 403 403 403 403 403 403 400',
  'a key of a deleted org': '401 401 401 401 401 401 401 401 401 200 401 401 401 401 401 401 401 401 401 401 401',
  'a mistyped key': '401 401 401 401 401 401 401 401 401 200 401 401 401 401 401 401 401 401 401 401 401',
  'an unknown key': '401 401 401 401 401 401 401 401 401 200 401 401 401 401 401 401 401 401 401 401 401',
  'a wrong key': '401 401 401 401 401 401 401 401 401 200 401 401 401 401 401 401 401 401 401 401 401',
  'a rotated key': '401 401 401 401 401 401 401 401 401 200 401 401 401 401 401 401 401 401 401 401 401',
  'a revoked key': '401 401 401 401 401 401 401 401 401 200 401 401 401 401 401 401 401 401 401 401 401',
  'an expired key': '401 401 401 401 401 401 401 401 401 200 401 401 401 401 401 401 401 401 401 401 401',
  'a service': '403 403 403 403 403 200 200 200 403 200 403 403 201 403 403 403 403 403 403 403 403',
  'a service by its previous secret':
    '403 403 403 403 403 200 200 200 403 200 403 403 201 403 403 403 403 403 403 403 403',
  'a service and the org': '403 403 403 403 403 200 200 200 403 200 403 403 201 400 403 403 403 403 403 403 403',
  'a service and another org': '403 403 403 403 403 200 200 200 403 200 403 403 400 400 403 403 403 403 403 403 403',
  'a service and a malformed org':
    '403 403 403 403 403 200 200 200 403 200 403 403 400 400 403 403 403 403 403 403 403',
  'a service by a removed secret':
    '401 401 401 401 401 401 401 401 401 200 401 401 401 401 401 401 401 401 401 401 401',
  'a service by a wrong secret': '401 401 401 401 401 401 401 401 401 200 401 401 401 401 401 401 401 401 401 401 401',
  'a service nobody may be': '401 401 401 401 401 401 401 401 401 200 401 401 401 401 401 401 401 401 401 401 401',
  'a user and a service': '400 400 400 400 400 400 400 400 400 200 400 400 400 400 400 400 400 400 400 400 400',
  'a key and a service': '400 400 400 400 400 400 400 400 400 200 400 400 400 400 400 400 400 400 400 400 400',
  'a wrong key and a service': '400 400 400 400 400 400 400 400 400 200 400 400 400 400 400 400 400 400 400 400 400',
  'two services': '400 400 400 400 400 400 400 400 400 200 400 400 400 400 400 400 400 400 400 400 400',
  'one service, two lines': '400 400 400 400 400 400 400 400 400 200 400 400 400 400 400 400 400 400 400 400 400',
  'a user and a key, two lines': '400 400 400 400 400 400 400 400 400 200 400 400 400 400 400 400 400 400 400 400 400',
  'a user and a key, one line': '400 400 400 400 400 400 400 400 400 200 400 400 400 400 400 400 400 400 400 400 400',
  'a key twice': '400 400 400 400 400 400 400 400 400 200 400 400 400 400 400 400 400 400 400 400 400',
  'a key and two users, three lines':
    '400 400 400 400 400 400 400 400 400 200 400 400 400 400 400 400 400 400 400 400 400',
  'a key and a cookie': '403 403 403 200 200 403 403 200 403 200 200 403 403 403 403 403 403 403 403 403 200',
  'a wrong key and a cookie': '401 401 401 401 401 401 401 401 401 200 401 401 401 401 401 401 401 401 401 401 401',
  'a key by another scheme': '401 401 401 401 401 401 401 401 200 200 401 401 401 401 401 401 401 401 401 401 401',
  'a key as a cookie': '401 401 401 401 401 401 401 401 401 200 401 401 403 403 403 401 403 403 401 401 401',
  'a key as a service secret': '401 401 401 401 401 401 401 401 401 200 401 401 401 401 401 401 401 401 401 401 401',
  'a machine': '403 403 403 403 403 403 403 403 403 200 403 403 403 403 403 403 403 403 200 403 200',
  'a machine and its org': '403 403 403 403 403 403 403 403 403 200 403 403 403 403 403 403 403 403 200 403 200',
  'a machine in another org': '403 403 403 403 403 403 403 403 403 200 403 403 403 403 403 403 403 403 403 403 403',
  'a machine and a malformed org':
    '403 403 403 403 403 403 403 403 403 200 403 403 403 403 403 403 403 403 400 403 400',
  'a machine of a low role': '403 403 403 403 403 403 403 403 403 200 403 403 403 403 403 403 403 403 403 403 200',
  'a machine that lists another permission':
    '403 403 403 403 403 403 403 403 403 200 403 403 403 403 403 403 403 403 403 403 200',
  'a machine without the scope': '403 403 403 403 403 403 403 403 403 200 403 403 403 403 403 403 403 403 403 403 200',
  'a machine without any scope': '403 403 403 403 403 403 403 403 403 200 403 403 403 403 403 403 403 403 403 403 403',
  'a machine that is disabled': '403 403 403 403 403 403 403 403 403 200 403 403 403 403 403 403 403 403 403 403 403',
  'a machine of a deleted org': '403 403 403 403 403 403 403 403 403 200 403 403 403 403 403 403 403 403 403 403 403',
  'an unknown machine': '403 403 403 403 403 403 403 403 403 200 403 403 403 403 403 403 403 403 403 403 403',
  'a written machine': '403 403 403 403 403 403 403 403 403 200 403 403 403 403 403 403 403 403 200 200 200',
  'a written machine that names no org':
    '403 403 403 403 403 403 403 403 403 200 403 403 403 403 403 403 403 403 403 200 403',
  'a machine of a written name': '403 403 403 403 403 403 403 403 403 200 403 403 403 403 403 403 403 403 200 403 200',
  'a machine of another environment':
    '403 403 403 403 403 403 403 403 403 200 403 403 403 403 403 403 403 403 403 403 403',
  'a machine by a forged token': '401 401 401 401 401 401 401 401 401 200 401 401 401 401 401 401 401 401 401 401 401',
  'a machine by a token for somebody else':
    '401 401 401 401 401 401 401 401 401 200 401 401 401 401 401 401 401 401 401 401 401',
  'a machine by the token of another issuer':
    '401 401 401 401 401 401 401 401 401 200 401 401 401 401 401 401 401 401 401 401 401',
  'a machine by malformed scopes':
    '401 401 401 401 401 401 401 401 401 200 401 401 401 401 401 401 401 401 401 401 401',
  'a machine by cookie': '403 403 403 403 403 403 403 403 403 200 403 403 403 403 403 403 403 403 200 403 200',
  'a machine and a service': '400 400 400 400 400 400 400 400 400 200 400 400 400 400 400 400 400 400 400 400 400',
  'a machine and a user, two lines':
    '400 400 400 400 400 400 400 400 400 200 400 400 400 400 400 400 400 400 400 400 400',
}

let hosts: KeyHosts
let credentials: Readonly<Record<string, Headers>>
let routes: Readonly<Record<string, Request>>
let toRevoke: () => Promise<readonly string[]>
const ids: Record<string, string> = {}
const machineIds: Record<string, string> = {}

beforeAll(async () => {
  hosts = await openKeyHosts()
  credentials = await makeCredentials()
})
afterAll(() => hosts.close())

async function makeCredentials(): Promise<Readonly<Record<string, Headers>>> {
  const { world, apiKeys } = hosts
  type Named = Readonly<Record<string, string>>
  const [mine, theirs, gone] = [await world.org('Acme'), await world.org('Other'), await world.org('Gone')]
  const [ada, low, disabled] = [
    await world.person('ada', { [mine]: 'admin' }),
    await world.person('low', { [mine]: 'viewer' }),
    await world.person('disabled', { [mine]: 'admin' }),
  ]
  await world.storage.users.setDisabled(disabled.id, true)
  const expiredToken = await world.sign({ sub: 'ada', exp: Math.floor(Date.now() / 1000) - 3600 })
  const bearer = (token: string): Named => ({ authorization: `Bearer ${token}` })
  const owner = (orgId: string): AuthContext =>
    testContext({ role: 'owner', org: { id: orgId }, user: testUser({ id: ada.id }) }) as AuthContext
  const issue = async (name: string, fields: object = {}, orgId: string = mine): Promise<string> => {
    const write = { role: 'member', permissions: ['things:read', 'things:write'] }
    const { apiKey, key } = await apiKeys.issue(owner(orgId), { name, ...write, ...fields })
    ids[name] = apiKey.id
    return key
  }
  const rotate = async (name: string, overlapSeconds: number): Promise<string> =>
    (await apiKeys.rotate(owner(mine), ids[name] ?? '', { overlapSeconds })).key

  const key = await issue('a key')
  const wrong = createKeyFormat('test', 'itk').create(ids['a key']).key
  const expiring = await issue('an expired key', { expiresAt: new Date(Date.now() + 60_000) })
  const revoked = await issue('a revoked key')
  await apiKeys.revoke(owner(mine), ids['a revoked key'] ?? '')
  const rotated = await issue('a rotated key')
  await rotate('a rotated key', 0)
  const ended = await issue('a key in its overlap')
  await rotate('a key in its overlap', 3600)
  routes = routesOf(mine, theirs)
  // A key is revoked once: each framework gets one of its own.
  toRevoke = async () => {
    const doomed = FRAMEWORKS.map(() => apiKeys.issue(owner(mine), { name: 'to be revoked' }))
    return (await Promise.all(doomed)).map(({ apiKey }) => `/api/keys/${apiKey.id}`)
  }
  const orphan = await issue('a key of a deleted org', {}, gone)
  const machines = await machineCredentials({ mine, theirs, gone, ada: ada.token })
  await world.storage.orgs.remove(gone)
  hosts.pass(120_000)
  const service = { 'x-telephony-secret': SERVICE_SECRET }
  const cookie = `session=${ada.token}`
  const lines = (...tokens: string[]): Headers => tokens.map((token) => ['Authorization', `Bearer ${token}`] as const)
  return {
    nothing: {},
    'a user': ada.headers,
    'a user of a low role': low.headers,
    'a user by cookie': { cookie },
    'a user by cookie, same origin': { cookie, 'sec-fetch-site': 'same-origin' },
    'a user by a forged token': bearer(`${ada.token.slice(0, -4)}AAAA`),
    'a user by an expired token': bearer(expiredToken),
    'a user who is disabled': disabled.headers,
    'a user in another org': { ...ada.headers, 'x-org-id': theirs },
    'a user and a malformed org': { ...ada.headers, 'x-org-id': '{x}' },
    'a key': bearer(key),
    'a key and its org': { ...bearer(key), 'x-org-id': mine.toUpperCase() },
    'a key of a low role': bearer(await issue('a key of a low role', { role: 'viewer', permissions: ['things:read'] })),
    'a key of a high role': bearer(await issue('a key of a high role', { role: 'owner' })),
    'a key without the scope': bearer(await issue('a key without the scope', { permissions: ['things:read'] })),
    'a key without any scope': bearer(await issue('a key without any scope', { permissions: [] })),
    'a key in its overlap': bearer(ended),
    'a key in another org': { ...bearer(key), 'x-org-id': theirs },
    'a key and a malformed org': { ...bearer(key), 'x-org-id': 'not-a-uuid' },
    'a key of a deleted org': bearer(orphan),
    'a mistyped key': bearer(`${key.slice(0, -1)}${key.endsWith('x') ? 'y' : 'x'}`),
    'an unknown key': bearer(createKeyFormat('test', 'itk').create().key),
    'a wrong key': bearer(wrong),
    'a rotated key': bearer(rotated),
    'a revoked key': bearer(revoked),
    'an expired key': bearer(expiring),
    'a service': service,
    'a service by its previous secret': { 'x-telephony-secret': PREVIOUS_SECRET },
    'a service and the org': { ...service, 'x-org-id': mine.toUpperCase() },
    'a service and another org': { ...service, 'x-org-id': theirs },
    'a service and a malformed org': { ...service, 'x-org-id': '' },
    'a service by a removed secret': { 'x-telephony-secret': 'a-secret-that-the-service-had-a-year-ago' },
    'a service by a wrong secret': { 'x-telephony-secret': `${SERVICE_SECRET}!` },
    'a service nobody may be': { 'x-billing-secret': SERVICE_SECRET },
    'a user and a service': { ...ada.headers, ...service },
    'a key and a service': { ...bearer(key), ...service },
    'a wrong key and a service': { ...bearer(wrong), ...service },
    'two services': { ...service, 'x-billing-secret': SERVICE_SECRET },
    'one service, two lines': ['X-Telephony-Secret', 'X-Telephony-Secret'].map(
      (name) => [name, SERVICE_SECRET] as const,
    ),
    'a user and a key, two lines': lines(ada.token, key),
    'a user and a key, one line': bearer(`${ada.token}, Bearer ${key}`),
    'a key twice': lines(key, key),
    'a key and two users, three lines': lines(ada.token, key, low.token),
    'a key and a cookie': { ...bearer(key), cookie },
    'a wrong key and a cookie': { ...bearer(wrong), cookie },
    ...machines,
    'a key by another scheme': { authorization: `ApiKey ${key}` },
    'a key as a cookie': { cookie: `session=${key}` },
    'a key as a service secret': { 'x-telephony-secret': key },
  }
}

interface Places {
  readonly mine: string
  readonly theirs: string
  readonly gone: string
  /** The token of a user. */
  readonly ada: string
}

// Of an issuer whose scopes bind.
async function machineCredentials({ mine, theirs, gone, ada }: Places): Promise<Readonly<Record<string, Headers>>> {
  const { machines } = hosts.world.storage
  const sign = (claims: object): Promise<string> =>
    issuer.sign({ iss: CI, aud: 'ci', scope: 'things:read things:write', ...claims } as never)
  const bearer = (token: string): Readonly<Record<string, string>> => ({ authorization: `Bearer ${token}` })
  const tokenOf = async (sub: string, row: object = {}, claims: object = {}): Promise<string> => {
    const machine = { issuer: CI, subject: sub, name: 'ci', orgId: mine, role: 'member', permissions: null, ...row }
    machineIds[sub] = (await machines.insert(machine)).id
    return sign({ sub, ...claims })
  }
  const token = await tokenOf('a machine')
  const [low, listed] = [{ role: 'viewer' }, { permissions: ['things:read'] }]
  const disabled = await tokenOf('a machine that is disabled')
  await machines.setDisabled({ kind: 'installation' }, machineIds['a machine that is disabled'] ?? '', true)
  const written = await sign({ sub: 'any', environment: 'production' })
  return {
    'a machine': bearer(token),
    'a machine and its org': { ...bearer(token), 'x-org-id': mine.toUpperCase() },
    'a machine in another org': { ...bearer(token), 'x-org-id': theirs },
    'a machine and a malformed org': { ...bearer(token), 'x-org-id': 'not-a-uuid' },
    'a machine of a low role': bearer(await tokenOf('a machine of a low role', low)),
    'a machine that lists another permission': bearer(await tokenOf('a machine that lists another permission', listed)),
    'a machine without the scope': bearer(await sign({ sub: 'a machine', scope: 'things:read' })),
    'a machine without any scope': bearer(await sign({ sub: 'a machine', scope: undefined })),
    'a machine that is disabled': bearer(disabled),
    'a machine of a deleted org': bearer(await tokenOf('a machine of a deleted org', { orgId: gone })),
    'an unknown machine': bearer(await sign({ sub: 'A machine' })),
    'a written machine': { ...bearer(written), 'x-org-id': mine },
    'a written machine that names no org': bearer(written),
    'a machine of a written name': bearer(await tokenOf('a machine of a written name', { name: 'deploy' })),
    'a machine of another environment': bearer(await sign({ sub: 'any', environment: 'Production' })),
    'a machine by a forged token': bearer(`${token.slice(0, -4)}AAAA`),
    'a machine by a token for somebody else': bearer(await sign({ sub: 'a machine', aud: 'authenticated' })),
    'a machine by the token of another issuer': bearer(await sign({ sub: 'a machine', iss: issuer.issuer })),
    'a machine by malformed scopes': bearer(await sign({ sub: 'a machine', scope: { 'things:write': true } })),
    'a machine by cookie': { cookie: `session=${token}` },
    'a machine and a service': { ...bearer(token), 'x-telephony-secret': SERVICE_SECRET },
    'a machine and a user, two lines': [token, ada].map((each) => ['Authorization', `Bearer ${each}`] as const),
  }
}

function routesOf(mine: string, theirs: string): Readonly<Record<string, Request>> {
  const echo = (names: readonly string[]) => Object.fromEntries(names.map((name) => [name, { line: `GET /${name}` }]))
  return {
    ...echo(['user', 'person', 'identity', 'key', 'both', 'service', 'telephony', 'any', 'optional', 'public']),
    path: { line: `GET /path/${mine}` },
    elsewhere: { line: `GET /path/${theirs}` },
    booking: { line: 'POST /booking', json: { org_id: mine } },
    nowhere: { line: 'POST /booking', json: { org_id: NOWHERE } },
    sync: { line: 'POST /auth/sync' },
    list: { line: 'GET /api/keys' },
    create: { line: 'POST /api/keys', json: { name: 'made by the matrix' } },
    revoke: { line: 'DELETE' },
    ...echo(['machine', 'deploy', 'all']),
  }
}

/** What the decision record of one request says. */
function outcomeOf(route: string, name: string, status: number): string {
  if (status >= 400) return 'refused'
  return route === 'optional' && name in NOBODY ? 'anonymous' : 'allowed'
}

describe(`on ${FRAMEWORKS.join(', ')}`, () => {
  it('knows a credential for each line, and a line for each', () => {
    expect(Object.keys(credentials).sort()).toEqual(Object.keys(TABLE).sort())
  })

  it.each(Object.entries(TABLE))('%s: %s', async (name, line) => {
    const { world, send } = hosts
    const statuses: number[] = []
    for (const [route, { line: wanted, json }] of Object.entries(routes)) {
      world.decisions.length = 0
      const [method = '', path = ''] = wanted.split(' ')
      const answer = await send(method, route === 'revoke' ? await toRevoke() : path, credentials[name], json)
      statuses.push(answer.status)
      // A new key is another one each time.
      const bytes = answer.all.map((each) => ({ ...each, text: each.text.replace(/"(id|key)":"\w+"/g, '"$1":"…"') }))
      for (const each of route === 'create' ? bytes : answer.all) {
        expect(each, route).toEqual((route === 'create' ? bytes : answer.all)[0])
      }
      expect(
        world.decisions.map(({ outcome }) => outcome),
        route,
      ).toEqual(FRAMEWORKS.map(() => outcomeOf(route, name, answer.status)))
      if (answer.status === 401 && name.includes(' key')) {
        expect([answer.code, answer.challenge]).toEqual(['unauthorized', name in NOBODY ? 'Bearer' : KEY])
      }
      if (ids[name] !== undefined && answer.status !== 401 && route !== 'public') {
        expect(world.decisions[0]?.principal).toEqual({ kind: 'apiKey', id: ids[name] })
      }
    }
    expect(statuses.join(' ')).toBe(line)
  })

  it('names machines by their ids, where a route takes them', async () => {
    const { world, send } = hosts
    for (const [name, id] of Object.entries(machineIds)) {
      world.decisions.length = 0
      await send('GET', '/machine', credentials[name])
      const { principal } = world.decisions[0] ?? {}
      if (name.includes('deleted')) expect(principal).toBeNull()
      else expect(principal).toMatchObject({ kind: 'machine', id })
    }
  })

  it('says which scope is missing, and only where the role is enough: role comes first', async () => {
    const missing = await hosts.send('GET', '/key', credentials['a key without the scope'])
    expect([missing.code, missing.challenge]).toEqual([
      'insufficient_scope',
      'Bearer error="insufficient_scope", scope="things:write"',
    ])
    expect((await hosts.send('GET', '/key', credentials['a key of a low role'])).code).toBe('forbidden')
  })

  it('writes nothing secret into any record', async () => {
    const { world, send } = hosts
    world.decisions.length = 0
    for (const headers of Object.values(credentials)) await send('GET', '/any', headers)
    const dump = JSON.stringify(world.decisions)
    expect(world.decisions.length).toBe(Object.keys(TABLE).length * FRAMEWORKS.length)
    for (const headers of Object.values(credentials)) {
      const lines = Array.isArray(headers) ? (headers as [string, string][]) : Object.entries(headers)
      for (const [name, value] of lines) {
        if (name === 'x-org-id' || name === 'sec-fetch-site') continue
        for (const part of value.split(', ')) expect(dump).not.toContain(part.replace(/^\w+[ =]/, ''))
      }
    }
  })
})

/** Where no credential is seen. */
const NOBODY: Readonly<Record<string, true>> = { nothing: true, 'a key by another scheme': true }
