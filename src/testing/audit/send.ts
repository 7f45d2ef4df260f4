/** Send an audit's request: over a socket as it stands, or as a Fetch `Request` into a handler in this process. */
import { connect } from 'node:net'
import type { AuditAnswer, AuditRequest } from './audit-case.ts'

const DEADLINE_MS = 10_000

/**
 * Send over a fresh connection, byte for byte, and read until the server closes it.
 *
 * @throws Error where no complete answer came within 10 seconds
 */
export function sendOverSocket(baseUrl: string, request: AuditRequest): Promise<AuditAnswer> {
  const { hostname, port, host } = new URL(baseUrl)
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    const socket = connect(Number(port), hostname)
    const fail = (why: string): void => {
      socket.destroy()
      reject(new Error(`${request.method} ${request.path}: ${why}`))
    }
    const timer = setTimeout(() => fail('no complete answer within 10 seconds'), DEADLINE_MS)
    socket.on('data', (chunk) => chunks.push(chunk))
    // A server may cut the rest of a body it has refused; what counts is the answer.
    socket.on('error', () => undefined)
    socket.on('close', () => {
      clearTimeout(timer)
      const answer = parseAnswer(Buffer.concat(chunks))
      if (answer === null) fail('the connection was closed without a complete answer')
      else resolve(answer)
    })
    socket.write(bytesOf(request, host))
  })
}

function bytesOf({ method, path, headers, body, chunked }: AuditRequest, host: string): Buffer {
  const bytes = body === null ? Buffer.alloc(0) : Buffer.from(body as string)
  const framing = chunked ? ['Transfer-Encoding: chunked'] : body === null ? [] : [`Content-Length: ${bytes.length}`]
  const lines = headers.map(([name, value]) => `${name}: ${value}`)
  const head = [`${method} ${path} HTTP/1.1`, `Host: ${host}`, 'Connection: close', ...framing, ...lines, '', '']
  return Buffer.concat([Buffer.from(head.join('\r\n'), 'latin1'), chunked ? chunksOf(bytes) : bytes])
}

function chunksOf(bytes: Buffer): Buffer {
  const half = Math.ceil(bytes.length / 2)
  const parts = [bytes.subarray(0, half), bytes.subarray(half)].filter((part) => part.length > 0)
  const framed = parts.flatMap((part) => [Buffer.from(`${part.length.toString(16)}\r\n`), part, Buffer.from('\r\n')])
  return Buffer.concat([...framed, Buffer.from('0\r\n\r\n')])
}

function parseAnswer(bytes: Buffer): AuditAnswer | null {
  const end = bytes.indexOf('\r\n\r\n')
  if (end === -1) return null
  const [statusLine = '', ...lines] = bytes.subarray(0, end).toString('latin1').split('\r\n')
  const headers: Record<string, string> = {}
  for (const line of lines) {
    const colon = line.indexOf(':')
    const name = line.slice(0, colon).toLowerCase()
    const value = line.slice(colon + 1).trim()
    headers[name] = headers[name] === undefined ? value : `${headers[name]}, ${value}`
  }
  const rest = bytes.subarray(end + 4)
  const body = headers['transfer-encoding'] === 'chunked' ? unchunk(rest) : rest
  return { status: Number(statusLine.split(' ')[1]), headers, body: body.toString() }
}

function unchunk(bytes: Buffer): Buffer {
  const parts: Buffer[] = []
  for (let at = 0; at < bytes.length; ) {
    const lineEnd = bytes.indexOf('\r\n', at)
    const size = Number.parseInt(bytes.subarray(at, lineEnd).toString('latin1'), 16)
    if (!(size > 0)) break
    parts.push(bytes.subarray(lineEnd + 2, lineEnd + 2 + size))
    at = lineEnd + 4 + size
  }
  return Buffer.concat(parts)
}

/** A server that speaks Fetch. */
export type FetchHandler = (request: Request) => Response | Promise<Response>

/** Send into a Fetch handler in this process; `null` where Fetch can't express the request. */
export async function sendOverFetch(handler: FetchHandler, request: AuditRequest): Promise<AuditAnswer | null> {
  const made = toFetchRequest(request)
  if (made === null) return null
  const response = await handler(made)
  const headers: Record<string, string> = {}
  for (const [name, value] of response.headers) {
    headers[name] = headers[name] === undefined ? value : `${headers[name]}, ${value}`
  }
  return { status: response.status, headers, body: await response.text() }
}

function toFetchRequest({ method, path, headers: lines, body, chunked }: AuditRequest): Request | null {
  const bytes = body === null ? null : Buffer.from(body as string)
  try {
    const headers = new Headers()
    for (const [name, value] of lines) headers.append(name, value)
    if (bytes !== null && !chunked) headers.set('content-length', String(bytes.length))
    const init = { method, headers, ...(bytes !== null && { body: chunked ? streamOf(bytes) : bytes, duplex: 'half' }) }
    return new Request(`http://127.0.0.1${path}`, init as RequestInit)
  } catch {
    return null
  }
}

function streamOf(bytes: Buffer): ReadableStream<Uint8Array> {
  const half = Math.ceil(bytes.length / 2)
  return new ReadableStream({
    start(controller) {
      for (const part of [bytes.subarray(0, half), bytes.subarray(half)]) if (part.length > 0) controller.enqueue(part)
      controller.close()
    },
  })
}
