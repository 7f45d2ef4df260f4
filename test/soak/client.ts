/** Requests over loopback HTTP: sent with the header lines exactly as given, answered or broken off. */
import { Agent, type ClientRequest, request as httpRequest } from 'node:http'
import { connect } from 'node:net'
import type { Answer } from './oracle.ts'

/** What is sent. */
export interface Sent {
  readonly method: string
  readonly path: string
  /** Lines in order; a name may repeat. */
  readonly headers: readonly (readonly [name: string, value: string])[]
  readonly body?: string | undefined
}

/** Where a client may be broken off. */
export type BreakOff = 'in the head' | 'in the body' | 'before the answer'

/** A client that keeps its connections. */
export interface Client {
  /** Where no answer came, one of status 0 says why. */
  send(url: string, sent: Sent): Promise<Answer>
  /** Send half of the body, and the rest once `meanwhile` is done. */
  sendInHalves(url: string, sent: Sent, meanwhile: () => Promise<unknown>): Promise<Answer>
  /** Send a part, or all without waiting for an answer, and end the connection. */
  breakOff(url: string, sent: Sent, where: BreakOff): Promise<void>
  close(): void
}

/** Longer than anything on a server may wait. */
const NO_ANSWER_MS = 60_000

export function createClient(): Client {
  const agent = new Agent({ keepAlive: true, maxSockets: 64 })
  const send = (
    url: string,
    sent: Sent,
    kept: Agent | false,
    write: (message: ClientRequest) => void,
  ): Promise<Answer> =>
    new Promise<Answer>((resolve, reject) => {
      const { method, path, headers, body = '' } = sent
      const { hostname, port, host } = new URL(url)
      const length: [string, string][] = method === 'GET' ? [] : [['content-length', String(Buffer.byteLength(body))]]
      const lines = [['host', host] as const, ...headers, ...length].flat()
      const message = httpRequest({ hostname, port, method, path, agent: kept, headers: lines }, (response) => {
        const chunks: Buffer[] = []
        response.on('data', (chunk: Buffer) => chunks.push(chunk))
        response.on('error', reject)
        response.on('end', () => {
          const { statusCode: status = 0, headers: lines } = response
          resolve({ status, headers: lines, body: Buffer.concat(chunks).toString() })
        })
      })
      message.setTimeout(NO_ANSWER_MS, () => message.destroy(new Error('no answer')))
      message.on('error', reject)
      write(message)
    }).catch((error: Error & { code?: string }) => {
      return { status: 0, headers: {}, body: `no answer: ${error.code} ${error.message}` }
    })
  return {
    send: (url, sent) => send(url, sent, agent, (message) => message.end(sent.body ?? '')),
    // On a connection of its own: a server that has answered before the rest came may end it at any moment.
    sendInHalves: (url, sent, meanwhile) =>
      send(url, sent, false, (message) => {
        const { body = '' } = sent
        message.write(body.slice(0, body.length / 2))
        void meanwhile().finally(() => message.end(body.slice(body.length / 2)))
      }),
    breakOff: (url, sent, where) =>
      new Promise((resolve) => {
        const { hostname, port, host } = new URL(url)
        const socket = connect(Number(port), hostname)
        const text = textOf(host, sent, where)
        socket.on('error', () => undefined)
        socket.on('close', () => resolve())
        socket.on('connect', () => {
          socket.write(text, 'latin1', () => setTimeout(() => socket.destroy(), where === 'in the body' ? 20 : 1))
        })
      }),
    close: () => agent.destroy(),
  }
}

function textOf(host: string, { method, path, headers, body = '' }: Sent, where: BreakOff): string {
  const lines = [['host', host], ...headers, ['content-length', String(Buffer.byteLength(body))]]
  const head = `${method} ${path} HTTP/1.1\r\n${lines.map(([name, value]) => `${name}: ${value}\r\n`).join('')}`
  if (where === 'in the head') return head.slice(0, Math.ceil(head.length / 2))
  return where === 'in the body' ? `${head}\r\n${body.slice(0, body.length / 2)}` : `${head}\r\n${body}`
}
