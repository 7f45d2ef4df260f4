/**
 * On Node, Hono's server answers with a light Response: what makes a real one of it (a look at `c.res`, a header set after the
 * handler) costs several times as much as the whole pipeline. So none may be made, whatever is answered: they are counted.
 */
import type { RequestListener } from 'node:http'
import type { Hono } from 'hono'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Listening } from '../support/hosts.ts'
import type { RigWorld } from './rigs.ts'

let made = 0
class CountedResponse extends Response {
  constructor(...given: ConstructorParameters<typeof Response>) {
    super(...given)
    made += 1
  }
}

let world: RigWorld
let listen: (listener: RequestListener) => Promise<Listening>
let getRequestListener: (fetch: unknown) => RequestListener
beforeAll(async () => {
  // The server takes for a real one what there is when it is loaded: nothing above may load it.
  globalThis.Response = CountedResponse
  getRequestListener = (await import('@hono/node-server')).getRequestListener as never
  listen = (await import('../support/hosts.ts')).listen
  world = await (await import('./rigs.ts')).createRigWorld()
})

const running: Listening[] = []
afterAll(() => Promise.all(running.map((each) => each.close())))

const VERSIONS: Readonly<Record<string, () => Promise<{ Hono: typeof Hono }>>> = {
  hono: () => import('hono'),
  // @ts-expect-error the same types hold, and the alias has none
  'hono, the lowest that is supported': () => import('hono-lowest') as Promise<{ Hono: typeof Hono }>,
}

describe.each(Object.keys(VERSIONS))('%s', (version) => {
  async function ask(
    path: string,
  ): Promise<{ readonly text: string; readonly org: string | null; readonly made: number }> {
    const { Hono } = await (VERSIONS[version] as (typeof VERSIONS)[string])()
    const { createAdapter } = await import('sallyport/hono')
    const { middleware, protect } = createAdapter(world.auth)
    const app = new Hono()
    app.use('/below/*', middleware(), middleware({ role: 'member' }))
    app.get('/below/json', (c) => c.json({ ok: true }))
    app.get('/below/text', (c) => c.text('ok'))
    app.get('/below/plain', () => new Response('ok'))
    app.get(
      '/within/json',
      protect({}, (_context, c) => c.json({ ok: true })),
    )
    app.use('/touched', async (c, next) => {
      await next()
      c.res = new Response(c.res.body, c.res)
    })
    app.get('/touched', middleware(), (c) => c.text('ok'))
    const server = await listen(getRequestListener(app.fetch))
    running.push(server)
    const before = made
    const response = await fetch(`${server.url}${path}`, { headers: world.caller.headers })
    const during = made - before
    return { text: await response.text(), org: response.headers.get('x-org-id'), made: during }
  }

  it.each(['/below/json', '/below/text', '/below/plain', '/within/json'])('%s makes no real Response', async (path) => {
    const { text, org, made: responses } = await ask(path)
    expect([text, org]).toEqual([path.endsWith('json') ? '{"ok":true}' : 'ok', world.caller.org?.id])
    expect(responses).toBe(0)
  })

  it('and a middleware that touches the answer makes one: they are counted here', async () => {
    expect((await ask('/touched')).made).toBeGreaterThan(0)
  })
})
