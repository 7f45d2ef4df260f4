/** A GET that said how long its body is was answered 500 by Hono on Node, where a handler reads it: Fetch has no body of a GET. */
import { createAuth, jsonResponse, oidc, readJson } from 'sallyport'
import { expect, it } from 'vitest'
import { HOSTS, type HostName, listen } from '../support/hosts.ts'
import { exchange } from '../support/raw-http.ts'

const auth = createAuth({ issuers: [oidc({ issuer: 'https://issuer.test', audience: 'api' })] }) as never

const BODY = '{"a":1}'
const FRAMINGS = {
  'of a length': `Content-Length: ${BODY.length}\r\n\r\n${BODY}`,
  'in chunks': `Transfer-Encoding: chunked\r\n\r\n${BODY.length.toString(16)}\r\n${BODY}\r\n0\r\n\r\n`,
}

it.each(Object.keys(HOSTS).flatMap((name) => Object.keys(FRAMINGS).map((framing) => [name, framing] as const)))(
  '%s, %s: is read or refused, and no fault',
  async (name, framing) => {
    const route = {
      ...{ method: 'GET', path: '/', access: 'public' },
      handle: async (_context: unknown, request: never) => jsonResponse(200, await readJson(request)),
    }
    const server = await listen(HOSTS[name as HostName]({ auth, routes: [route as never] }))
    const head = 'GET / HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n'
    const { status } = await exchange(server.port, Buffer.from(`${head}${FRAMINGS[framing as keyof typeof FRAMINGS]}`))
    await server.close()
    expect(status).toBe(name === 'hono' ? 400 : 200)
  },
)
