/**
 * Requests over loopback, as cheap for who sends them as it gets: bare sockets, one request at a time on each. While it sends it never
 * sleeps: a server pays for waking whom it answers, on a virtual machine as much as for authenticating, and a slow one wakes more
 * often than a fast one.
 */
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'

/** Sends requests to one server over connections that stay. */
export interface Load {
  /** Send as many requests as there are header values, spread over the connections; the statuses that came back, counted. */
  send(authorizations: readonly string[]): Promise<ReadonlyMap<number, number>>
  /** Ask one path; the body. */
  ask(path: string): Promise<string>
  close(): void
}

/** Connect. */
export async function createLoad(port: number, connections: number): Promise<Load> {
  const clients = await Promise.all(Array.from({ length: connections }, () => createClient(port)))
  return {
    async send(authorizations) {
      const counts = new Map<number, number>()
      let next = 0
      const work = async (client: Client): Promise<void> => {
        while (next < authorizations.length) {
          const { status } = await client.request('/', authorizations[next++] as string)
          counts.set(status, (counts.get(status) ?? 0) + 1)
        }
      }
      const rest = stayAwake()
      await Promise.all(clients.map(work)).finally(rest)
      return counts
    },
    ask: async (path) => (await (clients[0] as Client).request(path, '')).body,
    close: () => clients.forEach(({ socket }) => void socket.destroy()),
  }
}

// Turns of the event loop without a wait, until it is called.
function stayAwake(): () => void {
  let turn = setImmediate(function next() {
    turn = setImmediate(next)
  })
  return () => clearImmediate(turn)
}

interface Answer {
  readonly status: number
  readonly body: string
}

interface Client {
  readonly socket: Socket
  request(path: string, authorization: string): Promise<Answer>
}

async function createClient(port: number): Promise<Client> {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true })
  await once(socket, 'connect')
  socket.setEncoding('latin1')
  let text = ''
  let waiting: { resolve(answer: Answer): void; reject(error: Error): void } | null = null
  socket.on('data', (chunk: string) => {
    text += chunk
    const answer = readAnswer(text)
    if (answer === null) return
    text = ''
    waiting?.resolve(answer)
  })
  const fail = (): void => waiting?.reject(new Error('the server closed the connection'))
  socket.on('error', fail).on('close', fail)
  return {
    socket,
    request(path, authorization) {
      const line = authorization === '' ? '' : `Authorization: ${authorization}\r\n`
      return new Promise((resolve, reject) => {
        waiting = { resolve, reject }
        if (socket.destroyed) return fail()
        socket.write(`GET ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\n${line}\r\n`, 'latin1')
      })
    },
  }
}

// `null` while something is missing.
function readAnswer(text: string): Answer | null {
  const end = text.indexOf('\r\n\r\n')
  if (end === -1) return null
  const body = text.slice(end + 4)
  const head = text.slice(0, end)
  const length = /\r\ncontent-length: *(\d+)/i.exec(head)?.[1]
  const isWhole =
    length === undefined
      ? !/\r\ntransfer-encoding:/i.test(head) || body.endsWith('0\r\n\r\n')
      : body.length >= Number(length)
  return isWhole ? { status: Number(head.slice(9, 12)), body } : null
}
