/** Without a response object, and with a client that goes away: real sockets, real upgrades, no rejection left over. */
import { createServer, type IncomingMessage, ServerResponse } from 'node:http'
import { connect, type Socket } from 'node:net'
import { getRequestListener } from '@hono/node-server'
import express from 'express'
import { Hono } from 'hono'
import Koa from 'koa'
import { isAuthError, jsonResponse, type Route, readJson } from 'sallyport'
import { fromNodeRequest } from 'sallyport/adapter'
import * as forExpress from 'sallyport/express'
import * as forHono from 'sallyport/hono'
import * as forKoa from 'sallyport/koa'
import { afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { PATIENCE_MS } from '../patience.ts'
import { type Listening, listen } from '../support/hosts.ts'
import { createRigWorld, type RigWorld } from './rigs.ts'

let world: RigWorld
const unhandled: unknown[] = []
const note = (reason: unknown): void => void unhandled.push(reason)
beforeAll(async () => {
  world = await createRigWorld()
})
beforeEach(() => {
  unhandled.length = 0
  process.on('unhandledRejection', note)
  vi.spyOn(console, 'error').mockImplementation(() => undefined)
})
afterEach(() => {
  process.off('unhandledRejection', note)
  world.users = null
  vi.restoreAllMocks()
})

const PATIENCE = { timeout: PATIENCE_MS }

const settled = async (): Promise<void> => {
  for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setTimeout(resolve, 10))
}

it.each([
  ['alone', (guard: express.RequestHandler) => guard],
  ['in an app', (guard: express.RequestHandler) => express().use(guard)],
])(
  'a guard of Express, %s, that is given an upgrade and a response made for it tells its decision',
  async (_, mount) => {
    const server = await listen((_req, res) => void res.end())
    const guard = mount(forExpress.createAdapter(world.auth).middleware() as express.RequestHandler)
    server.server.on('upgrade', (req: express.Request, socket: Socket) => {
      guard(req, new ServerResponse(req) as express.Response, () =>
        socket.end('HTTP/1.1 101 Switching Protocols\r\n\r\n'),
      )
    })
    world.decisions.length = 0
    const socket = connect(server.port, '127.0.0.1')
    const lines = ['GET / HTTP/1.1', 'Host: x', 'Connection: Upgrade', 'Upgrade: websocket']
    socket.write([...lines, `Authorization: Bearer ${world.caller.token}`, '', ''].join('\r\n'))
    await new Promise((resolve) => socket.resume().on('close', resolve))
    expect(world.decisions.map(({ outcome }) => outcome)).toEqual(['allowed'])
    await server.close()
  },
)

describe('a WebSocket upgrade', () => {
  const upgrade = async (lines: readonly string[]): Promise<string> => {
    const server = createServer((_req, res) => res.end())
    server.on('upgrade', (message: IncomingMessage, socket: Socket) => {
      const answer = (text: string): unknown => socket.end(text)
      world.auth.authenticate(fromNodeRequest(message)).then(
        ({ org }) => answer(`HTTP/1.1 101 Switching Protocols\r\nX-Org: ${org?.id}\r\n\r\n`),
        (error: unknown) => {
          if (!isAuthError(error)) return answer('HTTP/1.1 500 Internal Server Error\r\n\r\n')
          const { status, headers, body } = world.auth.toResponse(error)
          const head = headers.map(([name, value]) => `${name}: ${value}\r\n`).join('')
          return answer(`HTTP/1.1 ${status} Refused\r\n${head}\r\n${body}`)
        },
      )
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const { port } = server.address() as { port: number }
    const text = await new Promise<string>((resolve, reject) => {
      const socket = connect(port, '127.0.0.1')
      let received = ''
      socket.setTimeout(PATIENCE.timeout, () => socket.destroy(new Error('no answer')))
      socket.on('data', (chunk) => (received += chunk))
      socket.on('error', reject)
      socket.on('close', () => resolve(received))
      socket.write(
        ['GET /live HTTP/1.1', 'Host: x', 'Connection: Upgrade', 'Upgrade: websocket', ...lines, '', ''].join('\r\n'),
      )
    })
    await new Promise((resolve) => server.close(resolve))
    return text
  }

  it('is let in by its token', async () => {
    const { token, org } = world.caller
    expect(await upgrade([`Authorization: Bearer ${token}`])).toBe(
      `HTTP/1.1 101 Switching Protocols\r\nX-Org: ${org?.id}\r\n\r\n`,
    )
  })

  it('is refused without one, and with two', async () => {
    const { token } = world.caller
    expect(await upgrade([])).toMatch(/^HTTP\/1\.1 401 [\s\S]*WWW-Authenticate: Bearer\r\n/)
    const line = `Authorization: Bearer ${token}`
    expect(await upgrade([line, line])).toMatch(/^HTTP\/1\.1 400 [\s\S]*"bad_request"/)
  })

  it('fails as a fault where a step does', async () => {
    world.users = () => Promise.reject(null)
    expect(await upgrade([`Authorization: Bearer ${world.caller.token}`])).toMatch(/^HTTP\/1\.1 500 /)
  })
})

describe('a client that goes away', () => {
  let handled: number
  const routes: readonly Route[] = [
    { method: 'GET', path: '/slow', access: {}, handle: () => jsonResponse(200, {}) },
    {
      method: 'POST',
      path: '/body',
      access: 'public',
      async handle(_context, request) {
        handled++
        return jsonResponse(200, await readJson(request).catch((error) => Promise.reject(ended(error))))
      },
    },
  ]
  let outcome: unknown
  const ended = (error: unknown): unknown => {
    outcome = error
    return error
  }
  const hosts = {
    express: () => {
      const app = express()
      forExpress.createAdapter(world.auth).mount(app, routes)
      return app
    },
    koa: () => {
      const app = new Koa()
      app.silent = true
      forKoa.createAdapter(world.auth).mount(app, routes)
      return app.callback()
    },
    hono: () => {
      const app = new Hono()
      forHono.createAdapter(world.auth).mount(app, routes)
      return getRequestListener(app.fetch)
    },
  }
  const names = Object.keys(hosts) as (keyof typeof hosts)[]

  const open = async (server: Listening, text: string): Promise<Socket> => {
    const socket = connect(Number(new URL(server.url).port), '127.0.0.1')
    await new Promise<void>((resolve) => socket.once('connect', () => resolve()))
    socket.on('error', () => undefined)
    socket.write(text)
    return socket
  }

  it.each(names)('while it is looked up: %s', async (name) => {
    let release = (): void => undefined
    const entered = new Promise<void>((resolve) => {
      world.users = () => {
        resolve()
        return new Promise<void>((go) => {
          release = go
        })
      }
    })
    const server = await listen(hosts[name]() as never)
    const socket = await open(
      server,
      `GET /slow HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${world.caller.token}\r\n\r\n`,
    )
    await entered
    socket.destroy()
    await settled()
    release()
    await settled()
    const { status } = await fetch(`${server.url}/slow`)
    await server.close()
    expect(unhandled).toEqual([])
    expect(status).toBe(401)
  })

  it.each(names)('while its body is read: %s', async (name) => {
    handled = 0
    outcome = undefined
    const server = await listen(hosts[name]() as never)
    const head = 'POST /body HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{"a":'
    const socket = await open(server, head)
    await vi.waitFor(() => expect(handled).toBe(1), PATIENCE)
    await settled()
    socket.destroy()
    await vi.waitFor(() => expect(outcome).toBeDefined(), PATIENCE)
    await settled()
    await server.close()
    expect(isAuthError(outcome)).toBe(true)
    expect(unhandled).toEqual([])
  })
})
