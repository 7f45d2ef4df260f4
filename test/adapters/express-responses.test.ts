/**
 * Our headers reach every answer of Express, whose responses all have one `writeHead` of ours: whoever else has one of their own,
 * on the response or on a prototype, before or after, and whatever prototype or request the response is given later.
 */
import { IncomingMessage, type RequestListener, ServerResponse } from 'node:http'
import { createRequire } from 'node:module'
import type { Application, RequestHandler } from 'express'
import * as forExpress from 'sallyport/express'
import { beforeAll, expect, it } from 'vitest'
import { listen } from '../support/hosts.ts'
import { createRigWorld, type RigWorld } from './rigs.ts'

let world: RigWorld
beforeAll(async () => {
  world = await createRigWorld()
})

const require = createRequire(import.meta.url)

/** Load Express anew: nobody has extended anything yet. */
function loadExpress(name: string): () => Application & { readonly response: object } {
  const folder = name === 'express 4' ? 'express4' : 'express'
  for (const file of Object.keys(require.cache))
    if (file.includes(`/node_modules/${folder}/`)) delete require.cache[file]
  return require(folder)
}

type WriteHead = (this: ServerResponse, ...head: unknown[]) => ServerResponse
// As the packages `compression` and `on-headers` do.
const marking: RequestHandler = (_req, res, next) => {
  const inherited = res.writeHead as unknown as WriteHead
  const writeHead: WriteHead = function (...head) {
    this.setHeader('X-Theirs', 'marked')
    return inherited.apply(this, head)
  }
  Object.assign(res, { writeHead })
  next()
}
const answer: RequestHandler = (_req, res) => void res.json({ ok: true })
const extending = ({ response }: App, call: (response: object) => unknown = Object.getPrototypeOf): void => {
  const writeHead: WriteHead = function (...head) {
    this.setHeader('X-Theirs', 'marked')
    return (call(response) as { writeHead: WriteHead }).writeHead.apply(this, head)
  }
  Object.assign(response, { writeHead })
}
const callingNode = (): unknown => ServerResponse.prototype

