/** The routes people handle keys by, on the three frameworks: to the byte what is promised, and nobody else's keys. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { ApiKeyRoutesOptions } from '../../src/api-keys/api-key-routes.ts'
import type { AuthContext } from '../../src/context.ts'
import { createRoles } from '../../src/permissions/roles.ts'
import type { Route } from '../../src/route.ts'
import { fakeRequest } from '../pipeline/fake-request.ts'
import { FRAMEWORKS, type KeyHosts, openKeyHosts } from './key-hosts.ts'
import { createApiKeyTestWorld, issueKey, LADDER } from './world.ts'

interface Shown {
  readonly data: { readonly id: string; readonly key: string } & Readonly<Record<string, unknown>>
}

let hosts: KeyHosts
let ada: Readonly<Record<string, string>>
let eve: Readonly<Record<string, string>>

beforeAll(async () => {
  hosts = await openKeyHosts()
  const { world } = hosts
  ada = (await world.person('ada', { [await world.org('Acme')]: 'admin' })).headers
  eve = (await world.person('eve', { [await world.org('Evil')]: 'owner' })).headers
})
afterAll(() => hosts.close())

const dataOf = (text: string): Shown['data'] => (JSON.parse(text) as Shown).data
const use = (key: string, route = 'both'): Promise<number> =>
  hosts.send('GET', `/${route}`, { authorization: `Bearer ${key}` }).then(({ status }) => status)
const create = async (fields: object = {}): Promise<Shown['data']> =>
  dataOf((await hosts.send('POST', '/api/keys', ada, { name: 'ci', ...fields })).text)

describe(`on ${FRAMEWORKS.join(', ')}`, () => {
  it('POST answers 201 with the key, once, exactly so', async () => {
    const { all, cache } = await hosts.send('POST', '/api/keys', ada, { name: 'ci' })
    expect(cache).toBe('no-store')
    for (const { status, text } of all) {
      const { id, key } = dataOf(text)
      expect(status).toBe(201)
      expect(key).toMatch(new RegExp(`^itk_${id}_[0-9A-Za-z]{43}_[0-9A-Za-z]{6}$`))
      expect(text).toBe(
        `{"data":{"id":"${id}","name":"ci","prefix":"itk","key":"${key}","role":"viewer","scopes":["things:read"],"expires_at":null}}`,
      )
      expect(await use(key)).toBe(200)
    }
  })

  it('POST takes every field of its own, and ignores an org, a user or an id that a body names', async () => {
    const stranger = '00000000-0000-4000-8000-000000000000'
    const claimed = { org_id: stranger, orgId: stranger, created_by: 'x', createdBy: 'x', id: 'aaaaaaaaaaaa' }
    const shown = await create({
      ...claimed,
      role: 'admin',
      scopes: ['things:write'],
      expires_at: '2099-01-01T02:00:00.000+02:00',
    })
    expect(shown).toMatchObject({ role: 'admin', scopes: ['things:write'], expires_at: '2099-01-01T00:00:00.000Z' })
    const record = await hosts.world.storage.apiKeys.findById(shown.id)
    expect([record?.orgId, record?.createdBy]).not.toContain(stranger)
    expect(await hosts.world.storage.apiKeys.findById('aaaaaaaaaaaa')).toBeNull()
  })

  it.each([
    [{}, 'name'],
    [{ name: null }, 'name'],
    [{ name: 'ci', role: 'boss' }, 'role'],
    [{ name: 'ci', role: 'viewer', scopes: ['things:write'] }, 'role'],
    [{ name: 'ci', scopes: ['things:all'] }, 'scopes'],
    [{ name: 'ci', scopes: {} }, 'scopes'],
    [{ name: 'ci', expires_at: '2020-01-01T00:00:00Z' }, 'expires_at'],
    [{ name: 'ci', expires_at: '2099-01-01' }, 'expires_at'],
    [{ name: 'ci', expires_at: 4_070_908_800 }, 'expires_at'],
    [[], 'body'],
  ])('POST refuses %j by its field', async (body, field) => {
    const { status, text, all } = await hosts.send('POST', '/api/keys', ada, body)
    expect([status, text]).toEqual([
      400,
      `{"error":{"code":"validation_error","message":"The request body is not valid.","field":"${field}"}}`,
    ])
    for (const each of all) expect(each).toEqual(all[0])
  })

  it('POST reads its body strictly: 415, 413', async () => {
    const sent = async (headers: object, body: string): Promise<number[]> =>
      Promise.all(
        Object.values(hosts.url).map(
          async (url) =>
            (await fetch(`${url}/api/keys`, { method: 'POST', headers: { ...ada, ...headers }, body })).status,
        ),
      )
    expect(await sent({ 'content-type': 'text/plain' }, '{}')).toEqual([415, 415, 415])
    const long = JSON.stringify({ name: 'ci', more: 'x'.repeat(17_000) })
    expect(await sent({ 'content-type': 'application/json' }, long)).toEqual([413, 413, 413])
  })

  it('GET lists without a key in it', async () => {
    const shown = await create({ name: 'listed' })
    const { status, text, cache } = await hosts.send('GET', '/api/keys', ada)
    expect([status, cache]).toEqual([200, 'no-store'])
    const listed = (JSON.parse(text) as { data: Shown['data'][] }).data
    expect(listed.find(({ id }) => id === shown.id)).toEqual({
      id: shown.id,
      name: 'listed',
      prefix: 'itk',
      role: 'viewer',
      scopes: ['things:read'],
      expires_at: null,
      created_at: expect.stringMatching(/^\d{4}-.*Z$/),
      last_used_at: null,
    })
    expect(text).not.toMatch(/"key"|hash|secret/i)
  })

  it('POST :id/rotate answers 200 with the same id and another key; the old one ends at once, or after the overlap', async () => {
    for (const body of [undefined, {}, { overlap_seconds: 0 }]) {
      const before = await create()
      const { status, text, cache } = await hosts.send('POST', `/api/keys/${before.id}/rotate`, ada, body)
      const after = dataOf(text)
      expect([status, cache, Object.keys(after)]).toEqual([200, 'no-store', Object.keys(before)])
      expect(after).toMatchObject({ ...before, key: after.key })
      expect(await use(before.key)).toBe(401)
    }
    const before = await create()
    // Each framework rotates it once: the last key counts, and the one before it until the deadline.
    const { all } = await hosts.send('POST', `/api/keys/${before.id}/rotate`, ada, { overlap_seconds: 60 })
    const keys = [before.key, ...all.map(({ text }) => dataOf(text).key)]
    expect(await Promise.all(keys.map((key) => use(key)))).toEqual([401, 401, 200, 200])
    hosts.pass(60_000)
    expect(await Promise.all(keys.map((key) => use(key)))).toEqual([401, 401, 401, 200])
  })

  it.each([{ overlap_seconds: -1 }, { overlap_seconds: '5' }, { overlap_seconds: null }, { overlap_seconds: 1e9 }])(
    'rotate refuses %j',
    async (body) => {
      const { id, key } = await create()
      const { status, text } = await hosts.send('POST', `/api/keys/${id}/rotate`, ada, body)
      expect([status, JSON.parse(text)]).toMatchObject([400, { error: { field: 'overlap_seconds' } }])
      expect(await use(key)).toBe(200)
    },
  )

  it('rotate takes a request without a body, whatever type it says it has', async () => {
    const { id } = await create()
    for (const url of Object.values(hosts.url)) {
      for (const headers of [{}, { 'content-type': 'application/json' }, { 'content-type': 'text/plain' }]) {
        const sent = await fetch(`${url}/api/keys/${id}/rotate`, { method: 'POST', headers: { ...ada, ...headers } })
        expect(sent.status).toBe(200)
      }
    }
  })

  it('rotate refuses a body that is no JSON, also without a Content-Type', async () => {
    const { id } = await create()
    for (const url of Object.values(hosts.url)) {
      const send = (headers: object, body: Blob | string): Promise<Response> =>
        fetch(`${url}/api/keys/${id}/rotate`, { method: 'POST', headers: { ...ada, ...headers }, body })
      expect((await send({}, new Blob(['{"overlap_seconds":5}']))).status).toBe(415)
      expect((await send({ 'content-type': 'application/json' }, '{')).status).toBe(400)
      const large = new Blob([`{"overlap_seconds":5,"x":"${'x'.repeat(20_000)}"}`])
      expect((await send({ 'content-type': 'application/json' }, large)).status).toBe(413)
      const init = { method: 'POST', headers: { ...ada, 'content-type': 'application/json' }, duplex: 'half' }
      const chunked = new Blob(['{"overlap_seconds":5}']).stream()
      expect((await fetch(`${url}/api/keys/${id}/rotate`, { ...init, body: chunked })).status).toBe(200)
    }
  })

  it('DELETE answers 204 without a body; the key is dead on the next request and gone from the list', async () => {
    const { id, key } = await create()
    expect(await use(key)).toBe(200)
    // The frameworks share one storage: the first of them revokes, to the others it is gone.
    const { all } = await hosts.send('DELETE', `/api/keys/${id}`, ada)
    expect(all.map(({ status }) => status)).toEqual([204, 404, 404])
    expect(all[0]?.text).toBe('')
    expect(await use(key)).toBe(401)
    expect((await hosts.send('GET', '/api/keys', ada)).text).not.toContain(id)
    expect((await hosts.send('POST', `/api/keys/${id}/rotate`, ada)).status).toBe(404)
  })

  it('a second DELETE answers 404, in the bytes of a key that never was, and tells of nothing', async () => {
    const { id } = await create()
    for (const url of Object.values(hosts.url)) {
      const fresh = await create()
      const answers = []
      for (const path of [fresh.id, fresh.id, 'aaaaaaaaaaaa', id]) {
        const answer = await fetch(`${url}/api/keys/${path}`, { method: 'DELETE', headers: ada })
        answers.push([answer.status, await answer.text()])
      }
      const notFound = [404, expect.stringContaining('not_found')]
      expect(answers.slice(0, 3)).toEqual([[204, ''], notFound, notFound])
      expect(answers[1]).toEqual(answers[2])
    }
    const before = await hosts.world.storage.apiKeys.findById(id)
    expect(before?.revokedAt).toBeInstanceOf(Date)
  })

  it("answers 404 for another org's key and for one that is not there, in the same bytes, and changes nothing", async () => {
    const { id, key } = await create()
    for (const [method, path] of [
      ['POST', '/rotate'],
      ['DELETE', ''],
    ] as const) {
      const theirs = await hosts.send(method, `/api/keys/${id}${path}`, eve)
      const unknown = await hosts.send(method, `/api/keys/aaaaaaaaaaaa${path}`, eve)
      const hostile = await hosts.send(method, `/api/keys/%27%20or%201${path}`, eve)
      expect([theirs.status, theirs.code]).toEqual([404, 'not_found'])
      for (const each of [unknown, hostile]) expect(each.text).toBe(theirs.text)
    }
    expect(await use(key)).toBe(200)
    expect((await hosts.send('GET', '/api/keys', eve)).text).toBe('{"data":[]}')
  })

  it('lets a key handle no keys, whatever its role', async () => {
    const { id, key } = await create({ role: 'admin', scopes: ['things:read', 'things:write'] })
    const headers = { authorization: `Bearer ${key}` }
    for (const [method, path, body] of [
      ['GET', '', undefined],
      ['POST', '', { name: 'another' }],
      ['POST', `/${id}/rotate`, {}],
      ['DELETE', `/${id}`, undefined],
    ] as const) {
      const { status, code } = await hosts.send(method, `/api/keys${path}`, headers, body)
      expect([status, code]).toEqual([403, 'forbidden'])
    }
  })
})

describe('the shape is the host’s', () => {
  it('of path and bodies', async () => {
    const { apiKeys, member } = await createApiKeyTestWorld()
    const present: NonNullable<ApiKeyRoutesOptions['present']> = {
      issued: ({ apiKey: { id, name, prefix, role }, key }) => ({ api_key: { id, name, prefix, role }, key }),
      listed: (keys) => ({ api_keys: keys.map(({ id }) => id) }),
    }
    const routes = apiKeys.routes({ role: 'admin', path: '/api/v1/api-keys', present })
    expect(routes.map(({ method, path, access }) => [method, path, access])).toEqual([
      ['GET', '/api/v1/api-keys', { role: 'admin', needs: 'org' }],
      ['POST', '/api/v1/api-keys', { role: 'admin', needs: 'org' }],
      ['POST', '/api/v1/api-keys/:id/rotate', { role: 'admin', needs: 'org' }],
      ['DELETE', '/api/v1/api-keys/:id', { role: 'admin', needs: 'org' }],
    ])
    const [list, post] = routes as [Route, Route]
    const made = await post.handle(member('admin') as never, jsonRequest({ name: 'worker', role: 'member' }))
    expect(made.status).toBe(201)
    expect(JSON.parse(made.body ?? '')).toEqual({
      api_key: { id: expect.any(String), name: 'worker', prefix: 'itk', role: 'member' },
      key: expect.stringMatching(/^itk_/),
    })
    const listed = await list.handle(member('admin') as never, fakeRequest())
    expect(JSON.parse(listed.body ?? '')).toEqual({ api_keys: [expect.any(String)] })
  })

  it('of the org a key is bound to, where keys are the installation’s: needs "user", its own field', async () => {
    const memberships = {
      findActing: async (_: unknown, orgId: string) =>
        orgId === 'env_a' ? { org: { id: world.orgId }, role: 'admin' } : null,
    }
    const world = await createApiKeyTestWorld({
      roles: createRoles(LADDER),
      defaultPermissions: [],
      owner: { kind: 'installation', memberships, field: 'environment' },
    })
    const [, post] = world.apiKeys.routes({ role: 'admin' }) as [Route, Route]
    expect(post.access).toEqual({ role: 'admin', needs: 'user' })
    const issue = async (body: object): Promise<string | null> => {
      const { body: text } = await post.handle(
        world.user('admin') as never,
        jsonRequest({ name: 'w', role: 'viewer', ...body }),
      )
      const { id } = (JSON.parse(text ?? '') as Shown).data
      return (await world.repository.findById(id))?.orgId ?? null
    }
    expect(await issue({})).toBeNull()
    expect(await issue({ environment: null })).toBeNull()
    expect(await issue({ environment: 'env_a' })).toBe(world.orgId)
    await expect(issue({ environment: 'env_b' })).rejects.toMatchObject({ field: 'environment' })
  })
})

it('are of whoever may do what they ask', async () => {
  const { apiKeys } = await createApiKeyTestWorld()
  const accesses = apiKeys.routes({ permissions: ['things:purge'] }).map(({ access }) => access)
  expect(new Set(accesses)).toEqual(new Set([{ permissions: ['things:purge'], needs: 'org' }]))
})

describe('the options', () => {
  it.each([
    [{ apiKeys: {} }, 'unknown option "apiKeys"'],
    [
      { role: 'boss' },
      'apiKeys.routes: option "role" must be one of the roles: role "boss" is not one of viewer, member, admin, owner',
    ],
    [{ role: '' }, 'option "role"'],
    [{ role: undefined }, 'option "role" is required, or option "permissions"'],
    [{ permissions: [] }, 'option "permissions" must not be empty'],
    [{ permissions: ['things write'] }, 'option "permissions.0" must be a scope token'],
    [{ path: 'api/keys' }, 'option "path"'],
    [{ path: '/api/keys/' }, 'option "path"'],
    [{ path: '/' }, 'option "path"'],
    [{ path: '/orgs/:id/keys' }, 'option "path" must call its parameter otherwise than ":id"'],
    [{ present: {} }, 'option "present'],
    [{ rotate: false }, 'unknown option "rotate"'],
  ])('%j are refused', async (over, sentence) => {
    const { apiKeys } = await createApiKeyTestWorld()
    expect(() => apiKeys.routes({ role: 'admin', ...over } as never)).toThrow(TypeError)
    expect(() => apiKeys.routes({ role: 'admin', ...over } as never)).toThrow(sentence)
  })

  it('are handed to a context of the right kind only: nobody is nobody', async () => {
    const world = await createApiKeyTestWorld()
    await issueKey(world)
    const [list] = world.apiKeys.routes({ role: 'admin' }) as [Route]
    await expect(list.handle(world.user('admin') as AuthContext as never, fakeRequest())).rejects.toMatchObject({
      reason: 'api_keys_need_a_user',
    })
  })
})

function jsonRequest(body: object): ReturnType<typeof fakeRequest> {
  const bytes = new TextEncoder().encode(JSON.stringify(body))
  return fakeRequest({
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: { kind: 'bytes', bytes },
  })
}
