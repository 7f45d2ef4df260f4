/** A platform that makes Node's messages by itself leaves no raw header lines: every credential was overlooked there. */
import { Hono } from 'hono'
import { toAuthRequest } from 'sallyport/hono'
import { describe, expect, it } from 'vitest'
import { jsonResponse } from '../../src/http/json-response.ts'
import { createAuth, createOrgResolver, createSyncGate, header } from '../../src/index.ts'
import { createTestKit } from '../../src/testing/index.ts'
import { HOSTS, type HostName, listen } from '../support/hosts.ts'

const kit = await createTestKit()
const auth = createAuth({
  roles: ['member', 'owner'],
  verifier: kit.verifier,
  users: createSyncGate({ users: kit.storage.users }),
  orgs: createOrgResolver({
    memberships: kit.storage.memberships,
    selectors: [header('X-Org-Id')],
    whenUnnamed: 'reject',
  }),
})
const endpoint = {
  method: 'GET',
  path: '/',
  mounts: [],
  access: { needs: 'identity' },
  answer: () => jsonResponse(200, {}),
}

describe.each(Object.keys(HOSTS) as HostName[])('on %s', (name) => {
  it('a credential in the headers by name is read', async () => {
    const app = HOSTS[name]({ auth, routes: [], endpoints: [endpoint] } as never)
    const { url, close } = await listen((message, response) => {
      message.rawHeaders = []
      app(message, response)
    })
    const headers = { authorization: `Bearer ${await kit.issuer.sign()}` }
    const statuses = [(await fetch(url, { headers })).status, (await fetch(url)).status]
    await close()
    expect(statuses).toEqual([200, 401])
  })
})

it('on Hono a message is Node’s that has headers by name alone, and a Request of Fetch is not', async () => {
  const app = new Hono()
  app.get('/', (c) => c.json([toAuthRequest(c).remoteAddress]))
  const addressBy = async (incoming: object): Promise<unknown> =>
    (await app.fetch(new Request('http://x.test/'), { incoming })).json()
  const socket = { remoteAddress: '192.0.2.1' }
  const message = { method: 'GET', url: '/', headers: {}, socket, on: () => undefined, off: () => undefined }
  expect(await addressBy(message)).toEqual(['192.0.2.1'])
  expect(await addressBy(Object.assign(new Request('http://x.test/'), { socket }))).toEqual([null])
})