type App = ReturnType<ReturnType<typeof loadExpress>>
type Build = (app: App, guard: () => RequestHandler, mounted: App, other: App) => unknown
const APPS: Readonly<Record<string, Build>> = {
  'with nothing else': (app, guard) => app.use(guard(), answer),
  'guarded twice': (app, guard) => app.use(guard(), guard(), answer),
  'behind one that has put a writeHead on the response': (app, guard) => app.use(marking, guard(), answer),
  'before one that puts a writeHead on the response': (app, guard) => app.use(guard(), marking, answer),
  'between two of them': (app, guard) => app.use(marking, guard(), marking, guard(), answer),
  'whose host has extended the prototype': (app, guard) => {
    extending(app)
    app.use(guard(), answer)
  },
  'whose host has extended the prototype, around Node': (app, guard) => {
    extending(app, callingNode)
    app.use(guard(), answer)
  },
  'mounted, whose host has extended its prototype, around Node': (app, guard, mounted) => {
    extending(mounted, callingNode)
    app.use(mounted.use(guard(), answer))
  },
  'whose prototype is frozen': (app, guard) => {
    Object.freeze(app.response)
    app.use(guard(), answer)
  },
  'mounted twice, guarded below, answered above': (app, guard, mounted, other) => {
    app.use(mounted.use(guard()), answer)
    other.use(mounted)
  },
  'called in one that is mounted, answered above': (app, guard, mounted, other) => {
    other.use(guard())
    app.use(
      mounted.use((req, res, next) => other(req, res, next)),
      answer,
    )
  },
  'whose requests have an app of another kind': (app, guard) => {
    const taking: RequestHandler = (req, _res, next) => {
      Object.defineProperty(req, 'app', { value: { name: 'mine', parent: {} } })
      next()
    }
    app.use(taking, guard(), (_req, res) => void res.end())
  },
  'mounted, guarded above': (app, guard, mounted) => app.use(guard(), mounted.use(answer)),
  'mounted, guarded below': (app, guard, mounted) => app.use(mounted.use(guard(), answer)),
  'mounted, guarded below, answered above': (app, guard, mounted) => app.use(mounted.use(guard()), answer),
  'mounted, guarded above, whose host has extended its prototype, around Node': (app, guard, mounted) => {
    extending(mounted, callingNode)
    app.use(guard(), mounted.use(answer))
  },
  'that calls one of another copy of Express': (app, guard) => {
    const other = loadExpress('express 4')().use(answer)
    app.use(guard(), (req, res, next) => other(req, res, next))
  },
  'that calls another one with a wrapped request': (app, guard, _mounted, other) => {
    other.use(answer)
    app.use(guard(), (req, res, next) => other(new Proxy(req, {}), res, next))
  },
  'that calls another one with a wrapped response, each method of which is looked up when it is called': (
    app,
    guard,
    _mounted,
    other,
  ) => {
    const get = (res: object, name: string): unknown => {
      const call = (...given: unknown[]): unknown => Reflect.apply(Reflect.get(res, name), res, given)
      return typeof Reflect.get(res, name) === 'function' ? call : Reflect.get(res, name)
    }
    other.use(guard(), guard(), answer)
    app.use((req, res, next) => other(req, new Proxy<typeof res>(res, { get }), next))
  },
  'whose response is given another request': (app, guard) => {
    app.use(guard(), (_req, res, next) => next(void Object.assign(res, { req: null })), answer)
  },
  'whose messages are given the prototypes of Node again': (app, guard) => {
    app.use(guard(), (req, res) => {
      Object.setPrototypeOf(req, IncomingMessage.prototype)
      Object.setPrototypeOf(res, ServerResponse.prototype)
      res.end()
    })
  },
  'whose response sends hints first': (app, guard) => {
    app.use(guard(), (_req, res) => {
      res.writeEarlyHints({ link: '</a.css>; rel=preload' }, () => res.end())
    })
  },
  'whose response is written by an heir of it': (app, guard) => {
    app.use(guard(), (_req, res) => {
      const heir = Object.create(res) as typeof res
      heir.writeHead(200)
      res.end()
    })
  },
  'whose handler fails': (app, guard) =>
    app.use(guard(), (_req, _res, next) => next(Object.assign(new Error('broken'), { status: 503 }))),
}

it.each(['express 5', 'express 4'].flatMap((name) => Object.keys(APPS).map((kind) => [name, kind] as const)))(
  'of %s, %s',
  async (name, kind) => {
    const express = loadExpress(name)
    const app = express()
    const guard = (): RequestHandler => forExpress.createAdapter(world.auth).middleware() as RequestHandler
    ;(APPS[kind] as Build)(app, guard, express(), express())
    const server = await listen(app as unknown as RequestListener)
    for (let each = 0; each < 2; each++) {
      const { headers } = await fetch(server.url, { headers: world.caller.headers })
      expect([headers.get('x-org-id'), headers.get('vary')]).toEqual([world.caller.org?.id, 'Authorization, X-Org-Id'])
      expect(headers.get('x-theirs')).toBe(/writeHead|two of them|extended/.test(kind) ? 'marked' : null)
    }
    await server.close()
  },
)

it('requests under way when the first one is answered keep theirs', async () => {
  const app = loadExpress('express 5')()
  const guard = forExpress.createAdapter(world.auth).middleware()
  const waiting: (() => void)[] = []
  const wait: RequestHandler = (_req, _res, next) => void waiting.push(next)
  app.use('/slow', marking, wait, guard, answer)
  app.use(guard, answer)
  const server = await listen(app as unknown as RequestListener)
  const slow = fetch(`${server.url}/slow`, { headers: world.caller.headers })
  while (waiting.length === 0) await new Promise(setImmediate)
  const quick = await fetch(server.url, { headers: world.caller.headers })
  waiting[0]?.()
  for (const { headers } of [quick, await slow]) expect(headers.get('x-org-id')).toBe(world.caller.org?.id)
  await server.close()
})
