/** One HTTP exchange over a plain socket: the bytes go out as they are, the answer comes back taken apart. */
import { connect } from 'node:net'
import { PATIENCE_MS } from '../patience.ts'

/** An answer. */
export interface RawAnswer {
  readonly status: number
  /** Header lines in order, names in lower case. */
  readonly headers: readonly (readonly [name: string, value: string])[]
  readonly body: string
}

/** Send bytes, read one answer, end the connection. Rejects where none comes in time. */
export function exchange(port: number, bytes: Buffer): Promise<RawAnswer> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1')
    const timer = setTimeout(() => finish(new Error('no answer in time')), PATIENCE_MS)
    let received = Buffer.alloc(0)
    const finish = (result: RawAnswer | Error): void => {
      clearTimeout(timer)
      socket.destroy()
      if (result instanceof Error) reject(result)
      else resolve(result)
    }
    socket.on('connect', () => socket.write(bytes))
    socket.on('data', (chunk) => {
      received = Buffer.concat([received, chunk])
      const answer = parseAnswer(received, false)
      if (answer !== null) finish(answer)
    })
    socket.on('close', () => finish(parseAnswer(received, true) ?? new Error('closed without an answer')))
    socket.on('error', (error) => finish(parseAnswer(received, true) ?? error))
  })
}

/** Take one answer apart, or `null` where it is not whole yet; `ended` where nothing more will come. */
export function parseAnswer(received: Buffer, ended: boolean): RawAnswer | null {
  const end = received.indexOf('\r\n\r\n')
  if (end < 0) return null
  const [start = '', ...lines] = received.subarray(0, end).toString('latin1').split('\r\n')
  const headers = lines.map((line): readonly [string, string] => {
    const colon = line.indexOf(':')
    return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()]
  })
  const status = Number(start.split(' ')[1])
  const rest = received.subarray(end + 4)
  const headerOf = (name: string): string | undefined => headers.find(([key]) => key === name)?.[1]
  if (status === 204 || status === 304) return { status, headers, body: '' }
  if (headerOf('transfer-encoding') === 'chunked') {
    const body = dechunk(rest)
    return body === null ? null : { status, headers, body }
  }
  const length = Number(headerOf('content-length') ?? (ended ? rest.length : Number.POSITIVE_INFINITY))
  return rest.length < length ? null : { status, headers, body: rest.subarray(0, length).toString('utf8') }
}

function dechunk(bytes: Buffer): string | null {
  const parts: Buffer[] = []
  for (let at = 0; ; ) {
    const line = bytes.indexOf('\r\n', at)
    if (line < 0) return null
    const size = Number.parseInt(bytes.subarray(at, line).toString('latin1'), 16)
    if (size === 0) return Buffer.concat(parts).toString('utf8')
    if (bytes.length < line + 2 + size + 2) return null
    parts.push(bytes.subarray(line + 2, line + 2 + size))
    at = line + 2 + size + 2
  }
}
