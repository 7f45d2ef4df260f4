/**
 * What is not known of a request yet was looked up through `Object.prototype`: a process that had let one `source` or one
 * `verified` be written there let everybody act as the same caller.
 */
import { Hono } from 'hono'
import { expect, it } from 'vitest'
import { createAdapter } from '../../adapters/hono.ts'
import { fromFetchRequest } from '../../src/http/fetch-request.ts'
import { fromNodeRequest } from '../../src/http/node-request.ts'
import { RequestState } from '../../src/pipeline/request-state.ts'
import { createWorld, reasonOf } from '../pipeline/world.ts'

const NO_STREAM = { on: () => undefined, off: () => undefined }
const NAMES = new Set([
  ...Object.keys(new RequestState({}, {} as never, async () => undefined)),
  ...['credential', 'verified', 'resolvedUser', 'context', 'acted', 'judgedAt'],
  ...['source', 'params', 'incoming', 'outgoing', 'response', 'parsedBody', 'readText', 'remoteAddress'],
])

async function polluted<T>(name: string, value: unknown, work: () => Promise<T>): Promise<T> {
  Object.defineProperty(Object.prototype, name, { value, configurable: true, writable: true, enumerable: true })
  try {
    return await work()
  } finally {
    delete (Object.prototype as Record<string, unknown>)[name]
  }
}

it.each([...NAMES])('nobody acts by what Object.prototype says of "%s"', async (name) => {
  const world = createWorld()
  const { headers } = await world.person('ada', { [await world.org('acme')]: 'owner' })
  const lines = Object.entries(headers as Record<string, string>).flat()
  const node = (rawHeaders: readonly string[]) => fromNodeRequest({ url: '/x', rawHeaders, ...NO_STREAM })
  const { identity } = await world.auth.authenticate(node(lines))
  const value = { kind: 'user', identity, token: lines[1]?.split(' ')[1], rawHeaders: lines, url: '/x' }

  const app = new Hono()
  const { protect } = createAdapter(world.auth)
  app.get('/x', protect({}, ({ identity }) => new Response(identity.subject)) as never)

  await polluted(name, value, async () => {
    expect((await world.auth.authenticate(node(lines))).identity.subject).toBe(identity.subject)
    expect(await reasonOf(world.auth.authorizer({})(node([])))).toBe('credential_missing')
    expect(await reasonOf(world.auth.authorizer({})(fromFetchRequest(new Request('http://h.test/x'))))).toBe(
      'credential_missing',
    )
    expect((await app.fetch(new Request('http://h.test/x'), {})).status).toBe(401)
  })
})
