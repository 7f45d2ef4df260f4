/**
 * One small service on every framework, without a key or a storage: what of a request reaches the decision is all there is
 * to see. It costs next to nothing, so that thousands of requests may be sent to it.
 */
import { IncomingMessage, type RequestListener } from 'node:http'
import { connect, type Socket } from 'node:net'
import {
  type Access,
  type Auth,
  type AuthContext,
  AuthError,
  createAuth,
  createOrgResolver,
  header,
  type Identity,
  jsonResponse,
  type Route,
  readJson,
} from '../../src/index.ts'
import { PATIENCE_MS } from '../patience.ts'
import { listen, type Mountable } from '../support/hosts.ts'
import { parseAnswer, type RawAnswer } from '../support/raw-http.ts'

export const TOKEN = 'good-token'
export const SECRET = 'good-secret'
export const ORG = '0b0e7a52-4f0c-4c53-9d7b-5f2f6f0d1c11'

const identity: Identity<never> = {
  ...{ kind: 'person', issuer: 'https://issuer.test', subject: 'ada', audience: [], email: null, emailVerified: null },
  ...{ name: null, scopes: null, actor: null, tokenId: null, expiresAt: new Date(8.64e15), claims: {} },
}
const user = { id: 'u1', email: null, disabled: false }
const acting = { org: { id: ORG }, role: 'member' }

/** The service's auth: one token, one secret, one org, one cookie. */
export const auth: Auth = createAuth({
  roles: ['member'],
  verifier: { verify: async (token) => (token === TOKEN ? identity : refuse('unauthorized')) },
  services: {
    services: [{ name: 'peer', header: 'X-Peer-Secret' }],
    verify: async (_header, secret) => (secret === SECRET ? 'peer' : refuse('unauthorized')),
  },
  cookie: { name: 'session' },
  users: async () => ({ user }),
  orgs: createOrgResolver({
    memberships: { findActing: async (_caller, id) => (id === ORG ? acting : null), listActing: async () => [acting] },
    selectors: [header('X-Org-Id')],
    whenUnnamed: 'earliest-joined',
  }),
}) as unknown as Auth

function refuse(code: 'unauthorized'): never {
  throw new AuthError(code, { reason: 'test_credential_wrong' })
}

const route = (method: Route['method'], path: string, access: Access): Route => ({
  method,
  path,
  access,
  handle: (context: AuthContext | null, { params }) =>
    jsonResponse(200, { caller: context?.kind ?? null, params: { ...params } }),
})

export const ROUTES: readonly Route[] = [
  route('GET', '/whoami', {}),
  route('POST', '/change', {}),
  route('GET', '/optional', { optional: true }),
  route('GET', '/peer', { accept: ['service'] }),
  route('GET', '/things/:id', {}),
  route('POST', '/login', 'public'),
  {
    method: 'POST',
    path: '/notes',
    access: {},
    handle: async (_context, request) => {
      const note = await readJson(request)
      return jsonResponse(200, { caller: 'user', note })
    },
  },
]

/** Where the routes are: alone, or behind a middleware that guards everything. */
export type Front = 'mounted' | 'guarded'

/** The service, to be mounted. */
export const serviceBehind = (front: Front): Mountable => ({
  auth,
  routes: ROUTES,
  ...(front === 'guarded' && { guard: { optional: true } }),
})

/** A listening host, asked over a few connections that are kept alive. */
export interface SmallServer {
  readonly port: number
  /** Send requests as they are written, in latin1; the answers in the same order. */
  askAll(requests: readonly string[]): Promise<readonly RawAnswer[]>
  close(): Promise<void>
}

/** Let a host listen. */
export async function listenSmall(listener: RequestListener): Promise<SmallServer> {
  const { port, close } = await listen(listener, { keepAliveTimeout: PATIENCE_MS })
  return {
    port,
    close,
    async askAll(requests) {
      const answers: RawAnswer[] = []
      const waiting = requests.map((text, index) => ({ text, index }))
      const work = async (): Promise<void> => {
        const line = createLine(port)
        for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
          answers[next.index] = await line.ask(Buffer.from(next.text, 'latin1'))
        }
        line.end()
      }
      await Promise.all(Array.from({ length: 4 }, work))
      return answers
    },
  }
}

// One connection, opened again wherever the server has ended it.
function createLine(port: number): { ask(bytes: Buffer): Promise<RawAnswer>; end(): void } {
  let socket: Socket | null = null
  return {
    end: () => socket?.destroy(),
    ask: (bytes) =>
      new Promise((resolve, reject) => {
        const line = socket === null || socket.destroyed ? connect(port, '127.0.0.1') : socket
        socket = line
        let received = Buffer.alloc(0)
        const settle = (answer: RawAnswer | null, ended: boolean): void => {
          if (answer === null && !ended) return
          line.removeAllListeners()
          line.setTimeout(0)
          line.on('error', () => undefined)
          if (ended || answer?.headers.some(([name, value]) => name === 'connection' && value === 'close'))
            line.destroy()
          if (answer === null) reject(new Error(`no answer to ${bytes.toString('latin1')}`))
          else resolve(answer)
        }
        line.setTimeout(PATIENCE_MS, () => settle(null, true))
        line.on('data', (chunk) => {
          received = Buffer.concat([received, chunk])
          settle(parseAnswer(received, false), false)
        })
        line.on('error', () => settle(parseAnswer(received, true), true))
        line.on('close', () => settle(parseAnswer(received, true), true))
        line.write(bytes)
      }),
  }
}

/**
 * A host behind a platform that makes the requests by itself, as the bridges from a function's event to Node do: a message
 * whose `headers` were written by hand, repeated ones joined, and whose `rawHeaders` are empty or not there.
 */
export function behindPlatform(listener: RequestListener, rawHeaders: [] | undefined): RequestListener {
  return async (req, res) => {
    const body = await bytesOf(req)
    const joined = Object.entries(req.headersDistinct).map(([name, lines = []]) => [name, lines.join(', ')])
    const { remoteAddress } = req.socket
    const made = new IncomingMessage({ encrypted: false, readable: false, remoteAddress } as never)
    Object.assign(made, { complete: true, httpVersion: '1.1', httpVersionMajor: '1', httpVersionMinor: '1' })
    Object.assign(made, { method: req.method, url: req.url, headers: Object.fromEntries(joined), rawHeaders })
    Object.assign(made, { body })
    made._read = () => {
      made.push(body)
      made.push(null)
    }
    listener(made, res)
  }
}

/** What a platform leaves on the message whose body it has read: bytes or text, under a name of its own, or the value. */
export const LEFT: Readonly<Record<string, (bytes: Buffer) => object>> = {
  'bytes in body': (bytes) => ({ body: bytes }),
  'text in body': (bytes) => ({ body: bytes.toString() }),
  'bytes in rawBody, the value in body': (bytes) => ({ rawBody: bytes, body: jsonOf(bytes) }),
  'the value in body': (bytes) => ({ body: jsonOf(bytes) }),
}

/** A host behind a platform that has read the body of Node's own message, and left it there. */
export function behindReader(listener: RequestListener, leave: (bytes: Buffer) => object): RequestListener {
  return async (req, res) => {
    Object.assign(req, leave(await bytesOf(req)))
    listener(req, res)
  }
}

function jsonOf(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString())
  } catch {
    return undefined
  }
}

async function bytesOf(req: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = []
  for await (const chunk of req) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks)
}
